"""From process start to the first answer, and how a bundle arrives: `python -m benchmarks.start [--latency 0.015]`.

The models bucket is a small server in a separate process. It waits `latency` seconds before each answer and sends
`rate` MB/s on each connection, as S3 does to a function. Starts are of the functions' own handlers.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from assay.models.manifest import read_manifest
from benchmarks.classify_peers import FORMS
from benchmarks.contest import ROOT, contest_environment, draw_by_peers, interpreter
from benchmarks.fetch import compare_fetches
from benchmarks.measuring import Report, Times, arguments, hush, report
from benchmarks.objects import serve_apart
from tools.models.shipped import newest

PHASES: Final = ("fetch", "verify", "load", "warm")
COLUMNS: Final = ("interpreter", "imports", *PHASES, "rest", "total")
_ELSEWHERE: Final = ("_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables of this machine that no function has, and with which it would ask S3 through boto3."""
LARGE: Final = "scibert-litert"


@dataclass(frozen=True, slots=True)
class Start:
    """One kind of start: handler, event, models, and whether it needs the peers' TensorFlow."""

    name: str
    handler: str
    event: str
    models: tuple[str, ...]
    tensorflow: bool = False


CLASSIFY: Final = ("classify.api.handler", "classify.json")
STARTS: Final = (
    Start("rank, default pair", "rank.api.handler", "rank_json.json", ("stability-chymotrypsin", "stability-trypsin")),
    Start("classify, arxiv-archives", *CLASSIFY, ("arxiv-archives",)),
    Start("classify, SciBERT-sized int8", *CLASSIFY, (LARGE,)),
    Start("the same as a SavedModel through TensorFlow", *CLASSIFY, ("scibert-savedmodel",), tensorflow=True),
)


def start_once(start: Start, endpoint: str, scratch: Path) -> dict[str, float]:
    """Start a process, wait for its first answer; return seconds by phase."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    python = interpreter() if start.tensorflow else sys.executable
    command = [python, "-m", "benchmarks.starting", start.handler, str(ROOT / "events" / start.event)]
    variables = {**contest_environment(os.cpu_count() or 1), **function_environment(start, endpoint, scratch)}
    variables |= {"ASSAY_PRELOAD": "1", "OPENBLAS_NUM_THREADS": "1"}  # as the template and the images have it
    variables = {name: value for name, value in variables.items() if not name.endswith(_ELSEWHERE)}
    began = time.time()
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    said = next(line for line in lines if "interpreter" in line)
    if said["status"] != 200:
        raise RuntimeError(f"{start.name} answered {said['status']}")
    return _split(began, said, lines)


def function_environment(start: Start, endpoint: str, scratch: Path) -> dict[str, str]:
    """Return the environment that the template gives a function."""
    named = {"GATE": start.models[0], "SCORE": start.models[-1], "CLASSIFIER": start.models[0]}
    names = {name: name.lower() for name in ("MODELS_BUCKET", "RESULTS_BUCKET", "UPLOADS_BUCKET", "STATE_TABLE")}
    own = {"SCRATCH": str(scratch), "PRELOAD": "0", "CACHE_DAYS": "0", "MODEL_MEMORY_MB": "4096", **named}
    aws = {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    aws |= {"AWS_LAMBDA_RUNTIME_API": "none", "HOME": str(scratch)}  # by which S3 is asked without boto3
    names["MODELS_BUCKET"] = "models"
    logs = {"POWERTOOLS_LOG_LEVEL": "DEBUG", "AWS_DEFAULT_REGION": "us-east-1"}
    return {**{f"ASSAY_{name}": value for name, value in (names | own).items()}, **aws, **logs}


def _split(began: float, marks: Mapping[str, float], lines: list[dict[str, Any]]) -> dict[str, float]:
    spent = {name: sum(line["seconds"] for line in lines if line.get("phase") == name) for name in PHASES}
    loaded = marks["imports"] - marks["interpreter"]
    imports = loaded - spent["load"] - spent["warm"]  # a model is fetched, and hashed, within that
    found = {"interpreter": marks["interpreter"] - began, "imports": imports, **spent}
    return {**found, "rest": marks["answered"] - marks["imports"], "total": marks["answered"] - began}


def compare_function_starts(said: Report, endpoint: str, names: set[str], rounds: int, scratch: Path) -> None:
    """Add the table of starts of those whose models are there, in turn."""
    rows: dict[str, list[dict[str, float]]] = {}
    for _ in range(rounds):
        for start in [each for each in STARTS if set(each.models) <= names]:
            try:
                found = start_once(start, endpoint, scratch)
                rows.setdefault(start.name, []).append(found)
            except subprocess.CalledProcessError as error:
                said.add(f"{start.name} is left out: {error.stderr.strip().splitlines()[-1][:200]}")
                names = names - set(start.models)
    middle = {
        name: {column: median(each[column] for each in runs) for column in COLUMNS} for name, runs in rows.items()
    }
    said.add("## Process start to first answer, medians in seconds; fetch is within imports, verify within fetch")
    said.table(("start", *COLUMNS), [(n, *(f"{row[c]:.2f}" for c in COLUMNS)) for n, row in middle.items()])
    if said.keep:
        series = {c: [row[c] for row in middle.values()] for c in COLUMNS if c not in {"fetch", "verify", "total"}}
        title = "Process start to first answer, S3 15 ms and 60 MB/s a connection"
        drawn = {"file": "start", "title": title, "unit": "seconds", "groups": list(middle), "series": series}
        draw_by_peers(said.images, stacked=drawn)
    whole = Times(tuple(run["total"] for run in rows.get(STARTS[2].name, [])) or (0.0,))
    said.add(f"SciBERT-sized int8: total {whole.show('s')} s.") if STARTS[2].name in rows else None


def link_models(folder: Path, forms: Path) -> set[str]:
    """Link the default models, and the network of SciBERT's size where it is there; return their names."""
    places = [*(ROOT / "models").iterdir(), *(forms.glob("scibert-*") if forms.is_dir() else ())]
    for place in places:
        (folder / place.name).symlink_to(place.resolve())
    return {place.name for place in places}


def main() -> None:
    """Read the options, measure, print."""
    parser = arguments(__doc__, "start")
    parser.add_argument("--latency", type=float, default=0.015, help="seconds to the first byte (default 0.015)")
    parser.add_argument("--rate", type=float, default=60, help="MB/s a connection (default 60)")
    parser.add_argument("--forms", type=Path, default=FORMS, help="what benchmarks.peers.forms wrote")
    options = parser.parse_args()
    hush()
    said = report("start", "From process start to first answer", options)
    said.add(f"The server: {options.latency * 1000:.0f} ms to the first byte, {options.rate:.0f} MB/s a connection.")
    rounds = {"smoke": 1, "quick": 3, "full": 9}[options.size]
    with tempfile.TemporaryDirectory() as name:
        root, scratch = Path(name) / "bucket", Path(name) / "scratch"
        root.mkdir()
        names = link_models(root, options.forms)
        with serve_apart(root, options.latency, options.rate * 1e6) as at:
            large = newest(root, LARGE if LARGE in names else "arxiv-archives")
            compare_fetches(said, at, read_manifest(large), rounds, Path(name))
            compare_function_starts(said, at, names, rounds, scratch)
    said.finish()


if __name__ == "__main__":
    main()
