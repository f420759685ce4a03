"""Labelled or plain texts, read from JSON lines, CSV or a text a line, gzip or not; and thresholds fitted on them."""

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from assay.abstracts.classification import DEFAULT_THRESHOLD
from assay.abstracts.cleaning import prepare
from assay.errors import InvalidAbstract, InvalidOption, UnreadableInput
from assay.models import probes
from assay.models.loading import LoadedModel
from tools.models.metrics import best_thresholds, macro_f1, micro_f1

_TEXT = ("abstract", "text")
_LABELS = ("labels", "label", "categories")


@dataclass(frozen=True, slots=True)
class Labelled:
    """One row: a text and its labels, none where the file has none."""

    text: str
    labels: tuple[str, ...]


def read_texts(path: Path) -> list[Labelled]:
    """Return the rows of a file; UnreadableInput says which line is wrong.

    `.jsonl` has an object a line with `abstract` or `text`, and `labels` (a list, or a string with spaces or
    semicolons between); `.csv` the same as columns; any other file is one text a line.
    """
    content = path.read_bytes()
    text = (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode("utf-8-sig")
    kind = path.name.removesuffix(".gz").rpartition(".")[2]
    rows = list({"jsonl": _json_lines, "csv": _csv}.get(kind, _lines)(text))
    if not rows:
        raise UnreadableInput(f"{path} holds no text")
    return rows


def _lines(text: str) -> Iterator[Labelled]:
    return (Labelled(line.strip(), ()) for line in text.splitlines() if line.strip())


def _json_lines(text: str) -> Iterator[Labelled]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UnreadableInput(f"line {number} is not JSON: {error}") from error
        yield _read_labels(row if isinstance(row, dict) else {}, number)


def _csv(text: str) -> Iterator[Labelled]:
    reader = csv.DictReader(io.StringIO(text))
    return (_read_labels(row, reader.line_num) for row in reader)


def _read_labels(row: Mapping[str, Any], line: int) -> Labelled:
    text = next((row[name] for name in _TEXT if isinstance(row.get(name), str)), None)
    if text is None:
        raise UnreadableInput(f"line {line} has no field {' or '.join(_TEXT)}")
    labels: Any = next((row[name] for name in _LABELS if row.get(name)), ())
    if isinstance(labels, str):
        labels = labels.replace(";", " ").split() if ";" in labels or " " in labels else [labels]
    return Labelled(text, tuple(str(label) for label in labels))


_DIGITS = 4


@dataclass(frozen=True)
class Fitted:
    """Thresholds by label, metrics on the rows that they were fitted on, and lines for the user."""

    thresholds: dict[str, float]
    metrics: dict[str, float]
    report: list[str]


def fit_thresholds(model: LoadedModel, rows: Sequence[Labelled]) -> Fitted:
    """Fit thresholds; InvalidOption for a model without labels, rows without any, or labels that it lacks."""
    labels = model.manifest.text.labels if model.manifest.text else ()
    kept = [row for row in rows if row.labels and _readable(row.text)]
    unknown = sorted({label for row in kept for label in row.labels} - set(labels))
    if not labels or not kept or unknown:
        shown = f"labels that the model lacks: {', '.join(unknown[:5])}" if unknown else "no labelled abstract"
        raise InvalidOption(f"thresholds can't be fitted: the rows have {shown}")
    target = np.array([[label in row.labels for label in labels] for row in kept], np.float64)
    scores = probes.score_probes(model, [prepare(row.text) for row in kept]).astype(np.float64)
    plain = np.full(len(labels), DEFAULT_THRESHOLD)
    chosen = np.where(target.any(0), best_thresholds(target, scores).clip(0, 1), plain).round(_DIGITS)
    metrics = {"rows": float(len(kept)), **_quality(target, scores >= chosen)}
    before, after = (_quality(target, scores >= least)["micro_f1"] for least in (plain, chosen))
    report = [f"thresholds fitted on {len(kept):,} rows: micro-F1 {before} at 0.5, {after} with them"]
    if len(kept) < len(rows):
        report.append(f"{len(rows) - len(kept):,} rows had no label, or too short or long a text")
    return Fitted(dict(zip(labels, chosen.tolist(), strict=True)), metrics, report)


def _quality(target: npt.NDArray[np.float64], predicted: npt.NDArray[np.bool_]) -> dict[str, float]:
    listed = predicted.astype(np.float64)
    return {"micro_f1": round(micro_f1(target, listed), _DIGITS), "macro_f1": round(macro_f1(target, listed), _DIGITS)}


def _readable(text: str) -> bool:
    try:
        prepare(text)
    except InvalidAbstract:
        return False
    return True
