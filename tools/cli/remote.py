"""The commands against a running service: one request, its answer printed."""

import argparse
import json
import sys
from typing import Any

import requests

from tools.cli.output import fail, open_binary
from tools.demo.tables import table

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
    reply = _post(options, "/classify", {}, content_type="text/plain")
    return None if reply is None else dict(reply.json())


def _post(
    options: argparse.Namespace, path: str, query: dict[str, Any], content_type: str = ""
) -> requests.Response | None:
    headers = {"x-api-key": options.key} if options.key else {}
    try:
        with open_binary(options.file) as source:
            body: dict[str, Any] = (
                {"data": source.read()} if content_type else {"files": {"input_file": (options.file, source)}}
            )
            headers |= {"Content-Type": content_type} if content_type else {}
            url = options.url.rstrip("/") + path
            reply = requests.post(url, params=query, headers=headers, timeout=SECONDS, **body)
    except (OSError, requests.RequestException) as error:
        fail(str(error))
        return None
    if not reply.ok:
        fail(f"{reply.status_code}: {reply.text[:1000]}")
        return None
    return reply


def _ranking(rows: list[dict[str, Any]], *, as_csv: bool) -> str:
    columns = ("rank", "sequence", "score", "gate", "line", "id")
    cells = [["" if row[column] is None else str(row[column]) for column in columns] for row in rows]
    return "\n".join(",".join(line) for line in (columns, *cells)) if as_csv else table(columns, cells)
