"""A workbook's first sheet is a CSV with its rows as lines; hostile ones cost a child process and no more."""

import io
import zipfile
from contextlib import suppress

import pytest

pytest.importorskip("python_calamine")

from assay.errors import TooLarge, UnreadableInput
from assay.sequences.formats import sniff_format
from assay.sequences.parsing import parse
from assay.text.packing import look, open_text
from assay.text.workbook import MAX_BYTES, read_workbook
from tests.unit.reference import flat
from tests.workbooks import workbook

GOOD = "MKKLEELLKKAEELLKRGDEEALRRALELAKRALELAEELGDPELLARAL"


def read(body: bytes) -> str:
    return b"".join(read_workbook([body])).decode()


def test_rows_are_lines_and_cells_are_what_a_person_reads() -> None:
    body = workbook([["id", "sequence", "n"], ["a\nb", GOOD, 5], [], ["c", GOOD, 1.5], ["d", None, 'x,"y"']])
    assert read(body) == f'id,sequence,n\na b,{GOOD},5\n\nc,{GOOD},1.5\nd,,"x,""y"""\n'
    assert read(workbook([["sequence"], [GOOD]], first=4)) == f"\n\n\nsequence\n{GOOD}\n"


def test_it_is_a_table_however_it_is_called() -> None:
    body = workbook([["id", "sequence", "note"], ["a", GOOD, "x"], ["b", "SHRT", "y"], ["c", GOOD[::-1], "z"]])
    for name in ("designs.xlsx", "designs.csv", "", "a.fasta"):
        found = look([body], name)
        assert found.packing == "workbook"
        blocks = list(parse(open_text([body], found.packing), sniff_format(found.head, "", found.name)))
        assert [(record.line, record.reason) for record in flat(blocks)] == [(2, ""), (3, "length"), (4, "")]
        assert [name for block in blocks for name in block.ids or []] == ["a", "c"]
        assert {block.columns for block in blocks} == {("note",)}


def test_strings_that_are_shared_are_read() -> None:
    body = workbook([["sequence"], ["&shared0"], ["&shared0"]], shared=f"<si><t>{GOOD}</t></si>")
    assert read(body) == f"sequence\n{GOOD}\n{GOOD}\n"


def bombs() -> dict[str, bytes]:
    entities = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + at)} "{f"&{chr(97 + at)};" * 10}">' for at in range(9)
    )
    with zipfile.ZipFile(io.BytesIO(workbook([["x"]]))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    cell = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    parts["xl/worksheets/sheet1.xml"] = parts["xl/worksheets/sheet1.xml"].replace(b"</sheetData>", cell)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return {
        "a cell far away": held.getvalue(),
        "damage": workbook([["sequence"]])[:300] + bytes(300),
        "entities": workbook([["sequence"], ["&shared0"]], shared="<si><t>&i;</t></si>", prolog=f"{entities}]>"),
    }


@pytest.mark.parametrize("name", ["a cell far away", "damage"])
def test_hostile_ones_are_refused(name: str) -> None:
    with pytest.raises(UnreadableInput, match="as CSV"):
        read(bombs()[name])


def test_entities_are_not_expanded() -> None:
    with suppress(UnreadableInput):
        assert len(read(bombs()["entities"])) < 1000


def test_shared_strings_of_gigabytes_stop_at_the_memory() -> None:
    body = workbook([["&shared0"]], shared="<si><t>" + "A" * (300 << 20) + "</t></si>")
    assert len(body) < MAX_BYTES
    with pytest.raises(UnreadableInput, match="as CSV"):
        read(body)


def test_what_is_too_large_is_not_begun() -> None:
    with pytest.raises(TooLarge, match="32 MiB"):
        b"".join(read_workbook([bytes(1 << 20)] * 33))
