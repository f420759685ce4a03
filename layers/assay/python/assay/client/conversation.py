"""What is said to a service and in which order, without a socket.

Each function is a generator of steps: it yields a `Call` and receives its `Answer`, or yields a `Pause`. `sessions` has
the two that take the steps, one that blocks and one that awaits, so that both say the same.
"""

import json
import random
import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote, unquote, urlsplit

from assay.client import results
from assay.client.failures import JobFailed, Refused, Unreachable
from assay.client.sources import Content

SMALL: Final = 4_000_000
"""Bytes that API Gateway lets through in one request, base64 and all."""
MOST_ABSTRACTS: Final = 64
FIRST_WAIT: Final = 0.2
LONGEST_WAIT: Final = 5.0
"""Seconds between two looks at a job: the first, and the longest, towards which they grow."""
REJECTS_BYTES: Final = 1 << 20
"""How much of rejected.csv is fetched for its first rows."""
_BUSY: Final = (429, 503)
_ENDED: Final = ("SUCCEEDED", "FAILED")
_MARGIN: Final = 0.25


@dataclass(frozen=True, slots=True)
class ApiRoute:
    """A route as the OpenAPI document names it."""

    method: str
    path: str


ROUTES: Final[Mapping[str, ApiRoute]] = {
    "rank": ApiRoute("POST", "/rank"),
    "explain": ApiRoute("POST", "/rank/explain"),
    "classify": ApiRoute("POST", "/classify"),
    "classify_with": ApiRoute("POST", "/models/{name}/classify"),
    "upload": ApiRoute("POST", "/uploads"),
    "job": ApiRoute("GET", "/jobs/{id}"),
    "cancel": ApiRoute("POST", "/jobs/{id}/cancel"),
    "rerun": ApiRoute("POST", "/jobs/{id}/rerun"),
    "find": ApiRoute("GET", "/jobs"),
    "models": ApiRoute("GET", "/models"),
    "health": ApiRoute("GET", "/health"),
}
"""Every route that the client calls."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request: `url` is a path of the service, or a whole address that gets no key.

    `content` is a form's file, under `field_name` after `fields`; `tell` hears what is sent. With `target` the body of
    a good answer is written there. A `patient` call is made again if the connection breaks: to make it twice changes
    nothing.
    """

    method: str
    url: str
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    fields: Mapping[str, str] = field(default_factory=dict)
    field_name: str = "input_file"
    content: Content | None = None
    tell: Callable[[float, float], None] = lambda *_: None
    headers: Mapping[str, str] = field(default_factory=dict)
    target: Path | None = None
    patient: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call. `status` 0 says that nothing answered; `text` then says why."""

    status: int = 0
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    url: str = ""

    @property
    def is_good(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait for so many seconds; the answer to it means nothing."""

    seconds: float


Found = TypeVar("Found")
Flow = Generator[Call | Pause, Answer, Found]
Tell = Callable[[str, float, float], None]
"""Hears of progress: what is done, how much of it, of how much."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a call is tried while the service is busy, and the longest wait in seconds that is waited for."""

    tries: int = 5
    longest: float = 60.0

    def wait(self, call: Call, answer: Answer, tried: int) -> float | None:
        """Return the seconds to wait before the next try, None if the answer stands.

        `Retry-After` is the least, up to a quarter more is chance, so that many clients do not come back at once.
        """
        broken = answer.status == 0 and call.patient
        if tried >= self.tries or not (answer.status in _BUSY or broken):
            return None
        named = answer.headers.get("retry-after", "").strip()
        least = float(named) if re.fullmatch(r"\d{1,9}", named) else min(0.5 * 2 ** (tried - 1), LONGEST_WAIT)
        return None if least > self.longest else least * (1 + _MARGIN * random.random())


