"""`assay jobs verify`: what is recomputed of a job holds, and a result that was changed is seen."""

import gzip
import json
from collections.abc import Callable

import pytest

from assay.errors import NotFound
from assay.jobs import rejects
from tests.conftest import delete_objects
from tests.integration.drops import GOOD, OTHER, Drop
from tests.integration.faults import BODY, OPEN, Cut, desk
from tools.admin.proofs import Proof, verify_job

CSV = ("id,sequence,note\n" + "".join(f"d{at},{GOOD if at % 3 else OTHER[1:]},n\n" for at in range(40))).encode()
FASTA = "".join(f">p{at} x\n{GOOD}{OTHER}\n" for at in range(12)).encode()


def proofs(drop: Drop, job_id: str) -> dict[str, Proof]:
    """Return what was recomputed by name."""
    return {each.name: each for each in verify_job(drop.aws.results, drop.aws.uploads, job_id)}


def wrong(drop: Drop, job_id: str) -> list[str]:
    """Return the names of what does not hold."""
    return [name for name, each in proofs(drop, job_id).items() if each.holds is False]


@pytest.mark.parametrize("size", [300, 1 << 20])
@pytest.mark.parametrize(
    ("name", "body", "options"),
    [
        ("a.txt", BODY, {}),
        ("a.txt", b"\xef\xbb\xbf" + BODY.replace(b"\n", b"\r\n")[:-2], {"output": "all", "top-k": "2"}),
        ("a.csv", CSV, {"output": "all"}),
        ("a.fasta", FASTA, {"window": "50", "step": "7"}),
        ("a.txt.gz", gzip.compress(BODY * 5), {"output": "all", "gate": "off"}),
        ("a.txt", b"", {}),
        ("a.txt", b"MKV\n\n", {"output": "all"}),
    ],
)
def test_what_is_recomputed_of_a_ranking_is_what_it_says(
    drop: Drop, cut: Cut, name: str, body: bytes, options: dict[str, str], size: int
) -> None:
    cut(size)
    job_id = drop.done(f"rank/{name}", body, **{**OPEN, **options})
    found = proofs(drop, job_id)
    assert [each for each in found.values() if not each.holds] == []
    assert {"outcomes", "ranking", "order", "rejects", "source bytes", "source records"} <= found.keys()
    assert ("ranking again" in found) == ("output" in options)


def test_rejects_in_parts_are_counted_part_by_part(drop: Drop, cut: Cut, monkeypatch: pytest.MonkeyPatch) -> None:
    cut(300)
    monkeypatch.setattr(rejects, "ONE_FILE", 60)
    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    assert "rejected.json" in drop.names(job_id)
    assert wrong(drop, job_id) == []
    listed = json.loads(drop.text(job_id, "rejected.json"))
    delete_objects(drop.aws.results, listed["parts"].pop()["key"])
    drop.aws.results.put(f"results/{job_id}/rejected.json", json.dumps(listed).encode(), "application/json")
    assert "rejects" in wrong(drop, job_id)


def test_abstracts_are_recomputed_too(paper_drop: Drop, cut: Cut) -> None:
    cut(64 * 16)
    body = (("A study of proteins and their stability in cells of many kinds. " * 2 + "\n") * 8 + "short\n\n").encode()
    job_id = paper_drop.done("classify/a.txt", body)
    assert [each for each in proofs(paper_drop, job_id).values() if not each.holds] == []
    whole = paper_drop.text(job_id, "classification.jsonl").splitlines(keepends=True)
    paper_drop.aws.results.put(f"results/{job_id}/classification.jsonl", "".join(whole[:-1]).encode(), "")
    assert wrong(paper_drop, job_id) == ["classification"]


CHANGES: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "a row less": ("ranking.csv", lambda text: b"".join(text.splitlines(keepends=True)[:-1]), "ranking"),
    "a row twice": ("ranking.csv", lambda text: text + text.splitlines(keepends=True)[-1], "order"),
    "another order": (
        "ranking.csv",
        lambda text: b"".join([(rows := text.splitlines(keepends=True))[0], *rows[2:], rows[1]]),
        "order",
    ),
    "another line": ("ranking.csv", lambda text: text.replace(b",1,", b",5,"), "source sequences"),
    "a reject less": ("rejected.csv", lambda text: b"".join(text.splitlines(keepends=True)[:-1]), "rejects"),
    "a reject that is ranked": ("rejected.csv", lambda text: text.replace(b"\n3,", b"\n2,"), "rejects in order"),
    "scores less": (
        "scores/part-00000.csv.gz",
        lambda data: gzip.compress(b"".join(gzip.decompress(data).splitlines(keepends=True)[:-1])),
        "scores",
    ),
    "a better score": (
        "scores/part-00000.csv.gz",
        lambda data: gzip.compress(
            gzip.decompress(data).replace(OTHER.encode(), b"W" * 50).replace(b"W" * 50 + b",", b"W" * 50 + b",9")
        ),
        "ranking again",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_result_that_was_changed_is_seen(drop: Drop, what: str) -> None:
    name, change, seen = CHANGES[what]
    job_id = drop.done("rank/a.txt", BODY, **OPEN, output="all")
    assert wrong(drop, job_id) == []
    drop.aws.results.put(f"results/{job_id}/{name}", change(drop.result(job_id, name)), "")
    assert seen in wrong(drop, job_id)


@pytest.mark.parametrize("counted", ["received", "scored", "rejected", "passed", "returned"])
def test_a_count_that_was_changed_is_seen(drop: Drop, counted: str) -> None:
    job_id = drop.done("rank/a.txt", BODY, **OPEN, output="all")
    summary = drop.summary(job_id)
    summary["counts"][counted] += 1
    drop.aws.results.put(f"results/{job_id}/ranking.json", json.dumps(summary).encode(), "application/json")
    assert wrong(drop, job_id) != []


def test_what_cannot_be_recomputed_is_left_out_by_name(drop: Drop) -> None:
    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    delete_objects(drop.aws.uploads, "rank/a.txt")
    assert proofs(drop, job_id)["source"].said.startswith("not there any more")
    (source,) = [each for each in verify_job(drop.aws.results, None, job_id) if each.name == "source"]
    assert source.holds is None
    refused = drop.done("rank/b.txt", BODY, top_k="0")
    assert [each.holds for each in verify_job(drop.aws.results, drop.aws.uploads, refused)] == [None]
    with pytest.raises(NotFound):
        list(verify_job(desk().results, None, "none"))
