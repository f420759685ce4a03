"""Small workbooks, written by hand: what Excel writes, and what nobody should."""

import io
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
SHEETS = b'<sheets><sheet name="Designs" sheetId="1" r:id="rId1"/></sheets>'
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def workbook(rows: Sequence[Sequence[object]], *, shared: str = "", prolog: str = "", first: int = 1) -> bytes:
    """Return a workbook of one sheet whose first row is `first`; `shared` is the XML of its shared strings."""
    cells = "".join(_row(at, row) for at, row in enumerate(rows, first))
    return pack_parts(f"<sheetData>{cells}</sheetData>".encode(), shared.encode(), SHEETS, prolog)


def pack_parts(sheet: bytes, shared: bytes, sheets: bytes, prolog: str = "") -> bytes:
    """Return a workbook with this XML in its sheet, in its shared strings, and in its list of sheets."""
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" Target="xl/workbook.xml"'
        f' Type="{_OFFICE}/officeDocument"/></Relationships>',
        "xl/workbook.xml": _around(f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">', sheets, "</workbook>"),
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}">'
        f'<Relationship Id="rId1" Target="worksheets/sheet1.xml" Type="{_OFFICE}/worksheet"/>'
        f'<Relationship Id="rId2" Target="sharedStrings.xml" Type="{_OFFICE}/sharedStrings"/></Relationships>',
        "xl/sharedStrings.xml": _around(f'{prolog}<sst xmlns="{_MAIN}">', shared, "</sst>"),
        "xl/worksheets/sheet1.xml": _around(f'{prolog}<worksheet xmlns="{_MAIN}">', sheet, "</worksheet>"),
    }
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            body = part.encode() if isinstance(part, str) else part
            archive.writestr(name, body if body.startswith(b"<!") else b'<?xml version="1.0"?>' + body)
    return held.getvalue()


def _around(head: str, body: bytes, tail: str) -> bytes:
    return head.encode() + body + tail.encode()


def _row(number: int, cells: Sequence[object]) -> str:
    written = "".join(_cell(f"{chr(65 + at)}{number}", cell) for at, cell in enumerate(cells))
    return f'<row r="{number}">{written}</row>' if written else ""


def _cell(place: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float):
        return f'<c r="{place}"><v>{value}</v></c>'
    if isinstance(value, str) and value.startswith("&shared"):
        return f'<c r="{place}" t="s"><v>{value.removeprefix("&shared")}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(str(value))}</t></is></c>'
