"""The Python client against the local service: requests and jobs say the same, and both clients do."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from assay.client import Assay, AsyncAssay, JobFailed, Refused, conversation
from tests.e2e.running import Service
from tests.e2e.samples import CSV

pytestmark = pytest.mark.slow

GRAPHS = "We present a new algorithm and use it to characterize the family of sparse graphs."
EVERYTHING = -1000.0


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(conversation, "FIRST_WAIT", 0.05)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "designs.csv"
    path.write_bytes(CSV)
    return path


def test_a_request_and_a_job_say_the_same(service: Service, file: Path, tmp_path: Path) -> None:
    told: list[tuple[str, float, float]] = []
    with Assay(service.url, tell=lambda *now: told.append(now)) as client:
        request = client.rank(file, threshold=EVERYTHING)
        job = client.rank(file, threshold=EVERYTHING, as_job=True)
        paths = client.save(client.job(str(job.job_id)), tmp_path / "out")
    assert request.rows == job.rows != []
    assert request.rejected == job.rejected != []
    assert (request.models, request.notices) == (job.models, job.notices)
    assert {path.name for path in paths} == {"ranking.csv", "rejected.csv", "ranking.json"}
    assert json.loads((tmp_path / "out" / "ranking.json").read_text())["counts"] == job.counts
    assert told[0][0] == "uploading"
    assert told[-1][0] == "done"


def test_a_request_that_the_service_makes_a_job_is_followed(service: Service, file: Path) -> None:
    """`Prefer: respond-async` is what a request gets by itself that takes too long."""
    with Assay(service.url) as client:
        call = conversation.Call
        asked = client.rank(file, threshold=EVERYTHING)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                conversation, "Call", lambda *a, **k: call(*a, **{"headers": {"Prefer": "respond-async"}, **k})
            )
            accepted = client.rank(file, threshold=EVERYTHING)
    assert accepted.job_id
    assert accepted.rows == asked.rows


def test_both_clients_say_the_same_at_the_same_time(service: Service, file: Path) -> None:
    async def ask() -> list[Any]:
        async with AsyncAssay(service.url) as client:
            calls = [client.rank(file, threshold=EVERYTHING, as_job=at > 1) for at in range(4)]
            return list(await asyncio.gather(*calls, client.models()))

    *rankings, models = asyncio.run(ask())
    with Assay(service.url) as client:
        assert all(each.rows == client.rank(file, threshold=EVERYTHING).rows for each in rankings)
        assert models == client.models()
        assert client.health()["status"] == "ok"


def test_abstracts_keep_their_places(service: Service) -> None:
    texts: list[Any] = [{"id": "a", "abstract": GRAPHS, "year": 2017}, "too short", GRAPHS]
    with Assay(service.url) as client:
        request, job = client.classify(texts), client.classify(texts, as_job=True)
        many = client.classify([GRAPHS] * (conversation.MOST_ABSTRACTS + 1))
    for found in (request, job):
        assert [row["line"] for row in found] == [1, 2, 3]
        assert ["error" in row for row in found] == [False, True, False]
        assert found[0]["id"] == "a"
        assert [label["label"] for label in found[2]["labels"]] == ["cs", "math"]
        assert found.counts == {"received": 3, "classified": 2, "rejected": 1}
    assert many.job_id
    assert len(many) == conversation.MOST_ABSTRACTS + 1


def test_a_file_is_ranked_again_without_another_upload(service: Service, file: Path) -> None:
    with Assay(service.url) as client:
        strict = client.rank(file, threshold=1000, as_job=True)
        again = client.ranking(client.rerun(str(strict.job_id), threshold=EVERYTHING)["job_id"])
        asked = client.rank(file, threshold=EVERYTHING)
    assert (len(strict), again.rows) == (0, asked.rows)
    assert again.histograms == asked.histograms != {}


def test_an_abstract_is_explained(service: Service) -> None:
    with Assay(service.url) as client:
        [row] = client.classify([GRAPHS], explain=True)
    assert row["explanation"][0]["label"] == row["labels"][0]["label"]


def test_refusals_are_the_services_own(service: Service, file: Path) -> None:
    with Assay(service.url) as client:
        with pytest.raises(Refused, match="top_k must be an integer") as refused:
            client.rank(file, top_k=0)
        assert (refused.value.code, refused.value.status) == ("invalid_option", 400)
        with pytest.raises(JobFailed, match="strict allows none") as failed:
            client.rank(file, strict=True, as_job=True)
        with pytest.raises(Refused, match="FAILED already"):
            client.cancel(failed.value.job["job_id"])
        with pytest.raises(Refused, match="no such job"):
            client.job("0" * 32)
