"""Probes of a bundle: inputs with the scores that the model's source gave, in `probes.json`.

`{"tolerance": 0.02, "sequences": [...], "outputs": [...]}` or `{"tolerance": 0.02, "texts": [...], "outputs":
[[...]]}`; the outputs are scores after the activation. A bundle whose answers differ by more than the tolerance is not
published. A function that meets a version for the first time checks the first few before it serves.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Self

import numpy as np
import numpy.typing as npt

from assay.errors import BundleInvalid
from assay.models.loading import LoadedModel
from assay.models.manifest import Manifest, read_document
from assay.sequences.blocks import byte_table
from assay.sequences.contract import Contract

PROBES: Final = "probes.json"
MAX_BYTES: Final = 16 << 20
ASKED_ON_LOAD: Final = {"sequence-score": 8, "text-classification": 2}
"""How many probes a function asks before a version serves: texts take 8 ms each, sequences together one."""
_MOST: Final = 4096


@dataclass(frozen=True, eq=False)
class Probes:
    """Inputs, the expected scores [N] or [N, labels], and by how much an answer may differ from them."""

    kind: Literal["sequences", "texts"]
    inputs: tuple[str, ...]
    outputs: npt.NDArray[np.float64]
    tolerance: float

    def within(self, tolerance: float) -> Self:
        """Return the same probes with another tolerance."""
        return replace(self, tolerance=tolerance)

    def first(self, most: int | None) -> Self:
        """Return the first `most` probes, None for all."""
        return replace(self, inputs=self.inputs[:most], outputs=self.outputs[:most])

    def dumps(self) -> bytes:
        """Return what `probes.json` holds."""
        outputs = [[float(x) for x in row] for row in self.outputs] if self.kind == "texts" else self.outputs.tolist()
        values = {"tolerance": self.tolerance, self.kind: list(self.inputs), "outputs": outputs}
        return (json.dumps(values, ensure_ascii=False, allow_nan=False, indent=0) + "\n").encode()


def has_probes(manifest: Manifest) -> bool:
    """Say whether a bundle carries probes."""
    return any(file.path == PROBES for file in manifest.files)


def read_probes(model: LoadedModel) -> Probes | None:
    """Return a bundle's probes, None where it has none; BundleInvalid where they are malformed."""
    manifest = model.manifest
    if not has_probes(manifest):
        return None
    with (model.folder / PROBES).open("rb") as source:
        fields = read_document(source.read(MAX_BYTES + 1), PROBES, MAX_BYTES)
    kind: Literal["sequences", "texts"] = "texts" if manifest.text else "sequences"
    inputs = fields.texts(kind, _MOST)
    outputs = _numbers(fields.items("outputs", _MOST))
    expected = (len(inputs), len(manifest.text.labels)) if manifest.text else (len(inputs),)
    tolerance = fields.values.get("tolerance")
    if outputs.shape != expected:
        fields.fail("outputs", f"have shape {outputs.shape}, not {expected}")
    if not isinstance(tolerance, int | float) or isinstance(tolerance, bool) or not 0 <= tolerance < np.inf:
        fields.fail("tolerance", "is not a number from 0")
    return Probes(kind, inputs, outputs, float(tolerance))


def check_probes(model: LoadedModel, most: int | None = None) -> float | None:
    """Return the greatest difference from the first `most` probes (None: all), None without probes.

    Raises BundleInvalid where it is too great, or an answer is not finite.
    """
    probes = read_probes(model)
    if probes is None:
        return None
    probes = probes.first(most)
    difference = float(np.abs(score_probes(model, probes.inputs) - probes.outputs).max())
    if not difference <= probes.tolerance:  # nor is NaN
        name = f"{model.manifest.name} {model.manifest.version}"
        raise BundleInvalid(
            f"{name} differs from its source by {difference:.4g} on its probes, more than {probes.tolerance:g}"
        )
    return difference


def check_scan(model: LoadedModel) -> None:
    """Raise BundleInvalid unless a bundle's scan gives windows of a random sequence the bits that each has alone."""
    manifest, scan = model.manifest, model.window_scan
    if scan is None or manifest.scan is None:
        return
    scorer, random = model.scorer, np.random.default_rng(0)
    text = random.integers(0, len(scorer.alphabet), manifest.scan.length).astype(np.uint8)
    windows = np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(text, scorer.length))
    if scan.score(text).tobytes() != scorer.score_singly(windows).tobytes():
        raise BundleInvalid(f"{manifest.name} {manifest.version} scores windows by a scan otherwise than one by one")


def score_probes(model: LoadedModel, inputs: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return the scores of sequences [N], or of texts [N, labels] after the activation."""
    if model.manifest.text is None:
        return model.scorer.score(probe_codes(inputs, model.scorer.contract))
    from assay.models.text_classifier import TextClassifier  # which a function that ranks does without

    return np.stack([each.scores for each in TextClassifier(model).classify(inputs)])


def probe_codes(sequences: Sequence[str], contract: Contract) -> npt.NDArray[np.uint8]:
    """Return alphabet indices uint8 [N, length]; BundleInvalid for a sequence that the model cannot read."""
    found = np.full((len(sequences), contract.length), 255, np.uint8)
    for row, sequence in enumerate(sequences):
        found[row] = _encode_probe(sequence, contract)
    return found


def _encode_probe(sequence: str, contract: Contract) -> npt.NDArray[np.uint8]:
    row = np.frombuffer(sequence.encode("latin-1", "replace").translate(byte_table(contract.alphabet)), np.uint8)
    if len(row) != contract.length or row.max(initial=0) >= len(contract.alphabet):
        raise BundleInvalid(f"{sequence[:60]!r} is not {contract.length} residues of {contract.alphabet}")
    return row


def _numbers(values: list[Any]) -> npt.NDArray[np.float64]:
    try:
        found = np.array(values, np.float64)
    except (TypeError, ValueError) as error:
        raise BundleInvalid(f"{PROBES}.outputs are not numbers of one shape") from error
    if not np.isfinite(found).all():
        raise BundleInvalid(f"{PROBES}.outputs are not finite")
    return found
