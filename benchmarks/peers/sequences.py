"""Ways to rank a file of sequences, from its bytes to its best 100.

A folder holds `gate/1` and `score/1`, the pair as bundles, or scikit-learn's linear `gate.pkl` and `score.pkl`.
A task is {"path": FILE, "rows": N, "threshold": T}: plain lines of 50 residues, N of them a run where a way has that
choice. The answer is {"received", "scores"}: the best 100 scores among those whose gate is over T.

Peers read plain lines of one length without checking them, which is the fastest that NumPy can; Assay validates.
"""

import pickle
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

ALPHABET: Final = "ACDEFGHIKLMNPQRSTVWY"
LENGTH: Final = 50
TOP: Final = 100
Codes = npt.NDArray[np.uint8]
Scores = npt.NDArray[np.float32]
Act = Callable[[Mapping[str, Any]], dict[str, Any]]
Model = Callable[[Codes, int], Scores]
_AT_ONCE: Final = 16_384
_BITS: Final = np.zeros(256, np.uint8)
_BITS[list(ALPHABET.encode())] = np.arange(len(ALPHABET))


def read_plain_codes(path: Path) -> Iterator[Codes]:
    """Yield codes [N, 50] of plain lines that all have 50 residues and a newline."""
    with path.open("rb") as file:
        while content := file.read(_AT_ONCE * (LENGTH + 1)):
            yield encode_lines(content)


def encode_lines(lines: bytes) -> Codes:
    """Return codes [N, 50] of such lines."""
    return _BITS[np.frombuffer(lines, np.uint8).reshape(-1, LENGTH + 1)[:, :LENGTH]]


def one_hot(codes: Codes) -> Scores:
    """Return indicators float32 [N, 50, 20]."""
    return np.eye(len(ALPHABET), dtype=np.float32)[codes]


def rank_scores(gate: Model, score: Model) -> Act:
    """Return what ranks a file with two models: the second sees what passes the first."""

    def act(task: Mapping[str, Any]) -> dict[str, Any]:
        received, best = 0, np.empty(0, np.float32)
        for codes in read_plain_codes(Path(task["path"])):
            passing = codes[gate(codes, task["rows"]) > task["threshold"]]
            best = np.concatenate([best, score(passing, task["rows"])]) if len(passing) else best
            best = np.partition(best, -TOP)[-TOP:] if len(best) > TOP else best
            received += len(codes)
        return {"received": received, "scores": np.sort(best)[::-1].tolist()}

    return act


def rank_by_assay(folder: Path, threads: int) -> Act:
    """Assay itself: any format, every line validated, rejects counted, ties broken by position."""
    from assay.models.loading import SequenceScorer, load_folder

    pair = folder / "linear" if (folder / "linear").is_dir() and not (folder / "gate").is_dir() else folder
    gate, score = (SequenceScorer(load_folder(pair / name / "1", threads)) for name in ("gate", "score"))
    return _by_assay(gate, score)


def without_networks(_: Path, __: int) -> Act:
    """Assay with models that cost nothing: reading, validation, encoding and the best hundred alone."""
    from benchmarks.rank import Null

    return _by_assay(Null(), Null())


def _by_assay(gate: Any, score: Any) -> Act:
    from assay.options import RankOptions
    from assay.ranking.ranker import rank_blocks

    def act(task: Mapping[str, Any]) -> dict[str, Any]:
        options = RankOptions(top_k=TOP, threshold=task["threshold"])
        found = rank_blocks(_blocks(task), gate, score, options, deduplicate=False, on_rejects=lambda _: None)
        counts = found.counts
        return {
            "received": counts.received,
            "passed": counts.passed,
            "scores": [float(row.score) for row in found.rows],
        }

    return act


def _blocks(task: Mapping[str, Any]) -> Any:
    """Return the blocks of a task's file, or of the object of its name where the task names an endpoint of S3."""
    from benchmarks.rank import parse_chunks, parse_file

    path = Path(task["path"])
    if "endpoint" not in task:
        return parse_file(path)
    return parse_chunks(_bucket(task["endpoint"]).chunks(f"models/{path.name}"), path.name)


@cache
def _bucket(endpoint: str) -> Any:
    import os

    from assay.aws.clients import client
    from assay.aws.s3 import Bucket

    os.environ |= {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    return Bucket(client("s3"), "models")


def sgemm(_: Path, __: int) -> Act:
    """A product of float32 matrices by NumPy's BLAS: the answer is its floating-point operations."""
    size = 1536
    left = np.random.default_rng(1).standard_normal((size, size), np.float32)

    def act(task: Mapping[str, Any]) -> dict[str, Any]:
        for _ in range(task["products"]):
            np.dot(left, left)
        return {"flops": 2 * size**3 * task["products"]}

    act({"products": 1})
    return act


def rank_by_the_replaced(folder: Path, _: int) -> Act:
    """The pipeline that Assay replaces: a list of indicators for each sequence, scikit-learn's predict, a sort."""
    import sklearn  # noqa: F401  the pickles need it

    gate, score = (pickle.loads((folder / f"{name}.pkl").read_bytes()) for name in ("gate", "score"))

    def act(task: Mapping[str, Any]) -> dict[str, Any]:
        sequences = Path(task["path"]).read_text().splitlines()
        features = [indicators(sequence) for sequence in sequences]
        passing = [row for row, at in zip(features, gate.predict(features), strict=True) if at > task["threshold"]]
        found = score.predict(passing) if passing else []
        return {"received": len(sequences), "scores": sorted((float(each) for each in found), reverse=True)[:TOP]}

    return act


def indicators(sequence: str) -> list[int]:
    """Return one sequence's 1,000 indicators as a plain list."""
    found = []
    for residue in sequence:
        position = [0] * len(ALPHABET)
        position[ALPHABET.index(residue)] = 1
        found += position
    return found


WAYS: Final[Mapping[str, Callable[[Path, int], Act]]] = {
    "assay": rank_by_assay,
    "assay-without-networks": without_networks,
    "sgemm": sgemm,
    "replaced": rank_by_the_replaced,
}
