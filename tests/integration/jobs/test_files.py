"""What a plan pins, where it is kept, and what shards leave behind, for a kind made for the test."""

import gzip
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from assay.aws.s3 import Bucket
from assay.errors import InvalidOption, ManifestInvalid, ObjectChanged, ObjectMissing, TooLarge, UnreadableInput
from assay.jobs import workspace
from assay.jobs.byte_ranges import Shard
from assay.jobs.classify_files import list_pieces
from assay.jobs.merging import Joined
from assay.jobs.planning import Caps, FileShape, Upload, plan_job
from assay.jobs.workspace import Failure, JobPlan, ShardResult, Source, Workspace, add_counts
from tests.conftest import Aws, delete_objects

CAPS = Caps(shard_bytes=10, shards=4, unsplit_bytes=30)
MANIFEST = JobPlan(
    "job", "rank", Source("uploads", "rank/a", 25, '"e"'), "csv", 10, 3, {"score": {"name": "m", "version": "1"}},
    {"top_k": 3, "column": None}, "", "séquence,\udcff\n",
)  # fmt: skip


class Plain:
    """A kind whose files are cut anywhere, unless their first byte is a bang."""

    name = "rank"
    versions = iter(range(1, 1000))

    def options(self, metadata: Mapping[str, str]) -> Mapping[str, Any]:
        if "top_k" in metadata and not metadata["top_k"].isdigit():
            raise InvalidOption("top_k must be a number", option="top_k")
        return {"top_k": int(metadata.get("top_k", 100))}

    def shape(self, head: bytes, source: Source, options: Mapping[str, Any]) -> FileShape:
        return FileShape("lines", not head.startswith(b"!"))

    def models(self, options: Mapping[str, Any]) -> Mapping[str, Mapping[str, str]]:
        return {"score": {"name": "m", "version": str(next(self.versions))}}

    def work(self, plan: JobPlan, index: int, uploads: Bucket, working: Workspace) -> ShardResult:
        return ShardResult(index, plan.pin, 0, {})

    def join(self, plan: JobPlan, working: Workspace, shards: Iterable[ShardResult]) -> Joined:
        return Joined({}, {})


def planned(aws: Aws, body: bytes, upload: Upload | None = None, caps: Caps = CAPS, top_k: str = "100") -> JobPlan:
    aws.s3.put_object(Bucket="uploads", Key="rank/a", Body=body, Metadata={"top-k": top_k})
    return plan_job(Plain(), Workspace(aws.results, "job"), upload or Upload("uploads", "rank/a"), aws.uploads, caps)


def test_a_manifest_and_a_result_survive_json() -> None:
    assert JobPlan.from_json(MANIFEST.to_json()) == MANIFEST
    assert JobPlan.from_json(MANIFEST.to_json()).pin == MANIFEST.pin
    result = ShardResult(3, "pin", 7, {"received": 7}, {"rejected.csv": 9}, {"rows": [["MK", 0.5, None]]})
    assert ShardResult.from_json(result.to_json()) == result


@pytest.mark.parametrize(
    "change",
    [{"shards": 2}, {"shards": 0}, {"shard_bytes": 0}, {"job_id": ""}, {"compression": "rar"}, {"format": ""}],
)
def test_a_manifest_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ManifestInvalid, match=next(iter(change))):
        replace(MANIFEST, **change)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2}', '{"version": 1, "source": {}}', "null"])
def test_a_manifest_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ManifestInvalid):
        JobPlan.from_json(text)


def test_the_shards_of_a_manifest_cover_every_byte_once() -> None:
    assert [MANIFEST.shard(index) for index in range(3)] == [Shard(0, 0, 10), Shard(1, 10, 20), Shard(2, 20, 25)]
    assert replace(MANIFEST, shards=1).shard(0) == Shard(0, 0, 25)
    for index in (-1, 3):
        with pytest.raises(ManifestInvalid):
            MANIFEST.shard(index)


def test_another_manifest_has_another_pin() -> None:
    assert replace(MANIFEST, header="").pin != MANIFEST.pin


def test_a_plan_pins_the_object_its_options_and_the_models(aws: Aws) -> None:
    made = planned(aws, b"x" * 25, top_k="7")
    info = aws.uploads.head("rank/a")
    assert made.source == Source("uploads", "rank/a", 25, info.etag, info.version_id, info.content_type)
    assert (made.options, made.format, made.shards) == ({"top_k": 7}, "lines", 3)
    Workspace(aws.results, "job").list_shards(made)
    found, _ = aws.results.get(workspace.shards_key("job"), limit=1000) or (b"", "")
    assert found == (
        b'[{"job_id": "job", "kind": "rank", "shard": 0}, {"job_id": "job", "kind": "rank", "shard": 1}, '
        b'{"job_id": "job", "kind": "rank", "shard": 2}]'
    )


