"""From `docker run` to the first answer, in the real images behind AWS's runtime interface emulator.

    python -m benchmarks.cold_start [--runs 5] [--cpus 2] [--cold] [--compare PREFIX] [--write FILE]

Needs the images of `make containers`. Bundles come from a plain server of ranges on this machine. Each run is a new
container, read-only; the table gives medians in seconds, by phase as the functions themselves log it. Models are
fetched while the function is imported: `imports` ends where the first of them is loaded, and the fetch is within it
(verify is thread time, within fetch). --compare measures images of other code too, in turn: PREFIX-rank and
PREFIX-classify. A second start on one machine finds the image in memory; --cold empties the kernel's file cache before
each (root only), as on a host that has never seen the image, for a second table.
"""

import argparse
import json
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measuring import describe_machine
from benchmarks.objects import serve_objects
from tools.containers import HOST, docker, run_emulated
from tools.paths import ROOT

BUILD = ROOT / "build/cold-start"
FULL = "assay-classify:full"
PHASES = ("fetch", "verify", "load", "warm")
COLUMNS = ("container", "imports", *PHASES, "request", "total")
ENVIRONMENT = {
    "ASSAY_MODELS_BUCKET": "models",
    "ASSAY_RESULTS_BUCKET": "results",
    "ASSAY_UPLOADS_BUCKET": "uploads",
    "ASSAY_STATE_TABLE": "state",
    "ASSAY_PRELOAD": "1",
}


@dataclass(frozen=True, slots=True)
class ColdStart:
    """One line of the table: what starts, and the most seconds it may take, None where nothing is promised."""

    name: str
    image: str
    handler: str
    event: str
    models: tuple[str, ...]
    target: float | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The function's environment: its models."""
        return {**ENVIRONMENT, "ASSAY_CLASSIFIER": self.models[0]}


CLASSIFY = ("classify.api.handler", "classify.json")
RANK = ("stability-chymotrypsin", "stability-trypsin")
CASES = (
    ColdStart("rank, default pair", "rankapifunction:rank", "rank.api.handler", "rank_json.json", RANK, 1.5),
    ColdStart("classify, arxiv-archives", "classifyapifunction:classify", *CLASSIFY, ("arxiv-archives",), 1.5),
    ColdStart(
        "classify, SciBERT-sized, LiteRT int8", "classifyapifunction:classify", *CLASSIFY, ("scibert-litert",), 2.5
    ),
    ColdStart("the same in the image with TensorFlow", FULL, *CLASSIFY, ("scibert-litert",), 2.5),
    ColdStart("the same as a SavedModel", FULL, *CLASSIFY, ("scibert-savedmodel",)),
)


def measure_start(case: ColdStart, port: int, *, cold: bool, cpus: float = 2) -> dict[str, float]:
    """Start a container, wait for its first answer, and return seconds by phase."""
    if cold:
        forget_files()
    event = json.loads((ROOT / "events" / case.event).read_text())
    endpoint = {"AWS_ENDPOINT_URL": f"http://{HOST}:{port}", "POWERTOOLS_LOG_LEVEL": "DEBUG"}
    began = time.time()
    with run_emulated(
        case.image, case.handler, {**case.environment, **endpoint}, options=[f"--cpus={cpus}"]
    ) as container:
        answer = container.invoke(event)
        ended = time.time()
        assert answer["statusCode"] == 200, answer
        created = docker("inspect", "--format", "{{.State.StartedAt}}", container.id)
        return _split(began, _instant(created), ended, _read_log(container.log()))


def _split(began: float, started: float, ended: float, lines: list[dict[str, Any]]) -> dict[str, float]:
    phases = [line for line in lines if line.get("phase") in PHASES]
    spent = {name: sum(line["seconds"] for line in phases if line["phase"] == name) for name in PHASES}
    loaded = max(_instant(line["timestamp"]) for line in phases)
    first = min(_instant(line["timestamp"]) - line["seconds"] for line in phases if line["phase"] == "load")
    ends = {"container": started - began, "imports": first - started, "request": ended - loaded}
    return {**ends, **spent, "total": ended - began}


def _instant(text: str) -> float:
    """Return the Unix time of a log line's or of Docker's timestamp."""
    day, clock = text.replace("T", " ").replace(",", ".").split(" ")
    clock = clock.removesuffix("+0000").removesuffix("Z")
    return datetime.fromisoformat(f"{day} {clock[:15]}+00:00").timestamp()


