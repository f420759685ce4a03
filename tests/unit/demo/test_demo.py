import json
from collections import Counter

import pytest

from assay.sequences.contract import DEFAULT
from assay.sequences.formats import Format
from assay.sequences.parsing import parse
from tools.demo.proteins import BAD, fasta, proteins, table, write_proteins
from tools.demo.run import ABSTRACTS, DemoFailed, counts_add_up, designs_beat_scrambles, designs_lead
from tools.terminal import bar, format_table


def test_generated_proteins_are_valid_distinct_and_the_same_each_time() -> None:
    made = proteins(100)
    assert made == proteins(100)
    assert len({protein.sequence for protein in made}) == len(made)
    assert all(len(protein.sequence) == 50 for protein in made)
    assert all(set(protein.sequence) <= set(DEFAULT.alphabet) for protein in made)


def test_a_scramble_has_the_residues_of_its_design() -> None:
    by_name = {protein.name: protein.sequence for protein in proteins(20)}
    for number in range(1, 21):
        design, scramble = by_name[f"design-{number:02d}"], by_name[f"scramble-{number:02d}"]
        assert Counter(design) == Counter(scramble)
        assert design != scramble


@pytest.mark.parametrize(("write", "fmt"), [(fasta, Format.FASTA), (write_proteins, Format.LINES), (table, Format.CSV)])
def test_each_file_holds_them_all_and_the_bad_ones(write, fmt) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    blocks = list(parse([write(proteins(5)).encode()], fmt))
    assert sum(len(block.codes) for block in blocks) == 25
    assert sum(len(block.rejects) for block in blocks) == len(BAD)


def test_quoted_abstracts_name_their_source() -> None:
    quoted = json.loads(ABSTRACTS.read_text(encoding="utf-8"))
    assert "CC0" in quoted["licence"]
    assert quoted["abstracts"][0]["id"] == "0704.0001"
    assert all(item["archives"] and 50 <= len(item["abstract"]) <= 5000 for item in quoted["abstracts"])


def test_checks_fail_when_scrambles_win() -> None:
    good = [f"design-{number:02d}" for number in range(1, 11)]
    bad = [f"scramble-{number:02d}" for number in range(1, 11)]
    assert designs_lead(good) == 10
    assert designs_beat_scrambles([*good, *bad], 10) == 10
    with pytest.raises(DemoFailed, match="0 of the first 10"):
        designs_lead(bad)
    with pytest.raises(DemoFailed, match="0 of 10 designs"):
        designs_beat_scrambles([*bad, *good], 10)


def test_checks_fail_when_records_are_lost() -> None:
    counts = {"received": 10, "scored": 6, "rejected": 3, "duplicates": 0}
    with pytest.raises(DemoFailed, match="accounted for"):
        counts_add_up(counts, 10)


def test_tables_align_and_bars_fill() -> None:
    assert format_table(("n", "word"), [("1", "a"), ("10", "b")]).splitlines()[2:] == ["   1  a", "  10  b"]
    assert bar(0.5, 4, "#") == "##  "
    assert bar(0.0, 4).startswith("█")
