import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from assay.aws.clients import hasty_dynamodb
from assay.models.loading import load_folder
from assay.models.text_classifier import TextClassifier
from assay.score_cache import CachedClassifier, Caching, ScoreCache, key
from tests.conftest import DATA, TABLE, Aws
from tests.integration.api.test_classify_api import CONTEXT, TINY, event, put

TEXTS = [f"We measure the {word} of a thing in a large sample of other things." for word in ("mass", "age", "size")]


class Counting(TextClassifier):
    """A classifier that keeps the texts it computed."""

    computed: list[str]

    def classify(self, texts: Any) -> Any:
        self.computed = [*getattr(self, "computed", []), *texts]
        return super().classify(texts)


@pytest.fixture
def classifier() -> Counting:
    return Counting(load_folder(DATA / "tiny-text" / "1", 1))


@pytest.fixture
def handler(aws: Aws, environment: Callable[[str, str], None]) -> Any:
    """The handler with a cache of a day."""
    from classify import api, services

    environment("ASSAY_CACHE_DAYS", "1")
    services.services.cache_clear()
    aws.publish("tiny-text")
    yield api.handler
    services.services.cache_clear()


def call(handler: Any, name: str = "classify", control: str = "", **changes: Any) -> Any:
    asked = event(name, **changes)
    asked["headers"] |= {"Cache-Control": control} if control else {}
    reply = handler(asked, CONTEXT)
    assert reply["statusCode"] == 200
    return json.loads(reply["body"])


def cached(reply: Any) -> list[bool]:
    return [result["cached"] for result in reply["results"] if "cached" in result]


def without(reply: Any) -> Any:
    return reply | {"results": [{k: v for k, v in each.items() if k != "cached"} for each in reply["results"]]}


def items(aws: Aws) -> list[Any]:
    return aws.dynamodb.scan(TableName=TABLE)["Items"]


def test_a_repeat_is_answered_from_the_cache_with_the_same_reply(handler: Any) -> None:
    first, second = call(handler), call(handler)
    assert (cached(first), cached(second)) == ([False], [True])
    assert without(first) == without(second)


@pytest.mark.parametrize("control", ["no-cache", "No-Store", "max-age=0, no-cache"])
def test_the_cache_is_bypassed_on_demand(handler: Any, control: str) -> None:
    first = call(handler)
    assert call(handler, control=control) == first


def test_what_must_not_be_stored_is_not(handler: Any, aws: Aws) -> None:
    call(handler, control="no-store")
    assert items(aws) == []
    call(handler, control="no-cache")
    assert len(items(aws)) == 1


def test_the_old_contract_uses_the_same_scores(handler: Any, aws: Aws) -> None:
    first = call(handler, "predict")
    assert call(handler, "predict") == first
    assert cached(call(handler)) == [True]


def test_options_change_the_answer_and_not_what_is_kept(handler: Any) -> None:
    text = json.loads(event("classify")["body"])["abstract"]
    plain = call(handler)
    narrow = call(handler, body=json.dumps({"abstract": f"  {text}\n", "top_k": 1, "threshold": 0}))
    assert cached(narrow) == [True]
    assert narrow["results"][0]["scores"] == plain["results"][0]["scores"]
    assert len(narrow["results"][0]["labels"]) == 1


def test_no_text_is_stored(handler: Any, aws: Aws) -> None:
    call(handler)
    [item] = items(aws)
    words = {word for word in json.loads(event("classify")["body"])["abstract"].split() if len(word) > 3}
    assert set(item) == {"pk", "scores", "tokens", "truncated", "expires"}
    assert not {word for word in words if word in str(item)}


def test_another_version_of_the_model_is_asked_anew(
    handler: Any, aws: Aws, environment: Callable[[str, str], None]
) -> None:
    from classify import services

    environment("ASSAY_MODEL_REFRESH_SECONDS", "0")
    services.services.cache_clear()
    call(handler)
    manifest = json.loads((TINY / "manifest.json").read_text())
    put(aws, "tiny-text", "2", provenance=manifest["provenance"] | {"trained": "again"})
    assert cached(call(handler)) == [False]
    assert cached(call(handler)) == [True]


