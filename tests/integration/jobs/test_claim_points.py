"""A claim that dies, or loses a reply, at each of its calls: every file has one job, which is its own, and is found."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.jobs.job_records import Claim, Job, Jobs, UploadIdentity
from tests.conftest import TABLE, Aws, cloud

Fate = Literal["unsent", "unheard", "again"]
FATES: Final[tuple[Fate, ...]] = ("unsent", "unheard", "again")
WRITES: Final = frozenset({"put_item", "update_item"})


class Wire:
    """A client whose calls meet with a fate: never sent; done and not heard of; done, not heard of and sent again."""

    def __init__(self, client: Any, fates: dict[int, Fate], written: set[str]) -> None:
        self.calls, self.written = 0, written
        self._client, self._fates = client, fates

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            fate = self._fates.get(self.calls)
            self.calls += 1
            self.written.add(arguments.get("Item", arguments.get("Key", {})).get("pk", {}).get("S", ""))
            if fate == "unsent":
                raise ConnectionError
            done = getattr(self._client, name)
            if fate == "unheard":
                done(**arguments)
                raise ConnectionError
            if fate == "again" and name in WRITES:
                done(**arguments)
            return done(**arguments)

        return call


@dataclass
class Place:
    """Files dropped at keys of one table; each run has another key."""

    aws: Aws
    now: float = 1_800_000_000.0
    runs: int = 0
    granted: list[tuple[UploadIdentity, str, Claim]] = field(default_factory=list)
    written: set[str] = field(default_factory=set)

    def files(self) -> list[UploadIdentity]:
        """Return two drops of a key that was not used before."""
        self.runs += 1
        self.written.clear()
        self.granted.clear()
        return [UploadIdentity("uploads", f"rank/{self.runs}.txt", f"v{at}", f"{at:018X}") for at in (1, 2)]

    def jobs(self, fates: dict[int, Fate] | None = None) -> Jobs:
        """Return the jobs, their calls with these fates."""
        return Jobs(cast(Any, self.wire(fates or {})), TABLE, clock=lambda: self.now)

    def wire(self, fates: dict[int, Fate]) -> Wire:
        """Return a client whose calls have these fates."""
        return Wire(self.aws.dynamodb, fates, self.written)

    def claim(self, jobs: Jobs, upload: UploadIdentity, owner: str) -> None:
        """Claim an upload; a claim that dies says nothing."""
        try:
            claim = jobs.claim(upload, owner, 900)
        except ConnectionError:
            return
        if claim.granted:
            self.granted.append((upload, owner, claim))

    def records(self) -> dict[str, dict[str, str]]:
        """Return the records that were written of this run's jobs, by their ids."""
        found = {}
        for pk in sorted(each for each in self.written if each.startswith("job#")):
            item = self.aws.dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": pk}}).get("Item")
            if item:
                found[pk[4:]] = {name: str(next(iter(told.values()))) for name, told in item.items()}
        return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with pytest.MonkeyPatch.context() as patch, cloud(patch, tmp_path_factory.mktemp("scratch")) as aws:
        yield Place(aws)


def act(place: Place, way: str, order: tuple[int, ...], fates: dict[int, Fate]) -> tuple[list[UploadIdentity], int]:
    """Let two files be claimed in an order while calls meet their fates, then each again without.

    Return the files, and how many calls could have met one.
    """
    files, wire = place.files(), place.wire(fates)
    jobs = Jobs(cast(Any, wire), TABLE, clock=lambda: place.now)
    if way != "dropped":
        promise = place.jobs().enqueue(files[0].key, "rank", "caller")
        if way == "cancelled":
            place.jobs().fail(promise.id, "cancelled")
    for at in order:
        place.claim(jobs, files[at], f"one {at}")
    place.now += 61
    for at in reversed(order):
        place.claim(place.jobs(), files[at], f"two {at}")
    place.now += 901
    for at in (0, 1):
        place.claim(place.jobs(), files[at], f"three {at}")
    return files, wire.calls


def judge(place: Place, way: str, files: list[UploadIdentity]) -> None:
    """Check that each file has one job, that its claim got that job, and that no job is left over."""
    records = place.records()
    whose = Counter(record.get("identity", "nobody's") for record in records.values())
    assert whose == {one.pk: 1 for one in files}
    found = [cast(Job, place.jobs().of(one)) for one in files]
    assert [records[job.id]["identity"] for job in found] == [one.pk for one in files]
    for upload, _, claim in place.granted:
        assert claim.job_id == found[files.index(upload)].id
    cancelled = [job for job in found if job.finished]
    assert len(cancelled) == (1 if way == "cancelled" else 0)
    live = [job for job in found if not job.finished]
    assert all(job.bucket == "uploads" for job in live)
    latest = place.jobs().by_upload(files[0].key)
    assert latest is not None
    assert latest.id == found[1].id or found[1].finished
    if way != "dropped":
        assert all(job.owner == "caller" for job in found)


@pytest.mark.parametrize("way", ["dropped", "promised", "cancelled"])
@pytest.mark.parametrize("order", [pytest.param((0, 1, 0), marks=pytest.mark.slow), (1, 0)])
def test_a_claim_that_meets_a_fate_at_any_call_leaves_each_file_one_job_of_its_own(
    place: Place, way: str, order: tuple[int, ...]
) -> None:
    for fate in FATES:
        at, calls = 0, 1
        while at < calls:
            files, calls = act(place, way, order, {at: fate})
            judge(place, way, files)
            at += 1