def test_a_second_plan_finds_the_first_and_changes_nothing(aws: Aws) -> None:
    first = planned(aws, b"x" * 25)
    assert planned(aws, b"y" * 5) == first


def test_a_version_is_read_though_it_was_replaced(aws: Aws) -> None:
    aws.s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
    put = aws.s3.put_object(Bucket="uploads", Key="rank/a", Body=b"!old")
    upload = Upload("uploads", "rank/a", put["VersionId"], put["ETag"])
    made = planned(aws, b"new and longer", upload)
    assert (made.source.size, made.source.version_id) == (4, put["VersionId"])
    source = made.source
    read = aws.uploads.chunks(source.key, stop=source.size, etag=source.etag, version=source.version_id)
    assert b"".join(read) == b"!old"


def test_what_cannot_be_pinned_is_refused(aws: Aws) -> None:
    with pytest.raises(ObjectMissing):
        planned(aws, b"x", Upload("uploads", "rank/gone"))
    with pytest.raises(ObjectChanged):
        planned(aws, b"x", Upload("uploads", "rank/a", etag="other"))
    with pytest.raises(InvalidOption):
        planned(aws, b"x", top_k="lots")
    with pytest.raises(UnreadableInput):
        planned(aws, b"\x1f\x8bnonsense")


def test_a_job_over_its_cap_is_refused_and_the_refusal_says_so(aws: Aws) -> None:
    assert planned(aws, b"x" * 40).shards == 4
    delete_objects(aws.results, workspace.manifest_key("job"))
    with pytest.raises(TooLarge, match=r"5 shards.*may take 4.*MaxJobShards"):
        planned(aws, b"x" * 41)


@pytest.mark.parametrize("body", [gzip.compress(b"x", mtime=0), b"!" * 30])
def test_what_cannot_be_cut_is_one_shard(aws: Aws, body: bytes) -> None:
    assert planned(aws, body).shards == 1


@pytest.mark.parametrize(("body", "why"), [(gzip.compress(b"abc" * 9, mtime=0), "gzip"), (b"!" * 31, "cannot be cut")])
def test_what_cannot_be_cut_and_is_too_large_is_refused(aws: Aws, body: bytes, why: str) -> None:
    with pytest.raises(TooLarge, match=why):
        planned(aws, body, caps=replace(CAPS, unsplit_bytes=20))


def test_a_shard_is_done_once_its_result_exists(aws: Aws) -> None:
    working = Workspace(aws.results, "job")
    result = ShardResult(100_000, "pin", 1, {"received": 1})
    aws.results.put(working.part(7, "rejected.csv"), b"1,empty,", "text/csv")
    assert working.list_done() == []
    working.save(result)
    working.save(replace(result, shard=2))
    working.save(replace(result, shard=2))
    assert working.list_done() == [2, 100_000]
    assert working.find_result(2, "pin") == replace(result, shard=2)
    assert working.find_result(2, "another") is None
    assert working.find_result(3, "pin") is None


def test_failures_are_those_of_shards_not_done_since(aws: Aws) -> None:
    working = Workspace(aws.results, "job")
    for shard in (2, 1):
        working.note(Failure(shard, "States.Timeout", "it took too long"))
    working.save(ShardResult(2, "pin", 1, {}))
    assert list(working.failures()) == [Failure(1, "States.Timeout", "it took too long")]


def test_lines_are_numbered_by_prefix_sums_and_counts_added() -> None:
    counts = {"rejected": 1, "classified": 2}
    results = [ShardResult(index, "", lines, counts) for index, lines in enumerate((3, 0, 5))]
    assert [piece.lines_before for piece in list_pieces(results)] == [0, 3, 3]
    assert add_counts([result.counts for result in results]) == {"rejected": 3, "classified": 6}
    assert add_counts([]) == {}


def test_the_input_of_a_state_machine_names_the_upload() -> None:
    upload = Upload("b", "rank/a", "v", "e")
    assert Upload.from_json({"job_id": "job", **upload.to_json()}) == upload
    assert Upload.from_json({"bucket": "b", "key": "k"}) == Upload("b", "k")
