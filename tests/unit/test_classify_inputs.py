"""Reading of classification requests."""

import pytest

from assay.errors import MalformedBody, UnsupportedMediaType
from assay.http.messages import Request
from classify.request import ClassifyRequest, read_request


def form(body: bytes, content_type: str, called: str = "a", **query: str) -> ClassifyRequest:
    """Read a form with one file."""
    named = f'Content-Disposition: form-data; name="input_file"; filename="{called}"'
    head = f"--x\r\n{named}\r\nContent-Type: {content_type}\r\n"
    headers = {"content-type": "multipart/form-data; boundary=x"}
    return read_request(Request("POST", "/classify", headers, query, head.encode() + b"\r\n" + body + b"\r\n--x--\r\n"))


def test_a_form_may_hold_a_file_of_json() -> None:
    found = form(b'{"abstracts": ["one", "two"], "top_k": 3}', "application/json; charset=utf-8", threshold="0.2")
    assert (found.abstracts, found.single) == (["one", "two"], False)
    assert (found.options.top_k, found.options.threshold) == (3, 0.2)


def test_a_forms_json_is_held_to_its_shape() -> None:
    with pytest.raises(MalformedBody, match="send"):
        form(b"5", "application/json")


def test_a_text_that_begins_like_json_is_a_text() -> None:
    assert form(b"{\\it Chandra} sees", "application/octet-stream").abstracts == ["{\\it Chandra} sees"]


def test_what_a_form_may_not_hold_is_named() -> None:
    with pytest.raises(UnsupportedMediaType, match="image/png"):
        form(b"", "image/png")


@pytest.mark.parametrize("called", ["a.json", "a.jsonl", "A.NDJSON"])
def test_a_file_called_json_is_json_whatever_its_type(called: str) -> None:
    found = form(b'"one"\n"two"\n', "application/octet-stream", called)
    assert (found.abstracts, found.single) == (["one", "two"], False)
