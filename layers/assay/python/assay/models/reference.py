"""What a score model's numbers mean: `reference.json`, a file that its bundle may have.

`calibration` turns a score into the probability of an event, `sets` say how the scores of named sets of sequences are
spread, `likeness` tells sequences that are unlike those that the model learned from, `measured` describes the measured
sequences in a file beside it. Each may be absent, but not all but `likeness`. Every mistake is a BundleInvalid that
names its place. Stands on no NumPy, which the portal lacks, until a scale is made.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from assay.errors import BundleInvalid
from assay.models.manifest import File, JsonFields, Manifest, read_document

if TYPE_CHECKING:
    from assay.ranking.reference_scale import ReferenceScale
    from assay.sequences.familiarity import Likeness

REFERENCE: Final = "reference.json"
MEASURED: Final = "measured.bin"
"""The file of measured sequences, see `assay.models.measured_file`."""
MAX_REFERENCE_BYTES: Final = 2 << 20
_MOST_KNOTS: Final = 10_000
_MOST_SETS: Final = 16
_MOST_BINS: Final = 100
_MOST_PAIRS: Final = 16
MOST_MEASURED: Final = 500_000
"""Measured sequences of a bundle."""
MOST_VALUES: Final = 16
"""Values of a measured sequence."""
_LONGEST_COLUMN: Final = 100
_MOST_COUNT: Final = 1 << 53
_LARGEST: Final = 1e30
_LONGEST: Final = 1000
"""Characters of a sentence."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Proteins that were given a probability of `low` to `high`: how many, the mean given, the share that came true."""

    low: float
    high: float
    count: int
    given: float
    observed: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """From scores to probabilities of `event`, by knots in ascending order, and how far those can be relied on.

    `reliability` and its mean error, weighed by counts, are of proteins that the map they judge was not fitted on.
    """

    event: str
    about: str
    count: int
    scores: tuple[float, ...]
    probabilities: tuple[float, ...]
    expected_error: float | None
    reliability: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, slots=True)
class ReferenceSet:
    """How the scores of `count` sequences are spread: `percents` of them, 0 to 100, score less than `scores`."""

    name: str
    about: str
    count: int
    scores: tuple[float, ...]
    percents: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LikenessTables:
    """What `assay.sequences.familiarity.Likeness` is made of; `pairs` holds rows of an [A, A] table by distance."""

    least: float
    residues: tuple[float, ...]
    pairs: tuple[tuple[int, tuple[float, ...]], ...]


@dataclass(frozen=True, slots=True)
class MeasuredTable:
    """What `measured.bin` holds: so many sequences, and the names of their values."""

    about: str
    count: int
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A bundle's `reference.json`."""

    calibration: Calibration | None
    sets: tuple[ReferenceSet, ...]
    likeness: LikenessTables | None
    measured: MeasuredTable | None = None

    @classmethod
    def of(cls, content: bytes, manifest: Manifest) -> Self:
        """Read the file of the model that a manifest is of. Raises BundleInvalid."""
        return cls.parse(content, len(manifest.sequence.alphabet) if manifest.sequence else 0)

    @classmethod
    def parse(cls, content: bytes, symbols: int) -> Self:
        """Read the file of a model whose alphabet has so many symbols. Raises BundleInvalid."""
        fields = read_document(content, REFERENCE, MAX_REFERENCE_BYTES)
        fields.integer("schema", 1, 1)
        calibration, likeness, measured = (
            _read_optional(fields, name) for name in ("calibration", "likeness", "measured")
        )
        sets = fields.objects("sets", _MOST_SETS, _read_set) if "sets" in fields.values else ()
        if calibration is None and measured is None and not sets:
            raise BundleInvalid(f"{REFERENCE} has neither a calibration, nor sets, nor measured sequences")
        return cls(
            _read_calibration(calibration) if calibration else None,
            sets,
            _read_likeness(likeness, symbols) if likeness else None,
            _read_measured(measured) if measured else None,
        )

    def summarize(self) -> dict[str, Any]:
        """Return what lists of models show: all but the curves and the tables."""
        sets = [{"name": each.name, "about": each.about, "count": each.count} for each in self.sets]
        measured = {"measured": describe_measured(self.measured)} if self.measured else {}
        return {**self._summarize_calibration(), "sets": sets, **measured}

    def _summarize_calibration(self) -> dict[str, Any]:
        if self.calibration is None:
            return {}
        known = self.calibration
        bins = [
            {"from": each.low, "to": each.high, "count": each.count, "given": each.given, "observed": each.observed}
            for each in known.reliability
        ]
        shown = {"event": known.event, "about": known.about, "count": known.count, "reliability": bins}
        error = {} if known.expected_error is None else {"expected_error": known.expected_error}
        return {"calibration": shown | error}

    @property
    def knows_scores(self) -> bool:
        """Say whether it says what a score means; one that has measured sequences alone does not."""
        return self.calibration is not None or bool(self.sets)

    def scale(self) -> "ReferenceScale":
        """Return what reads the meaning of scores; percentiles are those in the first set."""
        from assay.ranking.reference_scale import ReferenceScale, percentile_curve, probability_curve

        known = self.calibration
        return ReferenceScale(
            probability_curve(known.scores, known.probabilities) if known else None,
            percentile_curve(self.sets[0].scores, self.sets[0].percents) if self.sets else None,
            _likeness(self.likeness) if self.likeness else None,
        )


