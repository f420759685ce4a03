import pytest

from assay.papers.abstract import find_abstract
from assay.papers.headings import begins, ends, is_note, structure, without_rights
from assay.papers.pdf import extract
from assay.papers.reading_order import order_blocks
from assay.papers.rows import group_rows
from assay.papers.running_text import join_lines, vocabulary
from assay.papers.words import Word
from tests.papers.awkward import AWKWARD, INTERRUPTED, thesis_page, under_contents
from tests.papers.layouts import FOUND_BY, LAYOUTS, medicine
from tests.papers.texts import ABSTRACT, STRUCTURED


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_a_layouts_abstract_is_found_to_the_letter(name: str) -> None:
    found = extract(LAYOUTS[name]().pdf())
    assert found.text == ABSTRACT
    assert found.found_by == FOUND_BY[name]


def test_a_structured_abstract_is_taken_with_its_labels_and_without_the_main_text() -> None:
    assert extract(medicine().pdf()).text == STRUCTURED


@pytest.mark.parametrize("name", sorted(AWKWARD))
def test_an_abstract_that_goes_on_elsewhere_is_put_together(name: str) -> None:
    assert extract(AWKWARD[name]().pdf()).text == ABSTRACT


@pytest.mark.parametrize("name", sorted(INTERRUPTED))
def test_what_is_set_otherwise_within_an_abstract_does_not_end_it(name: str) -> None:
    paper, part = INTERRUPTED[name]
    assert extract(paper().pdf()).text == ABSTRACT.replace(
        "We show", f"This is by the rule that all follow, and {part} We show"
    )


def test_the_title_in_a_theses_abstract_is_passed_by_and_the_thanks_behind_it_are_no_part() -> None:
    assert extract(thesis_page().pdf()).text == ABSTRACT.removesuffix(".")


def test_a_heading_under_the_contents_counts_as_one() -> None:
    assert extract(under_contents().pdf()).found_by == "heading"


@pytest.mark.parametrize(("name", "page", "pages"), [("cover", 2, 2), ("thesis", 4, 5), ("article", 1, 1)])
def test_where_it_was_found_is_said(name: str, page: int, pages: int) -> None:
    found = extract(LAYOUTS[name]().pdf())
    assert (found.page, found.pages) == (page, pages)


@pytest.mark.parametrize(
    "line", ["Abstract", "ABSTRACT", "A B S T R A C T", "a b s t r a c t", "Summary", "1. Abstract", "I Summary:"]
)
def test_headings_of_their_own(line: str) -> None:
    assert begins(line, set_apart=False) == ("heading", len(line))


@pytest.mark.parametrize(
    "head", ["Abstract: ", "Abstract\u2014", "ABSTRACT. ", "Summary - ", "A b s t r a c t : ", "ABSTRACT "]
)
def test_headings_in_the_line_of_the_text(head: str) -> None:
    assert begins(f"{head}We measure", set_apart=False) == ("inline", len(head))


@pytest.mark.parametrize("line", ["abstract. We also", "summary: a", "abstract - a", "abstract of"])
def test_a_word_of_a_sentence_that_begins_a_line_is_no_heading(line: str) -> None:
    assert begins(line, set_apart=False) is None
    assert begins("abstract environment", set_apart=True) is None


def test_a_title_that_begins_with_the_word_is_no_heading_unless_set_apart() -> None:
    assert begins("Abstract interpretation of programs", set_apart=False) is None
    assert begins("Abstract We interpret programs", set_apart=True) == ("inline", 9)


FOLLOWS = [
    "Acknowledgments",
    "LIST OF FIGURES",
    "Preface",
    "1 Introduction",
    "1. INTRODUCTION",
    "I. INTRODUCTION",
    "Introduction",
    "Introduction.\u2014The mass",
]
LISTS = [
    "Keywords: a",
    "Key words a, b",
    "Index Terms\u2014a",
    "PACS numbers: 1",
    "CCS Concepts: x",
    "Contents",
    "MSC: 1",
]