def test_a_batch_is_looked_up_at_once_and_only_what_is_new_is_computed(aws: Aws, classifier: Counting) -> None:
    cache = ScoreCache(aws.dynamodb, TABLE, 1)
    asked = CachedClassifier(classifier, cache)
    expected = TextClassifier.classify(classifier, TEXTS)
    asked.classify([TEXTS[1]])
    classifier.computed = []
    found = asked.classify([TEXTS[0], TEXTS[1], TEXTS[2], TEXTS[0], TEXTS[1]])
    assert classifier.computed == [TEXTS[0], TEXTS[2]]
    assert [each.cached for each in found] == [False, True, False, False, True]
    for got, want in zip(found, [expected[0], expected[1], expected[2], expected[0], expected[1]], strict=True):
        np.testing.assert_array_equal(got.scores, want.scores)


def test_scores_come_back_bit_for_bit_in_more_than_one_write(aws: Aws, classifier: Counting) -> None:
    cache = ScoreCache(aws.dynamodb, TABLE, 1)
    (prediction,) = classifier.classify(TEXTS[:1])
    odd = np.array([np.nextafter(np.float32(1), np.float32(0)), 1e-45, -0.0, 1.0], np.float32)
    many = {key("m#1", str(number)): replace(prediction, scores=odd, tokens=number) for number in range(60)}
    cache.put(many)
    found = cache.get(many, 4)
    assert found.keys() == many.keys()
    assert all(each.scores.tobytes() == odd.tobytes() and each.cached for each in found.values())
    assert [found[each].tokens for each in many] == list(range(60))


def test_what_is_past_its_time_or_malformed_is_a_miss(aws: Aws, classifier: Counting) -> None:
    now = 1_000_000.0
    cache = ScoreCache(aws.dynamodb, TABLE, 1, clock=lambda: now)
    cache.put(dict(zip(["a", "b"], classifier.classify(TEXTS[:2]), strict=True)))
    aws.dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": "b"}, "scores": {"S": "no bytes"}})
    assert set(cache.get(["a", "b", "c"], 4)) == {"a"}
    assert cache.get(["a"], 5) == {}
    now += 86_400
    assert cache.get(["a"], 4) == {}


@pytest.mark.parametrize("caching", ["use", "renew"])
def test_a_table_that_fails_is_left_alone_for_a_while(aws: Aws, classifier: Counting, caching: Caching) -> None:
    now = 1_000_000.0
    cache = ScoreCache(aws.dynamodb, "no-such-table", 1, clock=lambda: now)
    asked = CachedClassifier(classifier, cache, caching)
    assert [each.cached for each in asked.classify(TEXTS)] == [False] * 3
    assert not cache.ready
    now += 31
    assert cache.ready


def test_a_clock_set_back_does_not_keep_the_cache_at_rest(aws: Aws) -> None:
    now = [1e9]
    cache = ScoreCache(aws.dynamodb, "none", 1, clock=lambda: now[0])
    cache.get(["a"], 1)
    assert not cache.ready
    now[0] -= 3600
    assert cache.ready


def test_a_service_without_its_table_still_answers(handler: Any, aws: Aws) -> None:
    aws.dynamodb.delete_table(TableName=TABLE)
    assert cached(call(handler)) == cached(call(handler)) == [False]


def test_an_address_where_nobody_listens_is_a_miss(
    classifier: Counting, environment: Callable[[str, str], None]
) -> None:
    environment("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    hasty_dynamodb.cache_clear()
    found = CachedClassifier(classifier, ScoreCache(hasty_dynamodb(), TABLE, 1)).classify(TEXTS)
    hasty_dynamodb.cache_clear()
    assert [each.cached for each in found] == [False] * 3


def test_nobody_waits_for_the_cache(environment: Callable[[str, str], None]) -> None:
    made: Any = hasty_dynamodb()
    config = made.meta.config
    hasty_dynamodb.cache_clear()
    assert config.connect_timeout + config.read_timeout < 1
    assert config.retries["total_max_attempts"] == 1


def test_no_days_are_no_cache(aws: Aws, classifier: Counting) -> None:
    asked = CachedClassifier(classifier, ScoreCache(aws.dynamodb, TABLE, 0))
    assert [each.cached for each in (*asked.classify(TEXTS), *asked.classify(TEXTS))] == [False] * 6
    assert items(aws) == []
