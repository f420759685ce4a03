"""Windows of long proteins, one by one and by a scan: `python -m benchmarks.windows GATE SCORE`.

GATE and SCORE are folders of bundles that carry a scan. They are measured beside the pair that ships, in turn, on the
windows of random proteins of 400 residues, every residue one. Each way has to rank as its own pair does one by one.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.models.loading import SequenceScorer, load_folder
from assay.options import RankOptions
from assay.ranking.ranker import Scorer, rank_blocks
from assay.ranking.ranking import PartialRanking
from assay.sequences.blocks import Block
from assay.sequences.contract import DEFAULT
from assay.sequences.formats import Format
from assay.sequences.parsing import parse
from benchmarks.measuring import arguments, hush, in_turn, report, time_act
from benchmarks.rank import GATE, MODELS, SCORE
from tools.models.shipped import newest

RESIDUES: Final = 400
PROTEINS: Final = {"smoke": 20, "quick": 400, "full": 2000}
OPTIONS: Final = RankOptions(window=DEFAULT.length, top_k=100)
_LETTERS: Final = np.frombuffer(DEFAULT.alphabet.encode(), np.uint8)


class Singly:
    """A model that scores each window by itself."""

    def __init__(self, scorer: SequenceScorer) -> None:
        self.batch, self.score = scorer.batch, scorer.score_singly


class Pairing(NamedTuple):
    """Two models in one way."""

    gate: Scorer
    score: Scorer

    def rank(self, document: bytes) -> PartialRanking:
        """Rank the windows of a FASTA document."""
        return rank_blocks(
            read_windows(document), self.gate, self.score, OPTIONS, deduplicate=False, on_rejects=lambda _: None
        )


def read_windows(document: bytes) -> Iterator[Block]:
    """Yield the windows of a FASTA document."""
    return parse([document], Format.FASTA, DEFAULT, windows=OPTIONS.windows)


def draw_proteins(count: int) -> bytes:
    """Return random proteins as FASTA."""
    drawn = _LETTERS[np.random.default_rng(1).integers(0, len(_LETTERS), (count, RESIDUES))]
    return b"".join(b">p%d\n%b\n" % (at, each.tobytes()) for at, each in enumerate(drawn))


def main() -> None:
    """Parse the command line and measure."""
    parser = arguments(__doc__, "windows")
    parser.add_argument("gate", type=Path, metavar="GATE")
    parser.add_argument("score", type=Path, metavar="SCORE")
    options = parser.parse_args()
    hush()
    document = draw_proteins(PROTEINS[options.size])
    windows: NDArray[Any] = np.concatenate([block.codes for block in read_windows(document)])
    gate, score = (SequenceScorer(load_folder(folder, options.threads)) for folder in (options.gate, options.score))
    shipped = [SequenceScorer(load_folder(newest(MODELS, name), options.threads)) for name in (GATE, SCORE)]
    ways = {
        "shipped pair": Pairing(*shipped),
        "one by one": Pairing(Singly(gate), Singly(score)),
        "scan": Pairing(gate, score),
    }
    if ways["scan"].rank(document) != ways["one by one"].rank(document):
        raise SystemExit("a scan ranks otherwise than windows one by one")
    alone = in_turn({name: partial(time_act, partial(way.gate.score, windows)) for name, way in ways.items()}, 5)
    whole = in_turn({name: partial(time_act, partial(way.rank, document)) for name, way in ways.items()}, 5)
    result = report("windows", f"{len(windows):,} windows of random proteins", options)
    rows = [[name, *(f"{len(windows) / each[name].median:,.0f}" for each in (alone, whole))] for name in ways]
    result.table(["way", "gate alone, windows/s", "file to ranking, windows/s"], rows)
    result.finish()


if __name__ == "__main__":
    main()
