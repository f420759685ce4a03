"""What the client says to a service, without a socket: each conversation's steps are answered by hand."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.client import CallFailed, JobFailed, Refused, Unreachable, conversation
from assay.client.conversation import Answer, Call, Flow, Patience, Pause, Talk
from assay.client.sources import Content, FormPart, open_source
from assay.text.csv_writer import csv_text, escape_formula

JOB = "0b8e3c1f6a5d4f0e9c7b2a1d8e6f4c3b"
COUNTS = {"received": 2, "scored": 1, "passed": 1, "returned": 1, "rejected": 1, "duplicates": 0}
ROW = {"rank": 1, "sequence": "A" * 50, "score": 1.5, "gate": 0.25, "line": 1, "id": None}
RANKING = {"ranked": [ROW], "counts": COUNTS, "rejected": [], "models": {}, "notices": []}
LINKS = {name: f"https://s3/{file}" for name, file in (("ranking", "ranking.csv"), ("rejected", "rejected.csv"))}
HOW_FAR = {"bytes_done": 5, "bytes_total": 10, "records": 1, "phase": "ranking"}
RECORD = {"job_id": JOB, "kind": "rank", "progress": 0.5, "work": HOW_FAR, "reason": "no such column"}
OFFER = {"job_id": JOB, "max_bytes": 5 << 30, "upload": {"url": "https://s3/", "fields": {"key": "k"}}}
Said = list[Call | Pause]


def take(flow: Flow[Any], reply: Callable[[Call], Answer], said: Said | None = None) -> Any:
    """Take a conversation's steps, each call answered by `reply`; return what it comes to."""
    answer: Any = None
    while True:
        try:
            step = flow.send(answer)
        except StopIteration as end:
            return end.value
        if said is not None:
            said.append(step)
        answer = reply(step) if isinstance(step, Call) else Answer()


def say(body: object, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(body), headers, "http://service/x")


def talk(tries: int = 5) -> Talk:
    return Talk(Patience(tries), lambda *_: None)


@pytest.fixture
def content() -> Any:
    with open_source(["A" * 50], "sequences") as found:
        yield found


@settings(max_examples=30)
@given(st.lists(st.sampled_from([429, 503]), max_size=8), st.integers(1, 6), st.integers(0, 20))
def test_a_busy_service_is_asked_again_no_sooner_than_it_says(busy: list[int], tries: int, after: int) -> None:
    said: Said = []
    statuses = iter([*busy, 200])
    flow = talk(tries).send(Call("GET", "/health"))
    answer = take(flow, lambda _: say({}, next(statuses), **{"retry-after": str(after)}), said)
    calls, pauses = [s for s in said if isinstance(s, Call)], [s for s in said if isinstance(s, Pause)]
    assert len(calls) == min(tries, len(busy) + 1) == len(pauses) + 1
    assert answer.is_good == (len(busy) < tries)
    assert all(after <= pause.seconds <= after * 1.25 for pause in pauses)


def test_waits_differ_so_that_clients_do_not_return_together() -> None:
    call, busy = Call("GET", "/health"), Answer(503, headers={"retry-after": "8"})
    assert len({Patience().wait(call, busy, 1) for _ in range(20)}) > 1


@pytest.mark.parametrize("after", ["", "soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", "1e9"])
def test_a_strange_retry_after_is_a_short_wait(after: str) -> None:
    seconds = [Patience().wait(Call("GET", "/"), Answer(429, headers={"retry-after": after}), 2) for _ in range(5)]
    assert all(wait is not None and 0.5 < wait < 7 for wait in seconds)


def test_a_quota_that_is_used_up_for_the_day_is_not_waited_for() -> None:
    said: Said = []
    error = {"error": {"code": "quota_exceeded", "message": "come back tomorrow", "details": {}}}
    with pytest.raises(Refused, match="429: come back tomorrow") as caught:
        take(talk().ask(Call("GET", "/models")), lambda _: say(error, 429, **{"retry-after": "43200"}), said)
    assert len(said) == 1
    assert (caught.value.code, caught.value.status) == ("quota_exceeded", 429)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 415, 422, 500, 504])
def test_what_will_not_change_is_not_asked_again(status: int) -> None:
    said: Said = []
    with pytest.raises(Refused):
        take(talk().ask(Call("POST", "/rank")), lambda _: say({}, status), said)
    assert len(said) == 1


