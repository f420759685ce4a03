"""POST /rank and the old contract, through the handler and a tiny model."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.sequences.chemistry import describe_chemistry
from tests import events
from tests.conftest import Aws
from tests.events import multipart, post
from tests.references import measured_bundle
from tools.models.publish import publish

GOOD = "MKKLEELLKKAEELLKRGDEEALRRALELAKRALELAEELGDPELLARAL"
OTHER = GOOD[::-1]
MANY_FIELDS = multipart(b"x", **{f"field{i}": "" for i in range(99)})
Call = Callable[[dict[str, Any]], dict[str, Any]]


def ranked(reply: dict[str, Any]) -> dict[str, Any]:
    assert reply["statusCode"] == 200, reply["body"]
    body: dict[str, Any] = json.loads(reply["body"])
    counts = body["counts"]
    assert counts["received"] == counts["scored"] + counts["rejected"] + counts["duplicates"]
    assert counts["returned"] == len(body["ranked"])
    scores = [row["score"] for row in body["ranked"]]
    assert scores == sorted(scores, reverse=True)
    return body


def refused(reply: dict[str, Any], status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(reply["body"])
    assert (reply["statusCode"], body["error"]["code"]) == (status, code)
    assert body["error"]["message"]
    return body["error"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", ["rank_json", "rank_lines", "rank_gzip", "rank_csv", "rank_fasta", "rank_multipart"])
def test_every_recorded_event_is_ranked(call: Call, name: str) -> None:
    body = ranked(call(events.load(name)))
    assert body["counts"]["received"] > 0
    assert body["rejected"]
    assert body["models"]["gate"] == {"name": "tiny-index", "version": "1"}


def test_every_form_of_the_same_sequences_gives_the_same_ranking(call: Call) -> None:
    lines = f"{GOOD}\n{OTHER}\n".encode()
    forms = [
        post("/rank", json.dumps({"sequences": [GOOD, OTHER]}).encode()),
        post("/rank", json.dumps({"sequences": [GOOD, OTHER]}).encode(), "application/x-www-form-urlencoded"),
        post("/rank", json.dumps({"sequences": [GOOD, OTHER]}).encode(), None),
        post("/rank", lines, "text/plain"),
        post("/rank", lines, "application/octet-stream"),
        post("/rank", lines.replace(b"\n", b"\r\n"), "text/plain; charset=utf-8"),
        post("/rank", b"\xef\xbb\xbf" + lines.lower(), "text/plain"),
        post("/rank", f">a\n{GOOD}\n>b\n{OTHER[:20]}\n{OTHER[20:]}\n".encode(), "text/x-fasta"),
        post("/rank", f">a\n{GOOD}\n>b\n{OTHER}\n".encode(), "chemical/x-fasta"),
        post("/rank", f"n,sequence\n1,{GOOD}\n2,{OTHER}\n".encode(), "text/csv"),
        post("/rank", gzip.compress(lines, mtime=0), "application/gzip"),
        post("/rank", gzip.compress(lines, mtime=0), "text/plain"),
        post("/rank", multipart(lines), "multipart/form-data; boundary=frontier"),
        post("/rank/", lines, "TEXT/PLAIN"),
    ]
    query = {"threshold": "-1000000"}
    rankings = [ranked(call(form | {"queryStringParameters": query}))["ranked"] for form in forms]
    found = [[(row["sequence"], row["score"], row["gate"]) for row in ranking] for ranking in rankings]
    assert len(found[0]) == 2
    assert all(each == found[0] for each in found)


def test_every_form_of_the_same_sequences_is_explained_alike_and_rejected_as_a_ranking_rejects(call: Call) -> None:
    lines = f"{GOOD}\n{OTHER[:20]}\n{OTHER}\n".encode()
    forms = [
        post("/rank/explain", json.dumps({"sequences": [GOOD, OTHER[:20], OTHER]}).encode()),
        post("/rank/explain", lines, "text/plain"),
        post("/rank/explain", f"sequence\n{lines.decode()}".encode(), "text/csv"),
        post("/rank/explain", gzip.compress(lines, mtime=0), "application/gzip"),
    ]
    replies = [json.loads(call(form)["body"]) for form in forms]
    for reply in replies:
        seen = {each["sequence"]: each for each in reply["explained"]}
        assert [*seen] == [GOOD, OTHER]
        assert [each["reason"] for each in reply["rejected"]] == ["length"]
        assert {name: seen[GOOD][name] for name in describe_chemistry(GOOD)} == describe_chemistry(GOOD)
    assert replies[0]["explained"] == replies[1]["explained"] == replies[3]["explained"]


def test_what_is_not_explained_is_refused_with_the_reason(call: Call) -> None:
    many = json.dumps({"sequences": [GOOD] * 101}).encode()
    assert "100" in refused(call(post("/rank/explain", many)), 413, "too_large")["message"]
    refused(call(post("/rank/explain", f"{GOOD}\n".encode() * 101, "text/plain")), 413, "too_large")
    chosen = json.dumps({"sequences": [GOOD], "top_k": 3}).encode()
    assert refused(call(post("/rank/explain", chosen)), 400, "invalid_option")["details"] == {"option": "top_k"}
    asked = post("/rank/explain", GOOD.encode(), "text/plain") | {"queryStringParameters": {"gate": "off"}}
    refused(call(asked), 400, "invalid_option")
    refused(call(post("/rank/explain", b"")), 400, "malformed_body")


def test_the_nearest_measured_sequences_are_those_of_the_score_model(call: Call, aws: Aws, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"sequences": ["A" * 50, "MK"]}
    plain = json.loads(call(post("/rank/explain", json.dumps(asked).encode()))["body"])
    assert "measured" not in plain
    assert "nearest" not in plain["explained"][0]
    publish(aws.models, measured_bundle(tmp_path), run=False, serve=False)
    asked |= {"score_model": "tiny-index@2", "gate_model": "tiny-index@1"}
    reply = json.loads(call(post("/rank/explain", json.dumps(asked).encode()))["body"])
    assert reply["measured"]["model"] == {"name": "tiny-index", "version": "2"}
    assert (reply["measured"]["count"], reply["measured"]["columns"]) == (3, ["a", "b"])
    assert [each["reason"] for each in reply["rejected"]] == ["length"]
    [explained] = reply["explained"]
    first, second, _ = explained.pop("nearest")
    assert explained == plain["explained"][0]
    assert (first["name"], first["distance"], first["differences"]) == ("first", 0, [])
    assert first["values"] == {"a": 1.25, "b": 0.1}
    assert (second["identity"], second["differences"], second["name"]) == (0.98, ["C50A"], None)


def test_options_come_from_json_query_and_form(call: Call) -> None:
    lines = f"{GOOD}\n{OTHER}\n".encode()
    low = {"threshold": "-1000000", "top_k": "1"}
    body = {"sequences": [GOOD, OTHER], "top_k": 1, "threshold": -1e6}
    assert len(ranked(call(post("/rank", json.dumps(body).encode())))["ranked"]) == 1
    assert len(ranked(call(post("/rank", lines, "text/plain", low)))["ranked"]) == 1
    form = multipart(lines, **low)
    assert len(ranked(call(post("/rank", form, "multipart/form-data; boundary=frontier")))["ranked"]) == 1
    assert ranked(call(post("/rank", lines, "text/plain", {"threshold": "1e6"})))["ranked"] == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"MKV", "length"),
        (b"", "empty"),
        (b"   ", "empty"),
        *[(GOOD[:-1].encode() + symbol, "residue") for symbol in (b"X", b"B", b"Z", b"U", b"O", b"J", b"-", b"7")],
        (GOOD[:-1].encode() + b"*", "length"),  # a star at the end is a terminator and is taken off
        (GOOD[:-1].encode() + b"\x00", "residue"),
        (GOOD[:-1].encode() + b"\xff", "encoding"),
        (GOOD[:-2].encode() + "é".encode(), "encoding"),
        (b"A" * (3 << 20), "too_long_line"),
    ],
)
def test_a_bad_line_is_rejected_with_its_line_and_reason(call: Call, line: bytes, reason: str) -> None:
    body = ranked(call(post("/rank", GOOD.encode() + b"\n" + line + b"\n" + OTHER.encode(), "text/plain")))
    assert [(each["line"], each["reason"]) for each in body["rejected"]] == [(2, reason)]
    assert body["counts"]["scored"] == 2


def test_lone_carriage_returns_end_lines(call: Call) -> None:
    assert ranked(call(post("/rank", f"{GOOD}\r{OTHER}\r".encode(), "text/plain")))["counts"]["scored"] == 2


def test_duplicates_are_counted_and_ranked_once(call: Call) -> None:
    body = {"sequences": [GOOD, OTHER, GOOD.lower(), GOOD], "threshold": -1e6}
    reply = ranked(call(post("/rank", json.dumps(body).encode())))
    assert reply["counts"]["duplicates"] == 2
    assert sorted(row["line"] for row in reply["ranked"]) == [1, 2]


def test_only_bad_lines_are_an_empty_ranking(call: Call) -> None:
    body = ranked(call(post("/rank", b"M\n" * 3, "text/plain")))
    assert (body["ranked"], body["counts"]["rejected"]) == ([], 3)


def test_an_empty_body_is_no_records(call: Call) -> None:
    assert ranked(call(post("/rank", b"", "text/plain")))["counts"]["received"] == 0


def test_a_flood_of_bad_lines_is_counted_in_full_and_listed_in_part(call: Call) -> None:
    reply = call(post("/rank", b"MKV\n" * 1_750_000, "text/plain"))
    body = ranked(reply)
    assert body["counts"]["rejected"] == 1_750_000
    assert len(body["rejected"]) == 1000
    assert len(reply["body"]) < 1_000_000


def test_strict_refuses_any_reject(call: Call) -> None:
    reply = call(post("/rank", f"{GOOD}\nMKV\n".encode(), "text/plain", {"strict": "true"}))
    error = refused(reply, 422, "rejected_records")
    assert error["details"]["rejected"][0]["line"] == 2
    ranked(call(post("/rank", f"{GOOD}\n".encode(), "text/plain", {"strict": "true"})))


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "malformed_body"),
        (b"[5]", "application/json", 400, "malformed_body"),
        (b"\xff\xfe", "application/json", 400, "malformed_body"),
        (b'{"sequences": "MKV"}', "application/json", 400, "malformed_body"),
        (b'{"sequences": [1]}', "application/json", 400, "malformed_body"),
        (b'{"sequences": [], "top_k": NaN}', "application/json", 400, "malformed_body"),
        (b"[" * 100_000, "application/json", 400, "malformed_body"),
        (b'{"sequences": [], "top_k": ' + b"9" * 5000 + b"}", "application/json", 400, "malformed_body"),
        (b'{"sequences": [], "top_k": 0}', "application/json", 400, "invalid_option"),
        (b'{"sequences": [], "top_k": 10001}', "application/json", 400, "invalid_option"),
        (b'{"sequences": [], "top_k": "many"}', "application/json", 400, "invalid_option"),
        (b'{"sequences": [], "threshold": "nan"}', "application/json", 400, "invalid_option"),
        (b'{"sequences": [], "strict": 2}', "application/json", 400, "invalid_option"),
        (b'{"sequences": [], "column": 7}', "application/json", 400, "invalid_option"),
        (b'{"sequences": [], "topk": 5}', "application/json", 400, "invalid_option"),
        (b"x", "multipart/form-data", 400, "malformed_body"),
        (b"x", "multipart/form-data; boundary=frontier", 400, "malformed_body"),
        (b"", "multipart/form-data; boundary=frontier", 400, "malformed_body"),
        (multipart(b"x")[:-20], "multipart/form-data; boundary=frontier", 400, "malformed_body"),
        (multipart(b"x", name="file"), "multipart/form-data; boundary=frontier", 400, "malformed_body"),
        (
            multipart(b"x", **{f"f{i}": "" for i in range(99)}),
            "multipart/form-data; boundary=frontier",
            413,
            "too_large",
        ),
        (b"<x/>", "application/xml", 415, "unsupported_media_type"),
        (gzip.compress(b"MKV\n" * 999, mtime=0)[:-9], "application/gzip", 422, "unreadable_input"),
        (b"\x1f\x8bnonsense", "application/gzip", 422, "unreadable_input"),
        (gzip.compress(b"A" * (70 << 20), mtime=0), "application/gzip", 422, "unreadable_input"),
        (b"a,b\n1,2\n", "text/csv", 422, "unreadable_input"),
    ],
)
def test_what_cannot_be_read_is_the_callers_error(
    call: Call, body: bytes, content_type: str, status: int, code: str
) -> None:
    refused(call(post("/rank", body, content_type)), status, code)


def test_a_body_that_is_not_the_base64_it_claims_is_refused(call: Call) -> None:
    refused(call(post("/rank", b"") | {"body": "%%%"}), 400, "malformed_body")


def test_an_unknown_route_and_method_have_the_error_shape(call: Call) -> None:
    refused(call(post("/nowhere", b"")), 404, "not_found")
    refused(call(post("/rank", b"") | {"httpMethod": "DELETE"}), 404, "not_found")


def test_no_model_is_503_and_says_how_to_publish(call: Call, environment: Callable[[str, str], None]) -> None:
    from rank.services import services

    environment("ASSAY_GATE_MODEL", "absent")
    services.cache_clear()
    reply = call(post("/rank", b'{"sequences": []}'))
    refused(reply, 503, "model_unavailable")
    assert "Retry-After" in reply["multiValueHeaders"]


def test_a_large_reply_is_a_link_to_the_same_body(
    call: Call, aws: Aws, environment: Callable[[str, str], None]
) -> None:
    from rank.services import services

    body = json.dumps({"sequences": [GOOD, OTHER], "threshold": -1e6}).encode()
    whole = call(post("/rank", body))
    environment("ASSAY_REPLY_BYTES", "100")
    services.cache_clear()
    reply = json.loads(call(post("/rank", body))["body"])
    assert set(reply) == {"result_url", "counts", "models", "notices"}
    key = next(aws.results.keys("results/"))
    assert key in reply["result_url"]
    stored = aws.results.get(key, limit=10_000)
    assert stored is not None
    assert stored[0].decode() == whole["body"]


@pytest.mark.parametrize("name", ["file_data", "upload_file"])
def test_the_old_contract_is_the_ranked_sequences_a_line_each(call: Call, name: str) -> None:
    reply = call(events.load(name))
    assert reply["statusCode"] == 200
    assert reply["multiValueHeaders"]["Content-Type"] == ["text/plain; charset=utf-8"]
    assert reply["multiValueHeaders"]["X-Assay-Rejected"] == ["3"]
    expected = ranked(call(post("/rank", events.body_of("rank_lines"), "text/plain")))
    assert reply["body"].splitlines() == [row["sequence"] for row in expected["ranked"]]


def test_the_form_is_found_from_its_target(call: Call) -> None:
    reply = call(post("/upload_file", b"") | {"httpMethod": "GET"})
    assert (reply["statusCode"], reply["multiValueHeaders"]["Location"]) == (303, ["upload"])


def test_a_gzip_body_that_unpacks_to_too_much_is_sent_to_uploads(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rank.request.MAX_BODY_BYTES", 60)
    body = gzip.compress(f"{GOOD}\n{OTHER}\n".encode(), mtime=0)
    assert "POST /uploads" in refused(call(post("/rank", body, "application/gzip")), 413, "too_large")["message"]


@pytest.mark.parametrize("path", ["/file_data", "/upload_file", "/file_data/"])
@pytest.mark.parametrize("content_type", [None, "text/plain", "application/json", "multipart/form-data; boundary=x"])
def test_an_empty_post_is_told_what_to_send(call: Call, path: str, content_type: str | None) -> None:
    error = refused(call(post(path, b"", content_type)), 400, "malformed_body")
    assert "input_file" in error["message"]


@pytest.mark.parametrize("path", ["/rank", "/file_data"])
def test_a_model_that_fails_while_it_runs_is_503_and_named(
    call: Call, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("gather index out of bounds")

    ranked(call(post("/rank", f"{GOOD}\n".encode(), "text/plain")))
    monkeypatch.setattr("assay.models.loading.LiteRTRunner.run", fail)
    reply = call(post(path, f"{GOOD}\n".encode(), "text/plain"))
    error = refused(reply, 503, "model_unavailable")
    assert "tiny-index 1" in error["message"]
    assert "gather index out of bounds" in error["message"]
    assert error["details"] == {"model": "tiny-index", "version": "1"}
    assert reply["multiValueHeaders"]["Retry-After"]
