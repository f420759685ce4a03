"""Rank and classify by a running service: a small input in one request, a larger one as a job."""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, Any, Final

from assay.client import Assay, JobFailed, JobStatus, Ranking, Refused
from assay.client.conversation import SMALL
from assay.client.sessions import Kind
from assay.ranking.ranking import Counts, PartialRanking, RankedRow, ranking_csv
from assay.sequences.carried_columns import REFERENCE_COLUMNS
from tools.batch.classify_file import holds_many, read_results
from tools.batch.inputs import S3, place_input
from tools.cli import output
from tools.cli.arguments import classification_options as of_classification
from tools.cli.arguments import ranking_options

PIECE: Final = 1 << 16


def rank_remotely(options: argparse.Namespace, folder: Path) -> output.RankOutcome:
    """Rank a file by the service; results that are files lie in `folder` or `--out`. Raises CallFailed, OSError."""
    with Assay(options.url, options.key) as service, open_input(options.file) as (file, size):
        if size <= SMALL and not options.out:
            ranking = service.rank(file, **ranking_options(options))
            return _shape(ranking, _list_said(ranking.rows) or _find_columns(service, ranking))
        job = _run_job(service, file, "rank", ranking_options(options), folder / "results")
    said = {"reason": _reason(job), "notices": _notices(folder / "results" / "ranking.json")}
    outcome = output.collect_outcome(folder / "results", {**job, **said}, options.out)
    if job["state"] == "FAILED":
        return outcome
    return replace(outcome, said=(*outcome.said, f"to share the result: {job_address(options.url, job['job_id'])}"))


def classify_remotely(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Classify by the service: one abstract or PDF in a request, a file of many as a job. Raises CallFailed."""
    chosen = of_classification(options)
    with Assay(options.url, options.key) as service, open_input(options.file) as (file, size):
        several = holds_many(options, iter(partial(file.read, PIECE), b""), Path(file.name).name)
        file.seek(0)
        if several and options.explain:
            raise Refused("--explain is for one abstract or PDF, not for a file of many")
        if size <= SMALL and not several:
            return service.ask("POST", "/classify", file=file, **chosen)
        job = _run_job(service, file, "classify", chosen, folder)
    if job["state"] == "FAILED":
        raise JobFailed(job)
    said = {"rejected": output.read_reject_file(folder), "address": job_address(options.url, job["job_id"])}
    return {**read_results(folder, job), **said}


def job_address(url: str, job_id: str) -> str:
    """Return the address of a job's page, which shows the result to anyone who opens it."""
    return f"{url.rstrip('/')}/?job={job_id}"


@contextmanager
def open_input(name: str) -> Iterator[tuple[IO[bytes], int]]:
    """Open an input and tell its bytes; standard input becomes a file first. Raises Refused for one in S3, OSError."""
    if name.startswith(S3):
        raise Refused(f"{name} lies in S3: copy it under rank/ in the service's uploads bucket, or leave --url out")
    with place_input(name) as where, (Path(where.root) / where.key).open("rb") as file:
        yield file, os.fstat(file.fileno()).st_size


def _run_job(service: Assay, file: IO[bytes], kind: Kind, options: Mapping[str, Any], folder: Path) -> JobStatus:
    """Return a file's job once it has ended and its results lie in a folder."""
    job = follow_job(service, service.submit(file, kind, **options))
    service.save(job, folder)
    return job


def follow_job(service: Assay, job_id: str) -> JobStatus:
    """Return a job once it has ended; Ctrl-C leaves the job running, and says so."""
    try:
        return service.follow(job_id)
    except KeyboardInterrupt:
        print(f"job {job_id} goes on without this command: see assay jobs show, assay jobs cancel", file=sys.stderr)
        raise


def _notices(summary: Path) -> list[dict[str, Any]]:
    """Return the notices of a job's summary, which its record does not hold."""
    found = json.loads(summary.read_text("utf-8")) if summary.is_file() else {}
    return list(found.get("notices") or [])


def _reason(job: JobStatus) -> str:
    return str(JobFailed(job)) if job["state"] == "FAILED" else ""


def _find_columns(service: Assay, ranking: Ranking) -> tuple[str, ...]:
    """Return the columns of the score model's reference for a ranking without rows, by the list of models."""
    name = ranking.models.get("score", {}).get("name") if not ranking.rows else None
    known = next((each.get("reference") for each in service.models() if each["name"] == name), None) if name else None
    has = {"probability": "calibration", "percentile": "sets"}
    said = {column for column, part in has.items() if known and known.get(part)}
    return tuple(column for column in REFERENCE_COLUMNS if column in said | {"notice"}) if said else ()


def _shape(ranking: Ranking, meant: tuple[str, ...]) -> output.RankOutcome:
    rejects = [{name: str(cell) for name, cell in each.items()} for each in ranking.rejected]
    said = {"counts": ranking.counts, "models": ranking.models, "notices": ranking.notices}
    return output.RankOutcome(_csv(ranking, meant), rejects, said)


def _csv(ranking: Ranking, meant: tuple[str, ...]) -> str:
    """Return ranking.csv as a file's job writes it, carried columns and those of a reference, `meant`, and all."""
    own = ("sequence", "score", "gate", "line", "id")
    rows: list[Any] = [*ranking]
    given: list[dict[str, Any]] = [{name: row.get(name) for name in (*own, *REFERENCE_COLUMNS)} for row in rows]
    kept = [
        RankedRow(**each, extra=tuple(row.get("columns", {}).values())) for each, row in zip(given, rows, strict=True)
    ]
    columns = tuple(dict.fromkeys(name for row in rows for name in row.get("columns", {})))
    return "".join(ranking_csv(PartialRanking(kept, Counts(), columns, reference_columns=meant)))


def _list_said(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the columns of the score model's reference: one that rates rows may give any of them a notice."""
    said = {name for row in rows for name in REFERENCE_COLUMNS if name in row}
    return tuple(name for name in REFERENCE_COLUMNS if name in said | {"notice"}) if said else ()
