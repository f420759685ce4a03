"""The page, the API's description and its viewer: files of this folder and of Powertools, no other host.

`make page` builds the page's script and style into page/dist: one file each, for a browser that asked for a dozen
modules at once would want a dozen functions at once, and a new account may run ten.
"""

import base64
import hashlib
import importlib.util
import json
import re
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from assay.errors import NotFound
from assay.http.messages import Response, json_response

_HERE = Path(__file__).parent
_PAGE = _HERE / "page"
_SPEC = importlib.util.find_spec("aws_lambda_powertools")  # found, not imported: that would take 0.05 s
_SWAGGER = Path(((_SPEC and _SPEC.submodule_search_locations) or [""])[0]) / "event_handler" / "openapi" / "swagger_ui"

SCRIPT: Final = "app.js"
STYLE: Final = "style.css"
ICON: Final = "icon.svg"
NOTICE: Final = "NOTICE.txt"
"""The licences of the packages in the script."""
TYPES: Final = {
    SCRIPT: "text/javascript; charset=utf-8",
    STYLE: "text/css; charset=utf-8",
    ICON: "image/svg+xml; charset=utf-8",
    NOTICE: "text/plain; charset=utf-8",
}

POLICY = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_FRESH = {**_HEADERS, "Cache-Control": "no-cache"}
_FOR_EVER = {**_HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
_VIEWER = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Assay API</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="icon" href="{root}page/icon.svg"><style>{css}{style}</style><script>{dark}</script></head>
<body><nav aria-label="Service"><a href="{home}">&larr; Assay</a> <a href="{root}models">Models</a></nav>
<main id="swagger-ui"></main><script>{script}</script>
<script>SwaggerUIBundle({{url: "{root}openapi.json", dom_id: "#swagger-ui", deepLinking: true}});</script>
</body></html>"""

_VIEWER_STYLE = """nav{max-width:1460px;margin:0 auto;padding:14px 20px 0;font:600 15px system-ui,sans-serif}
nav a{color:#0f6b72;margin-right:1.2em}html.dark-mode nav a{color:#67c5cb}body{margin:0}
.swagger-ui .renderedMarkdown code{padding:1px 5px}
@media(max-width:40rem){.swagger-ui .wrapper{padding:0 12px}
.swagger-ui .opblock-body :is(table,tbody,tr,td){max-width:100%;overflow-wrap:anywhere}
.swagger-ui :is(.parameters-container,.responses-inner){overflow-x:auto}
.swagger-ui :is(.response-controls,.opblock-section-header){flex-wrap:wrap}}"""
_DARK = """{const dark = matchMedia("(prefers-color-scheme: dark)");
const look = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", look); look();}"""


def root(path: str, asked: str) -> str:
    """Return what leads from a page to the routes, relative to the address `asked` for, stage and all.

    Nothing at /prod/ and /prod/upload, `../` at /prod/upload/, `prod/` at /prod.
    """
    if path.strip("/"):
        return "../" if asked.endswith("/") else ""
    last = asked.rpartition("/")[2]
    return f"{quote(last, safe='')}/" if last else ""


def upload_page(prefix: str, hosts: Collection[str], days: Mapping[str, int]) -> Response:
    """Return the page, which says for how many `days` uploads and results are kept.

    Its policy lets it load the page's files, and talk to the service and to `hosts`, no more.
    """
    page = _file(_PAGE / "index.html")
    for name, value in {"root": prefix, "version": page_version(), **days}.items():
        page = page.replace(f"{{{{{name}}}}}", str(value))
    connect = " ".join(["'self'", *sorted(hosts)])
    policy = f"{POLICY}; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src {connect}"
    return Response(200, page, "text/html; charset=utf-8", {**_FRESH, "Content-Security-Policy": policy})


def part(name: str, wanted: str = "") -> Response:
    """Return a file of the page, kept by browsers where its version is the one `wanted`. Raises NotFound."""
    if name not in TYPES:
        raise NotFound(f"the page has no file {name!r}; it has {', '.join(TYPES)}")
    headers = _FOR_EVER if wanted == page_version() else _FRESH
    return Response(200, _part(name), TYPES[name], headers)


def viewer(prefix: str) -> Response:
    """Return Swagger UI over /openapi.json."""
    script, css = _file(_SWAGGER / "swagger-ui-bundle.min.js"), _file(_SWAGGER / "swagger-ui.min.css")
    page = _VIEWER.format(css=css, style=_VIEWER_STYLE, dark=_DARK, script=script, root=prefix, home=prefix or ".")
    # Swagger UI styles its elements inline, so styles cannot be held to hashes.
    sources = (
        f"script-src {' '.join(_hashes(page))}; style-src 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
    )
    headers = {**_FRESH, "Content-Security-Policy": f"{POLICY}; {sources}"}
    return Response(200, page, "text/html; charset=utf-8", headers)


def description(address: str) -> Response:
    """Return the OpenAPI document, whose server is the one that was asked."""
    return json_response({**_document(), "servers": [{"url": address}]}, headers=_FRESH)


@cache
def _document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_file(_HERE / "openapi.json"))
    return found


def server(scheme: str, host: str, asked: str) -> str:
    """Return the service's address from that of its description; its path alone where scheme or host are odd."""
    path = quote(asked.rstrip("/").removesuffix("/openapi.json"), safe="/")
    usual = scheme in ("http", "https") and re.fullmatch(r"[A-Za-z0-9.-]+(:\d+)?", host)
    return f"{scheme}://{host}{path}" if usual else path or "/"


@cache
def api_version() -> str:
    """Return the version that the description names."""
    return str(json.loads((_HERE / "openapi.json").read_text(encoding="utf-8"))["info"]["version"])


@cache
def page_version() -> str:
    """Return a name of what the page's files hold: other files, another name."""
    return hashlib.sha256("\0".join(map(_part, TYPES)).encode()).hexdigest()[:16]


def _part(name: str) -> str:
    return _file((_PAGE if name == ICON else _PAGE / "dist") / name)


@cache
def _file(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _hashes(page: str) -> list[str]:
    """Return the sources of a page's inline scripts, as a Content-Security-Policy names them."""
    return [digest(text) for text in re.findall(r"<script>(.*?)</script>", page, re.DOTALL)]


def digest(text: str) -> str:
    """Return the source of an inline script or style, as a Content-Security-Policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def fresh() -> dict[str, str]:
    """Return the headers of what a browser asks for anew each time."""
    return {**_FRESH}
