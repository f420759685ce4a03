"""A job's books: shards' bytes add up to the object and outcomes to the records, or nothing is shown."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from assay.errors import ShardFailed, Unaccounted
from assay.jobs import rank_files
from assay.jobs.merging import Ledger
from assay.jobs.rank_files import rank_shard
from assay.jobs.steps import redrive
from assay.jobs.workspace import ShardResult, partial_key
from tests.conftest import delete_objects
from tests.events import Context
from tests.integration.drops import GOOD, Drop
from tests.integration.faults import BODY, OPEN, SHARD, SHARDS, Cut, desk, whole

CSV = ("sequence,note\n" + f"{GOOD},a\n" * 40).encode()
FASTA = (f">one two\n{GOOD[:20]}\n{GOOD[20:]}\n" * 40).encode()
Change = Callable[[ShardResult], ShardResult]


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch) -> list[ShardResult]:
    """Return what shards' results enter a job's books, wherever the job is done."""
    found: list[ShardResult] = []
    enter = Ledger.enter

    def note(ledger: Ledger, result: ShardResult) -> None:
        found.append(result)
        enter(ledger, result)

    monkeypatch.setattr(Ledger, "enter", note)
    return found


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.txt", BODY),
        ("a.txt", BODY.replace(b"\n", b"\r\n")),
        ("a.txt", b"\xef\xbb\xbf" + BODY[:-1]),
        ("a.txt", b"M" * 2000),
        ("a.txt", b"\n" * 700),
        ("a.txt", b""),
        ("a.csv", CSV),
        ("a.json", (json.dumps({"sequences": [GOOD, GOOD[::-1], "MKV"] * 9}) + "\n\n  \n").encode()),
        ("a.jsonl", (json.dumps({"sequence": GOOD}) + "\n").encode() * 20),
        ("a.fasta", FASTA),
        ("a.fasta", b"before\n" * 100 + FASTA),
        ("a.txt.gz", gzip.compress(BODY * 30)),
        ("a.txt.gz", gzip.compress(BODY) + gzip.compress(BODY) + bytes(100)),
    ],
)
@pytest.mark.parametrize("size", [97, 1 << 20])
def test_shards_state_every_byte_of_the_object_once(
    drop: Drop, cut: Cut, entered: list[ShardResult], name: str, body: bytes, size: int
) -> None:
    cut(size)
    job_id = drop.done(f"rank/{name}", body, **OPEN)
    found = entered[:]
    assert found
    assert drop.summary(job_id)["state"] == "SUCCEEDED"
    assert sum(each.size or 0 for each in found) == len(body)
    spans = [(each.first, each.first + (each.size or 0)) for each in found if each.size]
    assert [start for start, _ in spans] == [0, *(stop for _, stop in spans)][: len(spans)]


def test_shards_of_abstracts_do_too(paper_drop: Drop, cut: Cut, entered: list[ShardResult]) -> None:
    cut(64 * 16)
    body = (("A study of proteins and their stability in cells of many kinds. " * 2 + "\n") * 8 + "short\n\n").encode()
    job_id = paper_drop.done("classify/a.txt", body)
    found = entered[:]
    assert len(found) > 1
    assert sum(each.size or 0 for each in found) == len(body)
    counts = paper_drop.summary(job_id)["counts"]
    assert counts == {"received": 10, "classified": 8, "rejected": 2}


WRONG: dict[str, tuple[Change, str]] = {
    "a shard that read less": (lambda each: replace(each, size=(each.size or 0) - 1), "bytes"),
    "a shard that read more": (lambda each: replace(each, size=(each.size or 0) + 40), "bytes"),
    "a shard that began elsewhere": (lambda each: replace(each, first=each.first + 1), "begins at byte"),
    "a record without an outcome": (
        lambda each: replace(each, counts={**each.counts, "received": each.counts["received"] + 1}), "counts received"
    ),
    "an outcome without a record": (
        lambda each: replace(each, counts={**each.counts, "scored": each.counts["scored"] + 1}), "counts received"
    ),
    "more passed than scored": (lambda each: replace(each, counts={**each.counts, "passed": 10**6}), "counts received"),
    "more rejects counted than written": (
        lambda each: replace(
            each,
            counts={
                **each.counts, "rejected": each.counts["rejected"] + 1, "received": each.counts["received"] + 1
            },
        ),
        "lines were written",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_job_whose_books_do_not_add_up_is_refused(drop: Drop, cut: Cut, what: str) -> None:
    from rank.jobs import merge_handler

    cut(SHARD)
    shard, (change, told) = 1, WRONG[what]
    saved: list[int] = []

    def spoil(name: str, event: dict[str, Any]) -> None:
        if name == "RankMerge" and "step" not in event and not saved:
            saved.append(1)
            working = desk().open_workspace(event["job_id"])
            working.save(change(working.load(shard)))

    drop.machine.fault = spoil
    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    job = drop.job(job_id)
    assert job.state == drop.summary(job_id)["state"] == "FAILED"
    assert told in job.reason
    assert "ranking.csv" not in drop.names(job_id)
    assert [each["job_id"] for each in drop.machine.buried()] == [job_id]
    if "lines were written" not in told:
        redrive(desk(), job_id)
        assert drop.machine.wait(f"{job_id}-2") == "SUCCEEDED"
        whole(drop, job_id)
    else:
        with pytest.raises(Unaccounted):
            merge_handler({"job_id": _live(job_id), "kind": "rank"}, Context())


@pytest.mark.parametrize("what", WRONG)
def test_nor_are_those_of_a_job_done_in_memory(drop: Drop, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    change, told = WRONG[what]
    event = drop.put("rank/a.txt", BODY, **OPEN)
    with monkeypatch.context() as patch:
        patch.setattr(rank_files, "rank_shard", lambda *given: change(rank_shard(*given)))
        for _ in range(3):
            with pytest.raises(Unaccounted):
                drop(event)
    job = desk().jobs.by_upload("rank/a.txt")
    assert job is not None
    assert job.state == drop.summary(job.id)["state"] == "FAILED"
    assert told in job.reason
    assert "ranking.csv" not in drop.names(job.id)
    redrive(desk(), job.id)
    assert drop.machine.wait(f"{job.id}-2") == "SUCCEEDED"
    whole(drop, job.id)


def _live(job_id: str) -> str:
    assert desk().jobs.reopen(job_id)
    return job_id


def test_two_wrongs_that_cancel_each_other_are_wrong(drop: Drop, cut: Cut) -> None:
    cut(SHARD)

    def spoil(name: str, event: dict[str, Any]) -> None:
        if name == "RankMerge" and "step" not in event:
            working = desk().open_workspace(event["job_id"])
            for shard, more in ((0, 7), (2, -7)):
                result = working.load(shard)
                working.save(replace(result, size=(result.size or 0) + more))

    drop.machine.fault = spoil
    assert drop.job(drop.done("rank/a.txt", BODY, **OPEN)).state == "FAILED"


def test_results_of_earlier_versions_state_no_bytes_and_are_merged(drop: Drop, cut: Cut) -> None:
    cut(SHARD)

    def old(name: str, event: dict[str, Any]) -> None:
        if name == "RankMerge":
            working = desk().open_workspace(event["job_id"])
            for shard in working.list_done():
                body = json.loads(working.load(shard).to_json())
                for new in ("first", "size"):
                    del body[new]
                working.results.put(partial_key(event["job_id"], shard), json.dumps(body).encode(), "application/json")

    drop.machine.fault = old
    whole(drop, drop.done("rank/a.txt", BODY, **OPEN))


@pytest.mark.parametrize("gone", [(0,), (1, 3), tuple(range(SHARDS))])
def test_a_merge_names_the_shards_that_left_nothing_and_writes_nothing(
    drop: Drop, cut: Cut, gone: tuple[int, ...]
) -> None:
    from rank.jobs import merge_handler

    cut(SHARD)
    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    place = desk()
    place.jobs._table.set(f"job#{job_id}", {"state": "RUNNING"}, "attribute_exists(#pk)")
    delete_objects(place.results, *(f"results/{job_id}/{name}" for name in drop.names(job_id)))
    delete_objects(place.results, *(partial_key(job_id, shard) for shard in gone))
    with pytest.raises(ShardFailed) as told:
        merge_handler({"job_id": job_id, "kind": "rank"}, Context())
    for shard in gone[:5]:
        assert f"shard {shard + 1} of {SHARDS} (bytes {shard * SHARD:,} to" in told.value.message
    assert told.value.details["shards"] == list(gone[:5])
    assert drop.names(job_id) == []


def test_a_result_of_another_plan_is_none_of_this_one(drop: Drop, cut: Cut) -> None:
    from rank.jobs import merge_handler

    cut(SHARD)
    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    desk().jobs._table.set(f"job#{job_id}", {"state": "RUNNING"}, "attribute_exists(#pk)")
    working = desk().open_workspace(job_id)
    working.save(replace(working.load(2), pin="another"))
    with pytest.raises(ShardFailed, match=f"shard 3 of {SHARDS}"):
        merge_handler({"job_id": job_id, "kind": "rank"}, Context())
