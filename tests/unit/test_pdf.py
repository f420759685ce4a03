import io
from contextlib import suppress

import pytest

from assay.abstracts.pdf import extract
from assay.errors import UnreadableInput

ABSTRACT = [
    "We measure the spectrum of gamma rays from the inner gal-",
    "axy and compare it with a model of annihilating dark",
    "matter; the excess is significant at high latitudes.",
]


def pdf(*pages: list[str]) -> bytes:
    """Return a minimal PDF whose pages have the given lines."""
    count = len(pages)
    kids = " ".join(f"{3 + 2 * page} 0 R" for page in range(count))
    font = f"{3 + 2 * count} 0 R"
    objects = ["<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Kids[{kids}]/Count {count}>>"]
    for page, lines in enumerate(pages):
        shown = "".join(f"({line}) Tj 0 -14 Td " for line in lines)
        stream = f"BT /F1 11 Tf 60 760 Td {shown}ET"
        resources = f"/Resources<</Font<</F1 {font}>>>>/MediaBox[0 0 612 792]"
        objects.append(f"<</Type/Page/Parent 2 0 R{resources}/Contents {4 + 2 * page} 0 R>>")
        objects.append(f"<</Length {len(stream)}>>stream\n{stream}\nendstream")
    objects.append("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    body, offsets = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj{content}endobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    trailer = f"trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{len(body)}\n%%EOF"
    return f"{body}xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}".encode("latin-1")


@pytest.mark.parametrize("end", ["1 Introduction", "1. Introduction", "I. INTRODUCTION", "Introduction", "Keywords: x"])
@pytest.mark.parametrize("heading", ["Abstract", "ABSTRACT", "A B S T R A C T", "Abstract."])
def test_the_text_between_the_heading_and_what_follows_is_taken(heading: str, end: str) -> None:
    found = extract(pdf(["A Title About Galaxies", "A. Author", heading, *ABSTRACT, end, "Gamma rays are light."]))
    assert found.text.startswith("We measure the spectrum of gamma rays from the inner galaxy and compare")
    assert found.text.endswith("at high latitudes.")
    assert (found.found, found.page) == ("heading", 1)


def test_a_heading_may_run_into_the_text_and_stand_on_a_later_page() -> None:
    found = extract(pdf(["Cover sheet"], ["Abstract - " + ABSTRACT[0], *ABSTRACT[1:], "Introduction"]))
    assert found.text.startswith("We measure")
    assert (found.found, found.page) == ("heading", 2)


def test_without_a_heading_the_first_page_is_taken() -> None:
    found = extract(pdf(["A Title", *ABSTRACT]))
    assert found.found == "first page"
    assert "gamma rays" in found.text


def test_what_is_taken_never_exceeds_the_limit() -> None:
    assert 4000 < len(extract(pdf(["Abstract", *(["many words of one long page"] * 400)])).text) <= 5000


def test_a_scan_is_refused_with_its_reason() -> None:
    with pytest.raises(UnreadableInput, match="scanned"):
        extract(pdf([], []))


def test_an_encrypted_pdf_is_refused_with_its_reason() -> None:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(["Abstract", *ABSTRACT]))))
    writer.encrypt("secret", algorithm="RC4-128")
    body = io.BytesIO()
    writer.write(body)
    with pytest.raises(UnreadableInput, match="encrypted"):
        extract(body.getvalue())


@pytest.mark.parametrize("body", [b"", b"%PDF-1.4", b"%PDF-1.7\n" + bytes(range(256)) * 20])
def test_a_broken_pdf_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableInput):
        extract(body)


def test_a_truncated_pdf_is_read_or_refused() -> None:
    whole = pdf(["Abstract", *ABSTRACT])
    for length in range(0, len(whole), 97):
        with suppress(UnreadableInput):
            assert extract(whole[:length]).text


def test_a_broken_file_is_not_quoted_in_logs(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(UnreadableInput):
        extract(b"secret words, no PDF")
    assert caplog.text == ""
