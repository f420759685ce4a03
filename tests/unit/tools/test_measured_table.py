"""A user's table of measured sequences becomes a part of a bundle, or is refused in words."""

import re
from pathlib import Path

import pytest

from assay.models.loading import load_folder
from assay.models.reference import MEASURED
from assay.sequences.contract import DEFAULT
from tests.models_command import main
from tests.references import bundle, content
from tools.models.measured_table import read_measured_table

FIRST, SECOND = "ACDEFGHIKL" * 5, "LKIHGFEDCA" * 5
TABLE = f"""name,sequence,topology,stability,half life,empty
one,{FIRST},HHH,1.5,,
two,TOO,HHH,1.0,1,
"three
lines",{SECOND.lower()},EHEE,-2e-1,NA,
"""


def written(folder: Path, text: str, name: str = "assay.csv") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_numbers_and_names_are_kept_and_all_else_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = bundle(tmp_path, content())
    half = TABLE.replace("1.5,,", "1.5,7,")
    assert main(["reference", str(folder), "--measured", str(written(tmp_path, half))]) == 0
    said = capsys.readouterr().out
    for words in ("2 sequences of assay.csv, stability, half life", "left out: 1 rows", "not taken: topology, empty"):
        assert words in said
    known = load_folder(folder, 1).measured
    assert known is not None
    assert [known.name(at) for at in range(2)] == ["one", "three lines"]
    assert [known.values_of(at) for at in range(2)] == [
        {"stability": 1.5, "half life": 7.0},
        {"stability": -0.2, "half life": None},
    ]
    assert f"{(folder / MEASURED).stat().st_size:,} bytes" in said


def test_columns_are_chosen_by_name_and_a_name_may_be_in_the_id(tmp_path: Path) -> None:
    table = written(tmp_path, f"id,sequence,a,b\nx1,{FIRST},1,2\n,{SECOND},3,4\n")
    found = read_measured_table(table, DEFAULT, ["b"])
    assert found.known.columns == ("b",)
    assert [found.known.name(at) for at in range(2)] == ["x1", None]
    assert found.other_columns == ("a",)


@pytest.mark.parametrize(
    ("text", "values", "said"),
    [
        (f"sequence\n{FIRST}\n", "", "no column of numbers"),
        (f"sequence,a\n{FIRST},x\n", "", "no column of numbers"),
        (f"sequence,a\n{FIRST},1\n{SECOND},high\n", "a", "line 3 of .* has 'high' in 'a'"),
        (f"sequence,a\n{FIRST},1e39\n", "a", "has '1e39'"),
        (f"sequence,a\n{FIRST},1\n", "b", "no column 'b'"),
        ("sequence,a\nTOO,1\n", "", "no sequence of 50"),
        (f"sequence,{','.join(f'c{at}' for at in range(17))}\n{FIRST}{',1' * 17}\n", "", "choose at most 16"),
    ],
)
def test_a_table_that_will_not_do_is_refused_and_the_bundle_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, values: str, said: str
) -> None:
    folder = bundle(tmp_path, content())
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    asked = ["--values", values] if values else []
    assert main(["reference", str(folder), "--measured", str(written(tmp_path, text)), *asked]) == 1
    assert re.search(said, capsys.readouterr().err)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
