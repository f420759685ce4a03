"""What stands in the way of an abstract, kind by kind, and how sure the answer is."""

import random

import pytest

from assay.papers.abstract import find_abstract
from assay.papers.headings import ends, is_entry, is_notice
from assay.papers.pdf import extract
from assay.papers.rows import without_numbers
from assay.papers.words import Word
from tests.papers.disturbed import DISTURBED, LANGUAGES, SECTIONS, language, section_at_once
from tests.papers.layouts import LAYOUTS
from tests.papers.texts import ABSTRACT
from tests.unit.growth import lines_run


@pytest.mark.parametrize("name", sorted(DISTURBED))
def test_the_abstract_is_found_to_the_letter(name: str) -> None:
    assert extract(DISTURBED[name]().pdf()).text == ABSTRACT


@pytest.mark.parametrize("section", SECTIONS)
def test_the_heading_of_the_section_that_follows_ends_it(section: str) -> None:
    assert extract(section_at_once(section).pdf()).text == ABSTRACT


@pytest.mark.parametrize("heading", sorted(LANGUAGES))
def test_headings_and_lists_in_other_languages(heading: str) -> None:
    found = extract(language(heading, *LANGUAGES[heading]).pdf())
    assert (found.text, found.found_by) == (ABSTRACT, "heading")


def test_how_sure_it_is_and_what_else_it_might_be() -> None:
    found = extract(DISTURBED["two_languages"]().pdf())
    assert found.confidence == found.candidates[0].confidence == 0.95
    assert [each.source for each in found.candidates[:2]] == ["heading", "heading"]
    assert found.candidates[1].text.startswith("Wir messen das Spektrum")
    scores = [each.confidence for each in found.candidates]
    assert scores == sorted(scores, reverse=True)
    guessed = extract(LAYOUTS["letters"]().pdf())
    assert guessed.confidence < 0.7 < found.confidence


def column(numbers: list[int], x: float, size: float = 5) -> list[Word]:
    """Return numbers under each other, their right edges at `x`."""
    return [Word(str(n), x - 3 * len(str(n)), x, 700 - 12 * at, size) for at, n in enumerate(numbers)]


def text(lines: int, x: float = 60) -> list[Word]:
    return [
        Word("word", x + 30 * at, x + 30 * at + 25, 700 - 12 * line, 10) for line in range(lines) for at in range(9)
    ]


@pytest.mark.parametrize("numbers", [[1, 2, 3, 4], [98, 99, 100, 101], [5, 10, 15, 20], [2, 4, 6, 8, 10]])
@pytest.mark.parametrize("x", [50.0, 360.0])
def test_columns_of_ascending_numbers_beside_text_go(numbers: list[int], x: float) -> None:
    prose = text(len(numbers))
    shuffled = random.Random(1).sample([*prose, *column(numbers, x)], k=len(prose) + len(numbers))
    assert set(without_numbers(shuffled)) == set(prose)


@pytest.mark.parametrize("numbers", [[1, 2, 3], [3, 1, 4, 1, 5], [1990, 1985, 1980, 1975], [7, 7, 7, 7, 7]])
def test_other_numbers_stay(numbers: list[int]) -> None:
    words = [*text(len(numbers)), *column(numbers, 50)]
    assert list(without_numbers(words)) == words


def test_a_column_of_numbers_within_a_table_stays() -> None:
    words = [*text(6), *column([1, 2, 3, 4, 5, 6], 50), *text(6, x=-300)]
    assert list(without_numbers(words)) == words


@pytest.mark.parametrize(
    "line",
    ["Palabras clave: a", "Mots-cl\u00e9s a, b", "Schlagw\u00f6rter: a", "Palavras-chave: a", "Parole chiave: a"],
)
def test_lists_in_other_languages_end_it(line: str) -> None:
    assert ends(line)


def test_what_is_about_the_paper_and_what_is_not() -> None:
    assert is_notice("Disclaimer: The views are ours.")
    assert is_notice("This is the copyright of all; a license may be had.")
    assert not is_notice("Important questions on the copyright of machines are asked.")
    assert not is_notice("This paper reflects on what a paper is.")
    assert is_entry("Abstract . . . . . iii")
    assert not is_entry("We ask why, and wait ...")


def pages(name: str, size: int) -> list[list[Word]]:
    """Return pages of some hostile shape with so many words."""
    match name:
        case "headings":
            return [[Word("Abstract", 50, 90, 10.0 * at, 9) for at in range(size)]]
        case "a line drawn backwards":
            return [[Word("a", 5.0 * at, 5.0 * at + 5, 700, 10) for at in reversed(range(size))]]
        case "one letter a line":
            return [[Word("a", 50, 55, -12.0 * at, 10, "F", bold=at % 2 == 0) for at in range(size)]]
        case "letters anywhere":
            chance = random.Random(1)
            return [[Word("the", x := chance.uniform(0, 600), x + 9, chance.uniform(0, 800), 6) for _ in range(size)]]
        case "numbers":
            return [[Word(str(at % 9999), 50, 60, -9.0 * at, 5) for at in range(size)]]
        case "one word of many lines":
            return [[Word("a" * 30 + "-", 50, 200, -12.0 * at, 10) for at in range(size)]]
    return [[Word("x" * (40 * size), 50, 500, -12.0 * at, 10) for at in range(30)]]


HOSTILE = ("headings", "a line drawn backwards", "one letter a line", "letters anywhere", "numbers",
           "one word of many lines", "the same long line")  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_the_search_takes_no_longer_than_its_words(name: str) -> None:
    small, large = (
        lines_run(lambda size: find_abstract(pages(name, int(size))), str(size).encode()) for size in (500, 1_000)
    )
    assert large <= 2.5 * small + 20_000
