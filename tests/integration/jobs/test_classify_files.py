"""Files of abstracts dropped under classify/: each kind of file, its rejects, the same bytes for any split."""

import base64
import csv
import gzip
import io
import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from assay.abstracts import cleaning
from assay.abstracts import cleaning as preparing
from assay.abstracts.abstract_records import Layout
from assay.jobs.classify_files import add_labels, sniff_layout
from assay.jobs.steps import redrive
from assay.jobs.workspace import ShardResult
from assay.models import text_classifier
from assay.models.loading import Inputs, LoadedModel
from assay.options import ClassifyOptions
from classify import jobs as classify_jobs
from classify.reply import FORMS
from classify.request import ClassifyRequest
from classify.services import services
from tests import events
from tests.conftest import delete_objects
from tests.events import Context
from tests.integration.drops import Drop
from tests.integration.machines import Died

GOOD = "We measure the charge radius of a light nucleus with a beam of muons and compare it to older work."
OTHER = "A neural network learns the energies of small molecules from many thousands of computed examples."
ENDS = ("\n", "\r\n", "\r")
SIXTEENTH = 16
"""A shard of abstracts has so many times fewer bytes than one of sequences."""
RESULTS = ("classification.jsonl", "rejected.csv")
Cut = Callable[..., None]


def lines(drop: Drop, job_id: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in drop.text(job_id, "classification.jsonl").splitlines()]


def numbered(drop: Drop, job_id: str) -> list[tuple[str, str]]:
    return [(row["line"], row["reason"]) for row in drop.rows(job_id, "rejected.csv")]


def test_an_abstract_a_line(paper_drop: Drop) -> None:
    body = f"\ufeff{GOOD}\r\n\r\nToo short.\r{OTHER}\n{'x' * 6000}\n".encode() + b"\xff" * 60
    job_id = paper_drop.done("classify/a.txt", body)
    found = lines(paper_drop, job_id)
    assert [each["line"] for each in found] == [1, 4]
    assert list(found[0]) == ["line", "id", "labels", "scores", "tokens", "truncated"]
    rejects = [("2", "empty"), ("3", "length"), ("5", "length"), ("6", "encoding")]
    assert numbered(paper_drop, job_id) == rejects
    summary = paper_drop.summary(job_id)
    assert summary["state"] == "SUCCEEDED"
    assert summary["counts"] == {"received": 6, "classified": 2, "rejected": 4}
    assert summary["models"] == {"classifier": {"name": "tiny-text", "version": "1"}}
    job = paper_drop.job(job_id)
    assert (job.kind, job.state, dict(job.counts)) == ("classify", "SUCCEEDED", summary["counts"])
    assert set(job.results) == {"classification", "rejected", "summary"}


def test_no_abstract_of_a_file_shares_a_run_with_another(paper_drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, unchanged = list[int](), LoadedModel.run

    def run(model: LoadedModel, inputs: Inputs) -> Any:
        rows.append(len(inputs["input_ids"]))
        return unchanged(model, inputs)

    monkeypatch.setattr(text_classifier, "_shape", lambda model: (None, None))
    monkeypatch.setattr(LoadedModel, "run", run)
    job_id = paper_drop.done("classify/a.txt", f"{GOOD}\n{OTHER}\n{GOOD} {OTHER}\n".encode())
    assert len(lines(paper_drop, job_id)) == 3
    assert set(rows) == {1}


def test_a_line_that_takes_too_long_costs_its_own_row(paper_drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    spent, unchanged = [0.0], cleaning.clean

    def clean(text: str) -> str:
        spent[0] += 10 * text.startswith("Slow")
        return unchanged(text)

    monkeypatch.setattr(preparing, "clean", clean)
    monkeypatch.setattr(preparing, "thread_time", lambda: spent[0])
    job_id = paper_drop.done("classify/a.txt", f"{GOOD}\nSlow. {GOOD}\n{OTHER}\n".encode())
    assert [each["line"] for each in lines(paper_drop, job_id)] == [1, 3]
    assert numbered(paper_drop, job_id) == [("2", "slow")]


def test_lines_without_a_label_are_a_notice_of_the_summary(paper_drop: Drop, cut: Cut) -> None:
    cut(120)
    job_id = paper_drop.done("classify/a.txt", f"{GOOD}\nshort\n{OTHER}\n".encode(), threshold="1")
    told = {each["code"]: each for each in paper_drop.summary(job_id)["notices"]}["no_label"]
    assert (told["lines"], told["count"]) == ([1, 3], 2)


def test_labels_are_counted_over_the_whole_file_whatever_the_cut(paper_drop: Drop, cut: Cut) -> None:
    body = "".join(f"{text}\nshort\n" for text in (GOOD, OTHER, GOOD, f"{OTHER} {GOOD}")).encode()
    whole = paper_drop.done("classify/a.txt", body, threshold="0.4")
    expected = Counter(each["label"] for line in lines(paper_drop, whole) for each in line["labels"])
    counts = paper_drop.summary(whole)["label_counts"]
    assert counts == expected
    assert 0 < sum(counts.values()) < 4 * len(lines(paper_drop, whole)[0]["scores"])
    assert [*counts.values()] == sorted(counts.values(), reverse=True)
    cut(120)
    parts = paper_drop.done("classify/b.txt", body, threshold="0.4")
    assert paper_drop.job(parts).shards > 1
    assert [*paper_drop.summary(parts)["label_counts"].items()] == [*counts.items()]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("short", "length"),
        ("x" * 6000, "length"),
        ("x" * 250_000, "length"),
        (7, "malformed"),
    ],
)
def test_one_fault_has_one_reason_by_a_request_and_by_a_job(paper_drop: Drop, bad: object, reason: str) -> None:
    request = ClassifyRequest([bad], ClassifyOptions(), single=False)
    [result] = services().classify(request)["results"]
    assert (result["error"]["code"], result["error"]["details"]["reason"]) == ("invalid_abstract", reason)
    job_id = paper_drop.done("classify/a.json", json.dumps([{"abstract": bad}]).encode())
    assert numbered(paper_drop, job_id) == [("1", reason)]