def test_a_broken_connection_is_mended_where_asking_twice_changes_nothing() -> None:
    answers = iter([Answer(0, "reset"), say({"job_id": JOB})])
    assert take(talk().job(JOB), lambda _: next(answers)) == {"job_id": JOB}
    with pytest.raises(Unreachable, match="nothing answers"):
        take(talk().ask(Call("POST", "/uploads")), lambda _: Answer(0, "reset"))


def test_details_of_a_refusal_are_kept_whatever_they_are_called() -> None:
    error = {"code": "invalid_option", "message": "no", "details": {"message": 1, "self": 2, "option": "top_k"}}
    with pytest.raises(Refused) as caught:
        take(talk().ask(Call("POST", "/rank")), lambda _: say({"error": error}, 400))
    assert caught.value.details["option"] == "top_k"


@pytest.mark.parametrize("text", ["", "<html>", "[]", "null", '"x"', "5", '{"error": "no"}', '{"error": null}'])
@pytest.mark.parametrize("status", [200, 400, 502])
def test_an_answer_that_is_not_assays_is_a_refusal(text: str, status: int) -> None:
    if status == 200 and text.startswith("{"):
        return
    with pytest.raises(Refused):
        take(talk().ask(Call("GET", "/health")), lambda _: Answer(status, text, {}, "http://x/"))


def test_a_large_reply_is_fetched_by_its_link(content: Content) -> None:
    def reply(call: Call) -> Answer:
        stored = {"result_url": "https://s3/r.json", "counts": COUNTS, "models": {"score": 1}, "notices": []}
        return say(RANKING if call.url.startswith("https") else stored)

    assert take(talk().rank(content, {}, as_job=False), reply).rows == [ROW]


def job_reply(call: Call, *, ranking: str, rejected: str = "line,reason,detail\n", state: str = "SUCCEEDED") -> Answer:
    """Answer as a service does whose job has ended."""
    if call.url == "/uploads":
        return say(OFFER, 201)
    if call.url == "https://s3/":
        return Answer(204)
    if call.url.startswith("/jobs/"):
        return say({**RECORD, "state": state, "results": {**LINKS, "summary": "https://s3/ranking.json"}})
    if call.url.endswith(".json"):
        return say({"counts": COUNTS, "models": {}, "notices": []})
    return Answer(206, ranking if call.url.endswith("ranking.csv") else rejected, {"content-range": "bytes 0-9/10"})


CSV = "rank,sequence,score,gate,line,id,note\n1,AAA,1.5,0.25,1,x,'=1+1\n"


@pytest.mark.parametrize("refusal", [413, None])
def test_what_is_too_much_for_a_request_becomes_a_job(content: Content, refusal: int | None) -> None:
    if refusal is None:
        content = Content(content.name, conversation.SMALL + 1, content.stream)
    reply = lambda call: say({}, 413) if call.url == "/rank" else job_reply(call, ranking=CSV)  # noqa: E731
    said: Said = []
    found = take(talk().rank(content, {"top_k": 3, "column": None}, as_job=False), reply, said)
    calls = [step for step in said if isinstance(step, Call)]
    assert [call.url for call in calls if call.method == "POST"][-2:] == ["/uploads", "https://s3/"]
    assert ("/rank" in [call.url for call in calls]) == (refusal is not None)
    wish = next(call.body for call in calls if call.url == "/uploads")
    assert wish == {"filename": "sequences.json", "kind": "rank", "top_k": 3}
    assert (found.job_id, found[0]["columns"]) == (JOB, {"note": "=1+1"})


def test_a_request_that_the_service_made_a_job_is_followed(content: Content) -> None:
    accepted = {"job_id": JOB, "status_url": f"jobs/{JOB}"}
    reply = lambda call: say(accepted, 202) if call.url == "/rank" else job_reply(call, ranking=CSV)  # noqa: E731
    assert take(talk().rank(content, {}, as_job=False), reply).job_id == JOB


def test_a_job_that_failed_says_why(content: Content) -> None:
    with pytest.raises(JobFailed, match="no such column") as caught:
        take(talk().results_of(JOB), lambda call: job_reply(call, ranking=CSV, state="FAILED"))
    assert caught.value.job["job_id"] == JOB


