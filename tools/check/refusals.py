"""Checks of what the gateway says by itself: no key, no such route, too large a body, other origins."""

from typing import Final

from tools.check.ground import Ground
from tools.check.promises import Check, Untried, hold
from tools.check.wire import Reply, expect, read, refuse, said

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
        code = refuse(wire.post(path, let_in=False, json=sent), 403, "forbidden")
        hold("Access-Control-Allow-Origin" in code.headers, f"a page elsewhere cannot read the refusal of {path}")
    if wire.key:
        refuse(wire.post("/rank", let_in=False, json=sent, headers={"x-api-key": "no-such-key"}), 403, "forbidden")
    return "403 without"


def check_route(ground: Ground) -> str:
    """Hold that a route or method that there is none of is refused in the one shape."""
    status, code = (403, "forbidden") if ground.wire.signature else (404, "not_found")
    refuse(ground.wire.get("/no-such-route"), status, code)
    refuse(ground.wire.ask("DELETE", "/rank"), status, code)
    return str(status)


def check_size(ground: Ground) -> str:
    """Hold that a body that is too large is sent to uploads."""
    line = f"{ground.specimens.sequences[0]}\n".encode()
    body = line * (TOO_LARGE // len(line))
    reply = ground.wire.post("/rank", data=body, headers={"Content-Type": "application/octet-stream"})
    hold("/uploads" in refuse(reply, 413, "too_large").text, f"{said(reply)}, which does not name POST /uploads")
    return "413"


def check_origin(ground: Ground) -> str:
    """Hold that the pages that may call from a browser can: preflight, replies and refusals."""
    allowed = ground.parameter("AllowedOrigin")
    origin = allowed if allowed and allowed != "*" else ORIGIN
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    wanted = {"Access-Control-Request-Headers": "content-type,x-api-key"}
    preflight = ground.wire.ask("OPTIONS", "/rank", let_in=False, headers={**asked, **wanted})
    hold(preflight.ok, f"the preflight: {said(preflight)}")
    names = preflight.headers.get("Access-Control-Allow-Headers", "").lower()
    hold("x-api-key" in names and "content-type" in names, f"a preflight allows the headers {names!r} only")
    methods = preflight.headers.get("Access-Control-Allow-Methods", "")
    hold("POST" in methods, f"a preflight allows the methods {methods!r} only")
    good = ground.wire.post("/rank", json={"sequences": ground.specimens.sequences}, headers={"Origin": origin})
    bad = ground.wire.post("/rank", json={}, headers={"Origin": origin})
    return ", ".join(sorted({_allowed(reply, allowed) for reply in (preflight, good, bad)}))


def _allowed(reply: Reply, parameter: str | None) -> str:
    origin = reply.headers.get("Access-Control-Allow-Origin", "")
    hold(origin and origin == (parameter or origin), f"{said(reply)}: a page's origin is not allowed ({origin!r})")
    return origin


def check_job_errors(ground: Ground) -> str:
    """Hold that a job that there is none of, and an upload without a name, are refused."""
    refuse(ground.wire.get("/jobs/no-such-job"), 404, "not_found")
    refuse(ground.wire.post("/uploads", json={}), 400, "malformed_body")
    refuse(ground.wire.post("/uploads", json={"filename": "a.txt", "topk": 1}), 400, "invalid_option")
    read(ground.wire.post("/jobs/no-such-job/cancel"), 404)
    return "400, 404"


CHECKS: Final = (
    Check("key", "closed routes want a key, open ones none", check_key),
    Check("route", "what there is not is refused in the one shape", check_route),
    Check("size", "a body that is too large is sent to uploads", check_size),
    Check("origin", "pages of allowed origins may call", check_origin),
    Check("job-errors", "jobs and uploads that cannot be are refused", check_job_errors),
)
