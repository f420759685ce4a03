"""Batches formed by padded tokens, not by texts: what a run costs is rows times its longest row."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

MULTIPLE = 8
MOST_TOKENS = 4096

Ids = npt.NDArray[np.int32]


def padded(length: int, longest: int, multiple: int = MULTIPLE) -> int:
    """Return the length rounded up to a multiple, so that few distinct shapes occur, but at most `longest`."""
    return min(-(-length // multiple) * multiple, longest)


def batches(lengths: Sequence[int], rows: int | None, longest: int) -> Iterator[list[int]]:
    """Yield indices of texts grouped by length, at most `rows` a batch (None: any) and 4,096 padded tokens."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        full = (len(batch) + 1) * padded(lengths[index], longest) > MOST_TOKENS
        if batch and (full or len(batch) == rows):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def stack(texts: Sequence[Ids], rows: int, width: int, pad_id: int) -> tuple[Ids, Ids]:
    """Return ids and mask int32 [rows, width]; rows beyond the texts repeat the first one."""
    ids, mask = np.full((rows, width), pad_id, np.int32), np.zeros((rows, width), np.int32)
    for row in range(rows):
        text = texts[row] if row < len(texts) else texts[0]
        ids[row, : len(text)], mask[row, : len(text)] = text, 1
    return ids, mask
