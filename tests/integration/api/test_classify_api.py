import base64
import csv
import io
import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from assay.models.loading import load_folder
from assay.models.text_classifier import TextClassifier
from tests.conftest import DATA, ROOT, Aws
from tools.models.shipped import newest

TINY = DATA / "tiny-text" / "1"
SHIPPED = newest(ROOT / "models", "arxiv-archives")
CONTEXT = SimpleNamespace(
    function_name="classify", memory_limit_in_mb=1769, invoked_function_arn="arn", aws_request_id="request-1"
)


def put(aws: Aws, name: str, version: str = "1", **manifest: Any) -> None:
    """Publish the tiny text model under another name or version, its manifest changed as told."""
    for path in TINY.iterdir():
        body = path.read_bytes()
        if path.name == "manifest.json":
            body = json.dumps(json.loads(body) | {"name": name, "version": version} | manifest).encode()
        aws.models.put(f"models/{name}/{version}/{path.name}", body, "application/octet-stream")
    aws.models.put(f"models/{name}/current.json", json.dumps({"version": version}).encode(), "application/json")


@pytest.fixture
def empty(aws: Aws) -> Iterator[Any]:
    """The handler over a models bucket without models."""
    from classify import api, services

    services.services.cache_clear()
    yield api.handler
    services.services.cache_clear()


@pytest.fixture
def handler(aws: Aws, empty: Any) -> Any:
    """The handler over the tiny model as the default one."""
    aws.publish("tiny-text")
    return empty


def event(name: str, **changes: Any) -> dict[str, Any]:
    """Return a recorded event; `body` and `content_type` replace what it carries."""
    found: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text("utf-8"))
    if "content_type" in changes:
        found["headers"]["Content-Type"] = changes.pop("content_type")
    if isinstance(changes.get("body"), bytes):
        changes |= {"body": base64.b64encode(changes["body"]).decode(), "isBase64Encoded": True}
    return found | changes


def call(handler: Any, name: str, **changes: Any) -> tuple[int, Any]:
    reply = handler(event(name, **changes), CONTEXT)
    return reply["statusCode"], json.loads(reply["body"])


def body_of(name: str) -> Any:
    return json.loads(event(name)["body"])


def test_one_abstract_is_answered_in_full(handler: Any) -> None:
    status, reply = call(handler, "classify")
    (expected,) = TextClassifier(load_folder(TINY, 1)).classify([body_of("classify")["abstract"]])
    assert status == 200
    assert reply["model"] == {"name": "tiny-text", "version": "1"}
    assert reply["labels"] == ["astro-ph", "cs", "math", "physics"]
    (result,) = reply["results"]
    assert set(result) == {"labels", "scores", "tokens", "truncated", "cached"}
    np.testing.assert_allclose([result["scores"][label] for label in reply["labels"]], expected.scores, atol=1e-6)
    assert (result["tokens"], result["truncated"], result["cached"]) == (64, True, False)
    assert all(each["score"] == result["scores"][each["label"]] for each in result["labels"])


def test_a_batch_keeps_its_order_and_its_bad_one_in_place(handler: Any) -> None:
    status, reply = call(handler, "classify_batch")
    first, bad, third, repeat = reply["results"]
    assert status == 200
    assert bad["error"]["code"] == "invalid_abstract"
    assert "10 characters after cleaning, 50 to 5,000" in bad["error"]["message"]
    assert first == repeat != third
    assert len(third["labels"]) <= 2
    for at, expected in ((0, first), (2, third)):
        body = json.dumps({"abstract": body_of("classify_batch")["abstracts"][at], "top_k": 2})
        assert call(handler, "classify", body=body)[1]["results"] == [expected]


