"""Labels that wait are those of the blocks, whatever is picked and joined on the way."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assay.ranking.labels import Label, Labels
from assay.sequences.blocks import Block
from assay.sequences.carried_columns import CarriedCells

words = st.lists(st.text("ab", max_size=3), max_size=6)
HAS = st.sampled_from([(True, True), (True, False), (False, True)])
"""Whether rows have ids, and whether they have carried cells."""


def labelled(ids: list[str], *, named: bool, carried: bool) -> Block:
    cells = CarriedCells([ids, [f"{at}" for at in range(len(ids))]]) if carried else None
    return Block(np.zeros((len(ids), 1), np.uint8), np.arange(len(ids)), ids if named else None, cells)


def plain(ids: list[str], *, named: bool, carried: bool) -> list[Label]:
    return [(word if named else None, (word, f"{at}") if carried else ()) for at, word in enumerate(ids)]


@given(
    st.lists(words, min_size=1, max_size=4), st.sampled_from([(True, True), (True, False), (False, True)]), st.data()
)
def test_labels_are_those_of_the_blocks(blocks: list[list[str]], has: tuple[bool, bool], data: st.DataObject) -> None:
    parts, expected = [], []
    for ids in blocks:
        labels = Labels.of(labelled(ids, named=has[0], carried=has[1]))
        assert labels is not None
        kept = data.draw(st.lists(st.booleans(), min_size=len(ids), max_size=len(ids)))
        some = labels[np.array(kept, np.bool_)]
        parts.append(some.shrink() if data.draw(st.booleans()) else some)
        pairs = zip(plain(ids, named=has[0], carried=has[1]), kept, strict=True)
        expected += [label for label, keep in pairs if keep]
    whole = Labels.join(parts)
    cut = data.draw(st.integers(0, len(expected)))
    assert len(whole) == len(expected)
    assert [*whole] == whole.settle().tolist() == [*whole.shrink()] == expected
    assert [*whole[cut:]] == expected[cut:]
    assert whole[cut:].shrink().held == len(expected) - cut


def test_a_block_of_bare_sequences_has_none() -> None:
    assert Labels.of(labelled(["a"], named=False, carried=False)) is None
