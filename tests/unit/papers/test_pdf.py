import json
import random
import resource
import subprocess
import sys
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from assay.abstracts.cleaning import LONGEST
from assay.errors import RuntimeMissing, TooLarge, UnreadableInput
from assay.papers import pdf, pdfium_worker
from assay.papers.pdf import extract
from tests.papers.layouts import article
from tests.papers.setting import ROMAN, Paper
from tests.papers.texts import ABSTRACT

PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</XObject<</X 4 0 R>>>>/Contents 4 0 R>>"


def file(*objects: bytes) -> bytes:
    """Return a PDF of these objects, numbered from 1; the first is its catalogue."""
    body, offsets = b"%PDF-1.5\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj%sendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    end = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (size, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + end


def stream(content: bytes, filters: bytes = b"") -> bytes:
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), filters, content)


def tree(kids: bytes, count: int, *rest: bytes) -> bytes:
    pages = b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count)
    return file(b"<</Type/Catalog/Pages 2 0 R>>", pages, *rest)


def reason(body: bytes, **bounds: float) -> object:
    with pytest.raises(UnreadableInput) as caught:
        extract(body, **bounds)
    assert "send its abstract as text" in caught.value.message
    return caught.value.details["reason"]


def test_a_scan_is_refused_with_its_reason() -> None:
    paper = Paper()
    paper.canvas.rect(10, 10, 500, 700)
    assert reason(paper.page().page().pdf()) == "no_text"


@pytest.mark.parametrize("password", ["secret", ""])
def test_only_what_needs_a_password_is_refused(password: str) -> None:
    from reportlab.lib.pdfencrypt import StandardEncryption

    paper = article()
    paper.canvas.setEncrypt(StandardEncryption(password, ownerPassword="owner", canCopy=0))
    body = paper.pdf()
    if password:
        assert reason(body) == "encrypted"
    else:
        assert extract(body).text == ABSTRACT


@pytest.mark.parametrize("body", [b"", b"%PDF-1.4", b"%PDF-1.7\n" + bytes(range(256)) * 20, b"PK\x03\x04 a zip"])
def test_a_broken_pdf_is_refused(body: bytes) -> None:
    assert reason(body) == "broken"


def typed(content: bytes) -> bytes:
    """Return a PDF of one page that says this, packed: a few hundred bytes that are many letters."""
    page = (
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F"
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>"
    )
    return tree(b"3 0 R", 1, page, stream(zlib.compress(content, 9), b"/Filter/FlateDecode"))


MANY_LETTERS = {
    "long lines": b"BT /F 1 Tf " + b"".join(b"1 0 0 1 0 %d Tm (%s) Tj " % (780 - at, b"a" * 50) for at in range(590)),
    "headings": b"BT /F 1 Tf " + b"".join(b"1 0 0 1 0 %d Tm (Abstract) Tj " % (3000 - at) for at in range(3000)),
    "letters": b"BT /F 1 Tf " + b"".join(b"1 0 0 1 %d 500 Tm (a) Tj " % (9 * at) for at in reversed(range(9000))),
    "divided": b"BT /F 1 Tf " + b"".join(b"1 0 0 1 0 %d Tm (%s-) Tj " % (780 - at, b"a" * 40) for at in range(700)),
    "numbers": b"BT /F 1 Tf " + b"".join(b"1 0 0 1 0 %d Tm (%d) Tj " % (5000 - at, at) for at in range(5000)),
}


