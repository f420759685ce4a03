"""From blocks of sequences to the best rows: gate model, threshold, score model, and the top-k in bounded memory."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from assay.options import RankOptions
from assay.ranking.distributions import Histograms, ReferenceScale
from assay.ranking.duplicates import Seen, pack
from assay.ranking.labels import Label, Labels
from assay.ranking.ranking import Counts, PartialRanking, RankedRow
from assay.sequences.blocks import Block, WindowIds, decode, name_window
from assay.sequences.contract import Contract
from assay.text.records import NOT_FINITE, Notice, Reject, gather

Index = NDArray[np.intp] | NDArray[np.bool_] | slice
_SLACK: Final = 1 << 14
HEAVY: Final = 64 << 20
"""Bytes of ids and carried cells that wait at once, for a model or for the next sorting of the best."""
_CELL_BYTES: Final = 64
"""Bytes that Python takes for a cell beside its text."""


@dataclass(frozen=True, slots=True)
class Rows:
    """N sequences on their way through the models, in columns; `labels` holds (id, carried cells) or is None.

    They are pairs [N] once the gate is passed. Of windows, whose `firsts` are the residues that they begin with, labels
    hold their record's id: `read_labels` makes those of the rows that are wanted.
    """

    codes: NDArray[np.uint8]
    lines: NDArray[np.int64]
    gate: NDArray[np.float32]
    score: NDArray[np.float32]
    labels: NDArray[np.object_] | Labels | None = None
    firsts: NDArray[np.intp] | None = None

    def __len__(self) -> int:
        """Return N."""
        return len(self.lines)

    def pick(self, index: Index, *, settle: bool = False) -> Self:
        """Return the rows at `index`; `settle`d, they have their labels themselves."""
        labels = None if self.labels is None else self.labels[index]
        labels = labels.settle() if settle and isinstance(labels, Labels) else labels
        firsts = None if self.firsts is None else self.firsts[index]
        gate, score = self.gate[index], self.score[index]
        return type(self)(self.codes[index], self.lines[index], gate, score, labels, firsts)

    def read_labels(self) -> list[Label]:
        """Return the id and carried cells of each row."""
        if self.labels is None:
            return [(None, ())] * len(self)
        labels: list[Label] = [*self.labels]
        if self.firsts is None:
            return labels
        length, firsts = self.codes.shape[1], self.firsts.tolist()
        named = zip(labels, firsts, strict=True)
        return [(name_window(word or "", first, length), cells) for (word, cells), first in named]


def concatenate(parts: list[Rows]) -> Rows:
    """Return the rows of all `parts` (at least one; all with labels of one kind or all without), in order."""
    if len(parts) == 1:
        return parts[0]
    firsts = [part.firsts for part in parts if part.firsts is not None]
    return Rows(
        np.concatenate([part.codes for part in parts]),
        np.concatenate([part.lines for part in parts]),
        np.concatenate([part.gate for part in parts]),
        np.concatenate([part.score for part in parts]),
        _join_labels([part.labels for part in parts]),
        np.concatenate(firsts) if firsts else None,
    )


def _join_labels(parts: list[NDArray[np.object_] | Labels | None]) -> NDArray[np.object_] | Labels | None:
    waiting = [part for part in parts if isinstance(part, Labels)]
    if waiting:
        return Labels.join(waiting)
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    return np.concatenate(arrays) if arrays else None


def weigh(labels: Iterable[Label]) -> int:
    """Return about how many bytes ids and carried cells take in memory."""
    return sum(len(name or "") + sum(map(len, cells)) + _CELL_BYTES * (len(cells) + 1) for name, cells in labels)


class TopK:
    """Exact best `k` rows by score descending, then line, one per sequence (its first line).

    Rows must come with finite scores and ascending lines; the same sequence always has the same score. Where those
    that are held weigh more than `most` bytes, their labels are let go, and `shed` says so.
    """

    def __init__(self, k: int, most: int | None = None) -> None:
        """Begin with no rows; `k` >= 1."""
        self.shed = False
        self._k, self._most, self._weight = k, most, 0
        self._parts: list[Rows] = []
        self._held = 0
        self._floor = np.float32(-np.inf)

    def add(self, rows: Rows, weight: int = 0) -> None:
        """Keep those of `rows`, which weigh at most so many bytes, that may be among the best."""
        better = rows.score > self._floor  # a later row that ties with the k-th loses to it
        if better.any():
            rows = replace(rows, labels=None) if self.shed else rows
            self._parts.append(rows.pick(better))
            self._held += len(self._parts[-1])
            self._weight += 0 if self.shed else weight
        if self._held > self._k + _SLACK or self._weight > HEAVY:
            self._prune()

    def best(self) -> Rows | None:
        """Return the best rows in order, or None when none came."""
        if self._parts:
            self._prune()
        return self._parts[0] if self._parts else None

    def _prune(self) -> None:
        rows = concatenate(self._parts)
        rows = rows.pick(_first_distinct(rows.codes, np.argsort(-rows.score, kind="stable"), self._k))
        if self._most is not None and self._weight > HEAVY and rows.labels is not None:
            self.shed = weigh(rows.labels) > self._most
            rows = replace(rows, labels=None) if self.shed else rows
        self._parts, self._held, self._weight = [rows], len(rows), 0
        if len(rows) == self._k:
            self._floor = rows.score[-1]


def _first_distinct(codes: NDArray[np.uint8], order: NDArray[np.intp], k: int) -> NDArray[np.intp]:
    """Return the first `k` of `order` whose codes did not come before; looks no further than it must."""
    take = 2 * k
    while True:
        head = order[:take]
        first = np.sort(np.unique(pack(codes[head]), return_index=True)[1])
        if len(first) >= k or take >= len(order):
            return head[first[:k]]
        take *= 4


_FEED: Final = 1 << 15
_BLOCK: Final = 2 << 20
"""Bytes of text that a block of input has at most, but for rows that were read across a block's end."""


