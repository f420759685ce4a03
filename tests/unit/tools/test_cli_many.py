"""Which files `assay classify` reads as many abstracts: every form that can hold many, packed and named as may be."""

import argparse
import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from assay.abstracts.abstract_records import AbstractRecord, Layout, read_records
from assay.errors import InvalidOption, UnreadableInput
from assay.jobs.classify_files import sniff_layout
from assay.text.packing import look, open_text
from tests.workbooks import workbook
from tools.batch.classify_file import holds_many

ONE: Final = "We measure the charge radius of a light nucleus with a beam of muons and compare it to older work."
OTHER: Final = 'A "neural" network learns; it reads, with\ttabs, many thousands of computed examples of molecules.'
TEXTS: Final = (ONE, OTHER)


def table(separator: str) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows([("id", "abstract"), ("a", ONE), ("b", OTHER)])
    return out.getvalue().encode()


def zipped(name: str, body: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, body)
    return out.getvalue()


RECORDS: Final = [{"id": name, "abstract": each} for name, each in zip("ab", TEXTS, strict=True)]
FORMS: Final[Mapping[str, bytes]] = {
    "a.json": json.dumps(RECORDS).encode(),
    "pretty.json": json.dumps(RECORDS, indent=2).encode(),
    "strings.json": json.dumps(TEXTS).encode(),
    "object.json": json.dumps({"abstracts": RECORDS}, indent=1).encode(),
    "a.jsonl": "".join(json.dumps(each) + "\n" for each in RECORDS).encode(),
    "a.csv": table(","),
    "semicolons.csv": table(";"),
    "a.tsv": table("\t"),
    "A.CSV": table(","),
}
PACKED: Final[Mapping[str, Callable[[str, bytes], bytes]]] = {
    "{}": lambda _, body: body,
    "{}.gz": lambda _, body: gzip.compress(body),
    "{}.bz2": lambda _, body: bz2.compress(body),
    "{}.xz": lambda _, body: lzma.compress(body),
    "{}.zip": zipped,
    "data": lambda _, body: body,
    "notes.v2": lambda _, body: body,
    "stdin": lambda _, body: b"\xef\xbb\xbf" + body,
    "utf16-{}": lambda _, body: body.decode().encode("utf-16"),
}


def asked(**chosen: Any) -> argparse.Namespace:
    return argparse.Namespace(**{"out": None, "column": None} | chosen)


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("form", FORMS)
def test_what_can_hold_many_is_read_as_many(form: str, packed: str) -> None:
    name, body = packed.format(form), PACKED[packed](form, FORMS[form])
    assert holds_many(asked(), [body], name)
    found = look([body], name)
    records = read_records(open_text([body], found.packing), sniff_layout(found.head, found.name))
    assert [each.text for each in records if isinstance(each, AbstractRecord)] == list(TEXTS)


def test_a_workbook_is_read_as_many_whatever_its_name() -> None:
    pytest.importorskip("python_calamine")
    body = workbook([["id", "abstract"], ["a", ONE], ["b", OTHER]])
    for name in ("a.xlsx", "a.csv", "data"):
        assert holds_many(asked(), [body], name)


@pytest.mark.parametrize("name", ["a.txt", "abstract", "-", "a.txt.gz", "a.tex", "stdin"])
@pytest.mark.parametrize(
    "body",
    [
        ONE,
        f"Abstract\n{ONE}\n",
        f"abstract\r\n{ONE}",
        f"Text, speech and images are what we are given by people, and more\nof it. {ONE}",
        f"[1] {ONE}",
        f"{{\\bf We}} {ONE}",
        "",
    ],
    ids=range(7),
)
def test_text_is_one_abstract(name: str, body: str) -> None:
    data = gzip.compress(body.encode()) if name.endswith(".gz") else body.encode()
    assert not holds_many(asked(), [data], name)


def test_json_in_a_text_file_is_many_for_a_dropped_file_too() -> None:
    for form in ("a.json", "object.json", "a.jsonl"):
        assert holds_many(asked(), [FORMS[form]], "a.txt")
        assert sniff_layout(FORMS[form], "a.txt") in (Layout.JSON, Layout.JSONL)


def test_a_pdf_is_one_and_results_that_are_files_or_a_column_make_a_file_of_many() -> None:
    assert not holds_many(asked(), [b"%PDF-1.7\n..."], "a.csv")
    assert holds_many(asked(out="results"), [ONE.encode()], "a.txt")
    assert holds_many(asked(column="summary"), [f"n,summary\n1,{ONE}\n".encode()], "a.txt")
    with pytest.raises(InvalidOption):
        holds_many(asked(column="x"), [b"%PDF-1.7\n..."], "a.pdf")


@pytest.mark.parametrize("body", [b"\x89PNG\r\n\x1a\n" + bytes(90), bytes(range(256)) * 4, b"@article{a,\n"])
def test_what_holds_no_abstract_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableInput):
        holds_many(asked(), [body], "a.txt")
