"""Rank and classify by a running service: a small input in one request, a larger one as a job."""

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any, Final

from assay.ranking.ranking import Counts, PartialRanking, RankedRow, ranking_csv
from assay.ranking.reference_scale import REFERENCE_COLUMNS
from tools.batch.classify_file import holds_many, read_results
from tools.cli import output
from tools.cli.arguments import classification_options as of_classification
from tools.cli.arguments import ranking_options
from tools.cli.client import Refused, Sent, ServiceClient, fetch_results, follow_job, open_input, send

SMALL: Final = 4_000_000
"""Bytes that API Gateway lets through in one request, base64 and all."""
PIECE: Final = 1 << 16


def rank_remotely(options: argparse.Namespace, folder: Path) -> output.RankOutcome:
    """Rank a file by the service; results that are files lie in `folder` or `--out`. Raises Refused, OSError."""
    service = ServiceClient(options.url, options.key)
    with open_input(options.file) as sent:
        if sent.size <= SMALL and not options.out:
            return _ask(service, sent, ranking_options(options))
        job_id = send(service, sent, "rank", ranking_options(options))
    job = follow_job(service, job_id)
    fetch_results(job, folder / "results")
    said = {"reason": _reason(job), "notices": _notices(folder / "results" / "ranking.json")}
    return output.collect_outcome(folder / "results", {**job, **said}, options.out)


def _notices(summary: Path) -> list[dict[str, Any]]:
    """Return the notices of a job's summary, which its record does not hold."""
    found = json.loads(summary.read_text("utf-8")) if summary.is_file() else {}
    return list(found.get("notices") or [])


def _reason(job: dict[str, Any]) -> str:
    return f"job {job['job_id']} failed: {job['reason']}" if job["state"] == "FAILED" else ""


def _ask(service: ServiceClient, sent: Sent, query: dict[str, object]) -> output.RankOutcome:
    said = {name: str(value).lower() if isinstance(value, bool) else value for name, value in query.items()}
    answer = service.ask("POST", "/rank", params=said, files={"input_file": (sent.name, sent.file)})
    rejects = [{name: str(cell) for name, cell in each.items()} for each in answer["rejected"]]
    return output.RankOutcome(_csv(answer["ranked"]), rejects, answer)


def _csv(rows: list[dict[str, Any]]) -> str:
    """Return ranking.csv as a file's job writes it, carried columns and all."""
    own = ("sequence", "score", "gate", "line", "id")
    given: list[dict[str, Any]] = [{name: row.get(name) for name in (*own, *REFERENCE_COLUMNS)} for row in rows]
    kept = [
        RankedRow(**each, extra=tuple(row.get("columns", {}).values())) for each, row in zip(given, rows, strict=True)
    ]
    columns = tuple(dict.fromkeys(name for row in rows for name in row.get("columns", {})))
    return "".join(ranking_csv(PartialRanking(kept, Counts(), columns, reference_columns=_said_of(rows))))


def _said_of(rows: list[dict[str, Any]]) -> tuple[str, ...]:
    """Return the columns of the score model's reference: one that rates rows may give any of them a notice."""
    said = {name for row in rows for name in REFERENCE_COLUMNS if name in row}
    return tuple(name for name in REFERENCE_COLUMNS if name in said | {"notice"}) if said else ()


def classify_remotely(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Classify by the service: one abstract or PDF in a request, a file of many as a job. Raises Refused, OSError."""
    service, chosen = ServiceClient(options.url, options.key), of_classification(options)
    with open_input(options.file) as sent:
        several = holds_many(options, iter(partial(sent.file.read, PIECE), b""), sent.name)
        sent.file.seek(0)
        if sent.size <= SMALL and not several:
            return service.ask("POST", "/classify", params=chosen, files={"input_file": (sent.name, sent.file)})
        job_id = send(service, sent, "classify", chosen)
    job = follow_job(service, job_id)
    fetch_results(job, folder)
    if reason := _reason(job):
        raise Refused(reason)
    return read_results(folder, job)
