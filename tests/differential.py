"""`python -m tests.differential --lines N --seed S`: production's ranking against a reference that is plain and slow.

The reference (`tests.unit.reference`) reads a line at a time and sorts everything; its models are sums in float64. What
is compared are rows, scores and counts, of the whole and of shards of several sizes merged.
"""

import argparse
import random
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from assay.jobs.byte_ranges import cut_ranges, own_lines
from assay.options import RankOptions
from assay.ranking.ranker import rank_blocks
from assay.ranking.ranking import Counts, PartialRanking, merge
from assay.sequences.contract import Contract
from assay.sequences.formats import Format
from assay.sequences.parsing import parse
from assay.text.records import Limits, Reject
from tests.unit import reference
from tests.unit.reference import Fake, Record, count_lines

CONTRACT: Final = Contract("ACDEFGHIKLMNPQRSTVWY", 10)
LIMITS: Final = Limits(1 << 16, 1 << 12, 400)
_DEFECTS: Final = (
    b"",
    b" \t",
    b"ACDEF",
    b"ACDEFGHIKLMN",
    b"ACDEFGHIKX",
    b"ACDEFGHIK*",
    b"ACDEFGH KL",
    b"ACD\xe9FGHIKL",
    b"\xff\xfe",
    b"A" * 500,
    b">header",
    b"AC\x00EFGHIKL",
    b'"ACDEFGHIKL"',
)
_ENDS: Final = (b"\n", b"\n", b"\n", b"\r\n", b"\r")
_ROW = list[tuple[str, float, float, int]]


def generated(lines: int, seed: int) -> Iterator[bytes]:
    """Yield seeded lines with their ends: four in five good, some of them again, in lower case or between blanks."""
    chance = random.Random(seed)
    known = [b"ACDEFGHIKL"]
    for _ in range(lines):
        kind = chance.random()
        text = "".join(chance.choices(CONTRACT.alphabet, k=CONTRACT.length)).encode()
        if kind < 0.2:
            text = chance.choice(_DEFECTS)
        elif kind < 0.3:
            text = chance.choice(known)
        elif kind < 0.4:
            text = b" " + text.lower() + b"\t"
        elif len(known) < 1000:
            known.append(text)
        yield text + chance.choice(_ENDS)


_CELLS: Final = ("x", "", '"a, b; c\td"', '"a ""word"""', 'a "word"', '"two\nlines"', '"ACDEFGHIKL,x\n"')
_STRAY: Final = ('"open', '"closed" and more', '"', 'x,"')
_HEADERS: Final = ("a", "a word", "a\tword", " a", "a\u00a0b c", "", "P1;a\na title", "x" * 300, "a>b")
_BETWEEN: Final = ("", "\n", "; a comment\n", " \t\n", "1 ")


def table(rows: int, seed: int, mark: str) -> bytes:
    """Yield a seeded table: its header names the sequences, its cells are quoted or not, some rows are malformed."""
    chance = random.Random(seed)
    lines = [mark.join(('"id"', "sequence", "note"))]
    for at in range(rows):
        text = "".join(chance.choices(CONTRACT.alphabet, k=CONTRACT.length + (chance.random() < 0.1)))
        text = chance.choice((text, text, f'"{text}"', f" {text} ", f"{text}*"))
        note = chance.choice(_STRAY if chance.random() < 0.05 else _CELLS)
        lines.append(mark.join((f"r{at}", text, note)))
    return "\n".join(lines).encode()


def fasta(records: int, seed: int) -> bytes:
    """Return seeded FASTA: headers of all kinds, wrapped lines, comments, numbers, glued records."""
    chance = random.Random(seed)
    parts = ["; a comment\n# another\n"]
    for _ in range(records):
        text = "".join(chance.choices(CONTRACT.alphabet, k=CONTRACT.length + (chance.random() < 0.1)))
        at = chance.randrange(len(text))
        wrapped = f"{text[:at]}\n{chance.choice(_BETWEEN)}{text[at:]}"
        end = chance.choice(("\n", "\n", "*\n", "\r\n", ""))
        parts.append(f">{chance.choice(_HEADERS)}\n{wrapped}{end}")
    return "".join(parts).encode()


def gate(text: str) -> float:
    """Return the share of hydrophobic residues, in float64, over a half; NaN for some, as a model might."""
    if text.startswith("WWW"):
        return float("nan")
    return float(np.mean(np.array([residue in "AILMFVWY" for residue in text], np.float64)) - 0.4)


