"""The portal's routes over real HTTP, and the presigned flow from upload to result."""

import pytest

from tests.e2e.running import Service, wait_for
from tests.e2e.samples import LINES


@pytest.mark.parametrize("path", ["/", "/upload", "/docs"])
@pytest.mark.parametrize("prefix", ["", "/prod"])
def test_pages(service: Service, prefix: str, path: str) -> None:
    reply = service.get(prefix + path)
    assert reply.status_code in (200, 302, 303, 307)
    if reply.status_code == 200:
        assert reply.headers["Content-Type"].startswith("text/html")


def test_health(service: Service) -> None:
    assert service.get("/health").status_code == 200


def test_models_that_serve(service: Service) -> None:
    text = service.get("/models").text
    for name in ("stability-trypsin", "stability-chymotrypsin", "arxiv-archives"):
        assert name in text


def test_the_api_describes_itself(service: Service) -> None:
    description = service.get("/openapi.json").json()
    assert description["openapi"].startswith("3.")
    assert {"/rank", "/file_data", "/classify", "/uploads"} <= set(description["paths"])


def test_no_such_route(service: Service) -> None:
    reply = service.get("/nothing/here")
    assert reply.status_code == 404
    assert reply.json()["error"]["code"] == "not_found"


def test_no_such_job(service: Service) -> None:
    reply = service.get("/jobs/00000000000000000000000000000000")
    assert reply.status_code == 404
    assert reply.json()["error"]["code"] == "not_found"


def test_a_presigned_upload_becomes_a_job_with_links(service: Service) -> None:
    reply = service.post("/uploads", json={"filename": "my designs+1.txt", "kind": "rank"})
    assert reply.status_code in (200, 201), reply.text
    upload = reply.json()
    form = upload.get("upload", upload)
    sent = service.session.post(form["url"], data=form["fields"], files={"file": ("designs.txt", LINES)})
    assert sent.status_code in (200, 201, 204)

    def finished() -> dict[str, object] | None:
        job: dict[str, object] = service.get(f"/jobs/{upload['job_id']}").json()
        return job if job.get("state") in ("SUCCEEDED", "FAILED") else None

    job = wait_for(finished, "a finished job")
    assert job["state"] == "SUCCEEDED"


@pytest.mark.parametrize("body", [{}, {"filename": "x.txt", "kind": "other"}, {"filename": "", "kind": "rank"}])
def test_uploads_that_make_no_sense(service: Service, body: dict[str, str]) -> None:
    assert 400 <= service.post("/uploads", json=body).status_code < 500
