"""`assay rank`: a file ranked on this machine with the code and models that are served, or by a running service."""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tools.cli import remote
from tools.cli.output import fail, open_binary, quiet
from tools.demo.tables import table
from tools.local.bundles import newest_model
from tools.local.functions import add_sources
from tools.local.service import ROOT

if TYPE_CHECKING:
    from assay.models.scorer import SequenceScorer
    from assay.ranking import Partial, RankOptions
    from assay.sequences import Reject

CHUNK = 1 << 20
REJECTS_SHOWN = 20


def rank(options: argparse.Namespace) -> int:
    """Rank a file and print the best; 1 if it can't be read or `--strict` found rejects."""
    return remote.rank(options) if options.url else _rank_here(options)


def _rank_here(options: argparse.Namespace) -> int:
    quiet()
    add_sources(ROOT)
    from assay.errors import AssayError
    from assay.ranking import RankOptions
    from assay.settings import Settings

    settings = Settings.from_environ(os.environ)
    folder = options.models or ROOT / "models"
    try:
        chosen = RankOptions(options.top_k, options.threshold, options.strict, options.column)
        gate, score = (scorer(folder, name) for name in (settings.gate_model, settings.score_model))
        with open_binary(options.file) as source:
            partial, rejects = ranked(source, options.file, gate, score, chosen)
    except (AssayError, OSError) as error:
        return fail(str(error))
    print(_csv(partial) if options.csv else _table(partial), end="")
    _report(partial, rejects)
    return 1 if options.strict and rejects else 0


def scorer(folder: Path, name: str) -> "SequenceScorer":
    """Load the newest bundle of a name; raises ModelUnavailable, BundleInvalid."""
    from assay.models.scorer import SequenceScorer

    return SequenceScorer(newest_model(folder, name))


def ranked(
    source: IO[bytes], filename: str, gate: "SequenceScorer", score: "SequenceScorer", options: "RankOptions"
) -> "tuple[Partial, list[Reject]]":
    """Rank a binary stream of lines, FASTA or CSV, gzip or not, in memory that its length does not move."""
    from assay.ranking import rank_blocks
    from assay.sequences import parse, sniff

    chunks = _unpacked(source)
    head = next(chunks, b"")
    rejects: list[Reject] = []
    blocks = parse(
        _chain(head, chunks), sniff(head, "", filename.removesuffix(".gz")), gate.contract, column=options.column
    )
    partial = rank_blocks(blocks, gate, score, options, deduplicate=False, on_rejects=rejects.extend)
    return partial, sorted(rejects)


def _unpacked(source: IO[bytes]) -> Iterator[bytes]:
    from assay.sequences import gunzip

    head = source.read(CHUNK)
    chunks = _chain(head, iter(lambda: source.read(CHUNK), b""))
    return gunzip(chunks, limit=None) if head.startswith(b"\x1f\x8b") else chunks


def _chain(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest


def _csv(partial: "Partial") -> str:
    from assay.results import ranking_csv

    return "".join(ranking_csv(partial))


def _table(partial: "Partial") -> str:
    rows: list[tuple[Any, ...]] = [
        (str(place), row.sequence, f"{row.score:.4f}", f"{row.gate:+.4f}", str(row.line), row.id or "")
        for place, row in enumerate(partial.rows, 1)
    ]
    return table(("rank", "sequence", "score", "gate", "line", "id"), rows) + "\n"


def _report(partial: "Partial", rejects: "list[Reject]") -> None:
    counts = partial.counts
    lines = [f"line {reject.line}: {reject.reason}: {reject.detail}" for reject in rejects[:REJECTS_SHOWN]]
    more = [f"and {len(rejects) - REJECTS_SHOWN} more rejected"] if len(rejects) > REJECTS_SHOWN else []
    summary = f"{counts.received} received, {counts.rejected} rejected, {counts.passed} passed, {counts.returned} shown"
    print("\n".join([*lines, *more, summary]), file=sys.stderr)
