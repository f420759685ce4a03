"""What the classifier that is served is worth: thresholds from the validation rows, metrics of the test rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter
from tokenizers import Tokenizer

from tools.models import metrics as evaluate
from tools.models import platt_scaling
from tools.training.abstracts.labelled_abstracts import LABELS, LabelledAbstract

Matrix = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Measured:
    """What the card and the manifest say, and the logits [N, labels] of the test rows."""

    metrics: dict[str, object]
    thresholds: Matrix
    logits: Matrix

    @property
    def scores(self) -> Matrix:
        """The probabilities of the test rows [N, labels]."""
        return platt_scaling.sigmoid(self.logits)


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


def measure_model(
    int8: Served, float32: Served, validation: list[LabelledAbstract], test: list[LabelledAbstract]
) -> Measured:
    """Return thresholds from the validation rows and every metric of the test rows."""
    measured, exact = measure_served(int8, validation, test), float32.logits(list_texts(test))
    probabilities = platt_scaling.sigmoid(exact)
    measured.metrics["test_float32"] = round_metrics(
        evaluate.report_labels(stack_targets(test), probabilities, measured.thresholds)
    )
    measured.metrics["int8_logit_difference"] = round_metrics(_differences(measured.logits, exact))
    return measured


def measure_served(int8: Served, validation: list[LabelledAbstract], test: list[LabelledAbstract]) -> Measured:
    """Return thresholds from the validation rows and what the served model's metrics are on the test rows."""
    on_validation = int8.scores(list_texts(validation))
    thresholds = np.round(evaluate.best_thresholds(stack_targets(validation), on_validation), 4)
    target, logits = stack_targets(test), int8.logits(list_texts(test))
    scores = platt_scaling.sigmoid(logits)
    metrics = {
        "validation_rows": len(validation),
        "test_rows": len(test),
        "test": round_metrics(evaluate.report_labels(target, scores, thresholds)),
        "test_interval_95": {
            name: [round(low, 4), round(high, 4)]
            for name, (low, high) in evaluate.intervals(target, scores, thresholds).items()
        },
        "labels": _per_label(target, scores, thresholds),
        "validation": round_metrics(evaluate.report_labels(stack_targets(validation), on_validation, thresholds)),
    }
    return Measured(metrics, thresholds, logits)


def list_texts(rows: list[LabelledAbstract]) -> list[str]:
    """Return the texts of rows."""
    return [row.text for row in rows]


def stack_targets(rows: list[LabelledAbstract]) -> Matrix:
    """Return the labels of rows, multi-hot [N, labels]."""
    return np.stack([row.target for row in rows]).astype(np.float64)


def round_metrics(values: dict[str, float]) -> dict[str, float]:
    """Return metrics with the digits that a card has."""
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
