"""A client of a running service: requests, uploads, downloads, and refusals in the service's own words."""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import unquote, urlsplit

import requests

from tools.batch.inputs import S3, place_input
from tools.transfers import Bar

VARIABLE = "ASSAY_API_KEY"
SECONDS = 60.0
_PIECE = 1 << 20


class Refused(RuntimeError):
    """The service, or S3, would not; says why in its words."""


class ServiceClient:
    """A client of one service. Raises Refused, requests.RequestException.

    A redirect is not followed: the key would go along to wherever it leads.
    """

    def __init__(self, url: str, key: str | None) -> None:
        self._url = url.rstrip("/")
        found = key or os.environ.get(VARIABLE)
        self._headers = {"x-api-key": found} if found else {}

    def ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """Return the JSON that a route answers; a link in place of a large answer is followed."""
        url = f"{self._url}/{path.lstrip('/')}"
        reply = requests.request(method, url, headers=self._headers, timeout=SECONDS, allow_redirects=False, **request)
        if reply.is_redirect:
            raise Refused(f"{url} leads to {reply.headers['Location'][:200]}: if that is right, give it as --url")
        answer = _read(reply)
        return _read(requests.get(answer["result_url"], timeout=SECONDS)) if "result_url" in answer else answer


def upload_file(form: Mapping[str, Any], source: IO[bytes], size: int, name: str) -> None:
    """Send an open file of `size` bytes through a presigned POST, in memory that its size does not move."""
    from requests_toolbelt import (  # costs what commands without it need not pay
        MultipartEncoder,
        MultipartEncoderMonitor,
    )

    safe = "".join(letter for letter in name if letter.isprintable() and letter not in '"\\')
    encoder = MultipartEncoder({**form["fields"], "file": (safe, _Exactly(source, size))})
    with Bar("uploading", encoder.len) as bar:
        body = MultipartEncoderMonitor(encoder, lambda sent: bar.at(sent.bytes_read, encoder.len))
        headers = {"Content-Type": body.content_type}
        reply = requests.post(form["url"], data=body, headers=headers, timeout=(SECONDS, 10 * SECONDS))
    if not reply.ok:
        raise Refused(f"{reply.status_code} at the upload: {reply.text[:500]}")


def download(url: str, target: Path) -> None:
    """Fetch a presigned link into a file."""
    with requests.get(url, stream=True, timeout=SECONDS) as reply:
        if not reply.ok:
            raise Refused(f"{reply.status_code} for {target.name}: {reply.text[:500]}")
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            for piece in reply.iter_content(_PIECE):
                file.write(piece)


class _Exactly:
    """A file as a form reads it: `len` bytes are left, whatever others write to it or cut off meanwhile."""

    def __init__(self, source: IO[bytes], size: int) -> None:
        self._source, self.len = source, size

    def read(self, size: int = -1) -> bytes:
        piece = self._source.read(self.len if size < 0 else min(size, self.len))
        if self.len and not piece:
            raise Refused("the file became shorter while it was sent; send it again")
        self.len -= len(piece)
        return piece


def _read(reply: requests.Response) -> dict[str, Any]:
    if not reply.ok:
        raise Refused(f"{reply.status_code}: {_reason(reply)}")
    try:
        return dict(reply.json())
    except (ValueError, TypeError):
        raise Refused(f"{reply.url} answered something that is not Assay's: is that its address?") from None


def _reason(reply: requests.Response) -> str:
    """Return what the service says is wrong; the reply as it is where something else answered."""
    try:
        return str(reply.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return reply.text[:1000]


FIRST_WAIT: Final = 0.2
LONGEST_WAIT: Final = 5.0


@dataclass(frozen=True, slots=True)
class Sent:
    """An input of this machine, open for sending: `size` in bytes."""

    name: str
    size: int
    file: IO[bytes]


@contextmanager
def open_input(name: str) -> Iterator[Sent]:
    """Open an input; standard input becomes a file first. Raises Refused for one in S3, OSError."""
    if name.startswith(S3):
        raise Refused(f"{name} lies in S3: copy it under rank/ in the service's uploads bucket, or leave --url out")
    with place_input(name) as where, (Path(where.root) / where.key).open("rb") as file:
        yield Sent(where.key, os.fstat(file.fileno()).st_size, file)


def send(service: ServiceClient, sent: Sent, kind: str, options: Mapping[str, object]) -> str:
    """Upload a file with its options as the start of a job; return the job's id. Raises Refused."""
    offer = service.ask("POST", "/uploads", json={"filename": sent.name, "kind": kind, **options})
    if sent.size > offer["max_bytes"]:
        raise Refused(f"{sent.name} has {sent.size:,} bytes and an upload at most {offer['max_bytes']:,}: send parts")
    upload_file(offer["upload"], sent.file, sent.size, sent.name)
    return str(offer["job_id"])


def follow_job(service: ServiceClient, job_id: str) -> dict[str, Any]:
    """Return a job once it has ended, its bytes shown as they are done; who interrupts this leaves the job running."""
    wait = FIRST_WAIT
    try:
        with Bar("job", 0) as bar:
            while _show_progress(bar, job := service.ask("GET", f"/jobs/{job_id}")) in ("QUEUED", "RUNNING"):
                time.sleep(wait)
                wait = min(wait * 1.5, LONGEST_WAIT)
    except KeyboardInterrupt:
        print(f"job {job_id} goes on without this command: see assay jobs show, assay jobs cancel", file=sys.stderr)
        raise
    return job


def _show_progress(bar: Bar, job: Mapping[str, Any]) -> str:
    """Show how far a job is; return its state."""
    told = job["progress"]
    bar.at(told["bytes_done"], told["bytes_total"], told["phase"])
    return str(job["state"])


def fetch_results(job: Mapping[str, Any], folder: Path) -> None:
    """Download the results of a job, each under the name it has there, lists of score files under `scores/`."""
    for name, link in job["results"].items():
        file = result_name(link)
        download(link, folder / "scores" / file if name == "scores" else folder / file)


def result_name(link: str) -> str:
    """Return the name of the file that a link leads to. Raises Refused where it is none that lies in a folder."""
    name = Path(unquote(urlsplit(link).path)).name
    if name in ("", "..") or not name.isprintable():
        raise Refused(f"the service names a result {name!r}, which is no name of a file")
    return name