def describe_measured(table: MeasuredTable) -> dict[str, Any]:
    """Return what replies say of a bundle's measured sequences."""
    return {"about": table.about, "count": table.count, "columns": list(table.columns)}


def find_reference(manifest: Manifest) -> File | None:
    """Return the reference among a bundle's files, None where it has none; one for texts has none."""
    files = manifest.files if manifest.sequence else ()
    return next((file for file in files if file.path == REFERENCE), None)


def read_reference(folder: Path, manifest: Manifest) -> Reference | None:
    """Return the reference of a verified bundle in a folder, None where it has none. Raises BundleInvalid."""
    if find_reference(manifest) is None:
        return None
    with (folder / REFERENCE).open("rb") as source:
        return Reference.of(source.read(MAX_REFERENCE_BYTES + 1), manifest)


def _read_optional(fields: JsonFields, name: str) -> JsonFields | None:
    value = fields.values.get(name)
    return None if value is None else JsonFields(value, f"{fields.where}.{name}")


def _read_calibration(fields: JsonFields) -> Calibration:
    scores, probabilities = _read_curve(fields, "probabilities", 1.0)
    bins = fields.objects("reliability", _MOST_BINS, _read_bin) if "reliability" in fields.values else ()
    error = _read_share(fields, "expected_error") if "expected_error" in fields.values else None
    about, count = _read_sentence(fields, "about"), fields.integer("count", 0, _MOST_COUNT)
    return Calibration(_read_sentence(fields, "event"), about, count, scores, probabilities, error, bins)


def _read_bin(fields: JsonFields) -> ReliabilityBin:
    low, high, given, observed = (_read_share(fields, name) for name in ("from", "to", "given", "observed"))
    return ReliabilityBin(low, high, fields.integer("count", 0, _MOST_COUNT), given, observed)


def _read_set(fields: JsonFields) -> ReferenceSet:
    scores, percents = _read_curve(fields, "percents", 100.0)
    name, about = _read_sentence(fields, "name"), _read_sentence(fields, "about")
    return ReferenceSet(name, about, fields.integer("count", 1, _MOST_COUNT), scores, percents)


def _read_likeness(fields: JsonFields, symbols: int) -> LikenessTables:
    pairs = (
        fields.objects("pairs", _MOST_PAIRS, lambda each: _read_pairs(each, symbols))
        if "pairs" in fields.values
        else ()
    )
    return LikenessTables(_read_number(fields, "least"), _read_numbers(fields, "residues", symbols, symbols), pairs)


def _read_pairs(fields: JsonFields, symbols: int) -> tuple[int, tuple[float, ...]]:
    distance = fields.integer("distance", 1, 1 << 16)
    return distance, _read_numbers(fields, "values", symbols**2, symbols**2)


def _read_measured(fields: JsonFields) -> MeasuredTable:
    columns = fields.texts("columns", MOST_VALUES)
    if len(set(columns)) != len(columns) or not all(0 < len(each) <= _LONGEST_COLUMN for each in columns):
        fields.fail("columns", f"are not distinct texts of 1..{_LONGEST_COLUMN} characters")
    return MeasuredTable(_read_sentence(fields, "about"), fields.integer("count", 1, MOST_MEASURED), columns)


def _likeness(tables: LikenessTables) -> "Likeness":
    import numpy as np

    from assay.sequences.familiarity import Likeness

    size = len(tables.residues)
    pairs = {distance: np.array(values, np.float32).reshape(size, size) for distance, values in tables.pairs}
    return Likeness(tables.least, np.array(tables.residues, np.float32), pairs)


def _read_curve(fields: JsonFields, name: str, most: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return scores and what stands for them, 0 to `most`; both of one length, and neither ever falls."""
    scores = _read_numbers(fields, "scores", 2, _MOST_KNOTS)
    values = _read_numbers(fields, name, len(scores), len(scores))
    for known, which in ((scores, "scores"), (values, name)):
        if any(after < before for before, after in pairwise(known)):
            fields.fail(which, "do not ascend")
    if values[0] < 0 or values[-1] > most:
        fields.fail(name, f"are not within 0..{most:g}")
    return scores, values


def _read_numbers(fields: JsonFields, name: str, least: int, most: int) -> tuple[float, ...]:
    values = fields.items(name, most, least=least)
    return tuple(map(float, values)) if all(map(_is_number, values)) else fields.fail(name, "has what is no number")


def _read_number(fields: JsonFields, name: str) -> float:
    value = fields.values.get(name)
    return float(value) if _is_number(value) else fields.fail(name, "is not a number")  # type: ignore[arg-type]


def _is_number(value: object) -> bool:
    """Say whether this is a number that float32 holds too; not NaN, nor true."""
    return isinstance(value, int | float) and type(value) is not bool and abs(value) <= _LARGEST


def _read_share(fields: JsonFields, name: str) -> float:
    value = _read_number(fields, name)
    return value if 0 <= value <= 1 else fields.fail(name, "is not within 0..1")


def _read_sentence(fields: JsonFields, name: str) -> str:
    text = fields.text(name)
    return text if 0 < len(text) <= _LONGEST else fields.fail(name, f"is not a text of 1..{_LONGEST} characters")