def test_a_shard_that_counted_no_labels_leaves_the_counts_out() -> None:
    def shard(**body: Any) -> ShardResult:
        return ShardResult(0, "", 0, {}, {}, body)

    assert add_labels([shard(label_counts={"a": 1}), shard(label_counts={"b": 1, "c": 2})]) == {
        "label_counts": {"c": 2, "a": 1, "b": 1}
    }
    assert add_labels([shard(label_counts={"a": 1}), shard()]) == {}
    assert add_labels([shard(label_counts={})]) == {"label_counts": {}}


def test_odd_texts_are_told_alike_by_a_request_the_cache_a_file_and_a_table(
    paper_drop: Drop, environment: Callable[[str, str], None]
) -> None:
    paper_drop.aws.publish("arxiv-archives")
    environment("ASSAY_CLASSIFIER", "arxiv-archives")
    environment("ASSAY_CACHE_DAYS", "1")
    services.cache_clear()
    texts = [
        f"{GOOD} {OTHER}",
        "Le chat dort toute la journée sur le canapé du salon et ne mange que du poisson.",
        "x" * 99,
    ]
    request = ClassifyRequest(texts, ClassifyOptions(), single=False)
    computed, remembered = (services().classify(request) for _ in range(2))
    job_id = paper_drop.done("classify/a.txt", "\n".join(texts).encode())
    expected = [None, "not_english", "not_prose"]
    for results in (computed["results"], remembered["results"], lines(paper_drop, job_id)):
        assert [each.get("notice") for each in results] == expected
    assert [each["cached"] for each in remembered["results"]] == [True] * 3
    told = {each["code"]: (each["lines"], each["count"]) for each in paper_drop.summary(job_id)["notices"]}
    assert {code: told[code] for code in ("not_english", "not_prose")} == {
        "not_english": ([2], 1),
        "not_prose": ([3], 1),
    }
    assert told == {each["code"]: (each["lines"], each["count"]) for each in computed["notices"]}
    rows = [*csv.DictReader(io.StringIO(FORMS["text/csv"][0](computed).body))]
    assert [row["notice"] or None for row in rows] == expected


def test_json_lines(paper_drop: Drop) -> None:
    records: list[Any] = [
        {"id": "2101.00001", "abstract": GOOD},
        {"id": 7, "text": OTHER, "title": "carried nowhere"},
        GOOD,
        {"abstract": None},
        {"title": "no abstract"},
        [GOOD],
        {"id": True, "abstract": GOOD},
        {"id": "\ud800", "abstract": GOOD},
    ]
    body = "\n".join([*map(json.dumps, records), "{broken", "[" * 100_000]).encode()
    job_id = paper_drop.done("classify/a.jsonl", body)
    assert [(each["line"], each["id"]) for each in lines(paper_drop, job_id)] == [
        (1, "2101.00001"),
        (2, "7"),
        (3, None),
        (7, None),
        (8, "?"),
    ]
    assert numbered(paper_drop, job_id) == [(str(at), "malformed") for at in (4, 5, 6, 9, 10)]


