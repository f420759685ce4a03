"""Files of labelled or plain texts: JSON lines, CSV or a text a line, gzip or not."""

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.errors import UnreadableInput

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
