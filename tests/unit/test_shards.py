from collections.abc import Iterator

import pytest

from assay.shards import Shard, count_lines, owned, plan


def test_a_plan_covers_every_byte_once() -> None:
    assert plan(10, 4, splittable=True) == [Shard(0, 0, 4), Shard(1, 4, 8), Shard(2, 8, 10)]
    assert plan(8, 4, splittable=True) == [Shard(0, 0, 4), Shard(1, 4, 8)]
    assert plan(10, 4, splittable=False) == [Shard(0, 0, 10)]
    assert plan(0, 4, splittable=True) == [Shard(0, 0, 0)]


@pytest.mark.parametrize(("size", "shard_bytes"), [(-1, 4), (4, 0)])
def test_a_plan_of_nothing_sensible_is_refused(size: int, shard_bytes: int) -> None:
    with pytest.raises(ValueError, match="cannot cut"):
        plan(size, shard_bytes, splittable=True)


@pytest.mark.parametrize(
    ("data", "shard", "expected"),
    [
        (b"aa\nbb\ncc", Shard(0, 0, 3), b"aa\n"),
        (b"aa\nbb\ncc", Shard(0, 0, 4), b"aa\nbb\n"),
        (b"aa\nbb\ncc", Shard(1, 3, 6), b"bb\n"),
        (b"aa\nbb\ncc", Shard(1, 4, 6), b""),
        (b"aa\nbb\ncc", Shard(2, 6, 8), b"cc"),
        (b"a\r\nb\r\n", Shard(1, 2, 4), b"b\r\n"),
        (b"a\r\nb\r\n", Shard(0, 0, 2), b"a\r\n"),
        (b"a\rb\r", Shard(1, 2, 4), b"b\r"),
        (b"", Shard(0, 0, 0), b""),
    ],
)
@pytest.mark.parametrize("step", [1, 2, 100])
def test_a_line_belongs_where_it_starts(data: bytes, shard: Shard, expected: bytes, step: int) -> None:
    chunks = [data[at : at + step] for at in range(shard.read_from, len(data), step)]
    assert b"".join(owned(chunks, shard)) == expected


@pytest.mark.parametrize(
    ("shard", "expected"),
    [
        (Shard(0, 0, 2), b"xx\n"),
        (Shard(0, 0, 3), b"xx\n"),
        (Shard(0, 0, 4), b"xx\n>a\r\nAC\r\nGT\r\n"),
        (Shard(1, 4, 8), b""),
        (Shard(1, 3, 16), b">a\r\nAC\r\nGT\r\n>b\rD>\r"),
        (Shard(2, 16, 21), b""),
    ],
)
@pytest.mark.parametrize("step", [1, 2, 3, 100])
def test_a_fasta_record_belongs_where_its_header_starts(shard: Shard, expected: bytes, step: int) -> None:
    data = b"xx\n>a\r\nAC\r\nGT\r\n>b\rD>\r"
    chunks = [data[at : at + step] for at in range(shard.read_from, len(data), step)]
    assert b"".join(owned(chunks, shard, b">")) == expected


def test_no_more_is_read_than_the_last_line_needs() -> None:
    taken = []

    def chunks() -> Iterator[bytes]:
        for index in range(1000):
            taken.append(index)
            yield b"abc\n"

    assert b"".join(owned(chunks(), Shard(0, 0, 10))) == b"abc\n" * 3
    assert len(taken) == 3


def test_a_shard_within_a_long_line_reads_no_further_than_itself() -> None:
    taken = []

    def chunks() -> Iterator[bytes]:
        for index in range(1000):
            taken.append(index)
            yield b"abcd"

    assert list(owned(chunks(), Shard(3, 9, 20))) == []
    assert len(taken) <= 4


@pytest.mark.parametrize(
    ("chunks", "count"),
    [
        ([], 0),
        ([b""], 0),
        ([b"a"], 1),
        ([b"a\n"], 1),
        ([b"a\r", b"\nb"], 2),
        ([b"a\r", b"b\r"], 2),
        ([b"\n", b"\n"], 2),
    ],
)
def test_lines_are_counted_across_chunks(chunks: list[bytes], count: int) -> None:
    assert count_lines(chunks) == count