def test_recorded_events_of_both_entry_points(paper_drop: Drop) -> None:
    recorded = events.load("s3_put_classify")["Records"][0]["s3"]["object"]
    body = json.dumps({"abstract": GOOD}).encode()
    (job_id,) = paper_drop(paper_drop.put(recorded["key"], body))
    assert paper_drop.summary(job_id)["counts"]["classified"] == 1
    step = events.load("classify_shard") | {"job_id": job_id}
    assert classify_jobs.shard_handler(step, Context()) == {}  # it is done already
    assert [each["line"] for each in lines(paper_drop, job_id)] == [1]


def test_a_csv_by_its_column(paper_drop: Drop) -> None:
    body = f'ID;Abstract;note\r\na1;"{GOOD}\nover two lines";x\n;{OTHER};y\na3;;z\n'.encode()
    job_id = paper_drop.done("classify/a.csv", body)
    assert [(each["line"], each["id"]) for each in lines(paper_drop, job_id)] == [(2, "a1"), (4, None)]
    assert numbered(paper_drop, job_id) == [("5", "empty")]
    named = paper_drop.done("classify/b.csv", body.replace(b"Abstract", b"Summary"), column="summary")
    assert lines(paper_drop, named) == lines(paper_drop, job_id)


def test_a_csv_without_the_column_fails_and_says_what_it_has(paper_drop: Drop) -> None:
    summary = paper_drop.summary(paper_drop.done("classify/a.csv", b"id,title\n1,x\n"))
    assert summary["state"] == "FAILED"
    assert "'abstract' or 'text'; it has: id, title" in summary["error"]["message"]


def test_a_pdf_is_one_record_that_says_how_it_was_read(paper_drop: Drop) -> None:
    body = base64.b64decode(events.load("classify_pdf")["body"])
    job_id = paper_drop.done("classify/paper.pdf", body)
    [found] = lines(paper_drop, job_id)
    assert (found["line"], found["source"]["found_by"]) == (1, "heading")
    text = found["source"]["text"].encode()
    [plain] = lines(paper_drop, paper_drop.done("classify/same.txt", text))
    assert plain["scores"] == found["scores"]


def test_a_broken_pdf_fails_with_its_reason(paper_drop: Drop) -> None:
    summary = paper_drop.summary(paper_drop.done("classify/paper.pdf", b"%PDF-1.7 broken"))
    assert (summary["state"], summary["error"]["code"]) == ("FAILED", "unreadable_input")


def test_a_pdf_is_held_to_its_readers_limit_and_gzip_to_ours(paper_drop: Drop, cut: Cut) -> None:
    cut(64, unsplit_bytes=256 * 100)
    body = base64.b64decode(events.load("classify_pdf")["body"])
    assert len(body) > 100
    assert paper_drop.summary(paper_drop.done("classify/paper.pdf", body))["counts"]["classified"] == 1
    packed = paper_drop.summary(
        paper_drop.done("classify/a.txt.gz", gzip.compress(bytes(random.Random(1).choices(range(32, 127), k=300))))
    )
    assert packed["error"]["code"] == "too_large"


def test_options_choose_the_labels(paper_drop: Drop) -> None:
    body = GOOD.encode()
    [every] = lines(paper_drop, paper_drop.done("classify/a.txt", body, threshold="0"))
    [one] = lines(paper_drop, paper_drop.done("classify/b.txt", body, threshold="0", **{"top-k": "1"}))
    assert len(every["labels"]) == len(every["scores"])
    assert one["labels"] == every["labels"][:1]
    failed = paper_drop.summary(paper_drop.done("classify/c.txt", body, threshold="2"))
    assert failed["error"]["code"] == "invalid_option"


@pytest.mark.parametrize("body", [b"", b"\n", b"x"])
def test_files_without_an_abstract_succeed_with_nothing(paper_drop: Drop, body: bytes) -> None:
    job_id = paper_drop.done("classify/a.txt", body)
    assert lines(paper_drop, job_id) == []
    assert paper_drop.summary(job_id)["counts"] == {"received": len(body), "classified": 0, "rejected": len(body)}


def text_file(pick: random.Random) -> bytes:
    texts = [GOOD, OTHER, GOOD.upper(), "", "short", "Größe und Masse: " + OTHER]
    return "".join(pick.choice(texts) + pick.choice(ENDS) for _ in range(pick.randrange(20))).encode()


def json_file(pick: random.Random) -> bytes:
    texts = [json.dumps({"id": "a", "abstract": GOOD}), json.dumps(OTHER), "{}", "", "{", json.dumps({"text": "short"})]
    return "".join(pick.choice(texts) + pick.choice(ENDS) for _ in range(pick.randrange(20))).encode()