def test_a_job_is_looked_at_less_and_less_often() -> None:
    states = iter(["QUEUED", *["RUNNING"] * 12, "SUCCEEDED"])
    said: Said = []
    told: list[tuple[str, float, float]] = []
    followed = Talk(Patience(), lambda *now: told.append(now)).follow(JOB)
    take(followed, lambda _: say({**RECORD, "state": next(states)}), said)
    waits = [step.seconds for step in said if isinstance(step, Pause)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (conversation.FIRST_WAIT, conversation.LONGEST_WAIT)
    assert told[-1] == ("ranking", 5, 10)


def test_a_service_that_tells_progress_as_a_share_is_followed_too() -> None:
    told: list[tuple[str, float, float]] = []
    record = {name: value for name, value in RECORD.items() if name != "work"} | {"state": "SUCCEEDED"}
    take(Talk(Patience(), lambda *now: told.append(now)).follow(JOB), lambda _: say(record))
    assert told == [("done", 0.5, 1.0)]


@pytest.mark.parametrize(
    ("name", "job"), [("abstracts.json", True), ("list.csv", True), ("a.txt", False), ("a.pdf", False)]
)
def test_one_text_never_becomes_a_job_of_its_lines(name: str, job: bool) -> None:
    said: Said = []
    refuse = lambda call: say({}, 413) if call.url == "/classify" else say({}, 400)  # noqa: E731
    with open_source(b"x" * 60, name) as content, pytest.raises(CallFailed):
        take(talk().classify(content, {}, None, as_job=False), refuse, said)
    assert ("/uploads" in [step.url for step in said if isinstance(step, Call)]) == job


def test_a_named_model_is_part_of_the_path_and_nothing_else() -> None:
    said: Said = []
    with open_source(["x" * 60], "abstracts") as content, pytest.raises(Refused):
        take(talk().classify(content, {}, "a/../b?c", as_job=False), lambda _: say({}, 404), said)
    assert [step.url for step in said if isinstance(step, Call)] == ["/models/a%2F..%2Fb%3Fc/classify"]


def test_models_are_listed_to_the_last_page() -> None:
    pages = {"/models": {"models": [{"name": "a"}], "next": "models?limit=1&after=a"}}
    reply = lambda call: say(pages.get(call.url, {"models": [{"name": "b"}]}))  # noqa: E731
    assert [model["name"] for model in take(talk().models(), reply)] == ["a", "b"]


@settings(max_examples=30)
@given(
    st.lists(st.tuples(*[st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=9)] * 2), max_size=5)
)
def test_cells_of_a_job_are_those_that_were_sent(cells: list[tuple[str, str]]) -> None:
    lines = [[at, "A" * 50, 1.5, -0.5, at, *map(escape_formula, pair)] for at, pair in enumerate(cells, 1)]
    text = csv_text([["rank", "sequence", "score", "gate", "line", "id", "note"], *lines])
    found = take(talk().results_of(JOB), lambda call: job_reply(call, ranking=text))
    assert [(row["id"], row["columns"]["note"]) for row in found] == [(name or None, note) for name, note in cells]
    assert [list(row) for row in found] == [[*ROW, "columns"]] * len(cells)


def test_the_first_rejects_of_a_list_that_was_cut_are_whole() -> None:
    def reply(call: Call) -> Answer:
        if not call.url.endswith("rejected.csv"):
            return job_reply(call, ranking=CSV)
        assert call.headers["Range"] == f"bytes=0-{conversation.REJECTS_BYTES - 1}"
        return Answer(206, "line,reason,detail\n3,length,5 residues\n7,res", {"content-range": "bytes 0-9/99999999"})

    found = take(talk().results_of(JOB), reply)
    assert found.rejected == [{"line": 3, "reason": "length", "detail": "5 residues"}]


@settings(max_examples=30)
@given(st.binary(max_size=300), st.integers(0, 20), st.integers(1, 64))
def test_a_part_is_its_bytes_from_where_the_file_stands_however_often_it_is_read(
    body: bytes, start: int, piece: int
) -> None:
    stream = io.BytesIO(body)
    stream.seek(start)
    with open_source(stream, "x") as content:
        part = FormPart(content, lambda *_: None)
        for _ in range(2):
            part.seek(0)
            assert b"".join(iter(lambda: part.read(piece), b"")) == body[start:]
        assert part.seek(0, 2) == content.size == len(body[start:])


def test_a_sequence_given_as_a_path_is_explained() -> None:
    with (
        pytest.raises(FileNotFoundError, match="put text that is no file's name into a list"),
        open_source("A" * 50, "x"),
    ):
        pass