def score(text: str) -> float:
    """Return a sum over places and residues, with many ties, in float64; infinite for some."""
    if text.endswith("YY"):
        return float("inf")
    codes = np.frombuffer(text.encode(), np.uint8).astype(np.float64)
    return float(np.round(codes @ np.arange(1.0, 1 + CONTRACT.length) / 7, 1))


def production(data: bytes, options: RankOptions, shard_bytes: int) -> PartialRanking:
    """Rank shards by themselves and merge them."""
    lines, partials = 0, []
    for shard in cut_ranges(len(data), shard_bytes, splittable=True):
        chunks = (data[at : at + 100_003] for at in range(shard.read_from, len(data), 100_003))
        part = list(own_lines(chunks, shard))
        partials.append(_ranked(part, options, begins=not shard.index).shift(lines))
        lines += count_lines(part)
    return merge(partials, options.top_k)


def _ranked(
    chunks: list[bytes], options: RankOptions, *, begins: bool = True, deduplicate: bool = False
) -> PartialRanking:
    rejects: list[Reject] = []
    blocks = parse(chunks, Format.LINES, CONTRACT, begins=begins, limits=LIMITS)
    models = Fake(gate, CONTRACT), Fake(score, CONTRACT, batch=512)
    found = rank_blocks(blocks, *models, options, deduplicate=deduplicate, on_rejects=rejects.extend)
    assert len(rejects) == found.counts.rejected
    return found


def expected(data: bytes, options: RankOptions, *, deduplicate: bool) -> tuple[_ROW, Counts]:
    """Rank by reading a line at a time and sorting."""
    records = reference.parse_lines(data, CONTRACT, LIMITS)
    return reference.rank(records, gate, score, options, deduplicate=deduplicate)


def _rows(found: PartialRanking) -> _ROW:
    return [(row.sequence, float(np.float32(row.score)), float(np.float32(row.gate)), row.line) for row in found.rows]


def compare(lines: int, seed: int, sizes: tuple[int, ...]) -> Counts:
    """Compare the whole, once with and once without repeats, and each size of shards; AssertionError on any gap."""
    options = RankOptions(top_k=500, threshold=0.05)
    data = b"".join(generated(lines, seed))
    for deduplicate in (True, False):
        rows, counts = expected(data, options, deduplicate=deduplicate)
        whole = _ranked([data], options, deduplicate=deduplicate)
        assert (_rows(whole), whole.counts) == (rows, counts)
    for size in sizes:
        found = production(data, options, size)
        assert (_rows(found), found.counts) == (rows, counts), f"shards of {size} bytes differ"
    return counts


def _told(records: Iterable[Record]) -> list[tuple[object, ...]]:
    """Return of records what both ways must have alike: of a refused one its line and reason."""
    return [(each.line, each.reason, *(() if each.reason else (each.text, each.id, each.extra))) for each in records]


def compare_documents(records: int, seed: int) -> None:
    """Compare the records of tables by each mark and of FASTA, whole and in chunks; AssertionError on any gap."""
    tables = {mark: table(records, seed, mark) for mark in ",;\t"}
    wanted = [(Format.CSV, data, reference.parse_csv(data, CONTRACT, 400, mark)) for mark, data in tables.items()]
    data = fasta(records, seed)
    for fmt, body, known in (*wanted, (Format.FASTA, data, reference.parse_fasta(data, CONTRACT, LIMITS))):
        for size in (len(body), 1009):
            chunks = (body[at : at + size] for at in range(0, len(body), size))
            found = reference.flat(parse(chunks, fmt, CONTRACT, limits=LIMITS))
            assert _told(found) == _told(known), f"{fmt} in chunks of {size} bytes differs"


def main() -> None:
    """Compare as many lines as are asked for, in lots of at most 100,000."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=main.__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    lots = range(0, asked.lines, 100_000)
    for number, start in enumerate(lots):
        count = min(100_000, asked.lines - start)
        counts = compare(count, asked.seed + number, (count * 12, 250_000, 65_537))
        compare_documents(min(count, 10_000), asked.seed + number)
        print(f"{start + count:,} lines agree; of the last {count:,}: {counts}", flush=True)


if __name__ == "__main__":
    main()
