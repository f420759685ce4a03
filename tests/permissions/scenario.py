"""Everything the service can be asked for, once, by the real handlers and the state machine, in an AWS in memory."""

import gzip
import importlib
import json
import time
from typing import Any

import boto3
import pytest

from assay.aws.clients import client
from assay.jobs.job_records import Jobs
from assay.jobs.planning import Caps
from tests import events
from tests.conftest import TABLE, Aws
from tests.events import Context, post
from tests.integration.drops import GOOD, OTHER, Drop
from tests.integration.jobs.test_classify_files import GOOD as ABSTRACT
from tests.integration.machines import Died, create
from tests.permissions.recording import Handler, Recorder
from tests.unit.templates import functions, handler

OPEN = {"threshold": "-1000000"}
LINES = f"{GOOD}\n{OTHER}\nMKV\n".encode() * 4
TEXTS = "".join(json.dumps({"abstract": f"{at} {ABSTRACT}"}) + "\n" for at in range(12)).encode()
SETTINGS = {
    "ASSAY_GATE_MODEL": "tiny-index",
    "ASSAY_SCORE_MODEL": "tiny-index",
    "ASSAY_CLASSIFIER": "tiny-text",
    "ASSAY_CACHE_DAYS": "1",
    "ASSAY_REPLY_BYTES": "900",
    "ASSAY_SHARD_CONCURRENCY": "2",
    "AWS_EC2_METADATA_DISABLED": "true",
}
STEPS = ("RankPlan", "RankShard", "ClassifyShard", "RankMerge")


class Stack:
    """The functions of the template by name, recorded, over tiny models."""

    def __init__(self, aws: Aws, recorder: Recorder, patch: pytest.MonkeyPatch) -> None:
        self.aws, self.patch = aws, patch
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        patch.setenv("ASSAY_JOB_TOPIC", boto3.client("sns").create_topic(Name="jobs")["TopicArn"])
        aws.publish("tiny-index", "tiny-text")
        aws.s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
        recorder.watch(patch)
        forget()
        self.handlers = {name: recorder.handler(name, _alone(_imported(name))) for name in functions()}
        self.machine = create({step: self.handlers[f"{step}Function"] for step in STEPS}, patch)
        patch.setenv("ASSAY_FILE_MACHINE", self.machine.arn)
        forget()

    def ask(self, function: str, status: int, event: dict[str, Any]) -> dict[str, Any]:
        """Send a request and return the reply's JSON."""
        reply = self.handlers[function](event, Context())
        assert reply["statusCode"] == status, (event["path"], reply["statusCode"], reply["body"][:300])
        found: dict[str, Any] = json.loads(reply["body"])
        return found

    def portal(self, status: int, method: str, path: str, body: Any = None, **query: str) -> dict[str, Any]:
        """Ask the portal."""
        event = post(path, json.dumps(body).encode(), query=query or None) | {"httpMethod": method}
        return self.ask("PortalFunction", status, event)

    def drop(self, kind: str, told: str) -> Drop:
        """Return what drops files of a kind."""
        return Drop(self.aws, self.handlers[f"{kind}UploadFunction"], self.machine, told)

    def cut(self, shard_bytes: int) -> None:
        """Set how large a file may be that one function does."""
        self.patch.setattr("assay.jobs.environment.caps", lambda _: Caps(shard_bytes, 1000, 1 << 30))
        forget()


def forget() -> None:
    """Let every function read its environment again."""
    for module in ("rank.services", "classify.services", "portal.services"):
        for value in vars(importlib.import_module(module)).values():
            if hasattr(value, "cache_clear") and value.__module__ == module:
                value.cache_clear()


def _alone(handler: Handler) -> Handler:
    """Return a handler that shares no models and no settings with the others of this process."""

    def alone(event: dict[str, Any], context: Any) -> Any:
        forget()
        return handler(event, context)

    return alone


def _imported(name: str) -> Handler:
    module, _, attribute = handler(functions()[name]).rpartition(".")
    found: Handler = getattr(importlib.import_module(module), attribute)
    return found


def requests(stack: Stack) -> None:
    """Send every kind of request; replies are larger than what a function may return."""
    many = json.dumps({"sequences": [GOOD[at:] + GOOD[:at] for at in range(40)], "threshold": -1000000}).encode()
    texts = json.dumps({"abstracts": [f"{at} {ABSTRACT}" for at in range(30)]}).encode()
    stack.ask("RankApiFunction", 200, post("/rank", b'{"sequences": ["MKV"]}'))
    assert "result_url" in stack.ask("RankApiFunction", 200, post("/rank", many))
    stack.ask("RankApiFunction", 202, post("/rank", many, headers={"Prefer": "respond-async"}))
    for _ in range(2):
        assert "result_url" in stack.ask("ClassifyApiFunction", 200, post("/classify", texts))
    stack.ask("ClassifyApiFunction", 404, _named(post("/models/nobody/classify", texts), name="nobody"))
    for path in ("/models", "/health"):
        stack.portal(200, "GET", path)
    stack.portal(404, "GET", f"/jobs/{'0' * 32}")
    stack.portal(404, "GET", "/jobs", upload="rank/none.txt")


