"""Checks of what a caller sees first: health, models, pages, the API's description."""

import re
from typing import Any, Final

from tools.check.ground import Ground
from tools.check.promises import Check, Untried, hold
from tools.check.wire import Reply, describe_reply, expect, expect_refusal, read_json

ROLES: Final = ("gate", "score", "classifier")


def check_health(ground: Ground) -> str:
    """Hold that every model that requests need is published."""
    found = read_json(ground.wire.get("/health"))
    named = {role: found["models"][role] for role in ROLES}
    missing = [each["name"] for each in named.values() if not each["version"]]
    hold(not missing, f"no version of {', '.join(missing)} is published: publish it with assay models publish")
    hold(found["status"] == "ok", f"the status is {found['status']!r}")
    return ", ".join(f"{each['name']} {each['version']}" for each in named.values())


def check_models(ground: Ground) -> str:
    """Hold that the models that serve are listed with what a caller must know of them."""
    served = read_json(ground.wire.get("/health"))["models"]
    listed = {model["name"]: model for model in read_json(ground.wire.get("/models"))["models"]}
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
    hold(parts, "the page names no script or style")
    for part in parts:
        hold(expect(ground.wire.get(part), 200).content, f"{part} is empty")
    hold("SwaggerUIBundle" in expect(ground.wire.get("/docs"), 200).text, "GET /docs is not the API's viewer")
    return f"{len(parts)} files"


def check_description(ground: Ground) -> str:
    """Hold that the description has every route that these checks call."""
    found: dict[str, Any] = read_json(ground.wire.get("/openapi.json"))
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


ORIGIN: Final = "https://lab.example.org"
TOO_LARGE: Final = 7_000_000
"""Bytes that are more than Lambda takes once they are base64."""


def check_key(ground: Ground) -> str:
    """Hold that closed routes want a key or signature, and that open ones want none."""
    wire, sent = ground.wire, {"sequences": ground.specimens.sequences}
    for path in ("/health", "/models", "/openapi.json"):
        expect(wire.get(path, let_in=False), 200)
    if not wire.closed:
        raise Untried("no key was given, so calls are taken to be open here")
    for path in ("/rank", "/classify", "/uploads"):
        code = expect_refusal(wire.post(path, let_in=False, json=sent), 403, "forbidden")
        hold("Access-Control-Allow-Origin" in code.headers, f"a page elsewhere cannot read the refusal of {path}")
    if wire.key:
        expect_refusal(
            wire.post("/rank", let_in=False, json=sent, headers={"x-api-key": "no-such-key"}), 403, "forbidden"
        )
    return "403 without"


def check_route(ground: Ground) -> str:
    """Hold that a route or method that does not exist is refused in the usual shape."""
    status, code = (403, "forbidden") if ground.wire.signature else (404, "not_found")
    expect_refusal(ground.wire.get("/no-such-route"), status, code)
    expect_refusal(ground.wire.ask("DELETE", "/rank"), status, code)
    return str(status)


def check_size(ground: Ground) -> str:
    """Hold that a body that is too large is sent to uploads."""
    line = f"{ground.specimens.sequences[0]}\n".encode()
    body = line * (TOO_LARGE // len(line))
    reply = ground.wire.post("/rank", data=body, headers={"Content-Type": "application/octet-stream"})
    hold(
        "/uploads" in expect_refusal(reply, 413, "too_large").text,
        f"{describe_reply(reply)}, which does not name POST /uploads",
    )
    return "413"


def check_origin(ground: Ground) -> str:
    """Hold that the pages that may call from a browser can: preflight, replies and refusals."""
    allowed = ground.parameter("AllowedOrigin")
    origin = allowed if allowed and allowed != "*" else ORIGIN
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    wanted = {"Access-Control-Request-Headers": "content-type,x-api-key"}
    preflight = ground.wire.ask("OPTIONS", "/rank", let_in=False, headers={**asked, **wanted})
    hold(preflight.ok, f"the preflight: {describe_reply(preflight)}")
    names = preflight.headers.get("Access-Control-Allow-Headers", "").lower()
    hold("x-api-key" in names and "content-type" in names, f"a preflight allows the headers {names!r} only")
    methods = preflight.headers.get("Access-Control-Allow-Methods", "")
    hold("POST" in methods, f"a preflight allows the methods {methods!r} only")
    good = ground.wire.post("/rank", json={"sequences": ground.specimens.sequences}, headers={"Origin": origin})
    bad = ground.wire.post("/rank", json={}, headers={"Origin": origin})
    return ", ".join(sorted({_require_origin(reply, allowed) for reply in (preflight, good, bad)}))


def _require_origin(reply: Reply, parameter: str | None) -> str:
    origin = reply.headers.get("Access-Control-Allow-Origin", "")
    hold(
        origin and origin == (parameter or origin),
        f"{describe_reply(reply)}: a page's origin is not allowed ({origin!r})",
    )
    return origin


def check_job_errors(ground: Ground) -> str:
    """Hold that an unknown job, and an upload without a name, are refused."""
    expect_refusal(ground.wire.get("/jobs/no-such-job"), 404, "not_found")
    expect_refusal(ground.wire.post("/uploads", json={}), 400, "malformed_body")
    expect_refusal(ground.wire.post("/uploads", json={"filename": "a.txt", "topk": 1}), 400, "invalid_option")
    read_json(ground.wire.post("/jobs/no-such-job/cancel"), 404)
    return "400, 404"


GATEWAY_CHECKS: Final = (
    Check("key", "closed routes want a key, open ones none", check_key),
    Check("route", "what there is not is refused in the one shape", check_route),
    Check("size", "a body that is too large is sent to uploads", check_size),
    Check("origin", "pages of allowed origins may call", check_origin),
    Check("job-errors", "jobs and uploads that cannot be are refused", check_job_errors),
)
