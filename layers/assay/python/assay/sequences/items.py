"""Sequences of a JSON list: strings, or objects with a `sequence` and perhaps an `id`."""

from collections.abc import Mapping, Sequence

import numpy as np

from assay.errors import MalformedBody
from assay.sequences.alphabet import DEFAULT, Contract
from assay.sequences.records import LIMITS, Block
from assay.sequences.validation import check_texts


def parse_items(items: Sequence[object], contract: Contract = DEFAULT) -> Block:
    """Encode and check a JSON list; lines are 1-based positions.

    Raises `MalformedBody` naming the first item that is neither a string nor such an object.
    """
    texts = [item if isinstance(item, str) else _text(item, index) for index, item in enumerate(items)]
    found = check_texts(texts, np.arange(1, len(texts) + 1), contract, LIMITS, "surrogatepass")
    named = any(isinstance(item, Mapping) and "id" in item for item in items)
    names = [_id(item, index) for index, item in enumerate(items)] if named else []
    ids = [names[index] for index in found.kept.tolist()] if named else None
    return Block(found.codes, found.kept.astype(np.int64) + 1, ids, rejects=found.rejects, contract=contract)


def _text(item: object, index: int) -> str:
    """Return the sequence of an object."""
    text = item.get("sequence") if isinstance(item, Mapping) else None
    if not isinstance(text, str):
        raise MalformedBody(f'sequences[{index}] must be a string or {{"id": ..., "sequence": "..."}}', index=index)
    return text


def _id(item: object, index: int) -> str:
    """Return the id of an item as text, empty where it has none."""
    name = item.get("id") if isinstance(item, Mapping) else None
    if name is None:
        return ""
    if isinstance(name, bool) or not isinstance(name, str | int):
        raise MalformedBody(f"the id of sequences[{index}] must be a string or an integer", index=index)
    return str(name)
