"""How far a request walks: `python -m tools.walks` starts the local service and follows four requests through the code.

It counts the source files that a walk enters, named functions, their calls (a generator's each time it goes on), moves,
and calls of AWS. A move is a call in another file than the call before it on that thread. Only files under functions/
and layers/ count; imports, comprehensions and generator expressions do not.
"""

import argparse
import json
import os
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from inspect import CO_OPTIMIZED
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

import boto3

from tools.demo.run import Api, Drop
from tools.local.service import LocalService, Options
from tools.paths import ROOT
from tools.terminal import format_table

RANKED: Final = "DEELEKLLKKLLRKGIDPEEIREILKRRGIDPKDIERLLRELKLESSGGS"
SEQUENCES: Final = (RANKED, RANKED[::-1], "GS" * 25, "NOT1")
"""One that ranks, two that the gate may filter, one that is rejected."""
FASTA: Final = "".join(f">{at:04}\n{sequence}\n" for at, sequence in enumerate(SEQUENCES)).encode().ljust(200, b"\n")
ABSTRACT: Final = "We measure the production of photon pairs in hadron collisions and compare it with perturbative QCD."


@dataclass
class Walk:
    """What one request did, in order: calls as (thread, file, function), and those of AWS as `s3.GetObject /key`."""

    name: str
    calls: list[tuple[int, str, str]] = field(default_factory=list)
    aws: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the counts; `order` has the files by first entry, with stays; `pairs` those most moved between."""
        threads: dict[int, list[str]] = {}
        for thread, file, _ in self.calls:
            threads.setdefault(thread, []).append(file)
        stays = [[file for file, _ in groupby(files)] for files in threads.values()]
        visits = Counter(file for files in stays for file in files)
        pairs = Counter(" <-> ".join(sorted(pair)) for files in stays for pair in pairwise(files))
        return {
            "walk": self.name,
            "files": len(visits),
            "functions": len({(file, function) for _, file, function in self.calls}),
            "calls": len(self.calls),
            "moves": pairs.total(),
            "aws": Counter(call.partition(".")[0] for call in self.aws),
            "order": {file: visits[file] for file in dict.fromkeys(file for _, file, _ in self.calls)},
            "pairs": dict(pairs.most_common(10)),
            "path": self._path(),
            "aws_calls": self.aws,
        }

    def _path(self) -> list[str]:
        """Return a line for each stay in a file, a thread after another: the file and what was called there."""
        lines = []
        for _, calls in groupby(sorted(self.calls, key=itemgetter(0)), key=itemgetter(0)):
            for file, stay in groupby(calls, key=itemgetter(1)):
                called = Counter(function.rpartition(">.")[2] for _, _, function in stay)
                names = (name + (f" x{times}" if times > 1 else "") for name, times in called.items())
                lines.append(f"{file}: {', '.join(names)}")
        return lines


class Follower:
    """Notes what functions under a root's functions/ and layers/ are called.

    `profile` is for `threading.setprofile`, before the threads to follow begin; `note_aws` for botocore's events.
    """

    def __init__(self, root: Path) -> None:
        self._ours = re.compile(rf"{re.escape(str(root))}/(?:functions|layers/\w+/python)/(.+)")
        self._files: dict[CodeType, str | None] = {}
        self._outermost: dict[int, FrameType] = {}
        self._walk: Walk | None = None

    @contextmanager
    def follow(self, name: str) -> Iterator[Walk]:
        """Note what happens inside, on this thread too, until every function has returned (for at most 30 s)."""
        walk = self._walk = Walk(name)
        sys.setprofile(self.profile)
        try:
            yield walk
        finally:
            sys.setprofile(None)
            deadline = time.monotonic() + 30
            while self._outermost and time.monotonic() < deadline:
                time.sleep(0.01)
            self._walk = None

    def profile(self, frame: FrameType, event: str, _: object) -> None:
        """Note one event of a thread."""
        if event not in ("call", "return") or (file := self._file(frame.f_code)) is None:
            return
        thread = threading.get_native_id()  # the other id is soon given to another thread
        if event == "call":
            self._outermost.setdefault(thread, frame)
            if self._walk is not None:
                self._walk.calls.append((thread, file, frame.f_code.co_qualname))
        elif self._outermost.get(thread) is frame:
            del self._outermost[thread]

    def note_aws(self, event_name: str, params: dict[str, Any], **_: object) -> None:
        """Note one call of AWS: the event is `before-call.s3.GetObject`."""
        if self._walk is not None:
            self._walk.aws.append(f"{event_name.partition('.')[2]} {params['url_path']}")

    def _file(self, code: CodeType) -> str | None:
        """Return a function's file from its import root (`rank/api.py`), None where it does not count."""
        if code not in self._files:
            found = self._ours.fullmatch(code.co_filename)
            named = code.co_flags & CO_OPTIMIZED and not code.co_name.startswith("<")
            self._files[code] = found[1] if found and named else None
        return self._files[code]


