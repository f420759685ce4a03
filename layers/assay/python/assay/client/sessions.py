"""`Assay`, which blocks, and `AsyncAssay`, which awaits: the same conversations over httpx2."""

import asyncio
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self, TypedDict, TypeVar, Unpack

import httpx2

from assay.client.conversation import Answer, Call, Flow, Patience, Pause, Talk, Tell, query_of, route
from assay.client.results import Classification, JobStatus, Ranking, as_classification, as_ranking
from assay.client.sources import FormPart, Source, open_source

VARIABLE: Final = "ASSAY_API_KEY"
SECONDS: Final = 60.0
_CONNECTING: Final = 10.0
_ERRNO: Final = re.compile(r"\[Errno -?\d+\] ")
Done = TypeVar("Done")
Kind = Literal["rank", "classify"]


class ReadingChoices(TypedDict, total=False):
    """How the sequences that are explained are read, and by whose measured sequences."""

    column: str | None
    window: int | None
    step: int | None
    terminator: Literal["strip", "reject"] | None
    gaps: Literal["reject", "remove"] | None
    pad: Literal["off", "linker"] | None
    score_model: str | None
    gate_model: str | None


class RankingChoices(ReadingChoices, total=False):
    """The options of a ranking; what each means is in the API's description. None is the service's default."""

    top_k: int | None
    threshold: float | None
    strict: bool | None
    output: Literal["top", "all"] | None
    gate: Literal["on", "off"] | None


class ClassificationChoices(TypedDict, total=False):
    """The options of a classification. `explain` is for requests, `column` for files that become a job."""

    threshold: float | None
    top_k: int | None
    column: str | None
    explain: bool | None


class _Session:
    """What both clients share: the address, the key, and requests as httpx2 has them."""

    def __init__(self, url: str, key: str | None, timeout: float, patience: Patience, tell: Tell | None) -> None:
        self._url = url.rstrip("/")
        found = os.environ.get(VARIABLE, "") if key is None else key
        self._key = {"x-api-key": found} if found else {}
        self._timeout = httpx2.Timeout(timeout, connect=min(timeout, _CONNECTING))
        self.talk = Talk(patience, tell or ProgressBar())

    def _request(self, call: Call) -> dict[str, Any]:
        """Return a call as httpx2 takes it; the key goes to the service alone."""
        own = not call.url.startswith(("http://", "https://"))
        headers = {"user-agent": "assay-client", **(self._key if own else {}), **call.headers}
        part = FormPart(call.content, call.tell) if call.content else None
        files = {call.field_name: (part.name, part, "application/octet-stream")} if part else None  # its bytes decide
        body = {"json": call.body} if call.body is not None else {"data": dict(call.fields) or None, "files": files}
        url = f"{self._url}/{call.url.lstrip('/')}" if own else call.url
        query = {"params": dict(call.query)} if call.query else {}  # empty ones would take the address's own off
        return {"method": call.method, "url": url, "headers": headers, **query, **body}


