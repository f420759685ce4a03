"""Cutting an object into shards: limits to the byte, reading on from its start, and where a table's rows may be cut."""

import gzip
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import TooLarge
from assay.jobs import planning
from assay.jobs.planning import QUOTED, Caps, FileShape, as_one_shard, table_shape
from assay.jobs.workspace import JobPlan, PinnedModels, Source

CAPS = Caps(shard_bytes=10, shards=4, unsplit_bytes=30)


def source(size: int) -> Source:
    return Source("uploads", "rank/a.txt", size, '"etag"', "v1", "text/plain")


@pytest.mark.parametrize(
    ("shape", "packing", "most"),
    [
        (FileShape("lines", True), "", 40),
        (FileShape("lines", True), "gzip", 30),
        (FileShape("json", False, why="JSON cannot be cut"), "", 30),
        (FileShape("workbook", False, why="it is a workbook", limit=17), "", 17),
    ],
)
def test_an_object_of_the_limit_is_planned_and_one_byte_more_is_refused(
    shape: FileShape, packing: str, most: int
) -> None:
    assert planning._shards(source(most), packing, shape, CAPS) == (4 if most == 40 else 1)
    with pytest.raises(TooLarge, match=rf"has {most + 1:,} bytes"):
        planning._shards(source(most + 1), packing, shape, CAPS)


def test_the_refusal_of_too_many_shards_says_how_many_bytes_a_job_may_have() -> None:
    with pytest.raises(TooLarge, match=r"5 shards, but a job may take 4 \(40 bytes\)"):
        planning._shards(source(41), "", FileShape("lines", True), CAPS)


def test_a_table_that_cannot_be_cut_after_all_is_one_shard_with_its_header_in_place() -> None:
    pinned: PinnedModels = {"classifier": {"name": "tiny", "version": "1"}}
    plan = JobPlan("j", "rank", source(30), "csv", 10, 3, pinned, header="id,sequence", header_at=5)
    whole = as_one_shard(plan, CAPS)
    assert (whole.shards, whole.header, whole.header_at) == (1, "", 0)


def test_a_file_that_turns_out_uncuttable_is_held_to_one_functions_limit() -> None:
    plan: Any = SimpleNamespace(source=source(31))
    with pytest.raises(TooLarge, match=QUOTED):
        as_one_shard(plan, CAPS)


def test_a_kind_judges_an_object_by_the_last_part_of_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = replace(source(2), key="rank/of/designs.fa")
    monkeypatch.setattr(planning, "pin_object", lambda *_: (pinned, {"top-k": "3"}, b"AC"))
    judged: list[object] = []

    def shape(head: bytes, seen: Source, options: object) -> FileShape:
        judged.extend((head, seen.key, options))
        return FileShape("lines", True)

    kind: Any = SimpleNamespace(name="rank", options=dict, shape=shape, models=lambda _: {})
    nothing: Any = None
    plan = planning.new_plan(kind, "j", nothing, nothing, CAPS)
    assert judged == [b"AC", "designs.fa", {"top_k": "3"}]
    assert (plan.source, plan.most_bytes) == (pinned, 0)


def test_what_a_packed_object_may_unpack_to_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress(b"AC\n")
    pinned = replace(source(len(packed)), key="rank/designs.txt.gz")
    monkeypatch.setattr(planning, "pin_object", lambda *_: (pinned, {}, packed))
    kind: Any = SimpleNamespace(
        name="rank", options=dict, shape=lambda *_: FileShape("lines", True), models=lambda _: {}
    )
    nothing: Any = None
    plan = planning.new_plan(kind, "j", nothing, nothing, CAPS)
    assert (plan.compression, plan.shards, plan.most_bytes) == ("gzip", 1, 8 * CAPS.unsplit_bytes)


class Served:
    """A bucket with one object, that notes the ranges it was asked for."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.ranges: list[tuple[int, int]] = []

    def read_range(self, key: str, start: int, stop: int, *, etag: str, version: str) -> bytes:
        assert (key, etag, version) == ("rank/a.txt", '"etag"', "v1")
        self.ranges.append((start, stop))
        return self.body[start:stop]


@given(st.binary(max_size=40), st.integers(0, 40), st.integers(1, 12))
def test_reading_on_gives_each_byte_once_in_pieces_of_a_bounded_size(body: bytes, little: int, more: int) -> None:
    bucket: Any = Served(body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "_MORE", more)
        pieces = planning._read_on(bucket, source(len(body)), body[:little])
        assert b"".join(pieces) == body
    assert all(0 < stop - start <= more and stop <= len(body) for start, stop in bucket.ranges)
    assert len(bucket.ranges) == -(-max(0, len(body) - little) // more)


@pytest.mark.parametrize(
    ("head", "splittable"),
    [
        (b'id,sequence\n"a",AC\n"b",DE\n', True),
        (b'id,sequence\n"a\nb",AC\n', False),
        (b'id,sequence\n"a""",AC\n', True),
        (b'id,sequence\na,AC\n"the look ends within', True),
        (b'"id\nof it",sequence\n', False),
    ],
)
def test_a_table_is_cut_where_no_cell_holds_a_line_end(head: bytes, splittable: bool) -> None:
    shape = table_shape(head)
    assert shape.splittable is splittable
    assert splittable or shape.why == QUOTED


def test_reading_on_asks_for_a_megabyte_at_a_time() -> None:
    body = bytes(range(256)) * 10_000
    bucket: Any = Served(body)
    assert b"".join(planning._read_on(bucket, source(len(body)), b"")) == body
    assert [stop - start for start, stop in bucket.ranges] == [1 << 20, 1 << 20, len(body) - (2 << 20)]


@pytest.mark.parametrize(
    ("before", "at"), [(b"", 0), (b"\xef\xbb\xbf", 0), (b"\r\n", 2), (b"\xef\xbb\xbf\n\n", 5), (b"sep=,\n", 6)]
)
def test_where_the_header_row_begins(before: bytes, at: int) -> None:
    shape = table_shape(before + b"id,sequence\na,AC\n")
    assert (shape.header.rpartition("\n")[2], shape.header_at) == ("id,sequence", at)


def test_a_table_whose_header_row_does_not_end_is_not_cut() -> None:
    assert not table_shape(b"id,sequence").splittable
