"""The commands against a running service: one request, its answer printed."""

import argparse
import json
import sys
from typing import Any

import requests

from tools.cli.output import fail, open_binary
from tools.demo.tables import table
from tools.local.functions import add_sources
from tools.local.service import ROOT

SECONDS = 60.0


def rank(options: argparse.Namespace) -> int:
    """Post a file to /rank and print the ranking."""
    chosen = {"top_k": options.top_k, "threshold": options.threshold, "strict": str(options.strict).lower()}
    query = {**chosen, "column": options.column} if options.column else chosen
    reply = _post(options, "/rank", query)
    if reply is None:
        return 1
    answer = reply.json()
    if "ranked" not in answer:
        print(json.dumps(answer, indent=2))
        return 0
    print(_ranking(answer["ranked"], as_csv=options.csv))
    print(" ".join(f"{count} {name}" for name, count in answer["counts"].items()), file=sys.stderr)
    return 0


def classify(options: argparse.Namespace) -> dict[str, Any] | None:
    """Post an abstract to /classify; return the answer, None where there is none."""
    reply = _post(options, "/classify", {})
    return None if reply is None else dict(reply.json())


def _post(options: argparse.Namespace, path: str, query: dict[str, Any]) -> requests.Response | None:
    headers = {"x-api-key": options.key} if options.key else {}
    try:
        with open_binary(options.file) as source:
            url, form = options.url.rstrip("/") + path, {"input_file": (options.file, source)}
            reply = requests.post(url, params=query, headers=headers, timeout=SECONDS, files=form)
    except (OSError, requests.RequestException) as error:
        fail(str(error))
        return None
    if not reply.ok:
        fail(f"{reply.status_code}: {_reason(reply)}")
        return None
    return reply


def _reason(reply: requests.Response) -> str:
    """Return what the service says is wrong; the reply as it is where something else answered."""
    try:
        return str(reply.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return reply.text[:1000]


def _ranking(rows: list[dict[str, Any]], *, as_csv: bool) -> str:
    if as_csv:
        return _csv(rows)
    columns = ("rank", "sequence", "score", "gate", "line", "id")
    return table(columns, [["" if row[column] is None else str(row[column]) for column in columns] for row in rows])


def _csv(rows: list[dict[str, Any]]) -> str:
    """Return ranking.csv as a file's job writes it, carried columns and all."""
    add_sources(ROOT)
    from assay.ranking import Counts, Partial, Row
    from assay.results import ranking_csv

    own = ("sequence", "score", "gate", "line", "id")
    kept = [Row(**{name: row[name] for name in own}, extra=tuple(row.get("columns", {}).values())) for row in rows]
    columns = tuple(rows[0].get("columns", {})) if rows else ()
    return "".join(ranking_csv(Partial(kept, Counts(), columns))).rstrip("\n")