def csv_file(pick: random.Random) -> bytes:
    texts = [GOOD, f'"{OTHER}"', "", "short", '"a ""quoted"" word: ' + GOOD + '"']
    rows = [f"{at},{pick.choice(texts)}{pick.choice(ENDS)}" for at in range(pick.randrange(20))]
    return ("id,abstract\n" + "".join(rows)).encode()


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("make", "name"), [(text_file, "a.txt"), (json_file, "a.jsonl"), (csv_file, "a.csv")])
def test_any_split_gives_the_bytes_of_one_pass(
    paper_drop: Drop, cut: Cut, make: Callable[[random.Random], bytes], name: str, seed: int
) -> None:
    pick = random.Random(seed)
    body = pick.choice([b"", b"\xef\xbb\xbf"]) + make(pick)
    body = body[: len(body) - pick.randrange(2)]
    whole = paper_drop.done(f"classify/{name}", body)
    packed = paper_drop.done(f"classify/{name}.gz", gzip.compress(body, mtime=0))
    cut((len(body) // 6 + 1) * SIXTEENTH)
    parts = paper_drop.done(f"classify/again-{name}", body)
    assert len(paper_drop.machine.called("ClassifyShard")) == paper_drop.job(parts).shards > 1
    for result in RESULTS:
        assert paper_drop.result(parts, result) == paper_drop.result(whole, result) == paper_drop.result(packed, result)
    assert paper_drop.job(parts).counts == paper_drop.job(whole).counts == paper_drop.job(packed).counts


def test_a_csv_that_is_cut_in_a_cell_is_done_as_one(paper_drop: Drop, cut: Cut) -> None:
    row = f"1,{GOOD}\n"
    body = ("id,abstract\n" + row * 700 + f'2,"{GOOD}\n{OTHER}"\n' + row * 3).encode()
    cut((12 + len(row) * 700 + 20) * SIXTEENTH)
    job_id = paper_drop.done("classify/a.csv", body)
    assert paper_drop.job(job_id).shards == 1
    assert paper_drop.summary(job_id)["counts"] == {"received": 704, "classified": 704, "rejected": 0}


def test_the_version_that_the_plan_pinned_serves_all_shards(paper_drop: Drop, cut: Cut) -> None:
    cut(200 * SIXTEENTH)

    def unpublish(name: str, event: dict[str, Any]) -> None:
        paper_drop.aws.models.put("models/tiny-text/current.json", b'{"version": "2"}', "application/json")

    paper_drop.machine.fault = unpublish
    job_id = paper_drop.done("classify/a.txt", f"{GOOD}\n{OTHER}\n".encode() * 3)
    assert paper_drop.summary(job_id)["models"]["classifier"]["version"] == "1"
    assert paper_drop.summary(job_id)["counts"]["classified"] == 6


def test_a_redriven_job_whose_plan_is_gone_is_planned_by_the_machine(paper_drop: Drop, cut: Cut) -> None:
    cut(200 * SIXTEENTH)

    def die(name: str, event: dict[str, Any]) -> None:
        if name == "ClassifyShard":
            raise Died("Runtime exited")

    paper_drop.machine.fault = die
    job_id = paper_drop.done("classify/a.txt", f"{GOOD}\n{OTHER}\n".encode() * 3)
    assert "bytes 0 to 199" in paper_drop.job(job_id).reason
    assert paper_drop.summary(job_id)["state"] == "FAILED"
    for key in list(paper_drop.aws.results.keys("partials/")):
        delete_objects(paper_drop.aws.results, key)
    paper_drop.machine.fault = lambda *_: None
    execution = redrive(services().desk, job_id)
    assert execution
    assert paper_drop.machine.wait(execution.rpartition(":")[2]) == "SUCCEEDED"
    assert paper_drop.summary(job_id)["counts"]["classified"] == 6


@pytest.mark.parametrize(
    ("name", "head", "layout"),
    [
        ("a.txt", b"%PDF-1.7", Layout.PDF),
        ("a.jsonl.gz", b"", Layout.JSONL),
        ("a.tsv", b"", Layout.CSV),
        ("a.pdf", b"", Layout.PDF),
        ("noname", b'\xef\xbb\xbf{"abstract": 1}', Layout.JSONL),
        ("noname", b"id,Abstract\n", Layout.CSV),
        ("noname", b"We measure, and then\n", Layout.LINES),
    ],
)
def test_how_a_file_holds_abstracts(name: str, head: bytes, layout: Layout) -> None:
    assert sniff_layout(head, name) is layout
