"""A packed file is read as its content, in any chunks, in constant memory; bombs and damage are refused so."""

import bz2
import gzip
import io
import lzma
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import TooLarge, UnreadableInput
from assay.jobs.workspace import PACKINGS as KNOWN
from assay.text.packing import HEAD, PACKINGS, look, open_text

zstd = pytest.importorskip("backports.zstd")
LINE = b"MKKLEELLKKAEELLKRGDEEALRRALELAKRALELAEELGDPELLARAL\n"


def zipped(data: bytes, name: str = "a.csv", method: int = zipfile.ZIP_DEFLATED, *others: tuple[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for called, body in ((name, data), *others):
            archive.writestr(called, body)
    return held.getvalue()


def streamed(data: bytes) -> bytes:
    """Return a zip whose sizes follow its file, as one that was written to a pipe has them."""

    class Pipe(io.RawIOBase):
        held = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.held += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    pipe = Pipe()
    pipe.held = bytearray()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", data)
    return bytes(pipe.held)


def wide(data: bytes) -> bytes:
    """Return a zip64."""
    held = io.BytesIO()
    with (
        zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.csv", "w", force_zip64=True) as file,
    ):
        file.write(data)
    return held.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda data: zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1}),
    "zip": zipped,
}
ZIPS = [zipped, streamed, wide, lambda data: zipped(data, "a.csv", zipfile.ZIP_STORED)]


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def opened(chunks: Iterable[bytes], limit: int | None = None) -> bytes:
    held = list(chunks)
    return b"".join(open_text(iter(held), look(iter(held)).packing, limit=limit))


def peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_manifest_knows_every_packing() -> None:
    assert set(KNOWN) == set(PACKINGS)


@pytest.mark.parametrize("name", PACKERS)
@given(data=st.binary(max_size=300), size=st.integers(1, 60))
def test_what_was_packed_comes_back_in_any_chunks(name: str, data: bytes, size: int) -> None:
    packed = PACKERS[name](data)
    assert look([packed]).packing.startswith(name)
    assert b"".join(open_text(cut(packed, size), name)) == data


@pytest.mark.parametrize("name", ["gzip", "bz2", "xz", "zstd"])
@given(parts=st.lists(st.binary(max_size=50), min_size=1, max_size=4), size=st.integers(1, 50))
def test_members_follow_each_other(name: str, parts: list[bytes], size: int) -> None:
    packed = b"".join(map(PACKERS[name], parts))
    assert b"".join(open_text(cut(packed, size), name)) == b"".join(parts)


@pytest.mark.parametrize("pack", ZIPS)
@given(data=st.binary(max_size=200), size=st.integers(1, 40))
def test_every_zip_that_the_library_writes_is_read(pack: Callable[[bytes], bytes], data: bytes, size: int) -> None:
    assert b"".join(open_text(cut(pack(data), size), "zip")) == data


@pytest.mark.parametrize("name", PACKERS)
@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9, 0.99])
def test_what_is_cut_off_is_unreadable(name: str, kept: float) -> None:
    packed = PACKERS[name](LINE * 1000)
    with pytest.raises(UnreadableInput, match=r"truncated|corrupt"):
        b"".join(open_text([packed[: int(len(packed) * kept)]], name))


@pytest.mark.parametrize("name", PACKERS)
def test_what_follows_the_end_is_unreadable(name: str) -> None:
    with pytest.raises(UnreadableInput, match="corrupt"):
        b"".join(open_text([PACKERS[name](LINE) + b"trailing garbage"], name))


@pytest.mark.parametrize("name", PACKERS)
@settings(max_examples=200)
@given(at=st.integers(0, 400), flip=st.integers(1, 255))
def test_one_damaged_byte_is_refused_or_harmless(name: str, at: int, flip: int) -> None:
    packed = bytearray(PACKERS[name](LINE * 20))
    packed[at % len(packed)] ^= flip
    with suppress(UnreadableInput, TooLarge):
        found = b"".join(open_text([bytes(packed)], name, limit=1 << 20))
        assert found in (LINE * 20, b"")