class Assay(_Session):
    """A client of one service. Raises Refused, Unreachable, JobFailed, OSError.

    `key` is the API key, by default the variable ASSAY_API_KEY. `timeout` is seconds of silence. A busy service is
    tried `tries` times. `tell(what, done, total)` hears of progress; by default a terminal shows a bar.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = SECONDS,
        tries: int = 5,
        tell: Tell | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        super().__init__(url, key, timeout, Patience(tries), tell)
        self._http = httpx2.Client(timeout=self._timeout, transport=transport)

    def rank(self, source: Source, *, as_job: bool = False, **options: Unpack[RankingChoices]) -> Ranking:
        """Rank sequences: a path, bytes, an open file, a list, or ids with sequences. Large input becomes a job."""
        with open_source(source, "sequences") as content:
            return self._run(self.talk.rank(content, options, as_job=as_job))

    def explain(self, source: Source, **options: Unpack[ReadingChoices]) -> dict[str, Any]:
        """Return what proteases see of up to 100 sequences, and the measured ones nearest to each (`explained`)."""
        with open_source(source, "sequences") as content:
            return self._run(self.talk.explain(content, options))

    def classify(
        self,
        source: Source,
        *,
        model: str | None = None,
        as_job: bool = False,
        **options: Unpack[ClassificationChoices],
    ) -> Classification:
        """Classify abstracts: a list, or a file. Lists and tables of too many for one request become a job."""
        with open_source(source, "abstracts") as content:
            return self._run(self.talk.classify(content, options, model, as_job=as_job))

    def submit(self, source: Source, kind: Kind = "rank", **options: Any) -> str:
        """Upload a file as a job and return the job's id at once."""
        with open_source(source, "input") as content:
            return self._run(self.talk.submit(content, kind, options))

    def job(self, job_id: str) -> JobStatus:
        """Return a job's record."""
        return self._run(self.talk.job(job_id))

    def follow(self, job_id: str) -> JobStatus:
        """Wait for a job's end, and return its record, FAILED or not."""
        return self._run(self.talk.follow(job_id))

    def cancel(self, job_id: str) -> JobStatus:
        """Stop a job."""
        return self._run(self.talk.cancel(job_id))

    def rerun(self, job_id: str, **options: Any) -> JobStatus:
        """Begin a new job over a job's file with other options, without another upload; None gives back a default."""
        return self._run(self.talk.rerun(job_id, options))

    def ranking(self, job_id: str) -> Ranking:
        """Wait for a job's end and return its ranking."""
        return as_ranking(self._run(self.talk.results_of(job_id)))

    def classification(self, job_id: str) -> Classification:
        """Wait for a job's end and return its abstracts."""
        return as_classification(self._run(self.talk.results_of(job_id)))

    def save(self, job: Mapping[str, Any], folder: str | os.PathLike[str]) -> list[Path]:
        """Write the result files of a job's record into a folder; return their paths."""
        return self._run(self.talk.save(job, Path(folder)))

    def models(self) -> list[dict[str, Any]]:
        """Return the published models with their metrics."""
        return self._run(self.talk.models())

    def health(self) -> dict[str, Any]:
        """Return which models serve."""
        return self._run(self.talk.ask(route("health")))

    def ask(self, method: str, path: str, body: Any = None, file: Source | None = None, **query: Any) -> dict[str, Any]:
        """Return the JSON of any route, asked with JSON or with a file as the form's `input_file`."""
        with open_source(file if file is not None else b"", "input") as content:
            part = content if file is not None else None
            return self._run(self.talk.ask(Call(method, path, query_of(query), body, content=part)))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _run(self, flow: Flow[Done]) -> Done:
        """Take the steps of a conversation to its end."""
        answer = None
        while True:
            try:
                step = flow.send(answer)  # type: ignore[arg-type]  # a generator is begun by None
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            if isinstance(step, Pause):
                time.sleep(step.seconds)
                answer = Answer()
            else:
                answer = self._make(step)

    def _make(self, call: Call) -> Answer:
        request = self._request(call)
        try:
            with self._http.stream(**request) as reply:
                if call.target is None or not reply.is_success:
                    reply.read()
                    return _answer(reply, reply.text)
                call.target.parent.mkdir(parents=True, exist_ok=True)
                with call.target.open("wb") as file:
                    for piece in reply.iter_bytes():
                        file.write(piece)
                return _answer(reply)
        except (httpx2.TransportError, httpx2.InvalidURL) as error:
            return _write_failure(request, error)


