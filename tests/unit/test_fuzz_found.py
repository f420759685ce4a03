"""What fuzzing found, one test for each; fonts without a size are `corpus/paper/no-size`."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from assay.errors import BundleInvalid, MalformedBody, ManifestInvalid
from assay.http.encodings import Part
from assay.jobs.steps import start_from_record
from assay.jobs.workspace import JobPlan as JobManifest
from assay.jobs.workspace import Source
from assay.models.manifest import Manifest
from assay.options import RankOptions
from assay.sequences.formats import Format
from rank.request import RankRequest
from rank.respond_async import keep_as_job
from tests.conftest import DATA

BUNDLE = (DATA / "tiny-text" / "1" / "manifest.json").read_text("utf-8")
JOB = JobManifest("j", "rank", Source("uploads", "rank/a", 100, "e"), "lines", 40, 3, {"gate": {"name": "a"}}).to_json()


@pytest.mark.parametrize("value", ["1e999", '"\\ud800"'])
def test_a_bundle_that_could_not_be_written_again_is_refused(value: str) -> None:
    fields = json.loads(BUNDLE) | {"metrics": {"loss": "HERE"}}
    with pytest.raises(BundleInvalid):
        Manifest.parse(json.dumps(fields).replace('"HERE"', value).encode())


@pytest.mark.parametrize("nested", ["options", "models"])
def test_a_jobs_manifest_does_not_nest(nested: str) -> None:
    with pytest.raises(ManifestInvalid):
        JobManifest.from_json(json.dumps(json.loads(JOB) | {nested: {"a": {"b": {"c": [[]]}}, "d": []}}))


def test_a_jobs_manifest_nested_too_deep_to_read_is_refused() -> None:
    with pytest.raises(ManifestInvalid):
        JobManifest.from_json("[" * 200_000)


@pytest.mark.parametrize("record", [{}, [], {"s3": {}}, {"s3": {"object": {"key": 1}, "bucket": {"name": "b"}}}])
def test_a_record_that_is_not_of_s3_is_refused(record: Any) -> None:
    nothing: Any = None
    with pytest.raises(MalformedBody):
        start_from_record(nothing, nothing, record, "owner")


@pytest.mark.parametrize(("sent", "kept"), [("text/plain;\u00e9", ""), ("x" * 9000, ""), ("text/csv", "text/csv")])
def test_a_content_type_that_no_header_can_hold_is_not_passed_on(sent: str, kept: str) -> None:
    put: list[str] = []
    client = SimpleNamespace(put_object=lambda **given: put.append(given["ContentType"]))
    uploads: Any = SimpleNamespace(client=client, name="uploads")
    jobs: Any = SimpleNamespace(enqueue=lambda key, kind, caller, options: SimpleNamespace(id="1"))
    stack: Any = SimpleNamespace(uploads=uploads, jobs=jobs)
    request = RankRequest({}, RankOptions(), Part("body", "", sent, b""), b"", Format.LINES)
    assert keep_as_job(request, "", stack).status == 202
    assert put == [kept]
