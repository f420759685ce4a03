"""What a score model's numbers mean: `reference.json`, a file that its bundle may have.

`calibration` turns a score into the probability of an event. `sets` say how the scores of named sets of sequences are
spread. `likeness` finds sequences that are unlike those that the model learned from. `measured` describes the measured
sequences in a file beside it. Each may be absent, but not all but `likeness`. Every mistake is a BundleInvalid that
names its place. Stands on no NumPy, which the portal lacks, until a scale is made.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from assay.errors import BundleInvalid
from assay.models.manifest import File, JsonFields, Kind, Manifest, read_document

if TYPE_CHECKING:
    from assay.ranking.distributions import ReferenceScale
    from assay.sequences.composition import Likeness

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
    """What `assay.sequences.composition.Likeness` is made of; `pairs` holds rows of an [A, A] table by distance."""

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
        document = _document(symbols)
        _, calibration, sets, likeness, measured = read_document(content, REFERENCE, MAX_REFERENCE_BYTES).read(document)
        if calibration is None and measured is None and not sets:
            raise BundleInvalid(f"{REFERENCE} has neither a calibration, nor sets, nor measured sequences")
        if calibration is not None:
            _require_curve("calibration", calibration.scores, "probabilities", calibration.probabilities, 1.0)
        for at, each in enumerate(sets):
            _require_curve(f"sets[{at}]", each.scores, "percents", each.percents, 100.0)
        if measured is not None:
            _require_columns(measured.columns)
        return cls(calibration, sets, likeness, measured)

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
        from assay.ranking.distributions import ReferenceScale, percentile_curve, probability_curve

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


_SENTENCE: Final[Kind] = (JsonFields.sentence, _LONGEST)
_SHARE: Final[Kind] = (JsonFields.number, 0, 1)
_KNOTS: Final[Kind] = (JsonFields.series, 2, _MOST_KNOTS)
_SET: Final[Mapping[str, Kind]] = {
    "name": _SENTENCE,
    "about": _SENTENCE,
    "count": (JsonFields.integer, 1, _MOST_COUNT),
    "scores": _KNOTS,
    "percents": _KNOTS,
}
_BIN: Final[Mapping[str, Kind]] = {
    "from": _SHARE,
    "to": _SHARE,
    "count": (JsonFields.integer, 0, _MOST_COUNT),
    "given": _SHARE,
    "observed": _SHARE,
}
_CALIBRATION: Final[Mapping[str, Kind]] = {
    "event": _SENTENCE,
    "about": _SENTENCE,
    "count": (JsonFields.integer, 0, _MOST_COUNT),
    "scores": _KNOTS,
    "probabilities": _KNOTS,
    "expected_error": (JsonFields.optional, *_SHARE),
    "reliability": (JsonFields.records, _MOST_BINS, _BIN, ReliabilityBin),
}
_MEASURED: Final[Mapping[str, Kind]] = {
    "about": _SENTENCE,
    "count": (JsonFields.integer, 1, MOST_MEASURED),
    "columns": (JsonFields.texts, MOST_VALUES),
}


def _document(symbols: int) -> Mapping[str, Kind]:
    """Return how the file is read for an alphabet of so many symbols; fields of an object in order of its class's."""
    pair = {
        "distance": (JsonFields.integer, 1, 1 << 16),
        "values": (JsonFields.series, symbols**2, symbols**2),
    }
    likeness = {
        "least": (JsonFields.number,),
        "residues": (JsonFields.series, symbols, symbols),
        "pairs": (JsonFields.records, _MOST_PAIRS, pair, lambda *values: values),
    }
    return {
        "schema": (JsonFields.integer, 1, 1),
        "calibration": (JsonFields.record, _CALIBRATION, Calibration),
        "sets": (JsonFields.records, _MOST_SETS, _SET, ReferenceSet),
        "likeness": (JsonFields.record, likeness, LikenessTables),
        "measured": (JsonFields.record, _MEASURED, MeasuredTable),
    }


def _likeness(tables: LikenessTables) -> "Likeness":
    import numpy as np

    from assay.sequences.composition import Likeness

    size = len(tables.residues)
    pairs = {distance: np.array(values, np.float32).reshape(size, size) for distance, values in tables.pairs}
    return Likeness(tables.least, np.array(tables.residues, np.float32), pairs)


def _require_columns(columns: Collection[str]) -> None:
    if len(set(columns)) != len(columns) or not all(0 < len(each) <= _LONGEST_COLUMN for each in columns):
        where = f"{REFERENCE}.measured.columns"
        raise BundleInvalid(f"{where} are not distinct texts of 1..{_LONGEST_COLUMN} characters")


def _require_curve(place: str, scores: Sequence[float], name: str, values: Sequence[float], most: float) -> None:
    """Raise BundleInvalid unless scores and what stands for them, 0 to `most`, are as many, and neither ever falls."""
    where = f"{REFERENCE}.{place}"
    if len(values) != len(scores):
        raise BundleInvalid(f"{where}.{name} is not a list of {len(scores)}..{len(scores)} items")
    for known, which in ((scores, "scores"), (values, name)):
        if any(after < before for before, after in pairwise(known)):
            raise BundleInvalid(f"{where}.{which} do not ascend")
    if values[0] < 0 or values[-1] > most:
        raise BundleInvalid(f"{where}.{name} are not within 0..{most:g}")
