"""Pages, models, health, jobs, uploads, the API's description, and what the serving protocols ask first."""

from collections.abc import Mapping
from typing import Any

from assay.errors import InvalidOption
from assay.http import inference_protocols, routing
from assay.http.messages import Response, json_response
from assay.jobs.ending import cancel
from assay.models.manifest import Manifest
from assay.options import require_known
from assay.telemetry import observe
from portal import jobs, model_pages, models, pages, uploads
from portal.services import services

app = routing.Router()


@app.get("/")
@app.get("/upload")
def get_page() -> Response:
    """Return the page."""
    found = services()
    days = {"upload_days": found.settings.upload_days, "result_days": found.settings.result_days}
    return pages.upload_page(_root(), uploads.hosts(found.uploads, found.results), days)


@app.get("/page/<name>")
def get_page_part(name: str) -> Response:
    """Return a file of the page."""
    return pages.part(name, routing.request(app).query.get("v", ""))


@app.get("/docs")
def get_docs() -> Response:
    """Return the API's viewer."""
    return pages.viewer(_root())


@app.get("/openapi.json")
def get_description() -> Response:
    """Return the OpenAPI document."""
    return pages.description(_server())


@app.get("/health")
def get_health() -> Response:
    """Return the versions of the models that requests would meet."""
    return json_response(services().catalogue.health())


@app.get("/models")
def get_models() -> Response:
    """Return the published models, some at a time: a page to browsers, JSON to all others."""
    request = routing.request(app)
    found = services().catalogue.page(request.query)
    if model_pages.wants_page(request.accept):
        return model_pages.models_page(found, services().cards.html, _root())
    return json_response(found, headers={"Vary": "Accept"})


@app.get("/v1/models/<target>")
@app.get("/v1/models/<target>/versions/<version>")
def get_v1(target: str, version: str | None = None) -> Response:
    """Answer a client of TensorFlow Serving whether a model serves."""
    found = _manifest(target, version)
    return json_response(inference_protocols.status(found.version))


@app.get("/v1/models/<target>/metadata")
@app.get("/v1/models/<target>/versions/<version>/metadata")
def get_v1_metadata(target: str, version: str | None = None) -> Response:
    """Return a model's signature."""
    return json_response(models.serving_signature(_manifest(target, version)))


@app.get("/v2")
def get_server() -> Response:
    """Return what the service is and which extensions it knows."""
    return json_response(models.server_metadata(pages.api_version()))


@app.get("/v2/health/live")
def get_live() -> Response:
    """Answer a client of the Open Inference Protocol that the service is there."""
    return json_response({"live": True})


@app.get("/v2/health/ready")
def get_ready() -> Response:
    """Answer whether the models that the functions need are published."""
    ready = services().catalogue.health()["status"] == "ok"
    return json_response({"ready": ready}, 200 if ready else 503)


@app.get("/v2/models/<name>")
@app.get("/v2/models/<name>/versions/<version>")
def get_v2(name: str, version: str | None = None) -> Response:
    """Return what a model takes and answers."""
    return json_response(models.describe_tensors(_manifest(name, version)))


@app.get("/v2/models/<name>/ready")
@app.get("/v2/models/<name>/versions/<version>/ready")
def get_v2_ready(name: str, version: str | None = None) -> Response:
    """Answer whether a model serves."""
    found = _manifest(name, version)
    return json_response({"name": found.name, "ready": True})


@app.get("/v2/models/<name>/config")
@app.get("/v2/models/<name>/versions/<version>/config")
def get_configuration(name: str, version: str | None = None) -> Response:
    """Return Triton's configuration of a model."""
    return json_response(models.triton_configuration(_manifest(name, version)))


@app.get("/v2/models/<name>/stats")
@app.get("/v2/models/<name>/versions/<version>/stats")
def get_statistics(name: str, version: str | None = None) -> Response:
    """Return Triton's statistics of a model."""
    return json_response(models.triton_statistics([_manifest(name, version)]))


@app.post("/v2/repository/index")
def post_index() -> Response:
    """Return Triton's index of the models."""
    return json_response(models.repository_index(services().catalogue))


def _manifest(name: str, version: str | None) -> Manifest:
    return models.require_manifest(services().catalogue, name, version)


@app.post("/uploads")
def post_uploads() -> Response:
    """Offer a presigned upload."""
    request = routing.request(app)
    offer = uploads.offer_upload(request.json(), request.caller, services().uploads, services().jobs)
    return json_response(offer, 201)


@app.get("/jobs/<job_id>")
def get_job(job_id: str) -> Response:
    """Return a job."""
    return json_response(jobs.job_reply(services().jobs.get(job_id), services()))


@app.post("/jobs/<job_id>/cancel")
def post_cancel(job_id: str) -> Response:
    """Stop a job of the caller's, or of a dropped file; one that has ended stays as it is."""
    jobs.require_owned(services().jobs.get(job_id), routing.request(app).caller, "stop it")
    job = cancel(services().desk, job_id)
    return json_response(jobs.job_reply(job, services()), 202)


@app.post("/jobs/<job_id>/rerun")
def post_rerun(job_id: str) -> Response:
    """Begin a job over the file of one of the caller's, or of a dropped file, with other options."""
    from assay.jobs.reruns import rerun  # with the state machine's client, which nothing else here needs

    request, first = routing.request(app), services().jobs.get(job_id)
    jobs.require_owned(first, request.caller, "run it again")
    job = rerun(services().desk, jobs.require_job(first), request.json(), request.caller)
    return json_response(jobs.job_reply(job, services()), 202, {"Location": f"../{job.id}"})


@app.get("/jobs")
def get_job_by_upload() -> Response:
    """Return the latest job of an upload's key; another caller's is not told from one that there is not."""
    request = routing.request(app)
    require_known(request.query, ("upload",))
    key = request.query.get("upload")
    if not key:
        raise InvalidOption("say which upload: GET /jobs?upload=KEY", option="upload")
    job = jobs.is_owned(services().jobs.by_upload(key), request.caller)
    return json_response(jobs.job_reply(job, services()))


@observe
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a REST API proxy event."""
    return routing.answer(app, event, context)


def _root() -> str:
    path = str(app.event["path"])
    return pages.root(path, _read_path() or path)


def _server() -> str:
    """Return the address of the service as it was asked, stage or base path and all."""
    headers = routing.request(app).headers
    host = _context().get("domainName") or headers.get("host", "")
    return pages.server(headers.get("x-forwarded-proto", "https"), host, _read_path() or str(app.event["path"]))


def _read_path() -> str:
    """Return the path as it was asked, stage or base path and all."""
    return _context().get("path") or ""


def _context() -> Mapping[str, str]:
    return app.event.get("requestContext") or {}