def test_text_and_query_options(handler: Any) -> None:
    (status, reply), text = call(handler, "classify_text"), base64.b64decode(event("classify_text")["body"]).decode()
    shown = reply["results"][0]["labels"]
    assert status == 200
    assert 0 < len(shown) <= 3
    assert min(each["score"] for each in shown) >= 0.2
    as_json = call(handler, "classify", body=json.dumps({"abstract": text}))[1]
    assert reply["results"][0]["scores"] == as_json["results"][0]["scores"]


def test_a_form_and_json_agree(handler: Any) -> None:
    assert call(handler, "classify_multipart") == call(handler, "classify")


def test_a_pdf_says_which_text_was_read(handler: Any) -> None:
    status, reply = call(handler, "classify_pdf")
    result = reply["results"][0]
    source = result.pop("source")
    assert status == 200
    assert source["text"] == body_of("classify")["abstract"]
    assert (source["found_by"], source["page"], source["pages"]) == ("heading", 1, 1)
    assert reply == call(handler, "classify")[1]


def test_a_pdf_in_a_form_is_known_by_its_first_bytes(handler: Any) -> None:
    paper = base64.b64decode(event("classify_pdf")["body"])
    head = b'--b\r\nContent-Disposition: form-data; name="input_file"; filename="paper.pdf"\r\n\r\n'
    found = call(
        handler, "classify", body=head + paper + b"\r\n--b--\r\n", content_type="multipart/form-data; boundary=b"
    )
    assert found == call(handler, "classify_pdf")


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "application/json; charset=UTF-8", ""])
def test_json_is_read_as_curl_sends_it(handler: Any, content_type: str) -> None:
    assert call(handler, "classify", content_type=content_type) == call(handler, "classify")


def test_a_named_model_answers_under_its_name(handler: Any, aws: Aws) -> None:
    put(aws, "arxiv-archives")
    status, reply = call(handler, "classify_by_name")
    assert (status, reply["model"]["name"]) == (200, "arxiv-archives")
    default = call(handler, "classify_by_name", path="/models/tiny-text/classify")[1]
    assert default["model"]["name"] == "tiny-text"
    assert default["results"] == reply["results"]


@pytest.mark.parametrize("name", ["nothing-here", "No_Name", "%2e%2e"])
def test_an_unknown_model_is_not_found(handler: Any, name: str) -> None:
    status, reply = call(handler, "classify_by_name", path=f"/models/{name}/classify")
    assert (status, reply["error"]["code"]) == (404, "not_found")


def test_a_model_for_sequences_is_not_found_here(handler: Any, aws: Aws) -> None:
    inputs = [{"name": "sequence", "dtype": "uint8", "shape": [8, 50]}]
    sequence = {"alphabet": "ACDEFGHIKLMNPQRSTVWY", "length": 50, "encoding": "index"}
    put(aws, "ranker", task="sequence-score", inputs=inputs, sequence=sequence)
    status, reply = call(handler, "classify_by_name", path="/models/ranker/classify")
    assert status == 404
    assert "sequence-score" in reply["error"]["message"]


