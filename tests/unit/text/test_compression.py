import gzip
import zlib
from collections.abc import Iterable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import TooLarge, UnreadableInput
from assay.text.compression import gunzip

DATA = b"ACDEFGHIKL\n" * 1000


def unpacked(chunks: Iterable[bytes], limit: int | None = None, max_ratio: int = 300) -> bytes:
    return b"".join(gunzip(chunks, limit=limit, max_ratio=max_ratio))


@given(st.lists(st.binary(max_size=100), min_size=1, max_size=4), st.integers(1, 50), st.integers(0, 3))
def test_members_follow_each_other_in_any_chunks(parts: list[bytes], size: int, padding: int) -> None:
    packed = b"".join(map(gzip.compress, parts)) + b"\0" * padding
    assert unpacked(packed[at : at + size] for at in range(0, len(packed), size)) == b"".join(parts)


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda tail: gzip.compress(b"ACD", mtime=0)[:-9] + tail))
def test_any_bytes_unpack_or_are_refused(data: bytes) -> None:
    with suppress(UnreadableInput):
        assert len(unpacked([data])) <= 1032 * len(data)


@pytest.mark.parametrize("cut", [0, 1, 9, 30, -1])
def test_what_is_cut_off_is_unreadable(cut: int) -> None:
    with pytest.raises(UnreadableInput, match="truncated"):
        unpacked([gzip.compress(DATA, mtime=0)[:cut]])


def test_a_second_member_cut_off_is_unreadable() -> None:
    with pytest.raises(UnreadableInput, match="truncated"):
        unpacked([gzip.compress(DATA, mtime=0), gzip.compress(DATA, mtime=0)[:5]])


@pytest.mark.parametrize(
    "data", [b"plain text", gzip.compress(DATA, mtime=0)[:-8] + b"12345678", gzip.compress(DATA, mtime=0) + b"more"]
)
def test_what_is_not_gzip_or_corrupt_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableInput, match="corrupt"):
        unpacked([data])


def test_a_bomb_is_stopped_early() -> None:
    packed = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packed.compress(bytes(1 << 20)) for _ in range(50)) + packed.flush()
    sizes: list[int] = []
    with pytest.raises(UnreadableInput, match="300 times"):
        sizes.extend(map(len, gunzip([bomb], limit=None, max_ratio=300)))
    assert max(sizes) <= 1 << 20
    assert len(sizes) < 40


def test_a_small_file_may_pack_well() -> None:
    assert len(unpacked([gzip.compress(bytes(3 << 20), 9)])) == 3 << 20


def test_the_limit_is_exact() -> None:
    packed = gzip.compress(DATA, mtime=0)
    assert unpacked([packed], limit=len(DATA)) == DATA
    with pytest.raises(TooLarge, match="over 10999 bytes"):
        unpacked([packed], limit=len(DATA) - 1)
