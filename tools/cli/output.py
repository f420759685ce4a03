"""What commands print: failures, counts, rejects, and rankings as a table, CSV or JSON."""

import csv
import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from tools.terminal import format_table, printable


def report_failure(message: str) -> int:
    """Print an error and return the exit status 1."""
    print(f"error: {printable(message)}", file=sys.stderr)
    return 1


def quiet() -> None:
    """Keep the log lines and metrics that Lambda would collect out of a command's output; errors stay."""
    os.environ.update({"POWERTOOLS_LOG_LEVEL": "ERROR", "POWERTOOLS_METRICS_DISABLED": "true"})


REJECTS_SHOWN: Final = 20
REJECTS_LISTED: Final = 1000
_COLUMNS: Final = ("rank", "sequence", "score", "gate", "line", "id")
_KINDS: Final[Mapping[str, Callable[[str], Any]]] = {
    "rank": int,
    "line": int,
    **dict.fromkeys(("score", "gate", "probability", "percentile"), float),
}
_DIGITS: Final = {"score": ".4f", "gate": "+.4f", "probability": ".4f", "percentile": ".3f"}


@dataclass(frozen=True, slots=True)
class RankOutcome:
    """A ranking: the text of ranking.csv, the first rejects as rows of rejected.csv, and what the summary says.

    `reason` is why it failed though all of it was read; `said` is for the terminal.
    """

    ranking: str
    rejects: list[dict[str, str]]
    summary: Mapping[str, Any]
    reason: str = ""
    said: tuple[str, ...] = ()


def collect_outcome(results: Path, summary: Mapping[str, Any], out: Path | None) -> RankOutcome:
    """Read the results of a job that lie in a folder, and move them to `out` where that is wanted."""
    ranking = results / "ranking.csv"
    text = ranking.read_text(encoding="utf-8") if ranking.exists() else ""
    rows = read_reject_file(results)
    said = [f"results are in {out}"] if out else []
    if (results / "scores").exists() and not next((results / "scores").glob("*.gz"), None):
        said.append("the scores themselves lie in the results bucket: scores/manifest.json lists their keys")
    for path in sorted(results.iterdir()) if out else ():
        _move(path, out / path.name)  # type: ignore[operator]
    return RankOutcome(text, rows, summary, str(summary.get("reason") or ""), tuple(said))


def read_reject_file(results: Path) -> list[dict[str, str]]:
    """Return the first rows of a folder's rejected.csv, or of its first part."""
    path = next(iter(sorted(results.glob("rejected*.csv"))), None)
    if path is None:
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(islice(csv.DictReader(file), REJECTS_LISTED))


def _move(path: Path, target: Path) -> None:
    """Move a result, in the place of one that an earlier run left."""
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    path.replace(target)


def report_outcome(outcome: RankOutcome) -> None:
    """Write the first rejects and the counts to standard error."""
    counts = outcome.summary.get("counts") or {}
    summed = [", ".join(f"{count:,} {name}" for name, count in counts.items())]
    told = map(describe_notice, outcome.summary.get("notices") or ())
    lines = describe_rejects(outcome.rejects, counts.get("rejected", 0))
    print("\n".join([*lines, *told, *filter(None, summed), *outcome.said]), file=sys.stderr)


def describe_rejects(rejects: Sequence[Mapping[str, str]], count: int) -> list[str]:
    """Return the first rejects as a terminal shows them, a line each, and how many more of `count` there are."""
    lines = [f"line {row['line']}: {row['reason']}: {row['detail']}" for row in rejects[:REJECTS_SHOWN]]
    more = count - len(lines)
    return [*lines, f"and {more:,} more rejected (--out DIR writes rejected.csv)"] if lines and more > 0 else lines


def describe_notice(notice: Mapping[str, Any]) -> str:
    """Return a notice as a terminal shows it: `note: ... (lines 1, 2, 9)`, `(30 lines: 1, 2, 9, ...)`."""
    lines, count = [str(line) for line in notice.get("lines", ())], notice.get("count", 0)
    named = ", ".join(lines)
    if not lines:
        return f"note: {notice['message']}{f' ({count:,} times)' if count else ''}"
    if count > len(lines):
        return f"note: {notice['message']} ({count:,} lines: {named}, ...)"
    return f"note: {notice['message']} ({'line' if count == 1 else 'lines'} {named})"


def ranking_rows(text: str) -> list[dict[str, Any]]:
    """Return the rows of a ranking.csv as POST /rank lists them."""
    return [_row(each) for each in csv.DictReader(io.StringIO(text))]


def _row(cells: Mapping[str, str]) -> dict[str, Any]:
    from assay.sequences.carried_columns import REFERENCE_COLUMNS  # here and below: most commands do not need these
    from assay.text.csv_writer import unescape_formula

    row = {name: _KINDS.get(name, str)(cells[name]) for name in _COLUMNS}
    others = {name: cell for name, cell in cells.items() if name not in (*_COLUMNS, *REFERENCE_COLUMNS)}
    carried = {unescape_formula(name): unescape_formula(cell) for name, cell in others.items()}
    said = {name: _KINDS.get(name, str)(cells[name]) for name in REFERENCE_COLUMNS if cells.get(name)}
    row["id"] = unescape_formula(row["id"]) or None
    return {**row, **({"columns": carried} if carried else {}), **said}


def _json(outcome: RankOutcome) -> str:
    rejected = [{**row, "line": int(row["line"])} for row in outcome.rejects]
    said = {"counts": outcome.summary.get("counts"), "rejected": rejected, "models": outcome.summary.get("models")}
    said["notices"] = outcome.summary.get("notices") or []
    return json.dumps({"ranked": ranking_rows(outcome.ranking), **said}, indent=2, ensure_ascii=False) + "\n"


def _table(outcome: RankOutcome) -> str:
    from assay.sequences.carried_columns import REFERENCE_COLUMNS

    rows = ranking_rows(outcome.ranking)
    said = [name for name in REFERENCE_COLUMNS if any(name in row for row in rows)]
    cells = [tuple(_show(name, row.get(name)) for name in (*_COLUMNS, *said)) for row in rows]
    return format_table((*_COLUMNS, *said), cells) + "\n"


def _show(name: str, value: object) -> str:
    return "" if value is None else format(value, _DIGITS.get(name, ""))


FORMS: Final[Mapping[str, Callable[[RankOutcome], str]]] = {
    "table": _table,
    "csv": lambda outcome: outcome.ranking,
    "json": _json,
    "none": lambda _: "",
}
"""The forms that a ranking is printed in."""


def several(form: str, ranked: Sequence[tuple[str, RankOutcome]]) -> str:
    """Return several files' rankings: tables under their names, one CSV or one list with the name in each."""
    if form == "csv":
        return _one_csv(ranked)
    if form == "json":
        said = [{"file": name, **json.loads(_json(outcome))} for name, outcome in ranked]
        return json.dumps(said, indent=2, ensure_ascii=False) + "\n"
    shown = FORMS[form]
    return "" if form == "none" else "\n".join(f"{name}\n{shown(outcome)}" for name, outcome in ranked)


def _one_csv(ranked: Sequence[tuple[str, RankOutcome]]) -> str:
    found = [{"file": name, **row} for name, outcome in ranked for row in csv.DictReader(io.StringIO(outcome.ranking))]
    columns = dict.fromkeys(["file", *_COLUMNS, *(name for row in found for name in row)])
    target = io.StringIO()
    writer = csv.DictWriter(target, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return target.getvalue()
