"""What a request costs besides its model, and how much load the local service takes: `python -m benchmarks.overhead`.

Handlers are called as Lambda does, with logs, metrics and traces on (written to nowhere); the model's time is that of
its runtime's calls. DynamoDB is not asked: scores are not remembered here. The service is `assay up`, one process.
"""

import base64
import cProfile
import http.client
import io
import json
import os
import pstats
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.contest import ROOT, contest_environment, draw_by_peers
from benchmarks.measuring import Report, Times, arguments, now, report
from benchmarks.objects import serve_apart
from benchmarks.rank import random_lines
from benchmarks.start import STARTS, function_environment, link_models

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
CLIENTS: Final = (1, 8, 32)
LARGE: Final = 10_000
"""Sequences of a large request."""
_READY: Final = re.compile(r"ready (http://\S+)")
_TRACED: Final = {
    "_X_AMZN_TRACE_ID": "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=1",
    "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
}


class Clock:
    """Adds up the seconds in the runtime's calls."""

    def __init__(self) -> None:
        from assay.models.loading import LiteRTRunner

        self.seconds = 0.0
        run = LiteRTRunner.run

        def run_timed(runner: Any, inputs: Any) -> Any:
            began = now()
            try:
                return run(runner, inputs)
            finally:
                self.seconds += now() - began

        LiteRTRunner.run = run_timed  # type: ignore[assignment, method-assign]


def requests(count: int) -> Mapping[str, tuple[str, dict[str, Any]]]:
    """Return handler and event of a request with one abstract and of one with so many sequences."""
    abstract, sequences = (json.loads((ROOT / f"events/{name}.json").read_text()) for name in ("classify", "rank_json"))
    sequences["body"] = json.dumps({"sequences": [line.decode() for line in random_lines(count)]})
    return {
        "one abstract": ("classify.api.handler", abstract),
        f"{count} sequences": ("rank.api.handler", sequences),
    }


def large_requests(count: int) -> Mapping[str, dict[str, Any]]:
    """Return events that ask to rank the same so many sequences, by the form of their body."""
    texts = [line.decode() for line in random_lines(count)]
    named = [*enumerate(texts)]
    lines = "".join(f"{text}\n" for text in texts)
    bodies = {
        "lines": ("text/plain", lines),
        "lines in base64": ("application/octet-stream", base64.b64encode(lines.encode()).decode()),
        "JSON, a list of strings": ("application/json", json.dumps({"sequences": texts})),
        "FASTA": ("text/x-fasta", "".join(f">p{at}\n{text}\n" for at, text in named)),
        "CSV, an id and a sequence": ("text/csv", "id,sequence\n" + "".join(f"p{at},{text}\n" for at, text in named)),
        "JSON, objects with an id": (
            "application/json",
            json.dumps({"sequences": [{"id": f"p{at}", "sequence": text} for at, text in named]}),
        ),
    }
    known = json.loads((ROOT / "events/rank_json.json").read_text())
    return {
        name: known | {"headers": {"Content-Type": kind}, "body": body, "isBase64Encoded": name.endswith("base64")}
        for name, (kind, body) in bodies.items()
    }


def large_overhead(said: Report, clock: Clock, runs: int) -> None:
    """Add the table of requests of 10,000 sequences, measured in turn."""
    act, events = import_handler("rank.api.handler"), large_requests(LARGE)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in events}
    with silence():
        for turn in range(runs + 3):
            for name, event in events.items():
                whole, model = laps(act, event, clock, 1)
                found[name] += [(whole.seconds[0], model.seconds[0])] if turn >= 3 else []
    rows = []
    for name, pairs in found.items():
        whole, model = (Times(tuple(pair[at] for pair in pairs)) for at in (0, 1))
        besides = Times(tuple(each - networks for each, networks in pairs))
        share = statistics.median(networks / each for each, networks in pairs)
        rows.append((name, whole.show(), model.show(), besides.show(), f"{share:.0%}"))
    said.add(f"## Warm handler, {LARGE:,} sequences, ms: median (fastest-slowest)")
    said.table(("body", "handler", "of it the networks", "besides the networks", "the networks' share"), rows)


def import_handler(name: str) -> Handler:
    """Import a function's handler."""
    module, _, attribute = name.rpartition(".")
    found: Handler = getattr(__import__(module, fromlist=[attribute]), attribute)
    return found


CONTEXT: Final = SimpleNamespace(
    function_name="overhead",
    invoked_function_arn="overhead",
    memory_limit_in_mb=3008,
    aws_request_id="overhead",
    get_remaining_time_in_millis=lambda: 30_000,
)


def laps(act: Handler, event: dict[str, Any], clock: Clock, runs: int) -> tuple[Times, Times]:
    """Return the times of a handler and of its model within it."""
    whole, model = [], []
    for _ in range(runs):
        clock.seconds = 0.0
        began = now()
        answer = act(event, CONTEXT)
        whole.append(now() - began)
        model.append(clock.seconds)
        if answer["statusCode"] != 200:
            raise RuntimeError(f"answered {answer['statusCode']}: {answer['body'][:200]}")
    return Times(tuple(whole)), Times(tuple(model))


