"""The targets by name; `python -m tests.fuzz.targets` lists them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.fuzz import bodies, documents, events, parsing, spreadsheets

CORPUS: Final = Path(__file__).parent / "corpus"
Target = Callable[[bytes], None]
TARGETS: Final[Mapping[str, Target]] = {
    "lines": parsing.lines,
    "fasta": parsing.fasta,
    "csv": parsing.table,
    "sniff": parsing.sniffed,
    "gzip": parsing.packed,
    "containers": documents.containers,
    "listed": documents.listed,
    "flatfiles": documents.flat_files,
    "workbooks": spreadsheets.workbooks,
    "abstracts": parsing.abstracts,
    "json": bodies.json_body,
    "multipart": bodies.multipart,
    "bundle": bodies.bundle,
    "job": bodies.job,
    "clean": bodies.cleaned,
    "paper": bodies.paper,
    "pdf": bodies.pdf,
    "s3": events.s3,
    "rank-api": events.rank_api,
    "classify-api": events.classify_api,
}


LONGEST: Final = {"bundle": 1200, "workbooks": 2000, "paper": 1200, "pdf": 4000, "multipart": 600}
"""Bytes of the longest input, where 300 say too little."""

GUIDED: Final[Mapping[str, tuple[str, ...]]] = {
    "pdf": ("assay.papers.pdfium_worker",),
    "s3": ("assay.jobs.steps",),
    "rank-api": ("rank.api",),
    "classify-api": ("classify.api",),
}
"""What a target imports only when it runs, which is too late for the fuzzer to see what an input reaches in it."""


def seeds(name: str) -> list[Path]:
    """Return the inputs that are kept for a target."""
    return sorted(path for path in (CORPUS / name).glob("*") if path.is_file())


if __name__ == "__main__":
    print(*TARGETS)
