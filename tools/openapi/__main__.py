"""Write the description that the portal serves, and the tables of docs/api.md: `python -m tools.openapi`."""

import json
import re
import tomllib
from pathlib import Path

from tools.openapi import errors, tables
from tools.openapi.parts import Schema
from tools.openapi.portal import portal_paths
from tools.openapi.routes import classification_paths, ranking_paths
from tools.openapi.schemas import schemas
from tools.openapi.serving import serving_paths, serving_schemas

ROOT = Path(__file__).parent.parent.parent
TARGET = ROOT / "functions" / "portal" / "openapi.json"
_ABOUT = """{}.

Errors are `{{"error": {{"code", "message", "details"}}}}`: the code is stable, the message says what was wrong, where,
and what to do. Options stand in the query, in JSON or in a form's fields; one that does not exist is an error. A path
may end in a slash."""
_TAGS = {
    "Sequences": "Ranking of amino-acid sequences: a gate decides which pass, a score orders them.",
    "Abstracts": "Classification of scientific abstracts.",
    "Jobs": "Files of any size: a presigned upload becomes a job, the job links to its results.",
    "Models": "What serves.",
    "Serving protocols": "For clients of TensorFlow Serving and of the Open Inference Protocol. Errors are text under "
    "`error`, the code beside it. All instances are answered or none: a bad one is 422, and named.",
    "Pages": "For people.",
}


def document() -> Schema:
    """Return the whole description."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    key = {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "Where the deployment has keys; the local service has none unless it is asked to.",
    }
    signature = {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "x-amazon-apigateway-authtype": "awsSigv4",
        "description": "AWS Signature Version 4, where the deployment asks for it instead of keys.",
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Assay",
            "version": project["version"],
            "description": _ABOUT.format(project["description"]),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "."}],
        "security": [{"key": []}, {"signature": []}, {}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": _named(ranking_paths() | classification_paths() | serving_paths() | portal_paths()),
        "components": {
            "schemas": schemas() | serving_schemas(),
            "responses": errors.components(),
            "securitySchemes": {"key": key, "signature": signature},
        },
    }


def _named(paths: Schema) -> Schema:
    """Return the paths, each operation with the id that generated clients call it by: `get_jobs_id`."""
    return {
        path: {method: {"operationId": _words(method, path), **each} for method, each in methods.items()}
        for path, methods in paths.items()
    }


def _words(method: str, path: str) -> str:
    return "_".join([method, *re.findall(r"[a-z0-9_]+", path.replace(".", "_"))] if path != "/" else [method, "page"])


def text() -> str:
    """Return the description as the file holds it."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
    tables.TARGET.write_text(tables.text(document()), encoding="utf-8")