def profile(act: Handler, event: dict[str, Any], runs: int) -> list[tuple[str, str, str]]:
    """Return the ten most expensive functions of a handler by their own time: place, calls and ms a request."""
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(runs):
        act(event, CONTEXT)
    profiler.disable()
    found = pstats.Stats(profiler, stream=io.StringIO()).stats  # type: ignore[attr-defined]
    most = sorted(found.items(), key=lambda item: -item[1][2])[:10]
    return [
        (f"{Path(file).name}:{name}", f"{calls / runs:g}", f"{own / runs * 1000:.3f}")
        for (file, _, name), (_, calls, own, *_) in most
    ]


@contextmanager
def silence() -> Iterator[None]:
    """Send standard output to nowhere, that of handlers who opened it before too."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def overhead(said: Report, runs: int) -> None:
    """Add the table of handlers, and their profiles."""
    clock, rows, profiles = Clock(), [], {}
    with silence():
        for name, (place, event) in requests(10).items():
            act = import_handler(place)
            laps(act, event, clock, 3)
            whole, model = laps(act, event, clock, runs)
            profiles[name] = profile(act, event, max(1, runs // 4))
            besides = Times(tuple(a - b for a, b in zip(whole.seconds, model.seconds, strict=True)))
            rows.append((name, whole.show(), model.show(), besides.show()))
    said.add("## Warm handlers, ms: median (fastest-slowest)")
    said.table(("request", "handler", "of it the model", "besides the model"), rows)
    for name, lines in profiles.items():
        said.add(f"Most expensive by their own time, {name} (the profiler makes all of it slower):")
        said.table(("function", "calls a request", "ms a request"), lines)
    large_overhead(said, clock, max(3, runs // 10))


@contextmanager
def local_service() -> Iterator[str]:
    """Run the local service in a separate process; give its address."""
    command = [sys.executable, "-m", "tools", "up", "--port", "0", "--s3-port", "0"]
    variables = contest_environment(os.cpu_count() or 1)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, env=variables, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield next(found[1] for line in process.stdout if (found := _READY.match(line)))
        finally:
            process.terminate()


def send_requests(address: str, path: str, body: str, until: float) -> list[float]:
    """Send one request after another on one connection until a time; return the seconds of each."""
    place = urlsplit(address)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
    seconds = []
    while time.perf_counter() < until:
        began = time.perf_counter()
        connection.request("POST", path, body, {"Content-Type": "application/json", "Cache-Control": "no-store"})
        reply = connection.getresponse()
        text = reply.read()
        if reply.status != 200:
            raise RuntimeError(f"{path} answered {reply.status}: {text[:200]!r}")
        seconds.append(time.perf_counter() - began)
    connection.close()
    return seconds


def clients(said: Report, seconds: float) -> None:
    """Add the table of clients at once."""
    rows = []
    with local_service() as address:
        for name, (place, event) in requests(10).items():
            path = "/classify" if place.startswith("classify") else "/rank"
            send_requests(address, path, event["body"], time.perf_counter() + 0.2)
            rows += [(name, str(n), *_crowd(address, path, event["body"], n, seconds)) for n in CLIENTS]
    said.add("## The local service: every request computed, none from the cache")
    said.table(("request", "clients", "requests/s", "p50 ms", "p95 ms", "p99 ms"), rows)
    if said.keep:
        groups = [f"{name},\n{n} client{'s' if n != '1' else ''}" for name, n, *_ in rows]
        series = {name: [float(row[at]) for row in rows] for at, name in ((3, "p50"), (4, "p95"), (5, "p99"))}
        drawn = {"title": "The local service, every request computed", "unit": "ms", "groups": groups}
        draw_by_peers(said.images, bars={**drawn, "file": "clients", "series": series})


def _crowd(address: str, path: str, body: str, count: int, seconds: float) -> list[str]:
    began = time.perf_counter()
    until = began + seconds
    with ThreadPoolExecutor(count) as pool:
        took = [
            each
            for done in pool.map(lambda _: send_requests(address, path, body, until), range(count))
            for each in done
        ]
    elapsed = time.perf_counter() - began
    cuts = statistics.quantiles(took, n=100, method="inclusive") if len(took) > 1 else took * 99
    return [f"{len(took) / elapsed:.0f}", *(f"{cuts[at - 1] * 1000:.1f}" for at in (50, 95, 99))]


def main() -> None:
    """Read the options, measure, print."""
    options = arguments(__doc__, "overhead").parse_args()
    said = report("overhead", "What a request costs besides its model", options)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "bucket"
        root.mkdir()
        link_models(root, Path(name) / "none")
        with serve_apart(root, 0.0, float("inf")) as endpoint:
            os.environ |= function_environment(STARTS[0], endpoint, Path(name) / "scratch")
            os.environ |= {"ASSAY_CLASSIFIER": "arxiv-archives", **_TRACED}
            overhead(said, {"smoke": 4, "quick": 100, "full": 400}[options.size])
    clients(said, {"smoke": 0.3, "quick": 4, "full": 15}[options.size])
    said.finish()


if __name__ == "__main__":
    main()
