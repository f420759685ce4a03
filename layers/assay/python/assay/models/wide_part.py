"""The wide part of a classifier: what each token adds to each label's logit, exactly, from tables in its graph.

A bundle says in its `reference.json` that it has one: `wide`, with `tokens` and `pairs`, the names of the tensors
[vocabulary, labels] and [buckets, labels], and `factor`, by which pairs of neighbours are hashed. A text of T tokens
has the logit (sum of its tokens' rows + sum of its pairs' rows) / sqrt(T) from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from assay.errors import BundleInvalid
from assay.models.manifest import JsonFields, Manifest, read_document
from assay.models.reference import MAX_REFERENCE_BYTES, REFERENCE

_MOST_FACTOR: Final = 1 << 31


@dataclass(frozen=True, eq=False, slots=True)
class WidePart:
    """Tables int8 or float32 [V, labels] and [buckets, labels], and the scale of each."""

    tokens: npt.NDArray[Any]
    pairs: npt.NDArray[Any]
    scales: tuple[float, float]
    factor: int

    def weigh(self, ids: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        """Return what each token adds to each logit [T, labels]; a pair counts half for each of its two."""
        hashed = ids.astype(np.int32)
        buckets = (hashed[:-1] * np.int32(self.factor) + hashed[1:]) % np.int32(len(self.pairs))
        halves = self.pairs[buckets].astype(np.float32) * (self.scales[1] / 2)
        found = self.tokens[ids].astype(np.float32) * self.scales[0]
        found[:-1] += halves
        found[1:] += halves
        return np.asarray(found / np.sqrt(len(ids)), np.float32)


def read_wide_part(
    folder: Path, manifest: Manifest, vocabulary: int, open_file: Callable[[Path, int], Any]
) -> WidePart | None:
    """Return the wide part of a bundle whose tokenizer has so many tokens, None where it has none.

    `open_file` gives an interpreter of a .tflite file with so many threads. Raises BundleInvalid.
    """
    if manifest.format != "tflite" or not any(file.path == REFERENCE for file in manifest.files):
        return None
    with (folder / REFERENCE).open("rb") as source:
        document = read_document(source.read(MAX_REFERENCE_BYTES + 1), REFERENCE, MAX_REFERENCE_BYTES)
    if "wide" not in document.values:
        return None
    fields = JsonFields(document.values["wide"], f"{REFERENCE}.wide")
    factor = fields.integer("factor", 1, _MOST_FACTOR)
    tables = _read_tensors(open_file(folder / manifest.model_path, 1), fields.text("tokens"), fields.text("pairs"))
    (tokens, first), (pairs, second) = tables
    labels = len(manifest.text.labels) if manifest.text else 0
    if tokens.shape != (vocabulary, labels) or pairs.shape[1:] != tokens.shape[1:]:
        raise BundleInvalid(f"{REFERENCE}.wide: its tables are {tokens.shape} and {pairs.shape}")
    return WidePart(tokens, pairs, (first, second), factor)


def _read_tensors(interpreter: Any, *names: str) -> list[tuple[npt.NDArray[Any], float]]:
    details = {each["name"]: each for each in interpreter.get_tensor_details() if len(each["shape"]) == 2}
    if missing := [name for name in names if name not in details]:
        raise BundleInvalid(f"{REFERENCE}.wide: the graph has no tensor {missing[0][:80]!r}")
    return [(interpreter.get_tensor(details[name]["index"]), _scale(details[name])) for name in names]


def _scale(detail: Any) -> float:
    """Return the one scale of an int8 tensor about zero, 1 of a float one. Raises BundleInvalid for another form."""
    scale, zero = detail["quantization"]
    if np.issubdtype(detail["dtype"], np.floating):
        return 1.0
    if zero or not scale:
        raise BundleInvalid(f"{REFERENCE}.wide: tensor {detail['name'][:80]!r} has more than one scale")
    return float(scale)
