"""GET /, /upload, /page, /health, /models, /docs, /openapi.json, /jobs; POST /uploads."""

from typing import Any

from aws_lambda_powertools.event_handler import Response as Reply

from assay import routing
from assay.errors import InvalidOption
from assay.http import json_response
from assay.telemetry import logger
from portal import catalogue, pages, uploads
from portal.wiring import service

app = routing.resolver()


@app.get("/")
@app.get("/upload")
def get_page() -> Reply[str]:
    """Return the page."""
    return routing.reply(pages.upload(_root(), uploads.hosts(service().uploads, service().results)))


@app.get("/page/<name>")
def get_page_part(name: str) -> Reply[str]:
    """Return a file of the page."""
    return routing.reply(pages.part(name, routing.request(app).query.get("v", "")))


@app.get("/docs")
def get_docs() -> Reply[str]:
    """Return the API's viewer."""
    return routing.reply(pages.viewer(_root()))


@app.get("/openapi.json")
def get_description() -> Reply[str]:
    """Return the OpenAPI document."""
    return routing.reply(pages.description())


@app.get("/health")
def get_health() -> Reply[str]:
    """Return the versions of the models that requests would meet."""
    return routing.reply(json_response(catalogue.health(service().models, service().settings)))


@app.get("/models")
def get_models() -> Reply[str]:
    """Return every published model."""
    return routing.reply(json_response({"models": catalogue.models(service().models)}))


@app.post("/uploads")
def post_uploads() -> Reply[str]:
    """Offer a presigned upload."""
    body = routing.request(app).json()
    return routing.reply(json_response(uploads.offer(body, service().uploads, service().jobs), 201))


@app.get("/jobs/<job_id>")
def get_job(job_id: str) -> Reply[str]:
    """Return a job."""
    return routing.reply(json_response(uploads.found(service().jobs.get(job_id), service().results)))


@app.get("/jobs")
def get_job_by_upload() -> Reply[str]:
    """Return the latest job of an upload's key."""
    key = routing.request(app).query.get("upload")
    if not key:
        raise InvalidOption("say which upload: GET /jobs?upload=KEY", option="upload")
    return routing.reply(json_response(uploads.found(service().jobs.by_upload(key), service().results)))


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a REST API proxy event."""
    return routing.answer(app, event, context)


def _root() -> str:
    event = app.current_event
    return pages.root(event.path, event.request_context.path or event.path)