class Scorer(Protocol):
    """A model of sequences. One that runs fixed batches says so by an attribute `batch`, and is fed multiples of it.

    One whose scores have a known meaning has it as the attribute `reference`.
    """

    def score(self, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return [N] scores of [N, length] alphabet indices; a row's score does not depend on the others."""
        ...


OnScored = Callable[[Rows, Contract, tuple[str, ...]], None]


def reference_of(scorer: Scorer) -> ReferenceScale | None:
    """Return what a model's scores mean, None where it does not say."""
    found: ReferenceScale | None = getattr(scorer, "reference", None)
    return found


def rank_blocks(
    blocks: Iterable[Block],
    gate: Scorer,
    score: Scorer,
    options: RankOptions,
    *,
    deduplicate: bool,
    on_rejects: Callable[[list[Reject]], None],
    on_scored: OnScored | None = None,
    most: int | None = None,
) -> PartialRanking:
    """Rank all blocks in memory that depends on `top_k` only, however large ids and carried cells are.

    Where those of the best rows weigh more than `most` bytes, the ranking comes without them, `shed`.

    With `deduplicate`, a sequence that came before is counted, not scored (memory then grows with the input). Each
    list of rejects goes to `on_rejects` as soon as it is known; those for scores that are not finite come late. What
    passed goes to `on_scored` in order of lines, with the names of its carried cells.
    """
    ranker = _Ranker(gate, score, options, on_rejects, on_scored, most)
    seen = Seen() if deduplicate else None
    for block in blocks:
        ranker.take(block, seen)
    return ranker.finish()


Weighed = tuple[Rows, int]
"""Rows, and at most how many bytes their ids and carried cells weigh."""


class _Queue:
    """Rows waiting for a model, given out in multiples of its batch so that little of it is padding.

    Rows whose ids and cells are large are given out before they are many.
    """

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer
        self._batch = int(getattr(scorer, "batch", 1))
        self._parts: list[Rows] = []
        self._held = self._weight = 0

    def push(self, rows: Rows, weight: int) -> Iterator[Weighed]:
        """Take rows, and give them out once they are many, or heavy."""
        if not len(rows):
            return
        self._parts.append(rows)
        self._held += len(rows)
        self._weight += weight
        if self._held >= max(_FEED, self._batch):
            whole, cut, weight = concatenate(self._parts), self._held - self._held % self._batch, self._weight
            self._parts, self._held = [_shrink(whole.pick(slice(cut, None)))], self._held - cut
            self._weight = weight * self._held // len(whole)
            yield whole.pick(slice(cut)), weight
        elif self._weight > HEAVY:
            yield from self.rest()

    def rest(self) -> Iterator[Weighed]:
        """Give out what waits."""
        held, weight, parts = self._held, self._weight, self._parts
        self._parts, self._held, self._weight = [], 0, 0
        if held:
            yield concatenate(parts), weight


class _Ranker:
    """The way of the rows: gate queue, threshold, score queue, best."""

    def __init__(
        self,
        gate: Scorer,
        score: Scorer,
        options: RankOptions,
        on_rejects: Callable[[list[Reject]], None],
        on_scored: OnScored | None,
        most: int | None,
    ) -> None:
        self._gate, self._score = _Queue(gate), _Queue(score)
        self._threshold = _float32(options.threshold) if options.gate == "on" else np.float32(-np.inf)
        self._on_scored = on_scored
        self._best = TopK(options.top_k, most)
        self._on_rejects = on_rejects
        self._received = self._rejected = self._duplicates = self._filtered = self._passed = 0
        self._columns: tuple[str, ...] = ()
        self._contract: Contract | None = None
        self._notices: tuple[Notice, ...] = ()
        self._histograms = Histograms()

    def take(self, block: Block, seen: Seen | None) -> None:
        """Count a block and send its sequences on."""
        self._contract, self._columns = block.contract, self._columns or block.columns
        self._received += len(block.lines) + len(block.rejects)
        self._reject(block.rejects)
        if block.notices:
            self._notices = gather([*self._notices, *block.notices])
        rows = _rows(block)
        if seen is not None and (fresh := seen.find_fresh(rows.codes)) is not None:
            self._duplicates += len(rows) - len(fresh)
            rows = rows.pick(fresh)
        self._through_gate(self._gate.push(rows, _weight(rows, block)))

    def finish(self) -> PartialRanking:
        """Run what waits and return the ranking."""
        self._through_gate(self._gate.rest())
        self._through_score(self._score.rest())
        best = self._best.best()
        reference = reference_of(self._score.scorer)
        rows = [] if best is None or self._contract is None else _to_ranked(best, self._contract, reference)
        scored = self._filtered + self._passed  # counted, not derived: merging checks it against the rest
        counts = Counts(self._received, scored, self._passed, len(rows), self._rejected, self._duplicates)
        names = reference.names if reference else ()
        spread = self._histograms.to_body()
        return PartialRanking(rows, counts, self._columns, self._notices, self._best.shed, names, spread)

    def _through_gate(self, batches: Iterable[Weighed]) -> None:
        for rows, weight in batches:
            values, rows = self._run(self._gate.scorer, rows, "gate")
            passed = values > self._threshold
            filtered = values[~passed]
            self._filtered += len(filtered)
            self._histograms.count_filtered(filtered)
            rows = replace(rows, gate=values).pick(slice(None) if passed.all() else passed, settle=True)
            self._through_score(self._score.push(rows, weight))

    def _through_score(self, batches: Iterable[Weighed]) -> None:
        for rows, weight in batches:
            values, rows = self._run(self._score.scorer, rows, "score")
            self._histograms.count_passed(rows.gate, values)
            self._passed += len(rows)
            rows = replace(rows, score=values)
            self._best.add(rows, weight)
            if self._on_scored and self._contract and len(rows):
                self._on_scored(rows, self._contract, self._columns)

    def _run(self, scorer: Scorer, rows: Rows, name: str) -> tuple[NDArray[np.float32], Rows]:
        """Return a model's values and the rows they belong to; a row whose value is not finite is rejected."""
        values = np.asarray(scorer.score(np.ascontiguousarray(rows.codes)), np.float32)
        finite = np.isfinite(values)
        if finite.all():
            return values, rows
        odd = zip(rows.lines[~finite].tolist(), values[~finite].tolist(), strict=True)
        self._reject([Reject(line, NOT_FINITE, f"the {name} model gave {value}") for line, value in odd])
        return values[finite], rows.pick(finite)

    def _reject(self, rejects: list[Reject]) -> None:
        if rejects:
            self._rejected += len(rejects)
            self._on_rejects(rejects)


def _float32(value: float) -> np.float32:
    """Round as the models' outputs are, so that a gate shown as 0.1 is not above a threshold of 0.1."""
    with np.errstate(over="ignore"):
        return np.float32(value)


def _rows(block: Block) -> Rows:
    """Return a block's sequences in columns, with no values yet."""
    count = len(block.lines)
    none = np.zeros(count, np.float32)
    if isinstance(block.ids, WindowIds):
        return Rows(block.codes, block.lines, none, none, _window_labels(block, block.ids), block.ids.firsts)
    return Rows(block.codes, block.lines, none, none, Labels.of(block))


def _shrink(rows: Rows) -> Rows:
    """Return rows that keep no other rows' labels in memory."""
    return replace(rows, labels=rows.labels.shrink()) if isinstance(rows.labels, Labels) else rows


def _window_labels(block: Block, ids: WindowIds) -> NDArray[np.object_]:
    """Return what each window's record is called and carries: windows of one record share it."""
    starts = np.flatnonzero(np.diff(ids.records, prepend=-1))
    extra = block.extra
    own = ((ids.words[ids.records[at]], extra[at] if extra else ()) for at in starts.tolist())
    labels = np.fromiter(own, np.object_, len(starts))
    return np.repeat(labels, np.diff(np.append(starts, len(ids))))


def _weight(rows: Rows, block: Block) -> int:
    """Return at most how many bytes a block's ids and cells weigh, without looking at each."""
    return 0 if rows.labels is None else _BLOCK + _CELL_BYTES * len(rows) * (1 + len(block.columns))


def _to_ranked(rows: Rows, contract: Contract, reference: ReferenceScale | None) -> list[RankedRow]:
    """Turn columns into rows."""
    said = reference.read(rows.codes, rows.score, contract).rows() if reference else repeat((), len(rows))
    texts = decode(rows.codes, contract)
    values = zip(texts, rows.score, rows.gate, rows.lines.tolist(), rows.read_labels(), said, strict=True)
    return [
        RankedRow(text, _shortest(score), _shortest(gate), line, *label, *meaning)
        for text, score, gate, line, label, meaning in values
    ]


def _shortest(value: np.float32) -> float:
    """Return the float whose repr is the shortest decimal that names this float32."""
    return float(str(value))
