"""Write the description that the portal serves: `python -m tools.openapi`."""

import json
import tomllib
from pathlib import Path

from tools.openapi.routes import classification_paths, portal_paths, ranking_paths
from tools.openapi.schemas import Schema, schemas

ROOT = Path(__file__).parent.parent.parent
TARGET = ROOT / "functions" / "portal" / "openapi.json"


def document() -> Schema:
    """Return the whole description."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    key = {"type": "apiKey", "in": "header", "name": "x-api-key"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Assay",
            "version": project["version"],
            "description": project["description"],
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "."}],
        "security": [{"key": []}, {}],
        "paths": ranking_paths() | classification_paths() | portal_paths(),
        "components": {"schemas": schemas(), "securitySchemes": {"key": key}},
    }


def text() -> str:
    """Return the description as the file holds it."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
