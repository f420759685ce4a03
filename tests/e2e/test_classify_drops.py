"""Files of abstracts, dropped and uploaded, through the whole service with the shipped classifier."""

import json
from typing import Any

from tests.e2e.running import SECONDS, Service, wait_for
from tests.e2e.samples import ABSTRACT


def lines(service: Service, job_id: str) -> list[dict[str, Any]]:
    body = service.result(f"results/{job_id}/classification.jsonl")
    assert body is not None
    return [json.loads(line) for line in body.splitlines()]


def test_a_drop_and_a_request_agree(service: Service) -> None:
    body = json.dumps({"id": "a", "abstract": ABSTRACT}) + "\n" + json.dumps({"id": "b", "abstract": "short"}) + "\n"
    summary = service.drop("classify/two.jsonl", body.encode())
    assert summary["state"] == "SUCCEEDED"
    assert summary["counts"] == {"received": 2, "classified": 1, "rejected": 1}
    assert summary["models"]["classifier"]["name"] == "arxiv-archives"
    [found] = lines(service, summary["job_id"])
    [asked] = service.post("/classify", json={"abstract": ABSTRACT}).json()["results"]
    assert (found["line"], found["id"]) == (1, "a")
    assert {name: found[name] for name in ("labels", "scores", "tokens")} == {
        name: asked[name] for name in ("labels", "scores", "tokens")
    }


def test_a_large_upload_is_classified_by_the_state_machine(service: Service) -> None:
    wish = {"filename": "abstracts.txt", "kind": "classify", "top_k": 1, "threshold": 0}
    offer = service.post("/uploads", json=wish).json()
    form, body = offer["upload"], f"{ABSTRACT}\n\n".encode() * 400
    sent = service.session.post(form["url"], data=form["fields"], files={"file": body}, timeout=SECONDS)
    assert sent.status_code in (200, 204)

    def ended() -> dict[str, Any] | None:
        job: dict[str, Any] = service.get(f"/jobs/{offer['job_id']}").json()
        return job if job["state"] in ("SUCCEEDED", "FAILED") else None

    job = wait_for(ended, "the end of the job")
    assert (job["kind"], job["state"]) == ("classify", "SUCCEEDED")
    assert job["counts"] == {"received": 800, "classified": 400, "rejected": 400}
    assert set(job["results"]) == {"classification", "rejected", "summary"}
    assert job["shards"]["done"] == job["shards"]["total"] > 1
    found = lines(service, offer["job_id"])
    assert [each["line"] for each in found] == list(range(1, 801, 2))
    assert {len(each["labels"]) for each in found} == {1}
