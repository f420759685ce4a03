"""The picture of a dropped file and its job, with the numbers of a real run: `python -m tools.demo.drop_picture`.

It starts the local service with shards of 1 MB, drops generated mini-proteins, and draws docs/images/drop.svg from the
plan, the shards' results and the summary. The steps appear one after another, three times. drop-still.svg shows them
all at once, for readers who prefer less motion: a browser does not tell an image of that wish.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from tools.demo.proteins import fasta, proteins
from tools.demo.run import Drop
from tools.local.service import LocalService, Options
from tools.paths import ROOT

PICTURES: Final = {ROOT / "docs/images/drop.svg": True, ROOT / "docs/images/drop-still.svg": False}
"""Each picture, and whether it moves."""
FAMILIES: Final = 8000
KEY: Final = "rank/designs.fasta"
BEST: Final = 3
"""Rows of the ranking that are shown."""


@dataclass(frozen=True, slots=True)
class ShardRun:
    """What one shard read and found: its first byte, its bytes, and its counts."""

    first: int
    size: int
    received: int
    passed: int


@dataclass(frozen=True, slots=True)
class DropRun:
    """A job as the picture shows it; `best` are ids and scores, `models` role to name and version."""

    size: int
    shard_bytes: int
    counts: Mapping[str, int]
    models: Mapping[str, str]
    shards: Sequence[ShardRun]
    best: Sequence[tuple[str, float]]


def run_drop(families: int = FAMILIES) -> DropRun:
    """Drop generated mini-proteins on a local service, wait for the job, and return what it did."""
    quiet = Options(port=0, s3_port=0, quiet=True, log_level="ERROR", parameters={"ShardMegabytes": "1"})
    with LocalService(quiet) as service:
        s3, results = service.client("s3"), service.stack.bucket("Results")
        drop = Drop(s3, service.stack.bucket("Uploads"), results)
        drop.put(KEY, fasta(proteins(families)).encode(), "text/x-fasta", {})
        summary = drop.wait(KEY)

        def read(key: str) -> bytes:
            return bytes(s3.get_object(Bucket=results, Key=key)["Body"].read())

        job = f"partials/{summary['job_id']}"
        plan = json.loads(read(f"{job}/manifest.json"))
        shards = [json.loads(read(f"{job}/{number:05}.json")) for number in range(plan["shards"])]
        ranking = read(str(summary["results"]["ranking"])).decode()
    return _shape(summary, plan, shards, ranking)


def _shape(
    summary: Mapping[str, Any], plan: Mapping[str, Any], shards: Sequence[Mapping[str, Any]], ranking: str
) -> DropRun:
    rows = list(csv.DictReader(io.StringIO(ranking)))[:BEST]
    return DropRun(
        size=plan["source"]["size"],
        shard_bytes=plan["shard_bytes"],
        counts=summary["counts"],
        models={role: f"{model['name']} {model['version']}" for role, model in summary["models"].items()},
        shards=[
            ShardRun(each["first"], each["size"], each["counts"]["received"], each["counts"]["passed"])
            for each in shards
        ],
        best=[(row["id"], float(row["score"])) for row in rows],
    )


WIDTH: Final = 1148
LINE: Final = 17
"""Pixels from one line of text to the next."""
_TOP, _HEAD, _GAP, _SECONDS, _TIMES, _STEPS = 16, 36, 14, 14, 3, 5
_STYLE: Final = """
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; } .soft { fill: #57606a; }
rect { fill: #ffffff; stroke: #8c959f; rx: 8px; } .page { fill: #f6f8fa; stroke: none; rx: 0; }
.result rect { fill: #eaf6ee; stroke: #2f855a; }
path { fill: none; stroke: #57606a; stroke-width: 1.6; stroke-dasharray: 100; } .tip { stroke-dasharray: none; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .soft { fill: #9da7b1; } rect { fill: #161b22; stroke: #6e7681; } .page { fill: #0d1117; }
  .result rect { fill: #12261b; stroke: #3fb950; } path { stroke: #9da7b1; }
}
"""


def draw(run: DropRun, moving: bool = True) -> str:
    """Return the picture as SVG."""
    high = 3 * LINE + _HEAD
    tall = max(len(run.shards) * (high + _GAP) - _GAP, 8 * LINE + _HEAD)
    middle = _TOP + tall / 2
    boxes = [*_ends(run, middle), *_shards(run, middle, high)]
    height = _TOP + tall + 40
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
            ' aria-labelledby="name about">',
            '<title id="name">A dropped file and its job</title>',
            f'<desc id="about">{escape(describe(run))}</desc>',
            f"<style>{_STYLE}{_motion() if moving else ''}</style>",
            f'<rect class="page" width="{WIDTH}" height="{height}"/>',
            *boxes,
            f'<text class="soft" x="16" y="{height - 14}">Numbers of one run on one machine, with shards of'
            f" {run.shard_bytes / 1e6:g} MB. The default is 64 MB; a file of one shard is ranked in one call.</text>",
            "</svg>\n",
        ]
    )


def describe(run: DropRun) -> str:
    """Return in words what the picture shows."""
    counts, found = run.counts, ", ".join(f"{each.received:,}" for each in run.shards)
    return (
        f"A FASTA file of {run.size:,} bytes is dropped in the bucket. An event starts the plan. Its {len(run.shards)}"
        f" shards read {found} records. Merging gives {counts['received']:,} received, {counts['scored']:,} scored,"
        f" {counts['rejected']:,} rejected and {counts['passed']:,} passed. The results bucket gets the ranking of the"
        f" best {counts['returned']:,}."
    )


def _ends(run: DropRun, middle: float) -> list[str]:
    """Return the boxes before the shards and behind them."""
    counts, (gate, score) = run.counts, (run.models["gate"], run.models["score"])
    best = [f"{place}  {name}  {value:.2f}" for place, (name, value) in enumerate(run.best, 1)]
    plan = [
        "RankUploadFunction", "claims the job", "finds the format: FASTA",
        f"cuts {len(run.shards)} shards, pins the models",
        f"gate: {gate}", f"score: {score}",
    ]  # fmt: skip
    merged = [
        f"{counts['received']:,} received", f"= {counts['scored']:,} scored", f"+ {counts['rejected']:,} rejected",
        f"{counts['passed']:,} pass the gate", "No byte is lost,", "none is read twice.",
    ]  # fmt: skip
    result = [
        f"ranking.csv, the best {counts['returned']:,}", *best,
        f"rejected.csv, {counts['rejected']:,} lines", "ranking.json",
    ]  # fmt: skip
    return [
        _box(16, middle, 158, ("1  Drop", [KEY, f"{run.size:,} bytes", "uploads bucket"]), 1),
        _arrow((174, middle), (204, middle), 2),
        _box(204, middle, 238, ("2  Event and plan", plan), 2),
        _box(752, middle, 158, ("4  Merge", merged), 4),
        _arrow((910, middle), (940, middle), 5),
        _box(940, middle, 192, ("5  Results bucket", result), 5, "result"),
    ]


def _shards(run: DropRun, middle: float, high: float) -> list[str]:
    """Return the boxes of the shards, one below the other, and the arrows to them and from them."""
    parts: list[str] = []
    first = middle - (len(run.shards) * (high + _GAP) - _GAP) / 2 + high / 2
    for number, each in enumerate(run.shards):
        y = first + number * (high + _GAP)
        last = each.first + each.size - 1
        lines = [f"bytes {each.first:,} to {last:,}", f"{each.received:,} records", f"{each.passed:,} pass"]
        parts += [
            _arrow((442, middle), (484, y), 3),
            _box(484, y, 226, (f"3  Shard {number + 1}", lines), 3),
            _arrow((710, y), (752, middle), 4),
        ]
    return parts


def _box(x: float, middle: float, wide: float, words: tuple[str, Sequence[str]], step: int, kind: str = "") -> str:
    title, lines = words
    high = len(lines) * LINE + _HEAD
    top = middle - high / 2
    texts = [f'<text x="{x + 12}" y="{top + 41 + i * LINE:g}">{escape(line)}</text>' for i, line in enumerate(lines)]
    head = f'<text class="title" x="{x + 12}" y="{top + 21:g}">{escape(title)}</text>'
    frame = f'<rect x="{x}" y="{top:g}" width="{wide}" height="{high}"/>'
    return f'<g class="{f"step{step} {kind}".strip()}">{frame}{head}{"".join(texts)}</g>'


def _arrow(start: tuple[float, float], end: tuple[float, float], step: int) -> str:
    (x, y), (to, down) = start, end
    half = (x + to) / 2
    line = f'<path class="way{step}" pathLength="100" d="M{x} {y:g}C{half} {y:g} {half} {down:g} {to - 2} {down:g}"/>'
    return line + f'<path class="tip step{step}" d="M{to - 8} {down - 4:g}L{to - 2} {down:g}L{to - 8} {down + 4:g}"/>'


def _motion() -> str:
    """Return the style that lets the steps appear in turn, for readers who do not prefer less motion."""
    rules = [f"[class^=step], .tip, [class^=way] {{ animation: {_SECONDS}s {_TIMES}; }}"]
    for step in range(1, _STEPS + 1):
        begin = (step - 1) * 80 / _STEPS
        rules += [
            f".step{step} {{ animation-name: show{step}; }} .way{step} {{ animation-name: draw{step}; }}",
            f"@keyframes show{step} {{ 0%, {begin:g}% {{ opacity: 0.15; }} {begin + 5:g}%, 100% {{ opacity: 1; }} }}",
            f"@keyframes draw{step} {{ 0%, {max(begin - 4, 0):g}% {{ stroke-dashoffset: 100; }}"
            f" {begin + 2:g}%, 100% {{ stroke-dashoffset: 0; }} }}",
        ]
    return "@media (prefers-reduced-motion: no-preference) {\n" + "\n".join(rules) + "\n}\n"


if __name__ == "__main__":
    done = run_drop()
    for path, moving in PICTURES.items():
        path.write_text(draw(done, moving), encoding="utf-8")
