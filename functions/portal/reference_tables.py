"""What a model's scores mean, as part of its page: how true its probabilities were, and what percentiles refer to."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any


def render_reference(name: str, reference: Mapping[str, Any] | None) -> str:
    """Return what `GET /models` says of a reference as HTML, empty where a model has none."""
    return "".join(_parts(name, reference)) if reference else ""


def _parts(name: str, reference: Mapping[str, Any]) -> Iterator[str]:
    yield "<h3>What a score means</h3>"
    if calibration := reference.get("calibration"):
        yield from _calibration(name, calibration)
    if sets := reference.get("sets"):
        first = sets[0]
        yield f"<p>The percentile of a score is its place among {escape(first['name'])}: {_about(first)}.</p>"
    for each in reference.get("sets", ())[1:]:
        yield f"<p>Also known: {escape(each['name'])}, {_about(each)}.</p>"
    if measured := reference.get("measured"):
        values = escape(", ".join(measured["columns"]))
        yield f"<p>Explanations show the nearest of its measured sequences: {escape(measured['about'])}; {values}.</p>"


def _about(each: Mapping[str, Any]) -> str:
    return f"{each['count']:,} scores, {escape(each['about'])}".rstrip(".")


def _calibration(name: str, found: Mapping[str, Any]) -> Iterator[str]:
    error = f" Expected calibration error: {found['expected_error']:.3f}." if "expected_error" in found else ""
    yield f"<p>The probability is that of: {escape(found['event'])}. It was learned from {_about(found)}.{error}</p>"
    rows = "".join(_bin(each) for each in found["reliability"])
    if rows:
        yield (
            f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(name)}, reliability"><table>'
            '<caption>How often the event came true</caption><tr><th scope="col">probability given</th>'
            f'<th scope="col">came true</th><th scope="col">sequences</th></tr>{rows}</table></div>'
        )


def _bin(each: Mapping[str, Any]) -> str:
    place = f"{each['from']:.2f} to {each['to']:.2f}, mean {each['given']:.3f}"
    return f"<tr><td>{place}</td><td>{each['observed']:.3f}</td><td>{each['count']:,}</td></tr>"
