"""Models that are fetched while a function is still imported: asked for once, and as ever where that goes wrong."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay import lambda_runtime
from assay.aws.s3 import Bucket
from assay.errors import ObjectChanged
from assay.models import published as early
from assay.models.published import begin_fetch
from assay.models.registry import Registry
from tests.conftest import Aws

NAME, TASK = "tiny-index", "sequence-score"


class Noting(Bucket):
    """A bucket that notes what it is asked, and fails at the calls it is told to."""

    def __init__(self, bucket: Bucket, fails: frozenset[int] = frozenset()) -> None:
        super().__init__(bucket.client, bucket.name)
        self.asked: list[str] = []
        self.fails = fails

    def note(self, key: str) -> None:
        self.asked.append(key.rpartition("/")[2])
        if len(self.asked) in self.fails:
            raise ObjectChanged("spoiled")

    def get(self, key: str, **wanted: Any) -> Any:
        self.note(key)
        return super().get(key, **wanted)

    def pieces(self, key: str, *wanted: Any, **pins: Any) -> Any:
        self.note(key)
        return super().pieces(key, *wanted, **pins)


@pytest.fixture(autouse=True)
def _nothing_left() -> Any:
    yield
    assert not early._announced
    early._announced.clear()


def _load(bucket: Bucket, scratch: Path) -> str:
    return Registry(bucket, scratch, threads=1).current(NAME, TASK).manifest.version


def test_everything_is_asked_for_once(aws: Aws, tmp_path: Path) -> None:
    aws.publish(NAME)
    bucket = Noting(aws.models)
    begin_fetch(bucket, [NAME, NAME], tmp_path, 1)
    assert _load(bucket, tmp_path) == "1"
    early_asked, bucket.asked = bucket.asked, []
    assert _load(bucket, tmp_path / "other") == "1"
    assert early_asked == bucket.asked
    assert len(early_asked) >= 3


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fails=st.frozensets(st.integers(1, 4), max_size=3), unique=st.uuids())
def test_what_fails_early_is_done_again(aws: Aws, tmp_path: Path, fails: frozenset[int], unique: Any) -> None:
    aws.publish(NAME)
    begin_fetch(Noting(aws.models, fails), [NAME], tmp_path / str(unique), 1)
    assert _load(aws.models, tmp_path / str(unique)) == "1"


def test_a_model_that_is_not_there_is_missing_as_ever(aws: Aws, tmp_path: Path) -> None:
    begin_fetch(aws.models, [NAME], tmp_path, 1)
    with pytest.raises(Exception, match="no current version"):
        _load(aws.models, tmp_path)


@pytest.mark.parametrize(
    ("handler", "preload", "names"),
    [
        ("rank.api.handler", "1", ["stability-chymotrypsin", "stability-trypsin"]),
        ("classify.api.handler", "1", ["arxiv-archives"]),
        ("rank.jobs.upload_handler", "1", None),
        ("rank.api.handler", "0", None),
        ("rank.api.handler", "nonsense", None),
    ],
)
def test_a_handler_that_loads_models_at_its_start_has_them_fetched(
    monkeypatch: pytest.MonkeyPatch, aws: Aws, handler: str, preload: str, names: list[str] | None
) -> None:
    begun: list[list[str]] = []
    monkeypatch.setattr(lambda_runtime, "begin_fetch", lambda bucket, names, *_: begun.append(list(names)))
    lambda_runtime.prefetch(handler, {"ASSAY_MODELS_BUCKET": "models", "ASSAY_PRELOAD": preload})
    assert begun == ([names] if names else [])