def measure_walks() -> list[Walk]:
    """Return the four walks. The service's models are loaded before; the last walk loads one anew."""
    follower = Follower(ROOT)
    threading.setprofile(follower.profile)
    boto3.DEFAULT_SESSION = session = boto3.Session()
    session.events.register("before-call", follower.note_aws)
    try:
        with LocalService(Options(port=0, s3_port=0, log_level="ERROR")) as service:
            return [_measure(follower, name, walk) for name, walk in _walks(service, follower).items()]
    finally:
        threading.setprofile(None)


def _measure(follower: Follower, name: str, walk: Callable[[int], object]) -> Walk:
    """Go a walk twice and return the second time: the first one imports what is imported late."""
    for number in range(2):
        with follower.follow(name) as walked:
            walk(number)
    return walked


def _walks(service: LocalService, follower: Follower) -> dict[str, Callable[[int], object]]:
    """Return what goes each walk; its number tells one time from the next, so that no answer is remembered."""
    from assay.aws.s3 import Bucket
    from assay.models.registry import Registry  # on the import path since the service runs

    s3, api = service.client("s3"), Api(service.url)
    s3.meta.events.unregister("before-call", follower.note_aws)  # what this module asks is no part of a walk
    drop = Drop(s3, service.stack.bucket("Uploads"), service.stack.bucket("Results"))
    models = Bucket(service.client("s3"), service.stack.bucket("Models"))

    def drop_file(number: int) -> None:
        drop.put(f"rank/{number}.fasta", FASTA, "text/plain", {})
        drop.wait(f"rank/{number}.fasta")

    def load_model(_: int) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            Registry(models, Path(scratch), threads=1).current("stability-trypsin", "sequence-score")

    return {
        "a dropped FASTA of 200 bytes to ranking.csv": drop_file,
        "POST /rank of four sequences": lambda _: api.post("/rank", json={"sequences": SEQUENCES}),
        "POST /classify of one abstract": lambda number: api.post(
            "/classify", json={"abstract": f"{ABSTRACT} {number}"}
        ),
        "current.json to an interpreter": load_model,
    }


def show_counts(walks: Sequence[dict[str, Any]]) -> str:
    """Lay out a line for each walk."""
    counts = ("walk", "files", "functions", "calls", "moves")
    aws = (", ".join(f"{name} {number}" for name, number in sorted(walk["aws"].items())) or "0" for walk in walks)
    rows = ([*(str(walk[name]) for name in counts), calls] for walk, calls in zip(walks, aws, strict=True))
    return format_table([*counts, "calls of AWS"], [*rows])


def show_order(walk: dict[str, Any]) -> str:
    """Lay out a walk's files by first entry, the pairs most moved between, and its calls of AWS in order."""
    files, pairs = ([[name, str(number)] for name, number in walk[key].items()] for key in ("order", "pairs"))
    tables = format_table(("file", "stays"), files), format_table(("most moved between", "moves"), pairs)
    return "\n\n".join(filter(None, [walk["walk"], *tables, "\n".join(walk["aws_calls"])]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the walks and print them."""
    parser = argparse.ArgumentParser(prog="python -m tools.walks", description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print everything that was counted, as JSON")
    parser.add_argument("--order", action="store_true", help="print each walk's files, moves and calls of AWS too")
    parser.add_argument("--path", action="store_true", help="print each walk's stays in order, with what was called")
    given = parser.parse_args(arguments)
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        walks = [walk.to_json() for walk in measure_walks()]
    orders = map(show_order, walks) if given.order else ()
    paths = ("\n".join([walk["walk"], *walk["path"]]) for walk in walks) if given.path else ()
    text = "\n\n".join([show_counts(walks), *orders, *paths])
    print(json.dumps(walks, indent=1) if given.json else text)


if __name__ == "__main__":
    main()