@pytest.mark.parametrize("name", PACKERS)
def test_bombs_are_stopped_early_in_little_memory(name: str) -> None:
    bomb = PACKERS[name](bytes(200 << 20))
    seen: list[int] = []

    def read() -> None:
        with pytest.raises(UnreadableInput, match="300 times"):
            seen.extend(map(len, open_text(cut(bomb, 1 << 16), name)))

    assert peak(read) < 24 << 20
    assert max(seen) <= 1 << 20
    assert sum(seen) < 150 << 20


@pytest.mark.parametrize("name", PACKERS)
def test_the_limit_of_what_is_unpacked_is_exact(name: str) -> None:
    packed = PACKERS[name](LINE * 100)
    assert len(b"".join(open_text([packed], name, limit=5100))) == 5100
    with pytest.raises(TooLarge, match="over 5099 bytes"):
        b"".join(open_text([packed], name, limit=5099))


@pytest.mark.parametrize("name", ["gzip", "bz2", "xz", "zstd"])
def test_members_of_nothing_without_end_are_refused(name: str) -> None:
    packed = PACKERS[name](b"") * 60_000
    with pytest.raises(UnreadableInput, match="too many parts"):
        b"".join(open_text([packed], name))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (zipped(LINE, "a.csv", zipfile.ZIP_DEFLATED, ("b.csv", LINE)), "more than one file, 'a.csv' and 'b.csv'"),
        (zipped(LINE, "a.csv", zipfile.ZIP_BZIP2), "packed with bzip2"),
        (zipped(LINE, "a.csv", zipfile.ZIP_LZMA), "packed with LZMA"),
        (zipped(b"", "folder/"), "empty"),
        (zipped(LINE)[:6] + b"\x09" + zipped(LINE)[7:], "has a password"),
        (b"PK\x05\x06" + bytes(18), "empty"),
    ],
    ids=["two", "bzip2", "LZMA", "folder", "password", "empty"],
)
def test_a_zip_that_is_not_one_plain_file_says_so(body: bytes, said: str) -> None:
    with pytest.raises(UnreadableInput, match=said):
        b"".join(open_text([body], "zip"))


def test_what_systems_add_to_a_zip_is_no_file() -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.mkdir("data/")
        for name in ("data/a.fasta", "__MACOSX/data/._a.fasta", "data/.DS_Store"):
            archive.writestr(name, LINE)
    assert opened([held.getvalue()]) == LINE
    assert look([held.getvalue()], "data.zip").name == "a.fasta"


def test_the_name_of_what_is_inside_counts() -> None:
    assert look([zipped(LINE, "x/b.tsv")], "a.zip") == ("zip", LINE, "b.tsv")
    assert look([bz2.compress(LINE)], "a.tsv.bz2").name == "a.tsv"
    assert look([LINE], "a.tsv").name == "a.tsv"


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["", *PACKERS])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_utf_16_is_read_with_mark_and_without(codec: str, name: str, size: int) -> None:
    plain = "sequence,note\nACD,plain\n"
    body = plain.encode(codec)
    packed = PACKERS[name](body) if name else body
    assert opened(cut(packed, size)).decode("utf-8-sig") == plain


def test_letters_of_two_units_survive_any_cut() -> None:
    plain = "ünï 日本 🧬\n" * 3
    assert opened(cut(plain.encode("utf-16"), 1)).decode("utf-8-sig") == plain


@given(st.binary(max_size=200))
def test_any_bytes_are_looked_at(data: bytes) -> None:
    with suppress(UnreadableInput):
        assert look([data]).packing in PACKINGS


def test_the_look_is_of_one_size_however_the_input_comes() -> None:
    body = LINE * 5000
    assert len(body) > 2 * HEAD
    for name, pack in PACKERS.items():
        for size in (7, 4096, 1 << 20):
            assert look(cut(pack(body), size)).head == body[:HEAD], name
    assert look(cut(body, 100)).head == body[:HEAD]


def test_a_file_that_only_the_list_at_the_end_has_is_no_file_and_no_silence() -> None:
    """Readers that begin at the end would see `b.csv` and nothing of `a.csv`."""
    with pytest.raises(UnreadableInput, match="corrupt"):
        opened([zipped(LINE, "a.csv")[:-22] + zipped(LINE, "b.csv")])
