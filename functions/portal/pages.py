"""The page, the API's description and its viewer: files of this folder and of Powertools, no other host."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

import aws_lambda_powertools

from assay.http import Response

_HERE = Path(__file__).parent
_SWAGGER = Path(aws_lambda_powertools.__file__).parent / "event_handler" / "openapi" / "swagger_ui"

_POLICY = (
    "default-src 'none'; connect-src 'self'; form-action 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}
_VIEWER = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Assay API</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{css}</style></head>
<body><div id="swagger-ui"></div><script>{script}</script>
<script>SwaggerUIBundle({{url: "{base}/openapi.json", dom_id: "#swagger-ui", deepLinking: true}});</script>
</body></html>"""


def base(path: str, stage_path: str) -> str:
    """Return what stands before the routes in the browser: `/prod` where `/upload` was asked for as `/prod/upload`."""
    prefix = stage_path.rstrip("/").removesuffix(path.rstrip("/"))
    return prefix if re.fullmatch(r"(/[A-Za-z0-9_.~-]+)*", prefix) else ""


def upload(prefix: str) -> Response:
    """Return the upload page."""
    page = _page().replace("{{base}}", prefix)
    sources = {kind: " ".join(_hashes(page, kind)) for kind in ("script", "style")}
    policy = f"{_POLICY}; script-src {sources['script']}; style-src {sources['style']}"
    return Response(200, page, "text/html; charset=utf-8", {**_HEADERS, "Content-Security-Policy": policy})


def viewer(prefix: str) -> Response:
    """Return Swagger UI over /openapi.json."""
    script, css = _file(_SWAGGER / "swagger-ui-bundle.min.js"), _file(_SWAGGER / "swagger-ui.min.css")
    page = _VIEWER.format(css=css, script=script, base=prefix)
    # Swagger UI styles its elements inline, so styles cannot be held to hashes.
    policy = f"{_POLICY}; script-src {' '.join(_hashes(page, 'script'))}; style-src 'unsafe-inline'"
    return Response(200, page, "text/html; charset=utf-8", {**_HEADERS, "Content-Security-Policy": policy})


def description() -> Response:
    """Return the OpenAPI document."""
    return Response(200, _file(_HERE / "openapi.json"), headers=_HEADERS)


@cache
def _page() -> str:
    """Return the page with its style and script inside: one request, and hashes that name them."""
    page, style, script = (_file(_HERE / "page" / name) for name in ("index.html", "style.css", "page.js"))
    return page.replace("{{style}}", style).replace("{{script}}", script)


@cache
def _file(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _hashes(page: str, tag: str) -> list[str]:
    """Return the sources of a page's inline scripts or styles, as a Content-Security-Policy names them."""
    found = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in found)
    return [f"'sha256-{digest}'" for digest in digests]
