"""Stand-ins for AWS and the models, so that a handler answers thousands of events a second."""

import os
from collections.abc import Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from assay.errors import ModelUnavailable, NotFound
from assay.models.loading import LoadedModel
from assay.models.manifest import read_manifest
from assay.options import RankOptions
from assay.sequences.contract import DEFAULT
from tests.conftest import DATA, ENVIRONMENT


class Scorer:
    """Scores of any rows, at once: the sum of their codes."""

    alphabet, length = DEFAULT.alphabet, DEFAULT.length

    def score(self, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return a number for each row."""
        return np.asarray(codes.sum(axis=1), np.float32)


class Client:
    """S3's client as far as a request writes: it refuses what botocore and HTTP would not send."""

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str, Metadata: Mapping[str, str]) -> None:  # noqa: N803
        """Take an object."""
        Key.encode()
        for text in (ContentType, *Metadata, *Metadata.values()):
            assert text.isascii(), text
            assert text.isprintable(), text
        assert sum(len(name) + len(text) for name, text in Metadata.items()) <= 2048


class Bucket:
    """A bucket that takes all and gives links."""

    def __init__(self, name: str) -> None:
        """Begin with nothing."""
        self.name, self.client = name, Client()

    def put(self, key: str, body: bytes, content_type: str, **_: object) -> None:
        """Take an object."""
        self.client.put_object(Bucket=self.name, Key=key, Body=body, ContentType=content_type, Metadata={})

    def link(self, key: str, **_: object) -> str:
        """Return an address."""
        return f"https://results.invalid/{key}"


class Jobs:
    """Jobs that are noted nowhere."""

    def enqueue(self, key: str, kind: str, caller: str, options: object = None) -> SimpleNamespace:
        """Return a job."""
        key.encode()
        return SimpleNamespace(id="0" * 32, kind=kind, caller=caller)


class Runner:
    """A text model that knows nothing."""

    def __init__(self, labels: int) -> None:
        """Note how many labels there are."""
        self._labels = labels

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Return zeros."""
        return np.zeros((len(next(iter(inputs.values()))), self._labels), np.float32)


class Models:
    """One text model by the name of the default one, and no other."""

    def __init__(self) -> None:
        """Read the tiny model's manifest and tokenizer."""
        folder = DATA / "tiny-text" / "1"
        manifest = read_manifest(folder)
        assert manifest.text is not None
        self._model = LoadedModel(manifest, folder, Runner(len(manifest.text.labels)))

    def model(self, text: str | None, task: str, default: str) -> LoadedModel:
        """Return it. Raises NotFound."""
        if (text or default) != "tiny-text":
            raise NotFound(f"there is no model {text!r}")
        if task != self._model.manifest.task:
            raise ModelUnavailable("not a model of sequences")
        return self._model

    def task(self, text: str) -> str:
        """Return what a model is for. Raises NotFound."""
        return self.model(text, "text-classification", "").manifest.task


def chosen(options: RankOptions = RankOptions()) -> SimpleNamespace:  # noqa: B008
    """Return a pair of models, whichever are named."""
    named = {"name": "sum", "version": "1"}
    return SimpleNamespace(gate=Scorer(), score=Scorer(), contract=DEFAULT, models={"gate": named, "score": named})


@cache
def quiet() -> None:
    """Set the environment of a function, without logs or metrics; what would be a 500 is raised instead."""
    os.environ.update(ENVIRONMENT | {"POWERTOOLS_METRICS_DISABLED": "true", "POWERTOOLS_LOG_LEVEL": "CRITICAL"})
    from assay.http import routing
    from assay.telemetry import logger

    logger.set_level("CRITICAL")
    vars(routing)["record_failure"] = _raised


def _raised(message: str, error: BaseException) -> NoReturn:
    raise AssertionError(message) from error
