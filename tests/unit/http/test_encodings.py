"""Content-Encoding is undone, bounded, or refused; a query or a form that says a thing twice is refused."""

import gzip
import json
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import MalformedBody, TooLarge, UnsupportedMediaType
from assay.http.encodings import MAX_BYTES, decode_body, parse_multipart
from assay.http.messages import Request
from tests.events import multipart, post

FORM = "multipart/form-data; boundary=frontier"


def bare(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "DEFLATE": bare,
    "identity": bytes,
}


@given(st.binary(max_size=200), st.lists(st.sampled_from(sorted(PACKERS)), max_size=3))
def test_what_was_done_to_a_body_is_undone_last_thing_first(body: bytes, names: list[str]) -> None:
    packed = body
    for name in names:
        packed = PACKERS[name](packed)
    assert decode_body(packed, ", ".join(names)) == body


def test_members_follow_each_other_and_the_size_is_bounded() -> None:
    assert decode_body(gzip.compress(b"AC") + gzip.compress(b"DE"), "gzip") == b"ACDE"
    assert len(decode_body(gzip.compress(bytes(MAX_BYTES)), "gzip")) == MAX_BYTES
    with pytest.raises(TooLarge, match="POST /uploads"):
        decode_body(gzip.compress(bytes(MAX_BYTES + 1)), "gzip")


@pytest.mark.parametrize(
    ("body", "encoding", "kind", "said"),
    [
        (b"AC", "br", UnsupportedMediaType, "gzip, deflate, identity"),
        (b"AC", "zstd", UnsupportedMediaType, "zstd"),
        (b"AC", "gzip, br", UnsupportedMediaType, "br"),
        (b"AC", "gzip", MalformedBody, "not gzip"),
        (gzip.compress(b"ACDE")[:-6], "gzip", MalformedBody, "truncated"),
        (gzip.compress(b"ACDE") + b"more", "gzip", MalformedBody, "damaged"),
        (b"AC", "deflate", MalformedBody, "deflate"),
    ],
    ids=["br", "zstd", "two", "no gzip", "truncated", "garbage", "no deflate"],
)
def test_what_cannot_be_undone_is_refused(body: bytes, encoding: str, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        decode_body(body, encoding)


def test_many_empty_members_take_no_time() -> None:
    assert decode_body(gzip.compress(b"", 1) * 100_000, "gzip") == b""


def test_an_option_twice_in_the_query_is_refused() -> None:
    event = post("/rank", b"", query={"top_k": "2"}) | {"multiValueQueryStringParameters": {"top_k": ["1", "2"]}}
    with pytest.raises(MalformedBody, match="'top_k' more than once"):
        Request.from_event(event)
    with pytest.raises(MalformedBody, match="more than once"):
        Request.from_event(post("/rank", b"", query={"top_k": "2", "TOP_K": "3"}))


def test_a_name_twice_in_a_form_is_refused_with_the_names_of_its_files() -> None:
    one = multipart(b"AC", filename="a.fasta")
    two = one.replace(b"a.fasta", b"b.fasta")
    with pytest.raises(MalformedBody, match=r"2 files 'input_file', 'a.fasta', 'b.fasta'"):
        parse_multipart(one[: one.rindex(b"--frontier--")] + two, FORM)
    field = multipart(b"AC", top_k="1", TOP="2").replace(b'name="TOP"', b'name="top_k"')
    with pytest.raises(MalformedBody, match="'top_k' 2 times"):
        parse_multipart(field, FORM)


def test_latin_1_is_no_json_whether_it_arrives_whole_or_as_the_gateway_mends_it() -> None:
    body = '{"abstract": "Schrödinger"}'.encode("latin-1")
    with pytest.raises(MalformedBody, match="not UTF-8"):
        Request.from_event(post("/classify", body)).json()
    mended = post("/classify", b"") | {"body": body.decode("utf-8", "replace"), "isBase64Encoded": False}
    with pytest.raises(MalformedBody, match=r"not UTF-8.* character 19"):
        Request.from_event(mended)


def test_json_that_is_gzip_is_read_on_every_route() -> None:
    packed = gzip.compress(json.dumps({"instances": ["AC"]}).encode())
    assert Request.from_event(post("/v1/models/x:predict", packed)).json() == {"instances": ["AC"]}