@pytest.mark.parametrize("line", [*FOLLOWS, *LISTS])
def test_what_follows_an_abstract(line: str) -> None:
    assert ends(line)


@pytest.mark.parametrize(
    "line",
    [
        "introduction of a new field",
        "acknowledgements of receipt",
        "contents of the box",
        "significance is high",
        "We show",
    ],
)
def test_lines_of_an_abstract_do_not_end_it(line: str) -> None:
    assert not ends(line)
    assert not is_note(line)


@pytest.mark.parametrize(
    "line", ["\u00a9 2020 Somebody", "Received 3 May 2020", "\u2020 On leave", "E-mail: a@b.org", "doi:10.1/x"]
)
def test_notes_beside_an_abstract(line: str) -> None:
    assert is_note(line)


def test_parts_of_structured_abstracts() -> None:
    assert structure("Methods: We use") == "methods"
    assert structure("Conclusions") == "conclusions"
    assert structure("Methods that we use") is None


def test_rights_at_the_end_are_no_part() -> None:
    text = "The light of many stars is measured here and found to be red. "
    assert without_rights(text + "\u00a9 2007 Institute. DOI: 10.1/2") == text.strip()
    assert without_rights("\u00a9 2007 " + text) == "\u00a9 2007 " + text


@pytest.mark.parametrize(
    ("lines", "known", "text"),
    [
        (["the spec-", "trum of light"], "", "the spectrum of light"),
        (["a well-", "known fact"], "", "a well-known fact"),
        (["the high-", "resolution map"], "a highresolution map", "the highresolution map"),
        (["of meaning-", "representation"], "a meaning-representation language", "of meaning-representation"),
        (["X-", "ray data"], "", "X-ray data"),
        (["state-of-the-", "art"], "", "state-of-the-art"),
        (["the Navier-", "Stokes flow"], "", "the Navier-Stokes flow"),
        (["pages 10-", "20 only"], "", "pages 10-20 only"),
        (["one \u2014", "two"], "", "one \u2014 two"),
        (["Schr\u00a8odinger and Poincar\u00b4e"], "", "Schr\u00f6dinger and Poincar\u00e9"),
        (["e\x0ecient \x0cnite di\x0berence"], "", "efficient finite difference"),
        (["inter\u00ad", "nal"], "", "internal"),
    ],
)
def test_lines_become_text(lines: list[str], known: str, text: str) -> None:
    assert join_lines(lines, vocabulary(known)) == text


def words(text: str, x: float, y: float, size: float = 10) -> list[Word]:
    """Return words of five points a letter, one space apart."""
    found = []
    for word in text.split():
        found.append(Word(word, x, x + 5 * len(word), y, size))
        x += 5 * (len(word) + 1)
    return found


def test_columns_are_rows_of_their_own_and_exponents_are_not() -> None:
    line = [*words("left column", 50, 700), *words("right column", 320, 700)]
    assert [row.text for row in group_rows(line)] == ["left column", "right column"]
    raised = [*words("ten", 50, 700), Word("9", 66, 69, 704, 6), *words("years", 74, 700)]
    assert [row.text for row in group_rows(raised)] == ["ten 9 years"]


def test_blocks_are_read_column_by_column_under_what_spans_both() -> None:
    spanning = words(
        "a title that spans both of the columns and is quite a bit wider than either one of these", 50, 740
    )
    left = [word for line in range(5) for word in words("left text of the paper here", 50, 700 - 12 * line)]
    right = [word for line in range(5) for word in words("right text of the paper here", 320, 700 - 12 * line)]
    order = [block.text.split()[0] for block in order_blocks(group_rows([*right, *left, *spanning]))]
    assert order == ["a", "left", "right"]


def test_a_page_without_words_has_no_abstract() -> None:
    assert find_abstract([]) == []
    assert find_abstract([[], []]) == []


def test_a_page_without_prose_is_taken_as_it_is() -> None:
    [found] = find_abstract([words("Gamma rays in twenty slides", 50, 700, 20)])
    assert (found.text, found.source) == ("Gamma rays in twenty slides", "first_page")
