"""A running service as the commands ask it: requests, its refusals in its own words, uploads and downloads."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import requests

from tools.jobs.bars import Bar

VARIABLE = "ASSAY_API_KEY"
SECONDS = 60.0
_PIECE = 1 << 20


class Refused(RuntimeError):
    """The service, or S3, would not; says why in its words."""


class Service:
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


def upload(form: Mapping[str, Any], source: IO[bytes], size: int, name: str) -> None:
    """Send an open file of `size` bytes through a presigned POST, in memory that its size does not move."""
    with Bar("uploading", size) as bar:
        body = _Form(form["fields"], source, size, name, bar)
        reply = requests.post(form["url"], data=body, headers=body.headers, timeout=(SECONDS, 10 * SECONDS))
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


class _Form:
    """The fields of a presigned POST and a file as multipart/form-data, read piece by piece; its length is known."""

    def __init__(self, fields: Mapping[str, str], source: IO[bytes], size: int, name: str, bar: Bar) -> None:
        mark = uuid4().hex
        parts = [_part(mark, f'name="{field}"') + value.encode() + b"\r\n" for field, value in fields.items()]
        safe = "".join(letter for letter in name if letter.isprintable() and letter not in '"\\')
        self._head = b"".join([*parts, _part(mark, f'name="file"; filename="{safe}"')])
        self._tail = f"\r\n--{mark}--\r\n".encode()
        self._source, self._size, self._bar = source, size, bar
        length = len(self._head) + size + len(self._tail)
        self.headers = {"Content-Type": f"multipart/form-data; boundary={mark}", "Content-Length": str(length)}

    def __len__(self) -> int:
        return int(self.headers["Content-Length"])

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        left = self._size
        while left and (piece := self._source.read(min(_PIECE, left))):
            yield piece
            left -= len(piece)
            self._bar.add(len(piece))
        if left:
            raise Refused("the file became shorter while it was sent; send it again")
        yield self._tail


def _part(mark: str, said: str) -> bytes:
    return f"--{mark}\r\nContent-Disposition: form-data; {said}\r\n\r\n".encode()


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