@dataclass(frozen=True, slots=True)
class Talk:
    """The conversations with one service, as generators of steps. Raises Refused, Unreachable, JobFailed."""

    patience: Patience
    tell: Tell

    def send(self, call: Call) -> Flow[Answer]:
        """Make a call, again while the service is busy."""
        tried = 1
        while True:
            answer = yield call
            seconds = self.patience.wait(call, answer, tried)
            if seconds is None:
                return answer
            yield Pause(seconds)
            tried += 1

    def ask(self, call: Call) -> Flow[dict[str, Any]]:
        """Return the JSON of an answer; the link in place of a large one is followed."""
        body = read_body((yield from self.send(call)))
        if "result_url" not in body:
            return body
        return {**body, **read_body((yield from self.send(Call("GET", body["result_url"], patient=True))))}

    def rank(self, content: Content, options: Mapping[str, Any], *, as_job: bool) -> Flow[results.Ranking]:
        """Rank by one request, or by a job if the content is large or the service says so."""
        if content.size <= SMALL and not as_job:
            body = yield from self._try_small(route("rank"), content, options)
            if body and "ranked" in body:
                return results.read_ranking(body)
            if body:
                return results.as_ranking((yield from self.results_of(body["job_id"])))
        job_id = yield from self.submit(content, "rank", options)
        return results.as_ranking((yield from self.results_of(job_id)))

    def explain(self, content: Content, options: Mapping[str, Any]) -> Flow[dict[str, Any]]:
        """Return what proteases see of sequences, and the measured ones nearest to them."""
        return (yield from self.ask(replace(route("explain"), query=query_of(options), content=content, patient=True)))

    def classify(
        self, content: Content, options: Mapping[str, Any], model: str | None, *, as_job: bool
    ) -> Flow[results.Classification]:
        """Classify by one request, or by a job if there is too much for one."""
        if content.size <= SMALL and not as_job and not options.get("column"):  # which only jobs know
            call = route("classify_with", name=model) if model else route("classify")
            body = yield from self._try_small(call, content, options)
            if body:
                return results.read_classification(body)
        if model:
            raise Refused(f"{content.name} needs a job, and jobs use the deployment's classifier: leave model out")
        job_id = yield from self.submit(content, "classify", options)
        return results.as_classification((yield from self.results_of(job_id)))

    def _try_small(self, call: Call, content: Content, options: Mapping[str, Any]) -> Flow[dict[str, Any] | None]:
        """Return the body of a reply, None if it is too much for a request and a job would read it alike."""
        sent = replace(call, query=query_of(options), content=content)
        try:
            return (yield from self.ask(sent))
        except Refused as refused:
            if refused.status != 413 or not (content.is_list or call.url == ROUTES["rank"].path):
                raise
            return None

    def submit(self, content: Content, kind: str, options: Mapping[str, Any]) -> Flow[str]:
        """Upload a file with its options as the start of a job; return the job's id."""
        wish = {"filename": content.name, "kind": kind, **drop_unset(options)}
        offer = yield from self.ask(replace(route("upload"), body=wish))
        if content.size > offer["max_bytes"]:
            most = f"an upload at most {offer['max_bytes']:,}: send parts"
            raise Refused(f"{content.name} has {content.size:,} bytes and {most}", "too_large")
        form = offer["upload"]
        told = partial(self.tell, "uploading")
        call = Call("POST", form["url"], fields=form["fields"], field_name="file", content=content, tell=told)
        answer = yield from self.send(call)
        require_stored(answer, "at the upload")
        return str(offer["job_id"])

    def job(self, job_id: str) -> Flow[results.JobStatus]:
        """Return a job's record."""
        return (yield from self.ask(replace(route("job", id=job_id), patient=True)))  # type: ignore[return-value]

    def cancel(self, job_id: str) -> Flow[results.JobStatus]:
        """Stop a job and return its record."""
        return (yield from self.ask(route("cancel", id=job_id)))  # type: ignore[return-value]

    def rerun(self, job_id: str, options: Mapping[str, Any]) -> Flow[results.JobStatus]:
        """Begin a new job over the same file, with other options, and return its record."""
        return (yield from self.ask(replace(route("rerun", id=job_id), body=dict(options))))  # type: ignore[return-value]

    def follow(self, job_id: str) -> Flow[results.JobStatus]:
        """Return a job once it has ended, its progress told meanwhile."""
        wait = FIRST_WAIT
        while True:
            job = yield from self.job(job_id)
            self.tell(*_progress(job))
            if job["state"] in _ENDED:
                return job
            yield Pause(wait)
            wait = min(wait * 1.5, LONGEST_WAIT)

    def results_of(self, job_id: str) -> Flow[results.Ranking | results.Classification]:
        """Return what a job came to, once it has ended. Raises JobFailed."""
        job = yield from self.follow(job_id)
        if job["state"] == "FAILED":
            raise JobFailed(job)
        links = job["results"]
        summary = yield from self.ask(Call("GET", links["summary"], patient=True))
        rejected = yield from self._rejects(links.get("rejected") or "")
        if job["kind"] == "rank":
            text = yield from self._text(links["ranking"])
            return results.read_ranking_job(job, text, rejected, summary)
        text = yield from self._text(links["classification"])
        return results.read_classification_job(job, text, rejected, summary)

    def save(self, job: Mapping[str, Any], folder: Path) -> Flow[list[Path]]:
        """Write a job's results into a folder, each under its own name, lists of score files under `scores/`."""
        written = []
        for name, link in job["results"].items():
            target = folder / "scores" / result_name(link) if name == "scores" else folder / result_name(link)
            answer = yield from self.send(Call("GET", link, target=target, patient=True))
            require_stored(answer, f"for {target.name}")
            written.append(target)
        return written

    def models(self) -> Flow[list[dict[str, Any]]]:
        """Return the published models, page after page."""
        found: list[dict[str, Any]] = []
        call: Call | None = replace(route("models"), patient=True)
        while call:
            page = yield from self.ask(call)
            found += page["models"]
            call = Call("GET", f"/{page['next']}", patient=True) if page.get("next") else None
        return found

    def _text(self, link: str) -> Flow[str]:
        answer = yield from self.send(Call("GET", link, patient=True))
        require_stored(answer, f"for {result_name(link)}")
        return answer.text

    def _rejects(self, link: str) -> Flow[list[results.Rejected]]:
        """Return the first rejects, without fetching the others; none if they lie in parts that only a list names."""
        if not urlsplit(link).path.endswith(".csv"):
            return []
        headers = {"Range": f"bytes=0-{REJECTS_BYTES - 1}"}
        answer = yield from self.send(Call("GET", link, headers=headers, patient=True))
        require_stored(answer, "for rejected.csv")
        total = answer.headers.get("content-range", "").rpartition("/")[2]
        return results.read_rejects(answer.text, whole=not total.isdigit() or int(total) <= REJECTS_BYTES)


