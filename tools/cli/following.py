"""A file sent to a service as a job, and the job followed to its end."""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import unquote, urlsplit

from tools.cli.service import Refused, Service, download, upload
from tools.jobs.bars import Bar
from tools.jobs.places import S3, place

FIRST_WAIT: Final = 0.2
LONGEST_WAIT: Final = 5.0


@dataclass(frozen=True, slots=True)
class Sent:
    """An input of this machine, open for sending: `size` in bytes."""

    name: str
    size: int
    file: IO[bytes]


@contextmanager
def opened(name: str) -> Iterator[Sent]:
    """Open an input; standard input becomes a file first. Raises Refused for one in S3, OSError."""
    if name.startswith(S3):
        raise Refused(f"{name} lies in S3: copy it under rank/ in the service's uploads bucket, or leave --url out")
    with place(name) as where, (Path(where.root) / where.key).open("rb") as file:
        yield Sent(where.key, os.fstat(file.fileno()).st_size, file)


def send(service: Service, sent: Sent, kind: str, options: Mapping[str, object]) -> str:
    """Upload a file with its options as the start of a job; return the job's id. Raises Refused."""
    offer = service.ask("POST", "/uploads", json={"filename": sent.name, "kind": kind, **options})
    if sent.size > offer["max_bytes"]:
        raise Refused(f"{sent.name} has {sent.size:,} bytes and an upload at most {offer['max_bytes']:,}: send parts")
    upload(offer["upload"], sent.file, sent.size, sent.name)
    return str(offer["job_id"])


def followed(service: Service, job_id: str) -> dict[str, Any]:
    """Return a job once it has ended, its shards shown as they are done; who interrupts this leaves the job running."""
    wait = FIRST_WAIT
    try:
        with Bar("shards", 0, "shard") as bar:
            while (job := service.ask("GET", f"/jobs/{job_id}"))["state"] in ("QUEUED", "RUNNING"):
                bar.at(job["shards"]["done"], job["shards"]["total"])
                time.sleep(wait)
                wait = min(wait * 1.5, LONGEST_WAIT)
            bar.at(job["shards"]["done"], job["shards"]["total"])
    except KeyboardInterrupt:
        print(f"job {job_id} goes on without this command: see assay jobs show, assay jobs cancel", file=sys.stderr)
        raise
    return job


def fetched(job: Mapping[str, Any], folder: Path) -> None:
    """Download the results of a job, each under the name it has there, lists of score files under `scores/`."""
    for name, link in job["results"].items():
        file = named(link)
        download(link, folder / "scores" / file if name == "scores" else folder / file)


def named(link: str) -> str:
    """Return the name of the file that a link leads to. Raises Refused where it is none that lies in a folder."""
    name = Path(unquote(urlsplit(link).path)).name
    if name in ("", "..") or not name.isprintable():
        raise Refused(f"the service names a result {name!r}, which is no name of a file")
    return name