@settings(max_examples=20, deadline=None)
@given(
    way=st.sampled_from(["dropped", "promised", "cancelled"]),
    order=st.lists(st.integers(0, 1), min_size=2, max_size=8).filter(lambda order: len(set(order)) == 2).map(tuple),
    fates=st.dictionaries(st.integers(0, 50), st.sampled_from(FATES), max_size=12),
)
def test_claims_that_meet_many_fates_leave_each_file_one_job_of_its_own(
    place: Place, way: str, order: tuple[int, ...], fates: dict[int, Fate]
) -> None:
    judge(place, way, act(place, way, order, fates)[0])


def test_a_file_that_was_promised_a_job_and_died_has_its_own_when_another_took_it(place: Place) -> None:
    """The promise is named by both files' items; only one reserves it, and the other's dead letter finds no job."""
    (one, two), jobs = place.files(), place.jobs()
    promise = jobs.enqueue(one.key, "rank")
    calls = _calls_until(place, one, "job#")
    assert place.jobs().of(one) is None
    assert jobs.claim(two, "two", 900) == Claim(promise.id, "new")
    jobs.succeed(promise.id, {}, {})
    assert (jobs.of(one), calls > 0) == (None, True)
    assert jobs.claim(one, "three", 900).state == "running"
    again = jobs.claim(one, "one", 900)
    assert (again.state, again.attempt) == ("taken_over", 2)
    assert again.job_id != promise.id
    assert jobs.claim(two, "three", 900) == Claim(promise.id, "done")


def _calls_until(place: Place, upload: UploadIdentity, prefix: str) -> int:
    """Let a claim die before it updates an item of this prefix; return how many calls it made."""
    wire = place.wire({})

    def update_item(**arguments: Any) -> Any:
        if arguments["Key"]["pk"]["S"].startswith(prefix):
            raise ConnectionError
        return place.aws.dynamodb.update_item(**arguments)

    wire.__dict__["update_item"] = update_item
    with pytest.raises(ConnectionError):
        Jobs(cast(Any, wire), TABLE, clock=lambda: place.now).claim(upload, "one", 900)
    return wire.calls


Step = Callable[[Jobs, UploadIdentity, str], Any]
STEPS: Final[dict[str, Step]] = {
    "claim": lambda jobs, upload, _: jobs.claim(upload, "one", 900),
    "claim by another": lambda jobs, upload, _: jobs.claim(upload, "two", 900),
    "release": lambda jobs, upload, _: jobs.release(upload, "one"),
    "start": lambda jobs, _, job_id: jobs.start(job_id, {}, shards=2),
    "conclude": lambda jobs, _, job_id: jobs.conclude(job_id),
    "succeed": lambda jobs, _, job_id: jobs.succeed(job_id, {"received": 2}, {"summary": "s"}),
    "fail": lambda jobs, _, job_id: jobs.fail(job_id, "no", said={"no": 1}),
    "agree": lambda jobs, _, job_id: (word := jobs.last_word(job_id)) and jobs.agree(job_id, word, {}, sure=True),
    "reopen": lambda jobs, _, job_id: jobs.reopen(job_id),
}


def play(place: Place, steps: list[str], lost: bool) -> list[Any]:
    """Take steps with a job, the reply to each write lost once or not; return what each said and left of the job."""
    upload, ended = place.files()[0], list[str]()
    fates: dict[int, Fate] = dict.fromkeys(range(500), "again") if lost else {}
    jobs = Jobs(cast(Any, place.wire(fates)), TABLE, clock=lambda: place.now, ended=_note(ended))
    job_id = jobs.claim(upload, "one", 900).job_id
    said = [(name, STEPS[name](jobs, upload, job_id), jobs.get(job_id)) for name in steps]
    return [_plain(each, job_id, upload) for each in (*said, *ended)]


def _note(ended: list[str]) -> Callable[[Job], None]:
    return lambda job: ended.append(job.state)


def _plain(told: Any, job_id: str, upload: UploadIdentity) -> str:
    return repr(told).replace(job_id, "ID").replace(upload.key, "KEY")


@settings(max_examples=15, deadline=None)
@given(steps=st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=8))
def test_a_write_whose_reply_was_lost_and_that_is_sent_again_says_what_it_did(place: Place, steps: list[str]) -> None:
    assert play(place, steps, lost=True) == play(place, steps, lost=False)


@pytest.mark.parametrize("steps", [[], ["fail"], ["start", "succeed"], ["fail", "agree"], ["release"]])
@pytest.mark.parametrize("step", sorted(STEPS))
def test_each_write_sent_again_says_what_it_did(place: Place, steps: list[str], step: str) -> None:
    assert play(place, [*steps, step], lost=True) == play(place, [*steps, step], lost=False)


def test_of_two_files_that_were_promised_one_job_each_has_one_though_they_take_turns(place: Place) -> None:
    """One reads what is promised, the other claims it, and the first goes on: at each of its calls."""
    for pause in range(1, 9):
        one, two = place.files()
        place.jobs().enqueue(one.key, "rank")
        wire = _Pausing(place.wire({}), pause, lambda: place.jobs().claim(two, "two", 900))  # noqa: B023
        first = Jobs(cast(Any, wire), TABLE, clock=lambda: place.now).claim(one, "one", 900)
        second = place.jobs().claim(replace(two), "two", 900)
        assert (first.state, second.job_id != first.job_id) == ("new", True)
        records = place.records()
        assert {records[first.job_id]["identity"], records[second.job_id]["identity"]} == {one.pk, two.pk}
        assert len(records) == 2


class _Pausing:
    """A client that does something else before its call `at`."""

    def __init__(self, client: Any, at: int, act: Callable[[], Any]) -> None:
        self._client, self._left, self._act = client, at, act

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            self._left -= 1
            if self._left == 0:
                self._act()
            return getattr(self._client, name)(**arguments)

        return call
