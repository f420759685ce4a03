"""Checks of files: uploaded, dropped, cut into shards, cancelled."""

import csv
import io
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from tools.check.ground import MEGABYTE, OPEN, Ground
from tools.check.label_calls import ask_scores, hold_near
from tools.check.promises import Broken, Check, Untried, hold
from tools.check.rank_calls import ask_ranking, hold_counts, hold_order
from tools.check.readiness import ORIGIN
from tools.check.wire import describe_reply, expect, expect_refusal, read_json

SECONDS: Final = 180.0
"""How long a job of these sizes may take, cold starts included."""
ABSTRACTS: Final = 60
MOST_SHARD_BYTES: Final = 128 * MEGABYTE
BAD: Final = 8
"""Lines of a part that are too long to be a sequence."""
PART: Final = 5 << 20
"""The least that S3 copies as a part of an object."""
Found = TypeVar("Found")


def check_upload(ground: Ground) -> str:
    """Hold the way of any file: a form, a job with its options, results by links that equal a request's ranking."""
    job, seconds = _time(lambda: _send(ground, ground.specimens.fasta(), "rank", "fasta", top_k=3, threshold=-1e9))
    hold(job["state"] == "SUCCEEDED", f"the job FAILED: {job['reason']}")
    hold_counts(job["counts"])
    ranking = expect(ground.wire.load(job["results"]["ranking"]), 200).text
    rows = [row["sequence"] for row in csv.DictReader(io.StringIO(ranking))]
    hold(rows == _best(ground), "the file's ranking is not the best three of the request's")
    rejected = expect(ground.wire.load(job["results"]["rejected"]), 200).text
    hold(len([*csv.DictReader(io.StringIO(rejected))]) == 1, "rejected.csv has not the one record that is too short")
    found = read_json(ground.wire.get("/jobs", params={"upload": job["upload"]}))
    hold(found["job_id"] == job["job_id"], "the upload's key leads to another job")
    return f"done in {seconds:.1f} s"


def check_upload_origin(ground: Ground) -> str:
    """Hold that a page may send its file to the bucket."""
    parameter, offer = ground.parameter("AllowedOrigin") or "*", _offer(ground, "rank", "txt")
    origin = ORIGIN if parameter == "*" else parameter
    reply = _post(ground, offer, ground.specimens.fasta(), origin)
    _follow(ground, offer["job_id"])
    allowed = reply.headers.get("Access-Control-Allow-Origin")
    hold(allowed in ("*", origin), f"the bucket does not let a page of {origin} read its answer ({allowed})")
    return str(allowed)


def check_form(ground: Ground) -> str:
    """Check that a presigned form takes one file at its key with its options, unchanged, and nothing else."""
    offer = _offer(ground, "rank", "txt", top_k=3)
    fields = offer["upload"]["fields"]
    elsewhere = f"rank/check-{ground.specimens.run}/elsewhere.txt"
    ground.uploads.add(elsewhere)
    other = {"x-amz-signature": "0" * 64} if "x-amz-signature" in fields else {"signature": "AAAA"}
    changes = {"another key": {"key": elsewhere}, "another option": {"x-amz-meta-strict": "true"}}
    changes |= {"another value of an option": {"x-amz-meta-top-k": "4"}, "another signature": other}
    for what, change in changes.items():
        files = {"file": ("file", ground.specimens.fasta())}
        reply = ground.wire.send(offer["upload"]["url"], data={**fields, **change}, files=files)
        hold(reply.status_code == 403, f"with {what} the bucket answers {reply.status_code}, not 403")
    return f"403 with {', '.join(changes)}"


def check_async(ground: Ground) -> str:
    """Hold that a request becomes a job where that is preferred."""
    sent = {"data": ground.specimens.fasta(), "headers": {"Prefer": "respond-async", "Content-Type": "text/x-fasta"}}
    offer = read_json(ground.wire.post("/rank", params=OPEN, **sent), 202)
    job = _follow(ground, offer["job_id"])
    hold(job["state"] == "SUCCEEDED", f"the job FAILED: {job['reason']}")
    hold_counts(job["counts"])
    return "202, then SUCCEEDED"


def check_cancel(ground: Ground) -> str:
    """Hold that a job can be stopped, but not one that has ended."""
    job_id = _offer(ground, "rank", "txt")["job_id"]
    stopped = read_json(ground.wire.post(f"/jobs/{job_id}/cancel"), 202)
    hold((stopped["state"], stopped["reason"]) == ("FAILED", "cancelled"), f"it is {stopped['state']}")
    ended = _send(ground, ground.specimens.fasta(), "rank", "fasta")
    expect_refusal(ground.wire.post(f"/jobs/{ended['job_id']}/cancel"), 409, "conflict")
    return "202, and 409 for one that has ended"


