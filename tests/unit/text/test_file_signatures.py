"""What is no text of ours is recognised by how it begins, and said in words, whatever its name and type claim."""

import bz2
import gzip
import io
import lzma
import pickle
import sqlite3
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from assay.errors import UnreadableInput
from assay.jobs.classify_files import sniff_layout as sniff_abstracts
from assay.sequences.blocks import decode
from assay.sequences.formats import Format, sniff_format
from assay.text.packing import HEAD, recognise

GOOD = b"MKKLEELLKKAEELLKRGDEEALRRALELAKRALELAEELGDPELLARAL"
ROWS = pa.table({"sequence": [GOOD.decode()] * 3})
OOXML = {"xlsx": "xl/workbook.xml", "docx": "word/document.xml", "pptx": "ppt/presentation.xml"}


def zipped(*names: str, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for name in names:
            archive.writestr(name, GOOD)
    return held.getvalue()


def tarred() -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.fasta"), None)
    return held.getvalue()


def database(folder: Path) -> bytes:
    with sqlite3.connect(folder / "a.db") as held:
        held.execute("create table t (sequence text)")
    return (folder / "a.db").read_bytes()


def written(write: object) -> bytes:
    held = io.BytesIO()
    write(held)  # type: ignore[operator]
    return held.getvalue()


BINARY = {
    **{name: zipped("[Content_Types].xml", "_rels/.rels", "docProps/app.xml", part) for name, part in OOXML.items()},
    "ods": zipped("mimetype").replace(b"mimetype", b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"),
    "office": zipped("[Content_Types].xml", "visio/document.xml"),
    "zip": zipped("a.fasta"),
    "bz2": bz2.compress(GOOD),
    "xz": lzma.compress(GOOD),
    "lzma": lzma.compress(GOOD, lzma.FORMAT_ALONE),
    "gzip": gzip.compress(GOOD),
    "tar": tarred(),
    "parquet": written(lambda held: pyarrow.parquet.write_table(ROWS, held)),
    "orc": written(lambda held: pyarrow.orc.write_table(ROWS, held)),
    "arrow": written(lambda held: pyarrow.feather.write_feather(ROWS, held)),
    "numpy": written(lambda held: np.save(held, np.zeros(9))),
    "pickle": pickle.dumps({"sequence": [GOOD]}),
    "xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500),
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "utf-32": GOOD.decode().encode("utf-32"),
    "binary": bytes(range(256)),
}
TEXTS = {
    "html": b"<!DOCTYPE html>\n<html><body>Not found</body></html>",
    "xml": b'<?xml version="1.0"?>\n<uniprot>',
    "rtf": b"{\\rtf1\\ansi MKV}",
}
OF_SEQUENCES = {
    "sam": b"@HD\tVN:1.6\n",
    "clustal": b"CLUSTAL O(1.2.4) multiple sequence alignment\n\na  MKV\n",
    "nexus": b"#NEXUS\nbegin data;\n",
    "phylip": b" 2 50\nalpha     MKV\n",
    "pdb": b"HEADER    DE NOVO PROTEIN                         01-JAN-20   1ABC\n",
    "mmcif": b"data_1ABC\n#\n_entry.id   1ABC\n",
    "gff": b"##gff-version 3\n",
    "vcf": b"##fileformat=VCFv4.2\n",
    "hmm": b"HMMER3/f [3.3 | Nov 2019]\n",
    "blast": b"BLASTP 2.12.0+\n",
}
OF_ABSTRACTS = {
    "bibtex": b"@article{key,\n  title = {A}\n}\n",
    "ris": b"TY  - JOUR\nAB  - We measure\nER  -\n",
    "nbib": b"PMID- 12345\nAB  - We measure\n",
    "latex": b"\\documentclass{article}\n\\begin{document}\n",
}


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("called", ["", "x.csv", "x.fasta", "x.jsonl"])
def test_no_name_makes_sequences_of_what_is_no_text(name: str, called: str) -> None:
    with pytest.raises(UnreadableInput, match=r"^this is .+, which is not supported here: .+") as raised:
        sniff_format(BINARY[name], "text/csv" if called else "", called)
    assert raised.value.details["found"] == name


@pytest.mark.parametrize("name", [name for name in BINARY if name != "pdf"])
def test_no_name_makes_abstracts_of_what_is_no_text(name: str) -> None:
    with pytest.raises(UnreadableInput, match=r"^this is "):
        sniff_abstracts(BINARY[name], "x.csv")


@pytest.mark.parametrize(("name", "head"), [*TEXTS.items(), *OF_SEQUENCES.items()])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\n\n "])
def test_other_formats_of_sequences_are_named(name: str, head: bytes, end: bytes, before: bytes) -> None:
    found = recognise(before + head.replace(b"\n", end))
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(("name", "head"), [*TEXTS.items(), *OF_ABSTRACTS.items()])
def test_other_formats_of_abstracts_are_named(name: str, head: bytes) -> None:
    with pytest.raises(UnreadableInput) as raised:
        sniff_abstracts(head, "x.txt")
    assert raised.value.details["found"] == name


def test_a_package_of_python_is_told_from_a_workbook_in_any_order_of_its_parts() -> None:
    for names in (("xl/workbook.xml", "[Content_Types].xml"), ("docProps/app.xml", "xl/theme/theme1.xml", "a")):
        found = recognise(zipped(*names))
        assert found is not None
        assert found.name == "xlsx"


@pytest.mark.parametrize(
    "text",
    [
        "PAR1 is a receptor of thrombin, and ORC binds to origins",
        "BAM files were read; RIFFs of guitars",
        "We report that 50 60\nare numbers",
        "Ünïcode and 日本語 text, Latin-1 beside it",
        "CDF and Obj and RDX2 are words",
    ],
)
def test_texts_that_begin_like_something_else_stay_abstracts(text: str) -> None:
    assert recognise(text.encode(), abstracts=True) is None
    assert recognise(text.encode("utf-8") + b"\n\xe9t\xe9", abstracts=True) is None


@given(st.lists(st.text("ACDEFGHIKLMNPQRSTVWY", min_size=1, max_size=60), min_size=1, max_size=20), st.randoms())
def test_sequences_are_never_something_else(texts: list[str], random: object) -> None:
    assume(sum(map(len, texts)) % 50)  # else they may be one sequence over several lines
    plain = "\n".join(texts).encode()
    assert sniff_format(plain) is Format.LINES
    assert sniff_format(b">" + plain) is Format.FASTA
    assert sniff_format(b"sequence,note\n" + plain) is Format.CSV


def test_one_control_character_is_a_reject_and_not_a_refusal() -> None:
    lines = [bytes(sequence, "ascii") for sequence in decode(np.zeros((50, 50), np.uint8))]
    assert sniff_format(b"\n".join([*lines, b"AC\0DE\x01"])) is Format.LINES


def test_what_lies_behind_the_look_decides_nothing() -> None:
    assert sniff_format(GOOD + b"\n" * HEAD + bytes(HEAD)) is Format.LINES
