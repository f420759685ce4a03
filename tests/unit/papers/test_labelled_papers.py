"""The labels of the papers by which the search for abstracts is measured: whole, and without their texts."""

import re

from benchmarks.labelled_papers import DIGITS, ENOUGH, label, load_papers, marks, papers_table, share_words
from benchmarks.labelled_papers import Score as Scored


def test_each_label_says_where_its_paper_lies_and_what_was_read() -> None:
    papers = load_papers()
    real = [paper for paper in papers if paper.kind == "real"]
    assert len(real) >= 60
    assert len({paper.sha256 for paper in papers}) == len(papers)
    for paper in papers:
        assert re.fullmatch(r"[0-9a-f]{64}", paper.sha256)
        assert re.fullmatch(r"[0-9a-f]{64}", paper.text_sha256)
        assert re.fullmatch(rf"(?:[0-9a-f]{{{DIGITS}}})+", paper.words)
        assert paper.path.startswith("usr/share/") or paper.path.startswith("usr/lib/")
        assert paper.words.startswith(marks(paper.first))
        assert paper.words.endswith(marks(paper.last))


def test_a_third_is_held_out() -> None:
    papers = load_papers()
    assert 0.25 < sum(paper.held_out for paper in papers) / len(papers) < 0.45


def test_agreement_is_the_share_of_words_in_order() -> None:
    text = "one two three four five six seven eight nine ten"
    assert share_words(marks(text), label(text)["words"]) == 1
    assert share_words(marks(text.replace("four", "4")), marks(text)) == 0.9
    assert share_words(marks(f"{text} {text}"), marks(text)) == 0.5
    assert share_words("", marks(text)) == 0


def test_the_table_counts_each_paper_once_and_once_in_its_part() -> None:
    papers = load_papers()[:9]
    text = papers_table([Scored(paper, at > 0, 1.0 if at else ENOUGH - 0.1, "") for at, paper in enumerate(papers)])
    assert "| all | 9 | 88.9% | 88.9% |" in text
