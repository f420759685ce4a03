"""The routes of the portal: pages, models, uploads and jobs."""

from dataclasses import replace

from assay.http import media_type
from portal import pages
from portal.catalogue import MOST_MODELS
from portal.jobs import record
from portal.uploads import shown
from tools.openapi import examples
from tools.openapi.operations import JSON, operation
from tools.openapi.parts import Schema, content, path_parameter, query, ref, reply
from tools.openapi.schemas import JOB_ID, TEXT


def portal_paths() -> Schema:
    """Return the routes of the portal."""
    page = {"200": reply("A page", content("text/html", TEXT))}
    itself = {"200": reply("OpenAPI 3.1", content(JSON, {"type": "object"}))}
    health = {"200": reply("Which versions serve; null where there is none", content(JSON, ref("Health")))}
    models = {"200": reply("The current version of each, as its manifest says", content(JSON, ref("Models")))}
    return {
        "/": {"get": operation("Pages", "The page", page, keyed=False)},
        "/upload": {"get": operation("Pages", "The page", page, keyed=False)},
        "/page/{name}": {"get": _page_file()},
        "/docs": {"get": operation("Pages", "This description, to read and try", page, keyed=False)},
        "/openapi.json": {"get": operation("Pages", "This description", itself, keyed=False)},
        "/health": {"get": operation("Models", "Health", health, 503, keyed=False)},
        "/models": {"get": operation("Models", "Published models", models, 400, 503, keyed=False, parameters=_pages())},
        **_jobs(),
    }


def _pages() -> list[Schema]:
    limit = {"type": "integer", "minimum": 1, "maximum": MOST_MODELS, "default": MOST_MODELS}
    after = TEXT | {"description": "The name after which to begin; `next` of a reply has it."}
    return query({"limit": limit, "after": after})


def _page_file() -> Schema:
    bodies = {media_type(each): {"schema": TEXT} for each in pages.TYPES.values()}
    version = query({"v": {"type": "string", "description": "The version that the page names may be kept for ever."}})
    parameters = [path_parameter("name", {"type": "string", "enum": list(pages.TYPES)}), *version]
    found = {"200": reply("Its script, style or icon", bodies)}
    return operation("Pages", "A file of the page", found, 400, 404, keyed=False, parameters=parameters)


def _jobs() -> Schema:
    form, known = examples.offered(), examples.job()
    offered = content(JSON, ref("Upload"), shown(known.id, examples.KEY, form))
    wanted = content(JSON, ref("UploadRequest"), {"filename": "designs.fasta", "kind": "rank", "top_k": 1000})
    job = {"200": reply("The job; `results` holds links once it has ended", _job(record(known, 1)))}
    ended = replace(known, state="FAILED", reason="cancelled", progress=0.0, counts={}, results={}, shards=40)
    stopped = {"202": reply("The job, stopped", _job(record(ended, 12)))}
    upload = query({"upload": {"type": "string", "minLength": 1, "description": "The upload's key."}}, required=True)
    return {
        "/uploads": {
            "post": operation(
                "Jobs",
                "Upload a file of any size",
                {"201": reply("A form to POST to S3 with the file as its last field, `file`; and the job", offered)},
                400,
                503,
                takes=wanted,
            )
        },
        "/jobs/{id}": {
            "get": operation("Jobs", "A job", job, 404, 503, keyed=False, parameters=[path_parameter("id", JOB_ID)])
        },
        "/jobs/{id}/cancel": {
            "post": operation("Jobs", "Stop a job", stopped, 404, 409, 503, parameters=[path_parameter("id", JOB_ID)])
        },
        "/jobs": {"get": operation("Jobs", "The latest job of an upload", job, 400, 404, 503, parameters=upload)},
    }


def _job(shown: Schema) -> Schema:
    return content(JSON, ref("Job"), shown)
