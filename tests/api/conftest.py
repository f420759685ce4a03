"""The whole API in this process: API Gateway, the real handlers and an AWS in memory, with tiny models."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import schemathesis

from assay.aws import clients
from assay.jobs.job_records import Jobs
from tests.conftest import ROOT, TABLE, cloud
from tests.events import Context
from tools.local.gateway import Gateway
from tools.local.stack import read_stack

KEY = "the key"
MODELS = {"ASSAY_GATE_MODEL": "tiny-index", "ASSAY_SCORE_MODEL": "tiny-index", "ASSAY_CLASSIFIER": "tiny-text"}
STACK = read_stack(ROOT / "template.yaml")
PLAIN = ("text/csv", "text/x-fasta", "application/pdf", "application/gzip")


@schemathesis.serializer(*PLAIN)
def as_bytes(_: Any, value: Any) -> Any:
    """Return what is sent as these types: text or bytes, as generated."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


def invoke(function: str, event: Mapping[str, Any]) -> Any:
    """Call the handler of a function."""
    module, _, name = STACK.functions[function].handler.rpartition(".")
    handler: Callable[[Any, Any], Any] = getattr(importlib.import_module(module), name)
    return handler(event, Context())


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with pytest.MonkeyPatch.context() as patch, cloud(patch, tmp_path_factory.mktemp("scratch")) as aws:
        for name, value in {**MODELS, "ASSAY_CACHE_DAYS": "1", "POWERTOOLS_LOG_LEVEL": "CRITICAL"}.items():
            patch.setenv(name, value)
        aws.publish("tiny-index", "tiny-text")
        yield Gateway(STACK.routes, STACK.rest, invoke, log=False, api_keys=[KEY])


@pytest.fixture(scope="session")
def description(gateway: Gateway) -> Any:
    return schemathesis.openapi.from_wsgi("/openapi.json", gateway)


@pytest.fixture(scope="session")
def names(gateway: Gateway) -> dict[str, list[str]]:
    """Names that exist, for the parameters of paths: one that is generated hardly ever does."""
    job = Jobs(clients.client("dynamodb"), TABLE).enqueue("rank/a.txt", "rank")
    return {
        "name": ["tiny-text", "tiny-index", "app.js"],
        "target": ["tiny-text:predict", "tiny-index:predict", "tiny-index"],
        "version": ["1", "1:predict"],
        "id": [job.id],
    }
