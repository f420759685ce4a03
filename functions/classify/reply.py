"""From a classification to replies: JSON, CSV or NDJSON."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from assay.http.messages import Response, json_response, ndjson_response
from assay.text.csv_writer import csv_text, escape_formula

COLUMNS: Final = ("abstract", "labels", "tokens", "truncated", "cached", "error")
"""The first columns of the CSV: the abstract's position from 1, its labels best first; the labels' scores follow."""
Body = Mapping[str, Any]


def about(body: Body) -> dict[str, object]:
    """Return what is said beside a link to a classification."""
    return {"model": body["model"], "notices": body["notices"]}


def headers(body: Body) -> dict[str, str]:
    """Return counts and model as headers, for replies whose body has no room for them."""
    model, results = body["model"], body["results"]
    codes = ", ".join(dict.fromkeys(notice["code"] for notice in body["notices"]))
    return {
        "X-Assay-Model": f"{model['name']}/{model['version']}",
        "X-Assay-Received": str(len(results)),
        "X-Assay-Rejected": str(sum("error" in each for each in results)),
    } | ({"X-Assay-Notices": codes} if codes else {})


def _csv(body: Body) -> Response:
    labels = body["labels"]
    after = dict(each for field, each in LATER_COLUMNS.items() if field in body)
    head = [*COLUMNS, *(_column(label, after) for label in labels), *after]
    rows = (
        [*_cells(at, each, labels), *(cell(each) for cell in after.values())]
        for at, each in enumerate(body["results"], 1)
    )
    return Response(200, csv_text([head, *rows]), "text/csv; charset=utf-8", headers(body))


def _column(label: str, after: Iterable[str]) -> str:
    return f"score_{label}" if label in (*COLUMNS, *after) else escape_formula(label)


def _titles(result: Mapping[str, Any]) -> str:
    """Return the chosen labels' titles in their order, as the labels stand in their cell."""
    return ";".join(escape_formula(each.get("title", each["label"])) for each in result.get("labels", ()))


def _cells(position: int, result: Mapping[str, Any], labels: list[str]) -> list[object]:
    """Return a row; of an abstract that was refused only its position and why."""
    if "error" in result:
        return [position, "", "", "", "", escape_formula(result["error"]["message"]), *("" for _ in labels)]
    chosen = ";".join(escape_formula(each["label"]) for each in result["labels"])
    flags = [str(result[name]).lower() for name in ("truncated", "cached")]
    return [position, chosen, result["tokens"], *flags, "", *(result["scores"][label] for label in labels)]


def _ndjson(body: Body) -> Response:
    return ndjson_response(body["results"], headers(body))


LATER_COLUMNS: Final[Mapping[str, tuple[str, Callable[[Mapping[str, Any]], str]]]] = {
    "titles": ("titles", _titles),
    "checks": ("notice", lambda result: str(result.get("notice", ""))),
}
"""Columns behind the scores, by the field that a reply has if there is such a column: name, and what cells hold."""

FORMS: Final[Mapping[str, tuple[Callable[[Body], Response], str]]] = {
    "application/json": (json_response, "classification.json"),
    "text/csv": (_csv, "classification.csv"),
    "application/x-ndjson": (_ndjson, "classification.ndjson"),
}
"""What each form of a reply is made by, and the name of the file that it is where it is too large for a reply."""