def _progress(job: results.JobStatus) -> tuple[str, float, float]:
    """Return what a job does, how much of it is done, and of how much; services before 0.3 say a share alone."""
    if work := job.get("work"):
        return work["phase"], work["bytes_done"], work["bytes_total"]
    return "done" if job["state"] in _ENDED else job["kind"], job["progress"], 1.0


def route(which: str, /, **places: str) -> Call:
    """Return a call of a route, its places filled in."""
    found = ROUTES[which]
    return Call(found.method, found.path.format_map({place: quote(text, safe="") for place, text in places.items()}))


def drop_unset(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that were given: None means the service's default."""
    return {name: value for name, value in options.items() if value is not None}


def query_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options as a query says them."""
    return {
        name: str(value).lower() if isinstance(value, bool) else value for name, value in drop_unset(options).items()
    }


def read_body(answer: Answer) -> dict[str, Any]:
    """Return an answer's JSON. Raises Unreachable, Refused."""
    require_answered(answer)
    if 300 <= answer.status < 400:
        where = answer.headers.get("location", "")[:200]
        raise Refused(f"{answer.url} leads to {where}: if that is right, give it as the address", status=answer.status)
    try:
        found = json.loads(answer.text)
    except ValueError:
        found = None
    if answer.is_good and isinstance(found, dict):
        return found
    if answer.is_good:
        raise Refused(f"{answer.url} answered something that is not Assay's: is that its address?", "not_assay")
    raise _refusal(answer, found)


def _refusal(answer: Answer, found: object) -> Refused:
    """Return what the service says is wrong; the answer as it is if something else answered."""
    error = found.get("error") if isinstance(found, dict) else None
    if not isinstance(error, dict):
        return Refused(f"{answer.status}: {answer.text[:1000]}", status=answer.status)
    details = error.get("details")
    kept = {name: value for name, value in details.items() if name not in _OURS} if isinstance(details, dict) else {}
    return Refused(f"{answer.status}: {error.get('message')}", str(error.get("code") or ""), answer.status, **kept)


_OURS: Final = frozenset(("message", "code", "status", "self"))


def require_answered(answer: Answer) -> None:
    """Raise Unreachable if nothing answered."""
    if answer.status == 0:
        where = answer.url.partition("?")[0]
        told = f"nothing answers at {where}: is the service up, and is that its address? ({answer.text})"
        raise Unreachable(told)


def require_stored(answer: Answer, where: str) -> None:
    """Raise Refused, Unreachable unless S3 did it."""
    require_answered(answer)
    if not answer.is_good:
        raise Refused(f"{answer.status} {where}: {answer.text[:500]}", status=answer.status)


def result_name(link: str) -> str:
    """Return the name of the file that a link leads to. Raises Refused if it is none that lies in a folder."""
    name = Path(unquote(urlsplit(link).path)).name
    if name in ("", "..") or not name.isprintable():
        raise Refused(f"the service names a result {name!r}, which is no name of a file")
    return name