def _named(event: dict[str, Any], **parameters: str) -> dict[str, Any]:
    return event | {"pathParameters": parameters}


def files(stack: Stack) -> None:
    """Drop small and large files, good, bad and gone, and follow their jobs."""
    for kind, told, body in (("Rank", "ranking.json", LINES), ("Classify", "classification.json", TEXTS)):
        drop, prefix = stack.drop(kind, told), kind.lower()
        for size, options in ((1 << 20, {}), (200 if kind == "Rank" else 8000, {"output": "all"})):
            stack.cut(size)
            chosen = options | OPEN if kind == "Rank" else {}
            job = stack.portal(200, "GET", f"/jobs/{drop.done(f'{prefix}/{size}.txt', body, **chosen)}")
            assert job["state"] == "SUCCEEDED"
            assert stack.portal(200, "GET", "/jobs", upload=f"{prefix}/{size}.txt")["job_id"] == job["job_id"]
        again = stack.portal(202, "POST", f"/jobs/{job['job_id']}/rerun", {"top_k": 1})
        stack.machine.wait(again["job_id"])
        assert drop.job(drop.done(f"{prefix}/bad.txt.gz", gzip.compress(body)[:40])).state == "FAILED"
        gone = drop.put(f"{prefix}/gone.txt", body)
        stack.aws.s3.delete_object(Bucket="uploads", Key=f"{prefix}/gone.txt", VersionId=_version(gone))
        drop(gone)


def _version(event: dict[str, Any]) -> str:
    return str(event["Records"][0]["s3"]["object"]["versionId"])


def plans(stack: Stack) -> None:
    """Plan what nobody planned, as in a job that is begun again after its working objects went."""
    for kind, told, body in (("Rank", "ranking.json", LINES), ("Classify", "classification.json", TEXTS)):
        found = stack.drop(kind, told).put(f"{kind.lower()}/unplanned.txt", body)["Records"][0]["s3"]["object"]
        upload = {"bucket": "uploads", "key": found["key"], "version_id": found["versionId"], "etag": found["eTag"]}
        job = Jobs(client("dynamodb"), TABLE).enqueue(found["key"], kind.lower())
        event = {"job_id": job.id, "kind": kind.lower(), **upload}
        assert stack.handlers["RankPlanFunction"](event, Context())["job_id"] == job.id


def trouble(stack: Stack) -> None:
    """Give up a shard, and cut a file inside a row, which is then planned anew by merging."""
    stack.cut(200)
    drop = stack.drop("Rank", "ranking.json")
    stack.machine.fault = _die
    assert drop.job(drop.done("rank/died.txt", LINES, **OPEN)).state == "FAILED"
    stack.machine.fault = lambda *_: None
    rows = "".join(f'{GOOD},"a\n{at}"\n' for at in range(9))
    assert drop.job(drop.done("rank/quoted.csv", f"sequence,note\n{rows}".encode(), **OPEN)).state == "SUCCEEDED"


def _die(name: str, event: dict[str, Any]) -> None:
    if name == "RankShard":
        raise Died("out of memory")


def cancel(stack: Stack) -> None:
    """Promise uploads, drop one of them, and cancel it while its first shard runs."""
    stack.portal(201, "POST", "/uploads", {"filename": "promised.jsonl", "kind": "classify"})
    offer = stack.portal(201, "POST", "/uploads", {"filename": "promised.csv", "kind": "rank"})
    asked: list[str] = []

    def fault(name: str, event: dict[str, Any]) -> None:
        if name == "RankShard" and not asked:
            asked.append(event["job_id"])
            stack.portal(202, "POST", f"/jobs/{event['job_id']}/cancel")

    stack.cut(200)
    stack.machine.fault = fault
    assert stack.drop("Rank", "ranking.json").done(offer["key"], LINES, **OPEN) == offer["job_id"] == asked[0]
    stack.machine.fault = lambda *_: None


def sweep(stack: Stack) -> None:
    """End a job whose execution is gone, an hour later."""
    jobs = Jobs(client("dynamodb"), TABLE, clock=lambda: time.time() - 7200)
    job = jobs.enqueue("rank/lost.txt", "rank")
    lost = stack.machine.arn.replace(":stateMachine:", ":execution:") + ":gone"
    jobs.start(job.id, {}, shards=2, execution=lost)
    assert job.id in stack.handlers["JobSweepFunction"](events.load("job_sweep"), Context())["jobs"]


def run(aws: Aws, recorder: Recorder, patch: pytest.MonkeyPatch) -> None:
    """Do it all."""
    stack = Stack(aws, recorder, patch)
    for step in (requests, files, plans, trouble, cancel, sweep):
        step(stack)
    forget()
