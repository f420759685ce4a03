"""What a service answers, as rows: a ranking, a classification, a job. Fields that are not known yet are kept."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, NotRequired, Required, TypedDict, TypeVar, overload

from assay.client.failures import Refused
from assay.text.csv_writer import unescape_formula

REJECTS_READ: Final = 1000
"""Rejects that are listed of a job, as a reply lists them; `counts` has the number of all."""


class RankedDesign(TypedDict):
    """One ranked sequence. `columns` has what the input carried beside it.

    `probability` (0 to 1), `percentile` (0 to 100) and `notice` (a code) come from models that have a reference.
    """

    rank: int
    sequence: str
    score: float
    gate: float
    line: int
    id: str | None
    columns: NotRequired[dict[str, str]]
    probability: NotRequired[float]
    percentile: NotRequired[float]
    notice: NotRequired[str]


class Rejected(TypedDict):
    """A record that could not be used: its line from 1, a stable reason, and the reason in words."""

    line: int
    reason: str
    detail: str


class Label(TypedDict):
    """A label of an abstract, with its probability from 0 to 1."""

    label: str
    score: float
    title: NotRequired[str]


class Abstract(TypedDict, total=False):
    """One abstract at its `line`, from 1. One that could not be used has only `line` and `error`."""

    line: Required[int]
    id: str | None
    labels: list[Label]
    scores: dict[str, float]
    tokens: int
    truncated: bool
    cached: bool
    notice: str
    explanation: list[dict[str, Any]]
    columns: dict[str, Any]
    source: dict[str, Any]
    error: dict[str, Any]


class Work(TypedDict):
    """How far a job is, in bytes of its file, and what it does now."""

    bytes_done: int
    bytes_total: int
    records: int
    phase: str


class JobStatus(TypedDict):
    """A job's record. `results` has links, each valid for an hour, once it has ended."""

    job_id: str
    kind: str
    state: str
    progress: float
    work: NotRequired[Work]
    options: dict[str, Any]
    expires: str
    shards: dict[str, int]
    counts: dict[str, int]
    models: dict[str, Any]
    results: dict[str, str]
    reason: str
    upload: str


Row = TypeVar("Row", RankedDesign, Abstract)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows(Sequence[Row], Generic[Row]):
    """Rows as a list has them, with what else the service says of the input.

    `job_id` is None for one request. `histograms` of a ranking count all that was scored, by gate and by score.
    """

    rows: list[Row]
    counts: dict[str, int] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    models: dict[str, Any] = field(default_factory=dict)
    notices: list[dict[str, Any]] = field(default_factory=list)
    job_id: str | None = None
    histograms: dict[str, Any] = field(default_factory=dict)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | list[Row]:
        return self.rows[at]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def flat(self) -> list[dict[str, Any]]:
        """Return the rows with the carried columns beside their own, as a table has them."""
        return [
            {name: value for name, value in row.items() if name != "columns"} | row.get("columns", {})
            for row in self.rows
        ]

    def to_frame(self) -> Any:
        """Return the rows as a pandas DataFrame. Raises ImportError if pandas is not installed."""
        import pandas

        return pandas.DataFrame(self.flat())


class Ranking(_Rows[RankedDesign]):
    """The ranked sequences, best first, with counts, the first rejects, models and notices."""

    __slots__ = ()


class Classification(_Rows[Abstract]):
    """The abstracts in the order of the input. `models["classifier"]` is the model that read them."""

    __slots__ = ()


def read_ranking(body: Mapping[str, Any]) -> Ranking:
    """Return the reply of POST /rank as a ranking."""
    return Ranking(rows=list(body["ranked"]), **_common(body), models=dict(body.get("models") or {}))


def read_classification(body: Mapping[str, Any]) -> Classification:
    """Return the reply of POST /classify: each result at its position."""
    results: list[Any] = body["results"]
    rows: list[Abstract] = [{"line": at} | result for at, result in enumerate(results, 1)]
    rejected = [_reject_of(row) for row in rows if "error" in row]
    counts = {"received": len(rows), "classified": len(rows) - len(rejected), "rejected": len(rejected)}
    said = _common({**body, "counts": counts, "rejected": rejected})
    return Classification(rows=rows, **said, models={"classifier": body["model"]})