@pytest.mark.parametrize("name", MANY_LETTERS)
def test_a_small_pdf_of_many_letters_is_read_in_a_part_of_its_time(name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with suppress(UnreadableInput):
        extract(typed(MANY_LETTERS[name] + b"ET"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime - before.ru_utime < pdf.SECONDS / 2


LOOP = stream(b"/X Do /X Do", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 4 0 R>>>>")
HOSTILE = {
    "a tree that contains itself": tree(b"2 0 R 2 0 R", 1_000_000),
    "two billion pages": tree(b"", 2_000_000_000),
    "nested without end": file(b"<</Type/Catalog/A " + b"[" * 100_000 + b"]" * 100_000 + b">>"),
    "a table that points to itself": b"%PDF-1.4\nxref\n0 1\n0000000000 65535 f \ntrailer<</Prev 9>>\nstartxref\n9\n",
    "a drawing that draws itself": tree(b"3 0 R", 1, PAGE, LOOP),
    "a gigabyte of spaces": tree(
        b"3 0 R", 1, PAGE,
        stream(zlib.compress(zlib.compress(b" " * (64 << 20), 9) * 16, 9), b"/Filter[/FlateDecode/FlateDecode]"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pdf_is_refused_within_its_bounds(name: str) -> None:
    assert reason(HOSTILE[name], seconds=3) in {"broken", "no_text", "failed", "slow"}


def test_a_pdf_that_takes_too_long_is_given_up() -> None:
    assert reason(article().pdf(), seconds=0.001) == "slow"


def test_the_child_holds_itself_to_its_bounds() -> None:
    """What `_bound` sets is what the system says of such a process: memory, time, no file, no core."""
    code = (
        f"import resource as r, sys; sys.path[:0] = [{str(Path(pdf.__file__).parents[2])!r}];"
        "from assay.papers import pdfium_worker as pdfium;"
        "pdfium._bind(); bounds = (r.RLIMIT_AS, r.RLIMIT_CPU, r.RLIMIT_FSIZE, r.RLIMIT_CORE);"
        "print([r.getrlimit(each)[0] for each in bounds])"
    )
    said = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    assert json.loads(said) == [pdfium_worker.MEMORY, pdfium_worker.CPU_SECONDS, 0, 0]
    assert "_bind()" in pdf._CHILD.read_text(encoding="utf-8").rpartition('"__main__"')[2]


def test_more_bytes_than_are_read_are_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MAX_BYTES", 1000)
    with pytest.raises(TooLarge, match="at most 1,000"):
        extract(bytes(1001))


def test_a_deployment_without_pdfium_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(RuntimeMissing):
        extract(article().pdf())


def test_what_is_taken_never_exceeds_the_limit() -> None:
    paper = Paper()
    column = paper.column(54, 558, 780, 20).line("Abstract", ROMAN)
    column.text("many words of one long page " * 400, ROMAN)
    assert LONGEST - 100 < len(extract(paper.pdf()).text) <= LONGEST


def changed(body: bytes, seed: int) -> bytes:
    """Return a file cut short or with some bytes changed."""
    chance = random.Random(seed)
    if seed % 3 == 0:
        return body[: chance.randrange(len(body))]
    mutated = bytearray(body)
    for _ in range(chance.randrange(1, 40)):
        mutated[chance.randrange(len(mutated))] = chance.randrange(256)
    return bytes(mutated)


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_pdf_is_read_or_refused(seed: int) -> None:
    with suppress(UnreadableInput):
        assert extract(changed(article().pdf(), seed)).text


def test_the_child_has_no_credentials_and_its_words_reach_no_log(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    original, seen = subprocess.run, list[str]()

    def run(command: list[str], *, env: dict[str, str], **given: Any) -> Any:
        seen.extend(env)
        return original(command, env=env, **given)

    monkeypatch.setattr(subprocess, "run", run)
    assert extract(article().pdf()).text == ABSTRACT
    assert reason(b"secret words, no PDF") == "broken"
    assert set(seen) <= {"PATH", "LD_LIBRARY_PATH"}
    said = "".join(capfd.readouterr())
    assert not {word for word in (*ABSTRACT.split(), "secret") if len(word) > 5 and word in said}


def test_what_the_child_says_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    lies: tuple[dict[str, object], ...] = (
        {},
        {"candidates": []},
        {"candidates": [{"text": 1}], "pages": 1},
        {"error": "x"},
        {"error": []},
        {"pages": 2},
    )
    for said in (b"", b"[]", b"{", json.dumps("x").encode(), *(json.dumps(each).encode() for each in lies)):
        done = subprocess.CompletedProcess[bytes]([], 0, said)
        monkeypatch.setattr(subprocess, "run", lambda *_, done=done, **__: done)
        assert reason(b"%PDF-1.4") == "failed"