def _read_log(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


def forget_files() -> None:
    """Empty the kernel's file cache, but for the bundles, which stand for S3."""
    Path("/proc/sys/vm/drop_caches").write_text("3")
    for file in BUILD.rglob("*"):
        if file.is_file():
            file.read_bytes()


def build_missing() -> Path:
    """Build the full image and the large bundles where they are missing; return the folder of bundles."""
    base = ["--build-arg=BASE_IMAGE=local/python:3.13"] if docker("images", "-q", "local/python:3.13") else []
    file, full = ROOT / "functions/Dockerfile", ["--build-arg=FUNCTION=classify", "--build-arg=WITH_TENSORFLOW=1"]
    docker("build", "-q", "-t", FULL, "-f", str(file), *full, *base, str(ROOT))
    if not (BUILD / "scibert-savedmodel/1/manifest.json").exists():
        shutil.rmtree(BUILD, ignore_errors=True)
        BUILD.mkdir(parents=True)
        mounts = [f"--volume={ROOT}:/assay:ro", f"--volume={BUILD}:/bundles", "--env=PYTHONPATH=/assay:/opt/python"]
        docker("run", "--rm", *mounts, "--entrypoint=python3", FULL, "-m", "benchmarks.scibert", "/bundles")
    for path in (ROOT / "models").iterdir():
        shutil.copytree(path, BUILD / path.name, dirs_exist_ok=True)
    return BUILD


def starts_table(results: Iterable[tuple[ColdStart, dict[str, float]]]) -> str:
    """Return the medians as a Markdown table."""
    lines = [f"| | {' | '.join(COLUMNS)} | at most |", "|---" * (len(COLUMNS) + 2) + "|"]
    for case, row in results:
        target = "" if case.target is None else f"{case.target}"
        lines.append(f"| {case.name} | {' | '.join(f'{row[name]:.2f}' for name in COLUMNS)} | {target} |")
    return "\n".join(lines)


def list_cases(prefix: str | None) -> Sequence[ColdStart]:
    """Return what starts: the images of `make containers`, and beside each small one that of a prefix."""
    if prefix is None:
        return CASES
    small = [case for case in CASES if case.image != FULL]
    others = {case.image: f"{prefix}-{case.handler.partition('.')[0]}" for case in small}
    return [
        each
        for case in small
        for each in (replace(case, name=f"{case.name} ({prefix})", image=others[case.image]), case)
    ]


def report_starts(cases: Sequence[ColdStart], runs: int, port: int, *, cold: bool, cpus: float) -> str:
    """Measure every case in turn, `runs` times, and return the medians in words and as a table."""
    rounds = [[measure_start(case, port, cold=cold, cpus=cpus) for case in cases] for _ in range(runs)]
    medians = [{name: median(one[at][name] for one in rounds) for name in COLUMNS} for at in range(len(cases))]
    state = "File cache emptied before each start" if cold else "Images in the file cache"
    return (
        f"{state}, {cpus:g} CPUs, medians of {runs}, seconds:\n\n{starts_table(zip(cases, medians, strict=True))}\n"
        f"{_compare_formats(medians) if cases is CASES else ''}"
    )


def _compare_formats(medians: list[dict[str, float]]) -> str:
    whole, model = (_ratio(medians, left_out) for left_out in ((), ("container", "imports")))
    return (
        f"\nThe SavedModel takes {whole:.1f} times as long as LiteRT on the same network in the same image; without\n"
        f"container and imports, {model:.1f} times.\n"
    )


def _ratio(medians: list[dict[str, float]], left_out: tuple[str, ...]) -> float:
    lite, saved = (row["total"] - sum(row[name] for name in left_out) for row in medians[-2:])
    return saved / lite


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--cpus", type=float, default=2)
    parser.add_argument("--compare", metavar="PREFIX", help="also start the images PREFIX-rank and PREFIX-classify")
    parser.add_argument("--cold", action="store_true", help="measure with an empty file cache too; needs root")
    parser.add_argument("--write", type=Path, help="also write the tables to this file")
    options = parser.parse_args()
    cases = list_cases(options.compare)
    with serve_objects(build_missing()) as port:
        modes = [False, True] if options.cold else [False]
        text = "\n".join(
            [
                f"{describe_machine()}; {docker('--version')}.\n",
                *(report_starts(cases, options.runs, port, cold=cold, cpus=options.cpus) for cold in modes),
            ]
        )
    print(text)
    if options.write:
        options.write.write_text(f"# Cold start\n\n`python -m benchmarks.cold_start --cold`, on {text}")


if __name__ == "__main__":
    main()