def read_ranking_job(
    job: Mapping[str, Any], text: str, rejected: list[Rejected], summary: Mapping[str, Any]
) -> Ranking:
    """Return a finished job's ranking: the text of ranking.csv, its first rejects, its summary."""
    rows = [_design(cells) for cells in csv.DictReader(io.StringIO(text, newline=""))]
    return Ranking(rows=rows, **_of_job(job, rejected, summary))


def read_classification_job(
    job: Mapping[str, Any], text: str, rejected: list[Rejected], summary: Mapping[str, Any]
) -> Classification:
    """Return a finished job's abstracts: classification.jsonl and its first rejects, in the file's order."""
    rows: list[Abstract] = [json.loads(line) for line in text.split("\n") if line]
    rows += [{"line": each["line"], "error": {"code": each["reason"], "message": each["detail"]}} for each in rejected]
    return Classification(rows=sorted(rows, key=lambda row: row["line"]), **_of_job(job, rejected, summary))


def as_ranking(found: Ranking | Classification) -> Ranking:
    """Return a job's result as the ranking that it is. Raises Refused for another kind of job."""
    if isinstance(found, Ranking):
        return found
    raise Refused(f"job {found.job_id} classified abstracts: it has no ranking")


def as_classification(found: Ranking | Classification) -> Classification:
    """Return a job's result as the classification that it is. Raises Refused for another kind of job."""
    if isinstance(found, Classification):
        return found
    raise Refused(f"job {found.job_id} ranked sequences: it has no classification")


def read_rejects(text: str, *, whole: bool) -> list[Rejected]:
    """Return the first rows of rejected.csv. The last one of a text that was cut off is left out."""
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    kept = rows if whole else rows[:-1]
    return [
        {"line": int(row["line"]), "reason": row["reason"], "detail": unescape_formula(row["detail"])}
        for row in kept[:REJECTS_READ]
    ]


def encode_sequences(items: Iterable[str | Mapping[str, Any]] | Mapping[str, str]) -> bytes:
    """Return sequences, or objects with `sequence` and `id`, or a mapping of ids to sequences, as JSON."""
    pairs = items.items() if isinstance(items, Mapping) else None
    listed = [{"id": name, "sequence": text} for name, text in pairs] if pairs is not None else list(items)
    return json.dumps(listed).encode()


_KINDS: Final[Mapping[str, Any]] = {"rank": int, "sequence": str, "score": float, "gate": float, "line": int}
_SAID: Final[Mapping[str, Any]] = {"probability": float, "percentile": float, "notice": str}
"""What the score model's reference adds to a row, each where it says something."""


def _design(cells: Mapping[str, str]) -> RankedDesign:
    """Return a row of ranking.csv as POST /rank lists it."""
    own = {name: kind(cells[name]) for name, kind in _KINDS.items()}
    said = {name: kind(cells[name]) for name, kind in _SAID.items() if cells.get(name)}
    carried = {name: cell for name, cell in cells.items() if name not in {**_KINDS, **_SAID, "id": str}}
    shown = {unescape_formula(name): unescape_formula(cell) for name, cell in carried.items()}
    row: Any = {**own, "id": unescape_formula(cells["id"]) or None, **({"columns": shown} if shown else {}), **said}
    return row  # type: ignore[no-any-return]


def _reject_of(row: Abstract) -> Rejected:
    return {"line": row["line"], "reason": row["error"]["code"], "detail": row["error"]["message"]}


def _common(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what every answer says of its input."""
    return {
        "counts": dict(body.get("counts") or {}),
        "rejected": list(body.get("rejected") or []),
        "notices": list(body.get("notices") or []),
        "histograms": dict(body.get("histograms") or {}),
    }


def _of_job(job: Mapping[str, Any], rejected: list[Rejected], summary: Mapping[str, Any]) -> dict[str, Any]:
    said = _common({**summary, "rejected": rejected})
    return {**said, "models": dict(summary.get("models") or {}), "job_id": str(job["job_id"])}
