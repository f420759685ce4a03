from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.jobs.byte_ranges import LineCounter, Shard, Tally, cut_ranges, own_lines
from tests.unit.reference import count_lines


def test_a_plan_covers_every_byte_once() -> None:
    assert cut_ranges(10, 4, splittable=True) == [Shard(0, 0, 4), Shard(1, 4, 8), Shard(2, 8, 10)]
    assert cut_ranges(8, 4, splittable=True) == [Shard(0, 0, 4), Shard(1, 4, 8)]
    assert cut_ranges(10, 4, splittable=False) == [Shard(0, 0, 10)]
    assert cut_ranges(0, 4, splittable=True) == [Shard(0, 0, 0)]


@pytest.mark.parametrize(("size", "shard_bytes"), [(-1, 4), (4, 0)])
def test_a_plan_of_nothing_sensible_is_refused(size: int, shard_bytes: int) -> None:
    with pytest.raises(ValueError, match="cannot cut"):
        cut_ranges(size, shard_bytes, splittable=True)


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
    assert b"".join(own_lines(chunks, shard)) == expected


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
    assert b"".join(own_lines(chunks, shard, b">")) == expected


def test_no_more_is_read_than_the_last_line_needs() -> None:
    taken = []

    def chunks() -> Iterator[bytes]:
        for index in range(1000):
            taken.append(index)
            yield b"abc\n"

    assert b"".join(own_lines(chunks(), Shard(0, 0, 10))) == b"abc\n" * 3
    assert len(taken) == 3


def test_a_shard_within_a_long_line_reads_no_further_than_itself() -> None:
    taken = []

    def chunks() -> Iterator[bytes]:
        for index in range(1000):
            taken.append(index)
            yield b"abcd"

    assert list(own_lines(chunks(), Shard(3, 9, 20))) == []
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


def plainly(data: bytes, mark: bytes) -> list[tuple[int, int]]:
    """Return where each record begins and ends."""
    lines, at = [], 0
    while at < len(data):
        ends = [place for place in (data.find(b"\n", at), data.find(b"\r", at)) if place >= 0]
        stop = min(ends) + 1 if ends else len(data)
        stop += data[stop - 1 : stop] == b"\r" and data[stop : stop + 1] == b"\n"
        lines.append((at, stop))
        at = stop
    if not mark or not lines:
        return lines
    starts = [0, *(start for start, _ in lines[1:] if data.startswith(mark, start))]
    return list(zip(starts, [*starts[1:], len(data)], strict=True))


texts = st.lists(st.sampled_from([b"a", b"bb", b">", b"\n", b"\r", b"\r\n", b">c", b"\n>"]), max_size=14).map(b"".join)


@given(texts, st.integers(1, 9), st.sampled_from([b"", b">"]), st.integers(1, 6))
def test_a_shard_owns_what_begins_in_it_and_is_told_where(data: bytes, size: int, mark: bytes, step: int) -> None:
    for shard in cut_ranges(len(data), size, splittable=True):
        began: list[int] = []
        chunks = (data[at : at + step] for at in range(shard.read_from, len(data), step))
        part = b"".join(own_lines(chunks, shard, mark, began.append))
        mine = [(start, stop) for start, stop in plainly(data, mark) if shard.start <= start < shard.stop]
        assert part == b"".join(data[start:stop] for start, stop in mine)
        assert began == [start for start, _ in mine][:1]


@given(texts, st.integers(1, 6))
def test_lines_are_counted_as_plainly(data: bytes, step: int) -> None:
    counter = LineCounter()
    for at in range(0, len(data), step):
        counter.add(data[at : at + step])
        counter.add(b"")
    assert counter.lines == len(plainly(data, b""))


def test_a_tally_counts_bytes_from_where_they_begin_and_lines_as_they_are_given() -> None:
    tally = Tally()
    assert (tally.first, tally.size, tally.lines) == (0, 0, 0)
    tally.begin(7)
    assert list(tally.weigh([b"ab\n", b"", b"c"])) == [b"ab\n", b"c"]
    assert (tally.first, tally.size, tally.lines) == (7, 4, 0)


@given(st.integers(0, 40), st.integers(1, 50), st.booleans())
def test_a_plan_has_each_byte_once_and_no_shard_too_large(size: int, shard_bytes: int, splittable: bool) -> None:
    shards = cut_ranges(size, shard_bytes, splittable)
    assert [shard.index for shard in shards] == list(range(len(shards)))
    assert [at for shard in shards for at in range(shard.start, shard.stop)] == list(range(size))
    assert len(shards) == (max(-(-size // shard_bytes), 1) if splittable else 1)
    assert all(shard.read_from == (shard.start - 1 if shard.start else 0) for shard in shards)


def test_a_chunk_is_given_on_before_the_next_is_read() -> None:
    taken: list[int] = []

    def chunks() -> Iterator[bytes]:
        for index in range(3):
            taken.append(index)
            yield b"abcd"

    for at, _ in enumerate(own_lines(chunks(), Shard(0, 0, 100)), 1):
        assert len(taken) == at


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_a_record_is_found_wherever_a_chunk_ends(end: bytes) -> None:
    data = end.join([b"x", b">a", b"AC", b"G>T", b"", b">b", b"AC", b">"])
    for size in range(1, len(data)):
        for step in range(1, len(data)):
            parts = []
            for shard in cut_ranges(len(data), size, splittable=True):
                chunks = (data[at : at + step] for at in range(shard.read_from, len(data), step))
                mine = [(start, stop) for start, stop in plainly(data, b">") if shard.start <= start < shard.stop]
                parts.append(b"".join(own_lines(chunks, shard, b">")))
                assert parts[-1] == b"".join(data[start:stop] for start, stop in mine)
            assert b"".join(parts) == data
