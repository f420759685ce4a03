"""Bodies and documents: JSON, multipart, PDF, the manifests of bundles and of jobs."""

import json
from contextlib import suppress
from typing import Any

from assay.abstracts.cleaning import clean
from assay.errors import BundleInvalid, InputError, ManifestInvalid
from assay.http.encodings import parse_multipart
from assay.http.messages import dumps, error_response, status_of
from assay.jobs.byte_ranges import Shard
from assay.jobs.workspace import JobPlan as JobManifest
from assay.models.manifest import Manifest, Pointer, Target
from assay.papers.abstract import find_abstract
from assay.papers.words import Word
from assay.sequences.json_items import parse_items
from assay.text.json_values import parse_json
from tests.unit.reference import SMALL


def refused(error: InputError) -> None:
    """An error of the caller's is a 4xx whose body UTF-8 can carry."""
    assert 400 <= status_of(error) < 500
    error_response(error).body.encode()


def json_body(data: bytes) -> None:
    """A JSON body is read or refused; a list of sequences is counted in full; an answer can be written."""
    try:
        value = parse_json(data)
        if isinstance(value, list):
            block = parse_items(value, SMALL)
            assert block.received == len(value)
    except InputError as error:
        refused(error)


def multipart(data: bytes) -> None:
    """A form is read or refused, its boundary being what the first line says."""
    header, _, body = data.partition(b"\n")
    try:
        parts = parse_multipart(body, f"multipart/form-data; boundary={header.decode('latin-1')}")
        assert sum(len(part.body) for part in parts.values()) <= len(body)
    except InputError as error:
        refused(error)


def bundle(data: bytes) -> None:
    """A bundle's manifest that is read can be written, and is then the same; so can a pointer."""
    with suppress(BundleInvalid):
        found = Manifest.parse(data)
        assert Manifest.parse(found.dumps()) == found
        assert len(found.digest) == 64
        assert all(".." not in file.path.split("/") for file in found.files)
    with suppress(BundleInvalid):
        pointer = Pointer.parse(data)
        assert Pointer.parse(pointer.dumps()) == pointer
    with suppress(BundleInvalid):
        assert "/" not in Target.parse(data.decode("utf-8", "replace")).name


def job(data: bytes) -> None:
    """A job's manifest that is read can be written, and is then the same; its shards cover the file."""
    with suppress(ManifestInvalid):
        found = JobManifest.from_json(data)
        again = JobManifest.from_json(found.to_json())
        assert (again.pin, again.to_json()) == (found.pin, found.to_json())
        last: Shard = found.shard(found.shards - 1)
        assert last.stop == found.source.size


def cleaned(data: bytes) -> None:
    """Cleaning an abstract gives one line without blanks at its ends, and can be done again."""
    text = clean(data.decode("utf-8", "surrogateescape"))
    assert text == text.strip()
    assert not {"\n", "\r", "\t"} & set(text)


def paper(data: bytes) -> None:
    """Words anywhere on pages: what may be the abstract is made of what the pages say, likeliest first."""
    words = [_word(data[at : at + 6]) for at in range(0, len(data) - 5, 6)]
    found = find_abstract([words[:40], words[40:]])
    letters = {character for word in words for character in word.text}
    assert all(set(each.text) <= letters | {" "} for each in found)
    assert [each.confidence for each in found] == sorted((each.confidence for each in found), reverse=True)


_TEXTS = (
    "Abstract", "ABSTRACT", "Keywords:", "Introduction", "1", "the", "protein-", "folds", ".", "A", "a" * 40, "—",
    "2", "3", "4", "Zusammenfassung", "Disclaimer:", "Contents", ". . . . .", "is to.",
)  # fmt: skip


def _word(code: bytes) -> Word:
    text = _TEXTS[code[0] % len(_TEXTS)]
    x, y = float(code[1] * 3), float(code[2] * 4)
    return Word(text, x, x + code[3], y, code[4] / 8, "Font", bold=bool(code[5] & 1))


def pdf(data: bytes) -> None:
    """PDFium's reading of any bytes, in this process: words or none, and pages given back."""
    import pypdfium2.raw as pdfium

    from assay.papers import pdfium_worker as reader

    pdfium.FPDF_InitLibrary()
    document: Any = pdfium.FPDF_LoadMemDocument64(data, len(data), None)
    if not document:
        return
    with suppress(UnicodeError):
        found = reader._find(pdfium, document, pdfium.FPDF_GetPageCount(document))
        assert json.loads(dumps([each.text for each in found])) is not None
    pdfium.FPDF_CloseDocument(document)
