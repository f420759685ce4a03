"""Bundles whose scores have a meaning: the tiny model with a `reference.json`, and texts to learn one from."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from assay.models.manifest import MANIFEST
from assay.models.measured_file import dump_measured
from assay.models.reference import MEASURED, REFERENCE
from assay.sequences.measured import MeasuredSequences
from tests.conftest import DATA, Aws
from tools.models.build import build_manifest
from tools.models.publish import publish
from tools.models.score_reference import write_reference

SYMBOLS = 20
EVENT = "measured stability over 1"
WORDS = "graph node edge the of and in we is for that a to flow cut path tree"


def document(**changes: Any) -> dict[str, Any]:
    """Return a reference; what is changed to None is left out."""
    found: dict[str, Any] = {
        "schema": 1,
        "calibration": {
            "event": EVENT,
            "about": "10 proteins that were made up",
            "count": 10,
            "scores": [-30.0, -1.0, 0.0, 0.0, 30.0],
            "probabilities": [0.0, 0.25, 0.25, 0.75, 1.0],
            "expected_error": 0.02,
            "reliability": [{"from": 0.0, "to": 0.5, "count": 10, "given": 0.2, "observed": 0.3}],
        },
        "sets": [
            {"name": "windows", "about": "windows", "count": 9, "scores": [-20.0, 20.0], "percents": [0.0, 100.0]},
            {"name": "designs", "about": "designs", "count": 4, "scores": [0.0, 1.0], "percents": [0.0, 100.0]},
        ],
        "likeness": {
            "least": -0.5,
            "residues": [0.0] * (SYMBOLS - 2) + [-9.0] * 2,  # W and Y, by the alphabet
            "pairs": [{"distance": 1, "values": [0.0] * SYMBOLS**2}],
        },
    }
    return {name: value for name, value in (found | changes).items() if value is not None}


def content(**changes: Any) -> bytes:
    """Return the file."""
    return json.dumps(document(**changes)).encode()


def bundle(folder: Path, reference: bytes, name: str = "tiny-index", version: str = "2") -> Path:
    """Write a version of a test bundle that carries a reference; return its folder."""
    target = folder / name / version
    shutil.copytree(DATA / name / "1", target)
    (target / REFERENCE).write_bytes(reference)
    header = json.loads((target / MANIFEST).read_text()) | {"version": version}
    header.pop("files")
    (target / MANIFEST).unlink()
    (target / MANIFEST).write_bytes(build_manifest(target, header).dumps())
    return target


def measured_sequences() -> MeasuredSequences:
    """Return three measured sequences of two values."""
    texts = ["A" * 50, "A" * 49 + "C", "DE" * 25]
    codes = np.array([["ACDEFGHIKLMNPQRSTVWY".index(each) for each in text] for text in texts], np.uint8)
    values = np.array([[1.25, np.nan, -3], [0.1, 0.5, np.nan]], np.float32)
    names = "first\n\ndritte ä\n".encode()
    ends = np.flatnonzero(np.frombuffer(names, np.uint8) == ord("\n"))
    return MeasuredSequences(("a", "b"), np.ascontiguousarray(codes.T), values, names, ends)


def measured_bundle(folder: Path, **changes: Any) -> Path:
    """Write a version of the tiny model that carries measured sequences; return its folder."""
    table = {"about": "3 sequences that were made up", "count": 3, "columns": ["a", "b"]}
    target = bundle(folder, content())
    write_reference(target, document(measured=table, **changes), {MEASURED: dump_measured(measured_sequences())})
    return target


def publish_reference(aws: Aws, folder: Path, **changes: Any) -> None:
    """Publish the tiny model with a reference, to serve."""
    publish(aws.models, bundle(folder, content(**changes)), run=False)


def abstracts(count: int) -> list[str]:
    """Return different texts of 20 to 60 words each."""
    source = random.Random(7)
    return [" ".join(source.choices(WORDS.split(), k=source.randint(20, 60))) for _ in range(count)]


def write_abstracts(path: Path, texts: list[str]) -> Path:
    """Write texts as JSON lines, and return the path."""
    path.write_text("".join(json.dumps({"abstract": text, "id": at}) + "\n" for at, text in enumerate(texts)), "utf-8")
    return path
