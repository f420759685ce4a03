"""Scores of texts seen before, in the state table: no text, only a hash of it, and the model's float32 bytes.

A cache is never worth a failure, so a fault in it is a miss. After a fault it is left alone for a while: a table out of
reach costs one request a fraction of a second and the next ones nothing.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from botocore.exceptions import BotoCoreError, ClientError

from assay.abstracts.classification import Prediction
from assay.models.text_classifier import TextClassifier
from assay.telemetry import logger, measure, phase

if TYPE_CHECKING:
    from assay.aws.clients import Batches

PREFIX: Final = "cache#1#"
"""Its number goes up when our code would compute other scores for the same text and model."""
_DAY: Final = 86_400
_READ_AT_ONCE: Final = 100
_WRITTEN_AT_ONCE: Final = 25
_REST_SECONDS: Final = 30.0
_SCORE: Final = np.dtype("<f4")

Caching = Literal["use", "renew", "off"]
"""`renew` computes and stores (Cache-Control: no-cache), `off` computes only (no-store)."""


def key(model: str, text: str) -> str:
    """Return the key of a cleaned text's scores; `model` says all that the scores depend on but the text."""
    return f"{PREFIX}{model}#{sha256(text.encode()).hexdigest()}"


class ScoreCache:
    """Predictions in a DynamoDB table, kept for `days`; 0 days is no cache. Give it a client with short timeouts."""

    def __init__(self, client: "Batches", table: str, days: float, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._table = table
        self._seconds = int(days * _DAY) if table else 0
        self._clock = clock
        self._resting_until = 0.0

    @property
    def ready(self) -> bool:
        """False when it is switched off, or rests after a failure."""
        rest = self._resting_until - self._clock()
        return self._seconds > 0 and not 0 < rest <= _REST_SECONDS  # a clock set back must not make it longer

    def get(self, keys: Iterable[str], labels: int) -> dict[str, Prediction]:
        """Return what is known, by key: predictions of so many labels, marked as cached."""
        found: dict[str, Prediction] = {}
        for some in _chunks(list(dict.fromkeys(keys)), _READ_AT_ONCE):
            wanted = {self._table: {"Keys": [{"pk": {"S": each}} for each in some]}}
            reply = self._try(self._client.batch_get_item, wanted)
            for item in reply.get("Responses", {}).get(self._table, []):
                prediction = _read(item, labels, self._clock())
                if prediction:
                    found[item["pk"]["S"]] = prediction
        return found

    def put(self, predictions: Mapping[str, Prediction]) -> None:
        """Remember predictions by key; whatever DynamoDB does not take is not remembered."""
        expires = int(self._clock()) + self._seconds
        items = [_item(each, prediction, expires) for each, prediction in predictions.items()]
        for some in _chunks(items, _WRITTEN_AT_ONCE):
            wanted = {self._table: [{"PutRequest": {"Item": item}} for item in some]}
            self._try(self._client.batch_write_item, wanted)

    def _try(self, act: Callable[..., Any], items: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the reply, or an empty one when the cache rests or the call fails, after which it rests."""
        if not self.ready:
            return {}
        try:
            return dict(act(RequestItems=items))
        except (BotoCoreError, ClientError) as error:
            self._resting_until = self._clock() + _REST_SECONDS
            logger.warning("cache unreachable", kind=type(error).__name__, rest_seconds=_REST_SECONDS)
            measure("CacheErrors", 1)
            return {}


@dataclass(frozen=True, slots=True)
class CachedClassifier:
    """A classifier that asks the cache first."""

    classifier: TextClassifier
    cache: ScoreCache
    caching: Caching = "use"

    def classify(self, texts: Sequence[str]) -> list[Prediction]:
        """Return a prediction for each cleaned text, in order; a repeated text is looked up and computed once."""
        if self.caching == "off" or not self.cache.ready:
            return self.classifier.classify(texts)
        model = _identity(self.classifier)
        keys = {text: key(model, text) for text in texts}
        with phase("cache"):
            known = self.cache.get(keys.values(), len(self.classifier.text.labels)) if self.caching == "use" else {}
        missing = [text for text, each in keys.items() if each not in known]
        computed = dict(zip((keys[text] for text in missing), self.classifier.classify(missing), strict=True))
        self.cache.put(computed)
        _count(len(known), len(missing))
        return [(known.get(keys[text]) or computed[keys[text]]) for text in texts]


def _identity(classifier: TextClassifier) -> str:
    """Return name and version, and of the manifest enough to tell a version that was published anew."""
    manifest = classifier.model.manifest
    return f"{manifest.name}#{manifest.version}#{manifest.digest[:16]}"


def _count(hits: int, misses: int) -> None:
    for name, number in (("CacheHits", hits), ("CacheMisses", misses)):
        if number:
            measure(name, number)


def _item(pk: str, prediction: Prediction, expires: int) -> dict[str, Any]:
    return {
        "pk": {"S": pk},
        "scores": {"B": prediction.scores.astype(_SCORE).tobytes()},
        "tokens": {"N": str(prediction.tokens)},
        "truncated": {"BOOL": prediction.truncated},
        **({"notice": {"S": prediction.notice}} if prediction.notice else {}),
        "expires": {"N": str(expires)},
    }


def _read(item: Mapping[str, Any], labels: int, now: float) -> Prediction | None:
    """Return the prediction of an item; None where it is past its time (DynamoDB deletes late) or not of this form."""
    try:
        scores = np.frombuffer(item["scores"]["B"], _SCORE).astype(np.float32)
        notice = str(item.get("notice", {}).get("S", ""))
        cut = bool(item["truncated"]["BOOL"])
        prediction = Prediction(scores, int(item["tokens"]["N"]), cut, cached=True, notice=notice)
        alive = int(item["expires"]["N"]) > now and len(scores) == labels
    except (KeyError, TypeError, ValueError):
        return None
    return prediction if alive else None


def _chunks(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (values[start : start + size] for start in range(0, len(values), size))
