"""A large file through the state machine, against one pass over it: `python -m benchmarks.large_file [--sequences N]`.

Seeded random sequences are written to a temporary folder. One pass ranks them in a separate process. Then the file is
dropped on the local service, whose functions run in one process each: the real handlers, the real state machine file
through moto's interpreter. moto's S3 reads the whole object for each range. So the functions read the uploaded file
from disk here, and all else from moto; moto's reads are measured apart.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from assay.options import RankOptions
from assay.ranking.ranker import rank_blocks
from assay.ranking.ranking import ranking_csv
from assay.sequences.contract import DEFAULT
from benchmarks.environments import Environments
from benchmarks.measuring import describe_machine, peak_megabytes
from benchmarks.rank import GATE, SCORE, Case, parse_file, scorers
from tools.local.events import Created, s3_event
from tools.local.service import LocalService, Options
from tools.local.stack import Function

_LOT: Final = 1 << 17
FUNCTIONS: Final = ("RankUploadFunction", "RankPlanFunction", "RankShardFunction", "RankMergeFunction")


class Pass(NamedTuple):
    """One way through the file: records, seconds, sha256 of ranking.csv."""

    received: int
    seconds: float
    digest: str


class Use(NamedTuple):
    """What the environments of one function took: calls, processes, seconds in the handler, largest peak in MB."""

    function: str
    calls: int
    processes: int
    seconds: float
    megabytes: float


def generate_lines(path: Path, count: int, seed: int = 11) -> None:
    """Write `count` seeded random sequences, a line each."""
    letters = np.frombuffer(DEFAULT.alphabet.encode(), np.uint8)
    draw = np.random.default_rng(seed)
    with path.open("wb") as file:
        for at in range(0, count, _LOT):
            lines = np.full((min(_LOT, count - at), DEFAULT.length + 1), ord("\n"), np.uint8)
            lines[:, :-1] = letters[draw.integers(0, len(letters), (len(lines), DEFAULT.length), dtype=np.uint8)]
            file.write(lines.tobytes())


def one_pass(path: Path) -> tuple[Pass, float]:
    """Rank a file in one pass, in this process; return that and the process's peak memory in MB."""
    gate, score = scorers(Case("", path, "end to end", 1, os.cpu_count() or 1))
    began = time.perf_counter()
    partial = rank_blocks(parse_file(path), gate, score, RankOptions(), deduplicate=False, on_rejects=lambda _: None)
    text = "".join(ranking_csv(partial))
    took = time.perf_counter() - began
    return Pass(partial.counts.received, took, sha256(text.encode()).hexdigest()), peak_megabytes()


class Apart(LocalService):
    """The local service with each of its functions in a separate process."""

    def __init__(self, options: Options, folder: Path) -> None:
        self._folder = folder
        self.environments: dict[str, Environments] = {}
        super().__init__(options)

    def _local(self, function: Function) -> Environments:
        found = Environments(function, self._environment, self._folder)
        self.environments[function.name.rpartition("-")[2]] = found
        return found

    def stop(self) -> None:
        """Stop the servers, then the environments."""
        super().stop()
        for each in self.environments.values():
            each.stop()

    def drop(self, path: Path) -> str:
        """Tell the functions of a file as if it had been dropped; return its job's id."""
        key = f"rank/{path.name}"
        created = Created("ObjectCreated:Put", self.stack.bucket("Uploads"), key, path.stat().st_size, "", None)
        (job_id,) = self._call_logical("RankUploadFunction", s3_event(created))["jobs"]
        return str(job_id)

    def list_uses(self) -> Iterator[Use]:
        """Yield what each function of file jobs took."""
        for name in FUNCTIONS:
            taken = self.environments[name].taken
            if taken:
                processes, seconds = len({each.process for each in taken}), sum(each.seconds for each in taken)
                yield Use(name, len(taken), processes, seconds, max(each.megabytes for each in taken))