def check_shards(ground: Ground) -> str:
    """Hold that a file of abstracts is cut into shards and comes back whole and in order."""
    size = ground.shard_bytes // 16
    if size > MOST_SHARD_BYTES:
        raise Untried(f"a shard of abstracts has {size // MEGABYTE} MB here: too large to try")
    job = _send(ground, ground.specimens.pad_abstracts(ABSTRACTS, size * 5 // 4), "classify", "jsonl")
    hold(job["state"] == "SUCCEEDED", f"the job FAILED: {job['reason']}")
    counts, shards = job["counts"], job["shards"]
    hold(shards["total"] > 1, _one_shard(ground))
    hold(counts["received"] == counts["classified"] == ABSTRACTS, f"{ABSTRACTS} abstracts were sent: {counts}")
    lines = expect(ground.wire.load(job["results"]["classification"]), 200).text.splitlines()
    records = [json.loads(line) for line in lines]
    hold([each["id"] for each in records] == [str(at) for at in range(ABSTRACTS)], "the results are not in order")
    hold_near(records[-1]["scores"], ask_scores(ground, f"{ground.specimens.abstract} ({ABSTRACTS - 1})"), "the file")
    return f"{shards['total']} shards"


def check_drop(ground: Ground) -> str:
    """Hold that a file dropped in the bucket, its name an odd one, is ranked with its options."""
    key = f"rank/check {ground.specimens.run}/é+&=%20 1.fasta"
    summary, seconds = _time(lambda: _drop(ground, key, ground.specimens.fasta()))
    hold(summary["state"] == "SUCCEEDED", f"the job FAILED: {summary.get('error')}")
    hold_counts(summary["counts"])
    text = _object(ground, f"results/{summary['job_id']}/ranking.csv") or b""
    rows = [row["sequence"] for row in csv.DictReader(io.StringIO(text.decode()))]
    hold(rows == _best(ground), "the dropped file's ranking is not the best three of the request's")
    return f"done in {seconds:.1f} s"


def check_rank_shards(ground: Ground) -> str:
    """Hold that a file of sequences larger than a shard is cut, ranked and joined, every line accounted for."""
    held = ground.held
    if ground.shard_bytes > MOST_SHARD_BYTES:
        raise Untried(f"a shard has {ground.shard_bytes // MEGABYTE} MB here: too large to try")
    part, good = _part(ground.specimens.sequences)
    parts = ground.shard_bytes // len(part) + 1
    key = f"rank/check-{ground.specimens.run}/shards.txt"
    ground.uploads |= {key, f"check/{key}"}
    _copy(held.client("s3"), held.uploads, key, part, parts)
    summary = _summary(ground, key)
    hold(summary["state"] == "SUCCEEDED", f"the job FAILED: {summary.get('error')}")
    counts, sent = summary["counts"], (parts * (good + BAD), parts * good, parts * BAD)
    found = (counts["received"], counts["scored"], counts["rejected"])
    hold(found == sent, f"received, scored, rejected are {found}, and {sent} were sent")
    total = read_json(ground.wire.get(f"/jobs/{summary['job_id']}"))["shards"]["total"]
    hold(total > 1, _one_shard(ground))
    return f"{sum(sent[1:]):,} lines in {total} shards"


def _part(sequences: Sequence[str]) -> tuple[bytes, int]:
    """Return a part and how many good lines it has: few records in many bytes, so that the models have little to do."""
    good = "".join(f"{each}\n" for each in sequences).encode()
    bad = b"A" * (PART // BAD) + b"\n"
    return good + bad * BAD, len(sequences)


def _one_shard(ground: Ground) -> str:
    return f"it took one shard; say --shard-megabytes if that is not {ground.shard_bytes // MEGABYTE}"


def _copy(s3: Any, bucket: str, key: str, part: bytes, parts: int) -> None:
    """Make a large object of one part that is sent once and copied by S3."""
    held = f"check/{key}"
    s3.put_object(Bucket=bucket, Key=held, Body=part)
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key, Metadata={"threshold": "-1e9", "top-k": "1"})
    given = {"Bucket": bucket, "Key": key, "UploadId": upload["UploadId"]}
    source = {"CopySource": {"Bucket": bucket, "Key": held}}
    copies = [s3.upload_part_copy(PartNumber=at, **source, **given) for at in range(1, parts + 1)]
    tags = [{"ETag": each["CopyPartResult"]["ETag"], "PartNumber": at} for at, each in enumerate(copies, 1)]
    s3.complete_multipart_upload(MultipartUpload={"Parts": tags}, **given)


def _best(ground: Ground) -> list[str]:
    ranked = ask_ranking(ground)
    hold_order(ranked, ground.specimens.sequences)
    return [row["sequence"] for row in ranked[:3]]


def _send(ground: Ground, body: bytes, kind: str, suffix: str, **options: float) -> dict[str, Any]:
    """Upload a file as a caller does; return its job once it has ended."""
    offer = _offer(ground, kind, suffix, **options)
    _post(ground, offer, body)
    return _follow(ground, offer["job_id"])


def _offer(ground: Ground, kind: str, suffix: str, **options: float) -> dict[str, Any]:
    name = f"check-{ground.specimens.run}.{suffix}"
    offer: dict[str, Any] = read_json(
        ground.wire.post("/uploads", json={"filename": name, "kind": kind, **options}), 201
    )
    ground.uploads.add(offer["key"])
    ground.jobs.add(offer["job_id"])
    return offer


def _post(ground: Ground, offer: Mapping[str, Any], body: bytes, origin: str = "") -> Any:
    form, headers = offer["upload"], {"Origin": origin} if origin else {}
    sent = {"data": form["fields"], "files": {"file": ("file", body)}, "headers": headers}
    reply = ground.wire.send(form["url"], **sent)
    hold(reply.ok, f"the bucket refuses the form: {describe_reply(reply)}")
    return reply


def _follow(ground: Ground, job_id: str) -> dict[str, Any]:
    ground.jobs.add(job_id)

    def find_ended() -> dict[str, Any] | None:
        job: dict[str, Any] = read_json(ground.wire.get(f"/jobs/{job_id}"))
        if job.get("upload"):
            ground.uploads.add(job["upload"])
        return job if job["state"] in ("SUCCEEDED", "FAILED") else None

    return _await(find_ended, f"job {job_id} did not end")


def _drop(ground: Ground, key: str, body: bytes) -> dict[str, Any]:
    held = ground.held
    ground.uploads.add(key)
    options = {"top-k": "3", "threshold": "-1e9"}
    held.client("s3").put_object(Bucket=held.uploads, Key=key, Body=body, Metadata=options)
    return _summary(ground, key)


def _summary(ground: Ground, key: str) -> dict[str, Any]:
    """Return the summary of the job that a dropped file became, with the job's id."""
    place = f"by-upload/{key}.json"
    pointer = json.loads(_await(lambda: _object(ground, place), f"no job began: {place} did not appear"))
    ground.jobs.add(pointer["job_id"])
    found = json.loads(_await(lambda: _object(ground, pointer["summary"]), f"{pointer['summary']} did not appear"))
    return {**found, "job_id": pointer["job_id"]}


def _object(ground: Ground, key: str) -> bytes | None:
    held = ground.held
    s3 = held.client("s3")
    try:
        return bytes(s3.get_object(Bucket=held.results, Key=key)["Body"].read())
    except s3.exceptions.NoSuchKey:
        return None


def _await(ask: Callable[[], Found | None], missing: str) -> Found:
    """Ask until there is an answer. Raises Broken after three minutes."""
    deadline, wait = time.monotonic() + SECONDS, 0.1
    while (found := ask()) is None:
        if time.monotonic() > deadline:
            raise Broken(f"{missing} within {SECONDS:.0f} s")
        time.sleep(wait)
        wait = min(wait * 1.5, 3.0)
    return found


def _time(call: Callable[[], Found]) -> tuple[Found, float]:
    started = time.perf_counter()
    return call(), time.perf_counter() - started


CHECKS: Final = (
    Check("upload", "a file goes up by a form and comes back by links", check_upload),
    Check("upload-origin", "a page may send a file to the bucket", check_upload_origin),
    Check("form", "a form takes its one file and nothing else", check_form),
    Check("async", "a request becomes a job where that is preferred", check_async),
    Check("cancel", "a job can be stopped", check_cancel),
    Check("shards", "a file of abstracts is cut and comes back whole", check_shards),
    Check("drop", "a dropped file is ranked", check_drop),
    Check("rank-shards", "a file of sequences is cut and comes back whole", check_rank_shards),
)
