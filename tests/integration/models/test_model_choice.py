"""Callers choose among the published models: for rankings, classifications and dropped files."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.models.manifest import MANIFEST
from tests.conftest import DATA, Aws
from tests.events import Context, multipart, post
from tests.integration.drops import Drop
from tests.integration.registries import changed, put_version
from tools.models.publish import publish

SEQUENCES = ["".join(np.random.default_rng(seed).choice(list("ACDEFGHIKLMNPQRSTVWY"), 50)) for seed in range(8)]
BODY = json.dumps({"sequences": SEQUENCES, "threshold": -1e6}).encode()
TEXT = "The quantum field theory of galaxies is studied with neural networks and a great deal of patience."
Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def models(aws: Aws, tmp_path: Path) -> Aws:
    """Two versions of tiny-index, one like it that scores otherwise, one for other sequences, two classifiers."""
    put_version(aws, tmp_path, "2")
    aws.publish("tiny-index", "tiny-text")
    publish(aws.models, changed(tmp_path, "other", factor=3), run=False)
    sequence = {"alphabet": "ACDEFGHIKLMNPQRSTVWYX", "length": 50, "encoding": "index"}
    publish(aws.models, changed(tmp_path, "wider", sequence=sequence), run=False)
    text = json.loads((DATA / "tiny-text" / "1" / MANIFEST).read_text())["text"] | {"activation": "softmax"}
    publish(aws.models, changed(tmp_path, "single", "tiny-text", text=text), run=False)
    return aws


@pytest.fixture
def rank(models: Aws, call: Callable[[dict[str, Any]], dict[str, Any]]) -> Ask:
    def asked(body: bytes = BODY, content_type: str = "application/json", **query: str) -> tuple[int, Any]:
        reply = call(post("/rank", body, content_type, query))
        return reply["statusCode"], json.loads(reply["body"])

    return asked


@pytest.fixture
def classify(models: Aws) -> Iterator[Ask]:
    from classify import api, services

    services.services.cache_clear()

    def asked(path: str) -> tuple[int, Any]:
        reply = api.handler(post(path, json.dumps({"abstract": TEXT}).encode()), Context())
        return reply["statusCode"], json.loads(reply["body"])

    yield asked
    services.services.cache_clear()


def scores(reply: Any) -> dict[str, float]:
    return {row["sequence"]: row["score"] for row in reply["ranked"]}


def test_a_ranking_by_a_chosen_model_names_it_and_has_its_scores(rank: Ask) -> None:
    _, usual = rank()
    status, chosen = rank(score_model="other")
    assert (status, usual["models"]["score"]) == (200, {"name": "tiny-index", "version": "1"})
    assert chosen["models"] == {"score": {"name": "other", "version": "1"}, "gate": usual["models"]["gate"]}
    assert scores(chosen).keys() == scores(usual).keys()
    assert scores(chosen) != scores(usual)
    assert rank(score_model="tiny-index", gate_model="tiny-index@1")[1] == usual


def test_a_version_that_does_not_serve_can_be_asked(rank: Ask) -> None:
    _, reply = rank(score_model="tiny-index@2", gate_model="other@1")
    assert reply["models"] == {
        "score": {"name": "tiny-index", "version": "2"},
        "gate": {"name": "other", "version": "1"},
    }


def test_the_choice_comes_in_any_form(rank: Ask) -> None:
    expected = rank(score_model="other")
    assert rank(json.dumps({**json.loads(BODY), "score_model": "other"}).encode()) == expected
    form = multipart("\n".join(SEQUENCES).encode(), score_model="other", threshold="-1e6")
    found = rank(form, "multipart/form-data; boundary=frontier")[1]
    assert (scores(found), found["models"]) == (scores(expected[1]), expected[1]["models"])


@pytest.mark.parametrize(
    ("query", "status", "code", "message"),
    [
        ({"score_model": "nothing"}, 404, "not_found", "no model 'nothing'; there are: other, single, tiny-index, "),
        ({"score_model": "tiny-index@9"}, 404, "not_found", "no version '9'; there are: 1, 2 "),
        ({"gate_model": "tiny-text"}, 404, "not_found", "for text-classification, not for sequence-score"),
        ({"gate_model": "tiny-text@1"}, 404, "not_found", "for text-classification, not for sequence-score"),
        ({"score_model": "../x"}, 400, "invalid_option", "score_model must be a model's name"),
        ({"score_model": "x@../../y"}, 400, "invalid_option", "score_model must be a model's name"),
        ({"score_model": ""}, 400, "invalid_option", "score_model must be a model's name"),
        ({"score_model": "wider"}, 400, "invalid_option", "wider reads 50 residues of ACDEFGHIKLMNPQRSTVWYX"),
        ({"gate_model": "wider"}, 400, "invalid_option", "name a gate_model and a score_model that agree"),
    ],
)
def test_a_choice_that_cannot_be_is_told(
    rank: Ask, query: dict[str, str], status: int, code: str, message: str
) -> None:
    found, reply = rank(**query)
    assert (found, reply["error"]["code"]) == (status, code)
    assert message in reply["error"]["message"]


def test_two_models_for_other_sequences_are_a_pair(rank: Ask) -> None:
    status, reply = rank(score_model="wider", gate_model="wider@1")
    assert (status, len(reply["ranked"])) == (200, len(SEQUENCES))


def test_no_more_than_twenty_models_are_named(rank: Ask, models: Aws) -> None:
    for number in range(30):
        models.models.put(f"models/m{number:02}/current.json", b"{}", "")
    _, reply = rank(score_model="nothing")
    assert reply["error"]["details"]["known"] == [f"m{number:02}" for number in range(20)]


def test_what_is_loaded_is_not_looked_for_again(rank: Ask, models: Aws) -> None:
    rank(score_model="other", gate_model="tiny-index@2")
    asked: list[str] = []
    models.s3.meta.events.register("before-call.s3", lambda params, **_: asked.append(params["url_path"]))
    assert rank(score_model="other", gate_model="tiny-index@2")[0] == 200
    assert asked == []


def test_single_label_and_multi_label_models_answer_side_by_side(classify: Ask) -> None:
    replies = {name: classify(f"/models/{name}/classify")[1] for name in ("tiny-text", "single", "single@1")}
    both = {name: list(reply["results"][0]["scores"].values()) for name, reply in replies.items()}
    assert [reply["model"]["name"] for reply in replies.values()] == ["tiny-text", "single", "single"]
    assert sum(both["single"]) == pytest.approx(1)
    logits = np.log(np.array(both["tiny-text"]) / (1 - np.array(both["tiny-text"])))
    assert both["single"] == pytest.approx(np.exp(logits) / np.exp(logits).sum(), abs=1e-5)
    assert both["single@1"] == both["single"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tiny-index", "for sequence-score, not for text-classification"),
        ("tiny-text@7", "tiny-text has no version '7'; there are: 1 "),
        ("tiny-text%407", "tiny-text has no version '7'; there are: 1 "),
        ("tiny-text@", "there is no model 'tiny-text@'"),
    ],
)
def test_a_classifier_that_there_is_not_is_told(classify: Ask, name: str, message: str) -> None:
    status, reply = classify(f"/models/{name}/classify")
    assert (status, reply["error"]["code"]) == (404, "not_found")
    assert message in reply["error"]["message"]


@pytest.mark.parametrize(
    ("chosen", "state", "expected"),
    [
        ({"score-model": "other", "gate-model": "tiny-index@1"}, "SUCCEEDED", ("other", "tiny-index")),
        ({"score-model": "nothing"}, "FAILED", "there is no model 'nothing'"),
        ({"score-model": "wider"}, "FAILED", "name a gate_model and a score_model that agree"),
    ],
)
def test_a_dropped_file_chooses_by_its_metadata(
    models: Aws, drop: Drop, chosen: dict[str, str], state: str, expected: object
) -> None:
    job = drop.job(drop.done("rank/a.txt", "\n".join(SEQUENCES).encode(), **chosen))
    assert job.state == state
    if state == "FAILED":
        assert str(expected) in str(job.reason)
    else:
        assert tuple(job.models[role]["name"] for role in ("score", "gate")) == expected


def test_the_portal_lists_what_can_be_chosen(models: Aws, environment: Callable[[str, str], None]) -> None:
    from portal.app import handler
    from portal.services import services

    environment("ASSAY_GATE_MODEL", "tiny-index")
    environment("ASSAY_SCORE_MODEL", "other")
    services.cache_clear()
    reply = handler(post("/models", b"") | {"httpMethod": "GET"}, Context())
    services.cache_clear()
    found = {each["name"]: each for each in json.loads(reply["body"])["models"]}
    assert {name: each["default_for"] for name, each in found.items()} == {
        "other": ["score"],
        "single": [],
        "tiny-index": ["gate"],
        "tiny-text": ["classifier"],
        "wider": [],
    }
    assert (found["tiny-index"]["version"], found["tiny-index"]["versions"]) == ("1", ["1", "2"])
    assert found["single"]["labels"] == ["astro-ph", "cs", "math", "physics"]
    assert all({"task", "format", "metrics", "licence"} <= each.keys() for each in found.values())
