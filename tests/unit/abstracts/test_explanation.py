import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.abstracts.cleaning import prepare
from assay.abstracts.explanation import find_words, split_sentences, without_each
from assay.abstracts.offsets import CleanedText
from assay.abstracts.tokens import LocatedToken
from assay.errors import InvalidAbstract

PIECES = [
    *(
        "a",
        "Word",
        " ",
        "  ",
        "\n",
        "&amp;",
        "&lt;b&gt;",
        "&amp;amp;",
        "<b>",
        "</b>",
        "<p>",
        "https://a.org/x",
        ".",
        ",",
    ),
    *("\u00e9", "e\u0301", "\ufb01", "\u2126", "\u200b", "\u200d", "\uff0c", "\u1100\u1161\u11a8", "\u4e2d", "\ud800"),
]
TEXT = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=60).map("".join)


@given(TEXT)
def test_the_text_whose_places_are_known_is_the_cleaned_one(text: str) -> None:
    padded = text + " " + "x" * 60
    cleaned = CleanedText(padded)
    try:
        assert cleaned.text == prepare(padded)
    except InvalidAbstract:
        return
    places = [cleaned.place(at, at + 1) for at in range(len(cleaned.text))]
    assert all(0 <= start < end <= len(padded) for start, end in places)
    assert places == sorted(places)
    assert padded[slice(*cleaned.place(len(cleaned.text) - 60, len(cleaned.text)))] == "x" * 60


@given(st.text(alphabet=st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=50))
def test_what_cleaning_leaves_alone_keeps_its_place(word: str) -> None:
    given_text = f"<p>  {word} &amp; https://a.org/b  {word}</p>"
    cleaned = CleanedText(given_text)
    for found in re.finditer(re.escape(word), cleaned.text):
        start, end = cleaned.place(*found.span())
        if end - start == len(word):
            assert given_text[start:end] == word


def test_a_text_of_more_markup_than_words_is_placed_too() -> None:
    given_text = "<p> </p>" * 4000 + "Dark matter in twelve galaxies, measured by their rotation."
    cleaned = CleanedText(given_text)
    assert cleaned.text == prepare(given_text)
    assert cleaned.place(0, 4) == (32_000, 32_004)


def test_sentences_end_where_people_end_them() -> None:
    text = "We follow Smith et al. Here, e.g. Eq. 5 holds for U. S. data. Is it so? Yes! (It is.) $x$ is small."
    found = [text[start:end].strip() for start, end in split_sentences(text)]
    assert found[-4:] == ["Is it so?", "Yes!", "(It is.)", "$x$ is small."]
    assert not any(each.endswith(("al.", "e.g.", "Eq.")) for each in found)


@given(st.text(alphabet="aB. ?!\n", max_size=400), st.integers(1, 12))
def test_sentences_are_the_whole_text_and_no_more_than_asked_for(text: str, most: int) -> None:
    found = split_sentences(text, most)
    assert "".join(text[start:end] for start, end in found) == text
    assert len(found) <= most
    assert len(without_each(text, found)) == (len(found) if len(found) > 1 else 0)


def test_pieces_of_a_word_are_one_word_and_special_tokens_none() -> None:
    tokens = [
        LocatedToken(1, (0, 0), None),
        LocatedToken(5, (0, 4), 0),
        LocatedToken(6, (4, 7), 0),
        LocatedToken(7, (8, 9), 1),
        LocatedToken(2, (0, 0), None),
    ]
    spans, words = find_words(tokens)
    assert spans == [(0, 7), (8, 9)]
    assert words.tolist() == [-1, 0, 0, 1, -1]


@pytest.mark.parametrize("text", ["", "x"])
def test_a_single_sentence_is_not_left_out(text: str) -> None:
    assert without_each(text, split_sentences(text)) == []
