"""What an importer is asked and what it gives: files in a folder, the manifest's fields, probes, and a report."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from assay.abstracts.cleaning import clean
from assay.errors import InvalidOption
from assay.models.loading import LoadedModel
from assay.models.probes import Probes, score_probes
from assay.sequences.blocks import decode
from assay.sequences.contract import DEFAULT, Contract

FLOAT_TOLERANCE: Final = 1e-3
INT8_TOLERANCE: Final = 0.1
_RANDOM_ROWS: Final = 48
_SENTENCES: Final = (
    "We measure the clustering of galaxies at redshift z ~ 0.7 and compare it with simulations of cold dark matter.",
    "We prove that every bounded operator on $\\ell^2$ which commutes with the shift has a cyclic vector: $Tx = y$.",
    "A transformer is trained on 10^9 tokens of source code; its perplexity falls by 12% against the baseline model.",
    "The superconducting gap of YBa2Cu3O7-δ is studied by ARPES at T = 20 K; Schrödinger's equation is solved for it.",
    "Protein stability was assayed by protease susceptibility of ~15,000 designed mini-proteins displayed on yeast.",
)


CLASSIFIER_OPTIONS: Final = ("labels", "activation", "labels_file", "tokenizer", "max_tokens", "chunks")
"""Options of every model of texts."""
SEQUENCE_OPTIONS: Final = ("alphabet", "length", "encoding", "first_index", "representative")


@dataclass(frozen=True)
class ImportRequest:
    """What the user said about the model; None where the file is to say it."""

    path: Path
    labels: tuple[str, ...] | None = None
    activation: str | None = None
    contract: Contract = DEFAULT
    encoding: str | None = None
    first_index: int = 0
    encoder: Path | None = None
    tokenizer: Path | None = None
    max_tokens: int | None = None
    pooling: str | None = None
    chunks: bool = False
    quantize: str | None = None
    tolerance: float | None = None
    rows: Path | None = None
    representative: Path | None = None
    batch: int = 512
    said: tuple[str, ...] = ()
    """The options that the user gave for one kind of model, by their fields; none may be passed over."""


@dataclass
class ImportResult:
    """An imported model: `header` is the manifest without name, version and files; `report` is for the user."""

    header: dict[str, Any]
    probes: Probes
    report: list[str] = field(default_factory=list)


Importer = Callable[[ImportRequest, Path], ImportResult]
"""Reads `wish.path`, writes the model's files into a folder; AssayError says what is wrong, in words."""


def refuse_unused(wish: ImportRequest, used: Sequence[str], what: str) -> None:
    """Raise InvalidOption for an option that the user gave and `what` has no use for."""
    unused = [f"--{name.replace('_', '-')}" for name in wish.said if name not in used]
    if unused:
        raise InvalidOption(f"{what} has no use for {', '.join(unused)}: leave it out, or import another kind (--kind)")


def refuse_static(wish: ImportRequest, what: str) -> None:
    """Raise InvalidOption where integer bodies are asked for, of a model that has none."""
    if wish.quantize == "static":
        raise InvalidOption(f"--quantize static is for networks of sequences, and this is {what}: leave it out")


def name_quantization(quantize: str | None, form: str) -> dict[str, str]:
    """Return the manifest's field for what was made of a wish; nothing for a SavedModel, whose weights stay."""
    names = {"none": "none", "int8": "dynamic", "static": "static"}
    return {"quantization": names[quantize or "none"]} if form == "tflite" else {}


def probe_rows(contract: Contract) -> npt.NDArray[np.uint8]:
    """Return the codes [N, length] of the probes: random sequences, then each residue repeated."""
    letters = len(contract.alphabet)
    random = np.random.default_rng(50).integers(0, letters, (_RANDOM_ROWS, contract.length))
    edges = np.repeat(np.arange(letters)[:, None], contract.length, axis=1)
    return np.concatenate([random, edges]).astype(np.uint8)


def sequence_probes(contract: Contract, score: Callable[[npt.NDArray[np.uint8]], Any], tolerance: float) -> Probes:
    """Return probes of random sequences and of one residue repeated, scored by the source on codes [N, length]."""
    codes = probe_rows(contract)
    outputs = np.asarray(score(codes), np.float64).reshape(len(codes))
    return Probes("sequences", tuple(decode(codes, contract)), outputs, tolerance)


def probe_texts() -> tuple[str, ...]:
    """Return cleaned texts of a sentence up to more than any model reads, with mathematics and accents."""
    longer = [" ".join(_SENTENCES[at:] + _SENTENCES[:at]) for at in (1, 3)]
    return tuple(clean(text) for text in (*_SENTENCES, *longer, " ".join(_SENTENCES * 7)))


def text_probes(score: Callable[[Sequence[str]], Any], tolerance: float) -> Probes:
    """Return probes of texts, scored [N, labels] by the source after the activation."""
    texts = probe_texts()
    return Probes("texts", texts, np.asarray(score(texts), np.float64), tolerance)


def sequence_header(contract: Contract, encoding: str, batch: int | None, form: str, **more: Any) -> dict[str, Any]:
    """Return the manifest's fields of a sequence model; `form` is `tflite` or `saved_model`."""
    letters, length = len(contract.alphabet), contract.length
    shapes = {"index": [length], "one_hot": [length, letters], "one_hot_flat": [length * letters]}
    tensor = {"name": "sequence", "dtype": "uint8" if encoding == "index" else "float32"}
    return {
        "schema": 1,
        "task": "sequence-score",
        "format": form,
        "inputs": [{**tensor, "shape": [batch, *shapes[encoding]]}],
        "outputs": [{"name": "score", "dtype": "float32", "shape": [batch]}],
        "sequence": {"alphabet": contract.alphabet, "length": length, "encoding": encoding},
        **more,
    }


def provenance(wish: ImportRequest, kind: str, **more: Any) -> Mapping[str, Any]:
    """Return where a model comes from, without the path of this machine."""
    return {"imported from": wish.path.name, "kind": kind, **more}


def probe_model(model: LoadedModel, inputs: Sequence[str], tolerance: float) -> Probes:
    """Return probes that hold other machines to what a model answers on this one."""
    outputs = np.asarray(score_probes(model, inputs), np.float64)
    return Probes("texts" if model.manifest.text else "sequences", tuple(inputs), outputs, tolerance)
