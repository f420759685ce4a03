"""What a classifier's training texts were like: its bundle's `reference.json`, by which odd texts are told.

Tables by token id are bytes in base64: `likelihoods`, each the tokens' negative logarithm in steps of `step`, 255 for a
token that says nothing; `small_words` and `signs`, lists of ids. Every mistake is a BundleInvalid that names its place.
"""

import base64
import binascii
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from assay.abstracts.classification import UsualTexts
from assay.errors import BundleInvalid
from assay.models.manifest import JsonFields, Manifest, read_document
from assay.models.reference import MAX_REFERENCE_BYTES, REFERENCE

SILENT: Final = 255
"""The byte of a token that says nothing."""
_LARGEST_STEP: Final = 1e6


def read_usual_texts(folder: Path, manifest: Manifest) -> UsualTexts | None:
    """Return what the training texts of a verified bundle were like, None where it does not say.

    Raises BundleInvalid.
    """
    if not any(file.path == REFERENCE for file in manifest.files):
        return None
    with (folder / REFERENCE).open("rb") as source:
        return parse_usual_texts(source.read(MAX_REFERENCE_BYTES + 1))


def parse_usual_texts(content: bytes) -> UsualTexts:
    """Read a classifier's `reference.json`. Raises BundleInvalid."""
    whole = read_document(content, REFERENCE, MAX_REFERENCE_BYTES)
    whole.integer("schema", 1, 1)
    fields = JsonFields(whole.values.get("texts"), f"{REFERENCE}.texts")
    codes = _read_bytes(fields, "likelihoods")
    found = fields.numbers("limits")
    if missing := {"likelihood", "small_words", "signs", "shortest", "longest"} - found.keys():
        fields.fail("limits", f"lack {sorted(missing)[0]}")
    likelihoods = np.where(codes == SILENT, np.nan, codes * -_read_step(fields)).astype(np.float32)
    small_words, signs = (_read_ids(fields, name, len(codes)) for name in ("small_words", "signs"))
    return UsualTexts(
        likelihoods,
        small_words,
        signs,
        found["likelihood"],
        found["small_words"],
        found["signs"],
        int(found["shortest"]),
        int(found["longest"]),
    )


def dump_usual_texts(known: UsualTexts, about: str) -> dict[str, object]:
    """Return what `reference.json` holds of texts, `about` whose they are; likelihoods are rounded to its steps."""
    lowest = float(np.nanmin(known.likelihoods))
    step = -lowest / (SILENT - 1) if lowest < 0 else 1.0
    codes = np.where(np.isnan(known.likelihoods), SILENT, np.rint(np.nan_to_num(known.likelihoods) / -step))
    texts = {
        "about": about,
        "step": step,
        "likelihoods": base64.b64encode(codes.astype(np.uint8).tobytes()).decode(),
        "small_words": np.flatnonzero(known.small_words).tolist(),
        "signs": np.flatnonzero(known.signs).tolist(),
        "limits": {
            "likelihood": known.least_likelihood,
            "small_words": known.least_small_words,
            "signs": known.most_signs,
            "shortest": known.shortest,
            "longest": known.longest,
        },
    }
    return {"schema": 1, "texts": texts}


def require_vocabulary(known: UsualTexts, tokens: int) -> None:
    """Raise BundleInvalid unless the tables have a value for every token id of the tokenizer."""
    if len(known.likelihoods) != tokens:
        raise BundleInvalid(f"{REFERENCE} is for {len(known.likelihoods):,} tokens, the tokenizer has {tokens:,}")


def _read_bytes(fields: JsonFields, name: str) -> npt.NDArray[np.uint8]:
    try:
        found = np.frombuffer(base64.b64decode(fields.text(name), validate=True), np.uint8)
    except (binascii.Error, ValueError):
        fields.fail(name, "is not base64")
    return found if len(found) else fields.fail(name, "is empty")


def _read_step(fields: JsonFields) -> float:
    step = fields.values.get("step")
    good = isinstance(step, int | float) and type(step) is not bool and 0 < step < _LARGEST_STEP
    return float(step) if good else fields.fail("step", "is not a number above 0")  # type: ignore[arg-type]


def _read_ids(fields: JsonFields, name: str, tokens: int) -> npt.NDArray[np.bool_]:
    ids = fields.items(name, tokens, least=0)
    if not all(type(each) is int and 0 <= each < tokens for each in ids):
        fields.fail(name, f"has what is no token id below {tokens}")
    found = np.zeros(tokens, np.bool_)
    found[ids] = True
    return found
