"""JSON as one value, or as a stream of records: a list, a list under a name, or values one after another.

Imports no NumPy, because the portal uses it too.
"""

import codecs
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from assay.errors import MalformedBody, UnreadableInput
from assay.text.packing import HEAD
from assay.text.records import LIMITS, Limits

_BRACKETS: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\{\s*[\"}]|\[\s*[\"{\]\[])")


def looks_like_json(head: bytes) -> bool:
    """Say whether text begins as JSON of objects or lists does; TeX's braces and references in brackets do not."""
    return bool(_BRACKETS.match(head))


class _Refused(ValueError):
    """JSON that no reader may take, and why."""


def _require_once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a decoded object with unique names: of two values of one name none can be told to be the right one."""
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _Refused(f"the JSON has the name {name[:100]!r} twice in one object")
            seen.add(name)
    return found


_BLANKS: Final = re.compile(r"[ \t\r\n]*")
_DIGITS: Final = "0123456789.eE+-"


def _refuse_constant(name: str) -> float:
    raise _Refused("NaN and Infinity are not JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_require_once_each)


class Value(NamedTuple):
    """A record's 1-based place in its list, and its value."""

    place: int
    value: Any


def decode_value(text: str) -> Any:
    """Return the one JSON value of a text. Raises ValueError that says what is wrong and where."""
    try:
        return _DECODER.decode(text)  # json.loads would make a decoder for each
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}" if error.lineno > 1 else f"character {error.pos + 1}"
        raise ValueError(f"not JSON at {place}: {error.msg}") from None
    except RecursionError:
        raise ValueError("JSON nested too deep") from None
    except _Refused:
        raise
    except ValueError:
        raise ValueError("a number of the JSON is too long") from None


