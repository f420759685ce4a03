"""The published models as a page for people: what each is for, how good it is, its limits, plots and sources."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from assay.errors import NotAcceptable
from assay.http.messages import Response, choose_form
from portal.pages import POLICY, digest, fresh
from portal.reference_tables import render_reference

_FORMS: Final = ("application/json", "text/html")
_STYLE: Final = (Path(__file__).parent / "models.css").read_text(encoding="utf-8")
_MOST: Final = 2_500_000  # characters of cards: Lambda carries 6 MB
_TASKS: Final = {
    "sequence-score": "Scores amino-acid sequences.",
    "text-classification": "Gives the probability of each label for a text.",
}
_ORDER: Final = ("score", "gate", "classifier")
_DOI: Final = re.compile(r"\bdoi:(10\.[\w./()-]*\w)")
_ROLES: Final = {"gate": "the gate of rankings", "score": "the score of rankings", "classifier": "the classifier"}
_PAGE: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Models · Assay</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="icon" href="{root}page/icon.svg"><style>{style}</style></head>
<body><header><nav aria-label="Service"><a href="{home}">&larr; Assay</a> <a href="{root}docs">API</a></nav></header>
<main><h1>Models</h1><p>The models that are published here. A program gets the same as JSON from
<code>GET /models</code>.</p>{models}{more}</main></body></html>"""


def wants_page(accept: str) -> bool:
    """Say whether the caller is a browser, which gets a page instead of JSON."""
    try:
        return choose_form(accept, _FORMS) == _FORMS[1]
    except NotAcceptable:
        return False


def models_page(found: Mapping[str, Any], card: Callable[[str, str], str], prefix: str) -> Response:
    """Return what `Catalogue.page` found as a page, with each model's card; `prefix` leads to the routes."""
    first = sorted(found["models"], key=_place)
    names = "".join(f'<li><a href="#{escape(each["name"])}">{escape(each["name"])}</a></li>' for each in first)
    models = f"<ul>{names}</ul>{''.join(_articles(first, card))}" if first else "<p>No model is published yet.</p>"
    following = f'<p><a href="{escape(prefix + found["next"])}">More models</a></p>' if "next" in found else ""
    page = _PAGE.format(style=_STYLE, models=models, more=following, root=prefix, home=prefix or ".")
    policy = f"{POLICY}; style-src {digest(_STYLE)}; img-src 'self' data:"
    headers = {**fresh(), "Content-Security-Policy": policy, "Vary": "Accept"}
    return Response(200, page, "text/html; charset=utf-8", headers)


def link_dois(text: str) -> str:
    """Return a text as HTML in which each `doi:` is a link."""
    return _DOI.sub(r'<a href="https://doi.org/\1">doi:\1</a>', escape(text))


def _place(model: Mapping[str, Any]) -> int:
    """Return where a model stands on the page: what serves first, rankings before abstracts."""
    return min((_ORDER.index(each) for each in model["default_for"] if each in _ORDER), default=len(_ORDER))


def _articles(models: Sequence[Mapping[str, Any]], card: Callable[[str, str], str]) -> Iterator[str]:
    left = _MOST
    for model in models:
        text = card(model["name"], model["version"])
        left -= len(text)
        yield _article(model, text if left > 0 else "")


def _article(model: Mapping[str, Any], card: str) -> str:
    name = escape(model["name"])
    facts = "".join(f"<dt>{escape(term)}</dt><dd>{said}</dd>" for term, said in _facts(model) if said)
    numbers = "".join(f"<tr><th scope=row>{escape(term)}</th><td>{said}</td></tr>" for term, said in _numbers(model))
    listed = (
        f"<details{'' if card else ' open'}><summary>All measured numbers</summary><table>{numbers}</table></details>"
        if numbers
        else ""
    )
    return (
        f'<article id="{name}"><h2>{name} <span class="version">version {escape(model["version"])}</span></h2>'
        f"<dl>{facts}</dl>{card}{render_reference(model['name'], model.get('reference'))}{listed}</article>"
    )


def _facts(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    roles = [_ROLES.get(each, each) for each in model["default_for"]]
    yield "Task", escape(_TASKS.get(model["task"], model["task"]))
    yield "Serves as", escape(", ".join(roles) or "nothing by itself; a request can name it")
    if "length" in model:
        yield "Reads", escape(f"{model['length']} residues, of {model['alphabet']}")
    if "labels" in model:
        yield "Labels", escape(", ".join(model["labels"]))
    yield "Published versions", escape(", ".join(model["versions"]))
    for term, said in (model["provenance"] or {}).items():
        yield term.replace("_", " ").capitalize(), link_dois(str(said)) if isinstance(said, str) else ""
    yield "Licence", escape(model["licence"] or "")
    yield "How to cite", _write_citation(model)


def _write_citation(model: Mapping[str, Any]) -> str:
    source = (model["provenance"] or {}).get("data")
    data = f" Trained on: {link_dois(str(source))}." if source else ""
    return f"Assay, model {escape(model['name'])} version {escape(model['version'])}.{data}"


def _numbers(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _flat(model["metrics"] or {}, "")


def _flat(found: Any, place: str) -> Iterator[tuple[str, str]]:
    match found:
        case dict():
            for name, each in found.items():
                yield from _flat(each, f"{place}, {name}".strip(", ").replace("_", " "))
        case [float() | int(), float() | int()]:
            yield place, f"{_write_value(found[0])} to {_write_value(found[1])}"
        case list():
            yield place, ", ".join(_write_value(each) for each in found)
        case _:
            yield place, _write_value(found)


def _write_value(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else escape(str(value))
