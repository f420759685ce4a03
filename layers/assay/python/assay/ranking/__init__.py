"""Ranking: the gate model, the score model on what passes, the best rows, and the merge of partial rankings.

The total order is score descending, then line; each sequence appears once, at its first line. Pure: no I/O, no AWS.
"""

from assay.options import MAX_TOP_K
from assay.ranking.options import RankOptions, hold_strict
from assay.ranking.partial import Counts, Partial, PlacedRow, Row, merge, with_simple
from assay.ranking.ranker import OnScored, Scorer, rank_blocks
from assay.ranking.topk import Rows

__all__ = [
    "MAX_TOP_K",
    "Counts",
    "OnScored",
    "Partial",
    "PlacedRow",
    "RankOptions",
    "Row",
    "Rows",
    "Scorer",
    "hold_strict",
    "merge",
    "rank_blocks",
    "with_simple",
]
