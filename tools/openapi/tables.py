"""The tables of docs/api.md that say what the description says: routes and limits."""

from collections.abc import Iterable
from pathlib import Path

from assay.abstracts.prepare import LONGEST, SHORTEST
from assay.options import MAX_TOP_K
from assay.runtime import PAYLOAD_LIMIT
from classify.inputs import MOST_ABSTRACTS
from classify.serving import MOST_SEQUENCES
from portal.uploads import MAX_UPLOAD_BYTES
from rank.reading import MAX_BODY_BYTES, MAX_LINES, MAX_SEQUENCES
from rank.replies import REJECTS_SHOWN
from tools.openapi.parts import Schema

ROOT = Path(__file__).parent.parent.parent
TARGET = ROOT / "docs" / "api.md"


def text(document: Schema) -> str:
    """Return docs/api.md with its tables written anew."""
    found = TARGET.read_text(encoding="utf-8")
    for name, table in {"routes": routes(document), "limits": limits()}.items():
        head, begin, rest = found.partition(f"<!-- {name}: python -m tools.openapi -->\n")
        _, end, tail = rest.partition(f"<!-- end of {name} -->")
        found = f"{head}{begin}{table}\n{end}{tail}"
    return found


def routes(document: Schema) -> str:
    """Return a row for each operation."""
    rows = [
        (f"`{method.upper()} {path}`", each["summary"], _types(each.get("requestBody", {})), _answers(each), _key(each))
        for path, methods in document["paths"].items()
        for method, each in methods.items()
    ]
    return _table(("route", "what it does", "takes", "answers", "key"), rows)


def limits() -> str:
    """Return a row for each limit."""
    return _table(
        ("what", "limit"),
        [
            ("a request, as it arrives", f"{PAYLOAD_LIMIT:,} bytes as JSON; about 4.5 MB of anything else"),
            ("sequences in a request", f"{MAX_SEQUENCES:,} as JSON, {MAX_LINES:,} lines otherwise"),
            ("a gzipped request, unpacked", f"{MAX_BODY_BYTES >> 20} MiB"),
            ("`top_k` of a ranking", f"1 to {MAX_TOP_K:,}"),
            ("rejects that a reply lists", f"{REJECTS_SHOWN:,}; all of them are counted"),
            ("abstracts in a request", f"{MOST_ABSTRACTS}, of {SHORTEST} to {LONGEST:,} characters after cleaning"),
            ("sequences for a serving protocol", f"{MOST_SEQUENCES:,}"),
            ("a presigned upload", f"{MAX_UPLOAD_BYTES >> 30} GiB, within the hour"),
            ("an answer", "29 seconds; what takes longer goes through `POST /uploads`"),
        ],
    )


def _types(body: Schema) -> str:
    return ", ".join(body.get("content", {}))


def _answers(operation: Schema) -> str:
    good = [each for status, each in operation["responses"].items() if status < "300"]
    return ", ".join(dict.fromkeys(kind for each in good for kind in each.get("content", {})))


def _key(operation: Schema) -> str:
    return "" if operation.get("security") == [] else "yes"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])