@pytest.mark.parametrize("name", ["predict", "predict_api"])
def test_the_old_contract(handler: Any, name: str) -> None:
    status, reply = call(handler, name)
    new = call(handler, "classify")[1]
    assert status == 200
    assert reply == {"predictions": [[new["results"][0]["scores"][label] for label in new["labels"]]]}
    for path in (event(name)["path"].rstrip("/"), event(name)["path"]):
        assert call(handler, name, path=path) == (200, reply)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{}", "This field is required."),
        ('{"abstract": "too short"}', "9 characters"),
        ('{"abstract": null}', "null"),
        ('{"abstract": ["x"]}', "a list"),
        ("not json", "not JSON"),
        ("[]", "a list"),
        (json.dumps({"abstract": "x" * 5001}), "5,001 characters"),
    ],
)
def test_the_old_contracts_errors(handler: Any, body: str, message: str) -> None:
    status, reply = call(handler, "predict", body=body)
    assert (status, list(reply)) == (400, ["abstract"])
    (found,) = reply["abstract"]
    assert message in found


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"body": '{"abstract": "too short"}'}, 400, "invalid_abstract"),
        ({"body": json.dumps({"abstract": "x" * 5001})}, 400, "invalid_abstract"),
        ({"body": '{"abstract": 7}'}, 400, "invalid_abstract"),
        ({"body": "{}"}, 400, "malformed_body"),
        ({"body": '{"abstracts": []}'}, 400, "malformed_body"),
        ({"body": '{"abstracts": "x"}'}, 400, "malformed_body"),
        ({"body": '{"abstract": "x", "abstracts": ["y"]}'}, 400, "malformed_body"),
        ({"body": "{"}, 400, "malformed_body"),
        ({"body": None}, 400, "malformed_body"),
        ({"body": "[" * 100_000}, 400, "malformed_body"),
        ({"body": json.dumps({"abstracts": ["x" * 60] * 65})}, 413, "too_large"),
        ({"body": json.dumps({"abstract": "x" * 60, "top_k": 0})}, 400, "invalid_option"),
        ({"body": json.dumps({"abstract": "x" * 60, "top_k": "many"})}, 400, "invalid_option"),
        ({"body": json.dumps({"abstract": "x" * 60, "threshold": "NaN"})}, 400, "invalid_option"),
        ({"body": json.dumps({"abstract": "x" * 60, "threshold": 2})}, 400, "invalid_option"),
        ({"body": b"caf\xe9 " * 30, "content_type": "text/plain"}, 400, "malformed_body"),
        ({"body": "x" * 60, "content_type": "image/png"}, 415, "unsupported_media_type"),
        ({"body": "x" * 60, "content_type": "multipart/form-data"}, 400, "malformed_body"),
        ({"body": "x" * 60, "content_type": "multipart/form-data; boundary=b"}, 400, "malformed_body"),
        ({"body": b"%PDF-1.7 broken", "content_type": "application/pdf"}, 422, "unreadable_input"),
        ({"body": "!!", "isBase64Encoded": True}, 400, "malformed_body"),
        ({"path": "/classify/nothing"}, 404, "not_found"),
        ({"httpMethod": "DELETE"}, 404, "not_found"),
    ],
)
def test_bad_requests(handler: Any, changes: dict[str, Any], status: int, code: str) -> None:
    found, reply = call(handler, "classify", **changes)
    assert (found, reply["error"]["code"]) == (status, code)
    assert reply["error"]["message"]


def test_no_model_at_all_is_unavailable(empty: Any) -> None:
    status, reply = call(empty, "classify")
    assert (status, reply["error"]["code"], call(empty, "predict")[0]) == (503, "model_unavailable", 503)


def test_a_new_version_serves_without_a_restart(
    handler: Any, aws: Aws, environment: Callable[[str, str], None]
) -> None:
    environment("ASSAY_MODEL_REFRESH_SECONDS", "0")
    assert call(handler, "classify")[1]["model"]["version"] == "1"
    text = json.loads((TINY / "manifest.json").read_text())["text"]
    put(aws, "tiny-text", "2", text=text | {"labels": ["w", "x", "y", "z"], "thresholds": {}})
    reply = call(handler, "classify")[1]
    assert (reply["model"]["version"], reply["labels"]) == ("2", ["w", "x", "y", "z"])


def test_the_shipped_classifier_puts_diphotons_into_hep_ph(
    empty: Any, aws: Aws, environment: Callable[[str, str], None]
) -> None:
    environment("ASSAY_CLASSIFIER", "arxiv-archives")
    aws.publish("arxiv-archives")
    status, reply = call(empty, "classify")
    (result,) = reply["results"]
    assert status == 200
    assert len(reply["labels"]) == 18
    assert result["labels"][0]["label"] == "hep-ph"
    assert max(result["scores"], key=result["scores"].__getitem__) == "hep-ph"
    assert not result["truncated"]
    graphs = call(empty, "classify_text")[1]["results"][0]["labels"]
    assert {each["label"] for each in graphs} >= {"cs", "math"}


