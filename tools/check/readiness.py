"""Checks of what a caller looks at first: health, models, pages, the description."""

import re
from typing import Any, Final

from tools.check.ground import Ground
from tools.check.promises import Check, hold
from tools.check.wire import expect, read

ROLES: Final = ("gate", "score", "classifier")


def check_health(ground: Ground) -> str:
    """Hold that every model that requests need is published."""
    found = read(ground.wire.get("/health"))
    named = {role: found["models"][role] for role in ROLES}
    missing = [each["name"] for each in named.values() if not each["version"]]
    hold(not missing, f"no version of {', '.join(missing)} is published: publish it with assay models publish")
    hold(found["status"] == "ok", f"the status is {found['status']!r}")
    return ", ".join(f"{each['name']} {each['version']}" for each in named.values())


def check_models(ground: Ground) -> str:
    """Hold that the models that serve are listed with what a caller must know of them."""
    served = read(ground.wire.get("/health"))["models"]
    listed = {model["name"]: model for model in read(ground.wire.get("/models"))["models"]}
    for role in ROLES:
        name, version = served[role]["name"], served[role]["version"]
        hold(name in listed, f"GET /models does not list {name}, which /health names")
        hold(listed[name]["version"] == version, f"{name}: /models says {listed[name]['version']}, /health {version}")
        hold(role in listed[name]["default_for"], f"{name} is not said to be the {role}")
        hold(listed[name].get("labels") or listed[name].get("length"), f"{name} has neither labels nor a length")
    return f"{len(listed)} models"


def check_page(ground: Ground) -> str:
    """Hold that the page comes with its policy and its files."""
    page = expect(ground.wire.get("/upload"), 200)
    hold("text/html" in page.headers["Content-Type"], f"the page is {page.headers['Content-Type']}")
    hold("default-src 'none'" in page.headers.get("Content-Security-Policy", ""), "the page has no strict policy")
    parts = re.findall(r'(?:src|href)="(?:\.\./)?(page/[\w.]+)', page.text)
    hold(parts, "the page names no file of its own")
    for part in parts:
        hold(expect(ground.wire.get(part), 200).content, f"{part} is empty")
    hold("SwaggerUIBundle" in expect(ground.wire.get("/docs"), 200).text, "GET /docs is not the API's viewer")
    return f"{len(parts)} files"


def check_description(ground: Ground) -> str:
    """Hold that the description has every route that these checks call."""
    found: dict[str, Any] = read(ground.wire.get("/openapi.json"))
    hold(str(found.get("openapi", "")).startswith("3.1"), "GET /openapi.json is no OpenAPI 3.1")
    wanted = ("/rank", "/file_data", "/classify", "/api/predict", "/uploads", "/jobs/{id}", "/v2/models/{name}/infer")
    missing = [path for path in wanted if path not in found["paths"]]
    hold(not missing, f"the description lacks {', '.join(missing)}")
    return f"{len(found['paths'])} paths"


CHECKS: Final = (
    Check("health", "every model that requests need is published", check_health),
    Check("models", "the models that serve are listed", check_models),
    Check("page", "the page and its files are there", check_page),
    Check("description", "the OpenAPI description names every route", check_description),
)