class AsyncAssay(_Session):
    """The same client for programs that await: `async with AsyncAssay(url) as assay: await assay.rank(...)`.

    Files are read in small pieces between awaits.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = SECONDS,
        tries: int = 5,
        tell: Tell | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(url, key, timeout, Patience(tries), tell)
        self._http = httpx2.AsyncClient(timeout=self._timeout, transport=transport)

    async def rank(self, source: Source, *, as_job: bool = False, **options: Unpack[RankingChoices]) -> Ranking:
        """Rank sequences, as `Assay.rank` does."""
        with open_source(source, "sequences") as content:
            return await self._run(self.talk.rank(content, options, as_job=as_job))

    async def explain(self, source: Source, **options: Unpack[ReadingChoices]) -> dict[str, Any]:
        """Return what is seen of sequences, as `Assay.explain` does."""
        with open_source(source, "sequences") as content:
            return await self._run(self.talk.explain(content, options))

    async def classify(
        self,
        source: Source,
        *,
        model: str | None = None,
        as_job: bool = False,
        **options: Unpack[ClassificationChoices],
    ) -> Classification:
        """Classify abstracts, as `Assay.classify` does."""
        with open_source(source, "abstracts") as content:
            return await self._run(self.talk.classify(content, options, model, as_job=as_job))

    async def submit(self, source: Source, kind: Kind = "rank", **options: Any) -> str:
        """Upload a file as a job and return the job's id at once."""
        with open_source(source, "input") as content:
            return await self._run(self.talk.submit(content, kind, options))

    async def job(self, job_id: str) -> JobStatus:
        """Return a job's record."""
        return await self._run(self.talk.job(job_id))

    async def follow(self, job_id: str) -> JobStatus:
        """Wait for a job's end, and return its record, FAILED or not."""
        return await self._run(self.talk.follow(job_id))

    async def cancel(self, job_id: str) -> JobStatus:
        """Stop a job."""
        return await self._run(self.talk.cancel(job_id))

    async def rerun(self, job_id: str, **options: Any) -> JobStatus:
        """Begin a new job over a job's file with other options, without another upload; None gives back a default."""
        return await self._run(self.talk.rerun(job_id, options))

    async def ranking(self, job_id: str) -> Ranking:
        """Wait for a job's end and return its ranking."""
        return as_ranking(await self._run(self.talk.results_of(job_id)))

    async def classification(self, job_id: str) -> Classification:
        """Wait for a job's end and return its abstracts."""
        return as_classification(await self._run(self.talk.results_of(job_id)))

    async def save(self, job: Mapping[str, Any], folder: str | os.PathLike[str]) -> list[Path]:
        """Write the result files of a job's record into a folder; return their paths."""
        return await self._run(self.talk.save(job, Path(folder)))

    async def models(self) -> list[dict[str, Any]]:
        """Return the published models with their metrics."""
        return await self._run(self.talk.models())

    async def health(self) -> dict[str, Any]:
        """Return which models serve."""
        return await self._run(self.talk.ask(route("health")))

    async def ask(
        self, method: str, path: str, body: Any = None, file: Source | None = None, **query: Any
    ) -> dict[str, Any]:
        """Return the JSON of any route, asked with JSON or with a file as the form's `input_file`."""
        with open_source(file if file is not None else b"", "input") as content:
            part = content if file is not None else None
            return await self._run(self.talk.ask(Call(method, path, query_of(query), body, content=part)))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def _run(self, flow: Flow[Done]) -> Done:
        """Take the steps of a conversation to its end."""
        answer = None
        while True:
            try:
                step = flow.send(answer)  # type: ignore[arg-type]  # a generator is begun by None
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
                answer = Answer()
            else:
                answer = await self._make(step)

    async def _make(self, call: Call) -> Answer:
        request = self._request(call)
        try:
            async with self._http.stream(**request) as reply:
                if call.target is None or not reply.is_success:
                    await reply.aread()
                    return _answer(reply, reply.text)
                await _write(reply.aiter_bytes(), call.target)
                return _answer(reply)
        except (httpx2.TransportError, httpx2.InvalidURL) as error:
            return _write_failure(request, error)


async def _write(pieces: AsyncIterator[bytes], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        async for piece in pieces:
            file.write(piece)


def _answer(reply: httpx2.Response, text: str = "") -> Answer:
    return Answer(reply.status_code, text, dict(reply.headers), str(reply.url))


def _write_failure(request: Mapping[str, Any], error: Exception) -> Answer:
    return Answer(0, _ERRNO.sub("", str(error)) or type(error).__name__, {}, str(request["url"]))


class ProgressBar:
    """Progress on a terminal: a bar for the upload, then one for the job. Nothing if there is no terminal."""

    def __init__(self) -> None:
        self._bar: Any = None

    def __call__(self, what: str, done: float, total: float) -> None:
        """Show how far it is, in bytes."""
        if not (total and sys.stderr.isatty()):
            return
        if self._bar is None:
            from tqdm import tqdm  # who sees no bar need not wait for it

            self._bar = tqdm(unit="B", unit_scale=True, unit_divisor=1000, file=sys.stderr)
        self._bar.set_description_str(what, refresh=False)
        self._bar.total = total
        self._bar.update(done - self._bar.n)
        if what in _ENDS or (what == "uploading" and done >= total):
            self._bar.close()
            self._bar = None


_ENDS: Final = ("done", "failed")