def test_titles_stand_beside_labels_in_each_form(handler: Any, aws: Aws) -> None:
    text = json.loads((TINY / "manifest.json").read_text())["text"]
    put(aws, "titled", text=text | {"titles": {"cs": "Computer Science", "math": "=Mathematics"}})
    asked = {"body": json.dumps({"abstracts": ["x" * 60, "short"], "threshold": 0}), "path": "/models/titled/classify"}
    plain = call(handler, "classify", body=asked["body"])[1]
    found = call(handler, "classify_by_name", **asked)[1]
    titles = found.pop("titles")
    labels = found["results"][0]["labels"]
    said = [each.pop("title", None) for each in labels]
    assert said == [titles.get(each["label"]) for each in labels]
    assert {**found, "model": plain["model"]} == plain
    cells = [title or each["label"] for title, each in zip(said, labels, strict=True)]
    rows = [*csv.DictReader(io.StringIO(_csv(handler, "classify_by_name", **asked)))]
    assert rows[0]["titles"] == ";".join(cells).replace("=", "'=")
    assert (rows[1]["titles"], [*rows[0]][-1]) == ("", "titles")
    assert "titles" not in _csv(handler, "classify", body=asked["body"])


def test_explain_says_why_in_json_and_lines_and_is_refused_where_it_has_no_room(handler: Any) -> None:
    text = "Dark matter in twelve galaxies is seen. It is measured again."
    body = json.dumps({"abstracts": [text, "short"], "explain": True})
    plain = call(handler, "classify", body=json.dumps({"abstracts": [text, "short"]}))[1]
    status, reply = call(handler, "classify", body=body)
    assert status == 200
    why = [each.pop("explanation", None) for each in reply["results"]]
    assert reply == plain
    assert why[1] is None
    assert [each["text"] for each in why[0][0]["sentences"]] == [text[:39], text[40:]]
    asked = {"body": json.dumps({"abstract": text}), "queryStringParameters": {"explain": "true"}}
    single = call(handler, "classify", **asked)[1]["results"][0]
    assert single["explanation"] == why[0]
    assert _refusal(handler, "text/csv", **asked) == (400, "invalid_option", "explain needs JSON")
    many = {"body": json.dumps({"abstracts": [text] * 5, "explain": "true"})}
    assert _refusal(handler, "application/json", **many) == (413, "too_large", "explain is for at")
    wrong = {"body": json.dumps({"abstract": text, "explain": "perhaps"})}
    assert _refusal(handler, "application/json", **wrong) == (400, "invalid_option", "explain must be tr")


def _refusal(handler: Any, accept: str, **changes: Any) -> tuple[int, str, str]:
    asked = event("classify", **changes)
    asked["headers"]["Accept"] = accept
    reply = handler(asked, CONTEXT)
    told = json.loads(reply["body"])["error"]
    return reply["statusCode"], told["code"], told["message"][:18].rstrip()


def _csv(handler: Any, name: str, **changes: Any) -> str:
    asked = event(name, **changes)
    asked["headers"]["Accept"] = "text/csv"
    return str(handler(asked, CONTEXT)["body"])


def test_a_text_without_a_label_and_one_that_was_cut_are_notices(handler: Any) -> None:
    texts = ["x" * 60, "too short", "Dark matter in twelve galaxies. " * 40]
    _, reply = call(handler, "classify", body=json.dumps({"abstracts": texts, "threshold": 1}))
    told = {each["code"]: each["lines"] for each in reply["notices"]}
    cut = [at for at, each in enumerate(reply["results"], 1) if each.get("truncated")]
    assert cut == [3]
    assert told == {"no_label": [1, 3], "truncated": cut}
    assert all(each["message"] for each in reply["notices"])
    body = json.dumps({"abstract": texts[0], "threshold": 0})
    assert call(handler, "classify", body=body)[1]["notices"] == []
