"""The nearest measured sequences are those that comparing letter by letter finds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assay.sequences.contract import Contract
from assay.sequences.measured import MeasuredSequences, describe_nearest

CONTRACT = Contract("ACDE", 6)
TEXTS = st.text("ACDE", min_size=6, max_size=6)


def codes_of(texts: list[str]) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return np.array([["ACDE".index(letter) for letter in text] for text in texts], np.uint8)


def made(texts: list[str]) -> MeasuredSequences:
    names = "".join(f"n{at}\n" if at % 3 else "\n" for at in range(len(texts))).encode()
    ends = np.flatnonzero(np.frombuffer(names, np.uint8) == ord("\n"))
    values = np.array([[at / 3 if at % 2 else np.nan for at in range(len(texts))]], np.float32)
    return MeasuredSequences(("half",), np.ascontiguousarray(codes_of(texts).T), values, names, ends)


@given(st.lists(TEXTS, min_size=1, max_size=30), TEXTS, st.integers(1, 5))
def test_the_nearest_are_those_of_a_search_letter_by_letter(texts: list[str], asked: str, most: int) -> None:
    brute = sorted((sum(a != b for a, b in zip(text, asked, strict=True)), at) for at, text in enumerate(texts))
    found = made(texts).nearest(codes_of([asked])[0], most)
    assert [(distance, at) for at, distance in found] == brute[:most]


@given(st.lists(TEXTS, min_size=1, max_size=10), TEXTS)
def test_what_is_said_of_one_is_its_own(texts: list[str], asked: str) -> None:
    for each in describe_nearest(made(texts), codes_of([asked])[0], CONTRACT):
        rebuilt = list(each["sequence"])
        for difference in each["differences"]:
            before, place, after = difference[0], int(difference[1:-1]), difference[-1]
            assert rebuilt[place - 1] == before != after
            rebuilt[place - 1] = after
        assert "".join(rebuilt) == asked
        assert len(each["differences"]) == each["distance"]
        assert each["identity"] == round(1 - each["distance"] / 6, 4)
        at = texts.index(each["sequence"]) if texts.count(each["sequence"]) == 1 else None
        if at is not None:
            assert each["name"] == (f"n{at}" if at % 3 else None)
            assert each["values"] == {"half": float(str(np.float32(at / 3))) if at % 2 else None}


def test_all_positions_count_where_a_byte_just_holds_them() -> None:
    known = MeasuredSequences((), np.zeros((255, 2), np.uint8), np.zeros((0, 2), np.float32), b"\n\n", np.array([0, 1]))
    assert known.distances(np.ones(255, np.uint8)).tolist() == [255, 255]
