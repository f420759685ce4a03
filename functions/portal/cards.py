"""Model cards: the Markdown that is published beside a bundle, as HTML that holds nothing but what it says."""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from assay.aws.s3 import Bucket
from assay.errors import ObjectMissing, TooLarge
from assay.models.published import CARD, bundle_key
from portal.model_pages import link_dois
from portal.models import Memo

_MOST_CARD: Final = 200_000
_MOST_PICTURE: Final = 600_000
_PICTURE: Final = re.compile(r"[\w-]{1,60}\.png")
_REMEMBERED: Final = 30


class Cards:
    """The cards of one bucket, each looked at again after so many seconds."""

    def __init__(self, bucket: Bucket, seconds: float) -> None:
        self._bucket = bucket
        self._kept: Memo[tuple[str, str], str] = Memo(seconds, _REMEMBERED)

    def html(self, name: str, version: str) -> str:
        """Return a version's card, its headings from the third level down; empty where it has none."""
        return self._kept.get((name, version), lambda: self._render(name, version))

    def _render(self, name: str, version: str) -> str:
        text = self._read(name, version, CARD, _MOST_CARD).decode("utf-8", "replace")
        return render_card(name, text, lambda file: self._read(name, version, file, _MOST_PICTURE)) if text else ""

    def _read(self, name: str, version: str, file: str, limit: int) -> bytes:
        try:
            content, _ = self._bucket.get(bundle_key(name, version, file), limit=limit) or (b"", "")
        except (ObjectMissing, TooLarge):
            return b""
        return content


def render_card(name: str, text: str, read: Any) -> str:
    """Return a card as HTML: markup in it is text, and pictures are those that `read(name)` returns as PNG."""
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_CardRenderer).enable("table")
    return str(parser.renderer.render(list(_lower(parser.parse(text))), parser.options, {"read": read, "name": name}))


def _lower(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield a card's parts without its title, headings one level lower: the page has the levels above."""
    title = False
    for token in tokens:
        title = token.tag == "h1" if token.type == "heading_open" else title
        if token.type.startswith("heading"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
        if not title:
            yield token
        title = title and token.type != "heading_close"


class _CardRenderer(RendererHTML):
    """Makes wide tables scroll by themselves, and pictures part of the page."""

    def table_open(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        """Open a table within what scrolls."""
        place = sum(each.type == "table_open" for each in tokens[: at + 1])
        name = escape(f"{env['name']}, table {place}", quote=True)
        return f'<div class="scroll" tabindex="0" role="region" aria-label="{name}">\n<table>\n'

    def table_close(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        """Close both."""
        return "</table>\n</div>\n"

    def th_open(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        """Open a head; one without text is a plain cell."""
        return '<th scope="col">' if tokens[at + 1].content else "<td>"

    def th_close(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        """Close what `th_open` opened."""
        return "</th>\n" if tokens[at - 1].content else "</td>\n"

    def text(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        """Write a text, sources as links."""
        return link_dois(tokens[at].content)

    def image(self, tokens: Sequence[Token], at: int, options: Any, env: Mapping[str, Any]) -> str:
        """Write a picture that lies beside the card; what it shows in words if there is none."""
        words = escape(tokens[at].content, quote=True)
        name = str(tokens[at].attrGet("src"))
        content = env["read"](name) if _PICTURE.fullmatch(name) else b""
        if not content.startswith(b"\x89PNG"):
            return words
        return f'<img alt="{words}" src="data:image/png;base64,{base64.b64encode(content).decode()}">'