@contextmanager
def run_service(folder: Path, shard_megabytes: int, at_once: int) -> Iterator[Apart]:
    """Run the service for files of a folder, so many shards at once, each on one thread."""
    parameters = {"ShardMegabytes": str(shard_megabytes), "ShardConcurrency": str(at_once)}
    os.environ["ASSAY_THREADS"] = "1"
    with Apart(Options(port=0, s3_port=0, quiet=True, parameters=parameters), folder) as started:
        yield started


def through_the_machine(running: Apart, path: Path) -> Pass:
    """Rank a file as a job, and wait for its end."""
    from assay.jobs.job_records import Jobs

    began = time.perf_counter()
    jobs = Jobs(running.client("dynamodb"), next(iter(running.stack.tables.values()))["TableName"])
    job_id = running.drop(path)
    while not (job := jobs.get(job_id)) or not job.finished or any(each.busy for each in running.environments.values()):
        time.sleep(0.05)
    took = time.perf_counter() - began
    if job.state != "SUCCEEDED":
        raise RuntimeError(f"the job ended as {job.state}: {job.reason}")
    reply = running.client("s3").get_object(Bucket=running.stack.bucket("Results"), Key=job.results["ranking"])
    return Pass(job.counts["received"], took, sha256(reply["Body"].read()).hexdigest())


def moto_range(running: Apart, megabytes: int = 128) -> float:
    """Return how many seconds moto takes for 8 MB of an object of so many MB."""
    s3: Any = running.client("s3")
    bucket = running.stack.bucket("Results")
    s3.put_object(Bucket=bucket, Key="large", Body=bytes(megabytes * 1_000_000))
    began = time.perf_counter()
    s3.get_object(Bucket=bucket, Key="large", Range="bytes=0-7999999")["Body"].read()
    took = time.perf_counter() - began
    s3.delete_object(Bucket=bucket, Key="large")
    return took


def pass_apart(path: Path) -> tuple[Pass, float]:
    """Do the one pass in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(one_pass, path).result()


def show_passes(single: tuple[Pass, float], job: Pass, uses: list[Use], at_once: int) -> None:
    """Print the table."""
    print(f"{'way':<34}{'sequences':>12}{'seconds':>9}{'sequences/s':>13}  sha256 of ranking.csv")
    for label, each in (("one pass, one process", single[0]), ("state machine, a process a function", job)):
        rate = each.received / each.seconds
        print(f"{label:<34}{each.received:>12,}{each.seconds:>9.1f}{rate:>13,.0f}  {each.digest[:16]}")
    print(f"\n{'process':<22}{'calls':>6}{'processes':>11}{'seconds':>9}{'peak RSS':>11}")
    print(f"{'one pass':<22}{1:>6}{1:>11}{single[0].seconds:>9.1f}{single[1]:>8.0f} MB")
    for use in uses:
        print(f"{use.function:<22}{use.calls:>6}{use.processes:>11}{use.seconds:>9.1f}{use.megabytes:>8.0f} MB")
    shards = next((use.seconds for use in uses if use.function == "RankShardFunction"), 0.0)
    print(f"\nidentical: {'yes' if single[0].digest == job.digest else 'NO'}; ", end="")
    print(f"outside the shards' own time (moto, state machine, starts): {job.seconds - shards / at_once:.1f} s")


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large_file", description=__doc__)
    parser.add_argument("--sequences", type=int, default=20_000_000)
    parser.add_argument("--shard-megabytes", type=int, default=64)
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1, help="shards done at the same time")
    options = parser.parse_args()
    os.environ |= {"POWERTOOLS_LOG_LEVEL": "CRITICAL", "POWERTOOLS_METRICS_DISABLED": "true"}
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "sequences.txt"
        generate_lines(path, options.sequences)
        print(
            f"{describe_machine()}; {GATE} as gate, {SCORE} as score; {path.stat().st_size / 1e6:,.0f} MB", flush=True
        )
        single = pass_apart(path)
        with run_service(Path(name), options.shard_megabytes, options.at_once) as running:
            job = through_the_machine(running, path)
            uses, wait = list(running.list_uses()), moto_range(running)
        show_passes(single, job, uses, options.at_once)
    print(f"moto's own S3 takes {wait:.2f} s for 8 MB of an object of 128 MB, in proportion to the object")


if __name__ == "__main__":
    main()
