"""Ids and carried cells of a shard's best rows that are too large for its result, in a separate object.

It holds a JSON line a row, `["id", ["cell", ...]]`; a row's `place` says where its line lies. Merging keeps the places,
and reads the cells of the rows that made it while it writes the ranking.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Final

from assay.jobs.workspace import Workspace
from assay.ranking.ranking import PlacedRow, RankedRow, label_row

NAME: Final = "cells.jsonl"
INLINE: Final = 8 << 20
"""Bytes of ids and cells, as `ranking.topk.weigh` has them, that a shard's result holds itself."""
MOST: Final = 64 << 20
"""Bytes of them that a shard holds in memory; where the best rows have more, they are read again at the end."""
_AT_ONCE: Final = 8 << 20
_GAP: Final = 1 << 16

Label = tuple[str | None, tuple[str, ...]]


class CellPart:
    """Writes the labels of a shard's rows in any order; `places` says where those of a row lie, by its key."""

    def __init__(self, working: Workspace, shard: int) -> None:
        self.places: dict[int, tuple[int, int, int]] = {}
        self.size = 0
        self._working, self._shard = working, shard

    def write(self, labels: Iterable[tuple[int, Label]]) -> None:
        """Write all labels, each with the key of its row."""
        with self._working.open_part(self._shard, NAME, "application/x-ndjson") as writer:
            for key, label in labels:
                line = json.dumps(label, ensure_ascii=False).encode() + b"\n"
                writer.write(line)
                self.places[key] = (self._shard, self.size, self.size + len(line))
                self.size += len(line)


def fill_cells(working: Workspace, rows: Iterable[RankedRow]) -> Iterator[list[RankedRow]]:
    """Yield the rows with their ids and cells, some at a time, in order; some megabytes are held at once."""
    lot: list[RankedRow] = []
    held = 0
    for row in rows:
        size = row.place[2] - row.place[1] if isinstance(row, PlacedRow) else 0
        if lot and (held + size > _AT_ONCE or len(lot) == 1000):
            yield _fill_lot(working, lot)
            lot, held = [], 0
        lot.append(row)
        held += size
    if lot:
        yield _fill_lot(working, lot)


def _fill_lot(working: Workspace, rows: list[RankedRow]) -> list[RankedRow]:
    wanted = sorted({row.place for row in rows if isinstance(row, PlacedRow)})
    found = {place: label for run in _runs(wanted) for place, label in _read(working, run)}
    return [label_row(row, *found[row.place]) if isinstance(row, PlacedRow) else row for row in rows]


def _runs(places: list[tuple[int, int, int]]) -> Iterator[list[tuple[int, int, int]]]:
    """Yield places of one shard that lie close together."""
    run: list[tuple[int, int, int]] = []
    for place in places:
        if run and (place[0] != run[-1][0] or place[1] > run[-1][2] + _GAP):
            yield run
            run = []
        run.append(place)
    if run:
        yield run


def _read(working: Workspace, run: list[tuple[int, int, int]]) -> Iterator[tuple[tuple[int, int, int], Label]]:
    (shard, start, _), stop = run[0], run[-1][2]
    data = b"".join(working.parts.chunks(working.part(shard, NAME), start=start, stop=stop))
    for place in run:
        yield place, json.loads(data[place[1] - start : place[2] - start])
