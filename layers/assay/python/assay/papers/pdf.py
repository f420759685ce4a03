"""The abstract in a PDF, read in a child process that is bounded in time and memory and holds no credentials."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from assay.abstracts.cleaning import LONGEST
from assay.errors import RuntimeMissing, TooLarge, UnreadableInput
from assay.papers import MAX_BYTES
from assay.papers.abstract import Candidate, Source
from assay.telemetry import phase

SECONDS: Final = 10.0
_CHILD: Final = Path(__file__).with_name("pdfium_worker.py")
_PASSED_ON: Final = ("PATH", "LD_LIBRARY_PATH")  # Lambda's own Python finds its library by the latter
_INSTEAD: Final = "send its abstract as text"
_REASONS: Final[Mapping[str, str]] = {
    "broken": f"the PDF can't be read: it is damaged, or not a PDF; print it to a new one, or {_INSTEAD}",
    "encrypted": f"the PDF is encrypted and needs a password; send it without, or {_INSTEAD}",
    "no_text": f"the PDF has no text on its first pages, perhaps because it is a scan; {_INSTEAD}",
    "slow": f"the PDF takes too long to read; print it to a new one, or {_INSTEAD}",
    "failed": f"the PDF can't be read: it is damaged, or needs too much memory; {_INSTEAD}",
}


@dataclass(frozen=True, slots=True)
class Extract:
    """The abstract taken from a PDF, how it was found, on which page (from 1) it begins, and how many there are.

    `found_by`: `heading` (under one such as "Abstract"), `inline` (after it, on the same line), `layout` (no heading,
    but a paragraph set apart from the rest), `first_page` (otherwise: the first paragraphs). `confidence` is how
    sure that is, from 0 to 1. `candidates` are this text and what else it might be, likeliest first.
    """

    text: str
    found_by: Source
    page: int
    pages: int
    confidence: float
    candidates: Sequence[Candidate]


def extract(body: bytes, seconds: float = SECONDS) -> Extract:
    """Return the abstract in a PDF.

    Raises UnreadableInput where it is broken, encrypted, without text (scanned), or takes more than so many seconds,
    TooLarge over 64 MiB, RuntimeMissing where this deployment has no PDFium.
    """
    if len(body) > MAX_BYTES:
        raise TooLarge(f"the PDF has {len(body):,} bytes, at most {MAX_BYTES:,} are read", maximum=MAX_BYTES)
    if importlib.util.find_spec("pypdfium2") is None:
        raise RuntimeMissing("this deployment cannot read PDFs: pypdfium2 is not installed")
    with phase("pdf"):
        reply = _child(body, seconds)
    found = _check(reply)
    if found is None:
        said = str(reply.get("error"))
        reason = said if said in _REASONS else "failed"
        raise UnreadableInput(_REASONS[reason], reason=reason)
    return found


def _check(reply: Mapping[str, Any]) -> Extract | None:
    """Return what the process found, or None. The process is not trusted, so its answer is checked."""
    try:
        candidates = [Candidate(**each) for each in reply["candidates"]]
        best, pages = candidates[0], int(reply["pages"])
        sound = all(isinstance(each.text, str) and len(each.text) <= LONGEST for each in candidates)
    except (KeyError, IndexError, TypeError, ValueError):
        return None
    return Extract(best.text, best.source, best.page, pages, best.confidence, candidates) if sound else None


def _child(body: bytes, seconds: float) -> dict[str, Any]:
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    command = [sys.executable, "-I", str(_CHILD)]
    try:
        # What it says on stderr would quote the file, which no log may hold.
        done = subprocess.run(
            command, input=body, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, timeout=seconds
        )
        reply = json.loads(done.stdout) if done.returncode == 0 else None
    except subprocess.TimeoutExpired:
        return {"error": "slow"}
    except ValueError:
        reply = None
    return reply if isinstance(reply, dict) else {"error": "failed"}