def parse_json(body: bytes) -> Any:
    """Return the one value of a JSON body; NaN and Infinity are refused. Raises MalformedBody."""
    if not body.strip():
        raise MalformedBody("the body is empty: send JSON")
    try:
        return decode_value(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise MalformedBody(f"the body is not UTF-8: byte {error.start}") from None
    except ValueError as error:
        raise MalformedBody(f"the body cannot be read: {error}") from None


def parse_several(body: bytes, lists: Collection[str]) -> Any:
    """Return the value of a JSON body; of several that follow each other, JSON lines or not, a list.

    `lists` are the names under which a document may have its list. Raises MalformedBody.
    """
    try:
        return parse_json(body)
    except MalformedBody:
        with suppress(UnreadableInput):
            if found := [value for _, value in values([body], lists, LIMITS)]:
                return found
        raise


def is_lines(head: bytes, lists: Collection[str]) -> bool:
    """Say whether JSON that begins so is a value a line.

    If not, it is a document: a list, an object over several lines, or one with a list in it.
    """
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    line, end, rest = text.replace(b"\r", b"\n").partition(b"\n")
    if not text.startswith(b"{"):
        return not text.startswith(b"[")
    try:
        found = json.loads(line.decode("utf-8", "replace"))
    except json.JSONDecodeError as error:
        if not end and len(head) >= HEAD:  # the first line goes on behind the head, where a list would have begun
            return not any(f'"{name}"'.encode() in text for name in lists)
        whole = error.pos < len(line.rstrip().decode("utf-8", "replace")) - 1
        return whole and rest.lstrip().startswith((b"{", b'"'))
    except (ValueError, RecursionError):
        return bool(rest.strip())
    return not any(isinstance(found.get(name), list) for name in lists)


def values(chunks: Iterable[bytes], lists: Collection[str], limits: Limits) -> Iterator[Value]:
    """Yield the records of a JSON document in constant memory; each is decoded by itself.

    A document is a list, an object with a list under one of the names `lists`, or values that follow each other.
    Raises UnreadableInput where it is no JSON, with the place; where a record is over the longest that is read; and
    for fields beside such a list, which in a request would be options.
    """
    return _Reader(_Text(_decode(chunks), limits.record_bytes), frozenset(lists)).read()


def _decode(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yield UTF-8 as text, without its byte order mark. Raises UnreadableInput if it is not UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    size = 0
    try:
        for chunk in chunks:
            held = len(decoder.getstate()[0])
            yield decoder.decode(chunk)
            size += len(chunk)
        held = len(decoder.getstate()[0])
        yield decoder.decode(b"", True)
    except UnicodeDecodeError as error:
        raise UnreadableInput(f"the JSON is not UTF-8: byte {size - held + error.start}") from None


@dataclass(slots=True)
class _Text:
    """Text that comes in chunks, and where in it reading is."""

    parts: Iterator[str]
    longest: int
    text: str = ""
    at: int = 0
    passed: int = 0
    ended: bool = False

    def more(self) -> bool:
        """Hold some more text, at least as much again as is held; False if there is none."""
        wanted = max(2 * (len(self.text) - self.at), 1)
        self.passed, self.text, self.at = self.passed + self.at, self.text[self.at :], 0
        parts, size = [self.text], len(self.text)
        while size < wanted and not self.ended:
            part = next(self.parts, None)
            self.ended = part is None
            parts.append(part or "")
            size += len(parts[-1])
        grown, self.text = size > len(self.text), "".join(parts)
        return grown

    def next(self) -> str:
        """Return the next character that is not blank, without passing it; empty at the end."""
        if self.at < len(self.text) and (mark := self.text[self.at]) > " ":
            return mark
        while True:
            if found := _BLANKS.match(self.text, self.at):
                self.at = found.end()
            if self.at < len(self.text) or not self.more():
                return self.text[self.at : self.at + 1]

    def take(self, wanted: str) -> bool:
        """Pass the next character where it is `wanted`."""
        found = self.next() == wanted
        self.at += found
        return found

    def expect(self, wanted: str) -> None:
        """Pass the next character. Raises UnreadableInput where it is another."""
        if not self.take(wanted):
            raise self.wrong(f"expected {wanted!r}")

    def value(self) -> Any:
        """Decode the next value and pass it. Raises UnreadableInput."""
        self.next()
        while True:
            try:
                found, end = _DECODER.raw_decode(self.text, self.at)
            except (ValueError, RecursionError) as error:
                self._grow(error)
                continue
            size = end - self.at  # what is held moves when there is more of it
            if self._may_go_on(end) and self.more():
                continue
            self.at += size
            return found

    def _may_go_on(self, end: int) -> bool:
        """Say whether a value that ends there is a number that may have more digits in the next chunk."""
        last = self.text[end - 1]
        return last not in '}]"' and last.isdigit() and not self.text[end:].strip(_DIGITS) and not self.ended

    def _grow(self, error: Exception) -> None:
        """Hold more of a value that cannot be decoded yet. Raises UnreadableInput where it never can."""
        if len(self.text) - self.at > self.longest:
            raise self.wrong(f"a value of over {self.longest} bytes, or one that never ends")
        at = error.pos - self.at if isinstance(error, json.JSONDecodeError) else 0
        if not self.more():
            known = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            raise self.wrong(known if not isinstance(error, RecursionError) else "nested too deep", at)

    def wrong(self, what: str, ahead: int = 0) -> UnreadableInput:
        """Return the error for the place where reading is."""
        place = self.passed + self.at + ahead + 1
        return UnreadableInput(f"the JSON cannot be read at character {place}: {what}", position=place)


@dataclass(slots=True)
class _Reader:
    """Records, numbered as they come."""

    text: _Text
    lists: frozenset[str]
    place: int = 0

    def read(self) -> Iterator[Value]:
        """Yield the records of all values of the document."""
        while mark := self.text.next():
            if mark == "[":
                yield from self._list()
            elif mark == "{":
                yield from self._object()
            else:
                yield self._number(self.text.value())

    def _number(self, value: Any) -> Value:
        self.place += 1
        return Value(self.place, value)

    def _list(self) -> Iterator[Value]:
        self.text.expect("[")
        if self.text.take("]"):
            return
        while True:
            self.place += 1
            yield Value(self.place, self.text.value())
            mark = self.text.next()
            if mark not in ("]", ","):
                raise self.text.wrong("expected ','")
            self.text.at += 1
            if mark == "]":
                return

    def _object(self) -> Iterator[Value]:
        """Yield an object, or the records of the list in it."""
        fields: dict[str, Any] = {}
        listed = False
        self.text.expect("{")
        while not self.text.take("}"):
            if fields or listed:
                self.text.expect(",")
            name = self._name()
            if name in self.lists and self.text.next() == "[":
                listed = True
                yield from self._list()
            else:
                fields[name] = self.text.value()
            _hold_alone(fields, listed)
        if not listed:
            yield self._number(fields)

    def _name(self) -> str:
        name = self.text.value() if self.text.next() == '"' else None
        if not isinstance(name, str):
            raise self.text.wrong("expected a name in double quotes")
        self.text.expect(":")
        return name


def _hold_alone(fields: Mapping[str, Any], listed: bool) -> None:
    """Raise UnreadableInput for names beside a list of records, which would be ignored."""
    if listed and fields:
        name = next(iter(fields))[:80]
        raise UnreadableInput(f"{name!r} is beside the list: send a file's options as its metadata", field=name)
