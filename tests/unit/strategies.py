"""Hypothesis strategies for input that is mostly almost right."""

from hypothesis import strategies as st

from assay.text.records import Limits

_WORDS = [b"ACD", b"acd", b"AAA", b"CCC", b"ADC", b"DDD", b"AC", b"ACDA", b"X", b"*", b" ", b"\t", b"\x00", b"\xe9"]
_ENDS = [b"\n", b"\n", b"\r\n", b"\r"]
_FASTA = [b"\n>P1;x y\n", b"\n>F1;x\r", b"\n; c\n", b" 61 ", b"9", b"\xc2\xa0"]
_MARKS = [
    b">",
    b">p1 a protein\n",
    b"\n>",
    b'"',
    b'""',
    b",",
    b'","',
    b"\xef\xbb\xbf",
    b"\xc3\xa9",
    b"A" * 40,
]

documents = st.one_of(
    st.lists(st.sampled_from(_WORDS + _ENDS * 3 + _MARKS + _FASTA), max_size=60).map(b"".join),
    st.lists(st.sampled_from([b"ACD\n", b"AAA\n", b"DCA\r\n"]), max_size=30).map(b"".join),
    st.binary(max_size=200),
)
line_documents = st.lists(st.sampled_from(_WORDS[:8] + _ENDS * 4), max_size=80).map(b"".join)
fasta_documents = st.lists(
    st.sampled_from([*_WORDS, *_ENDS * 3, *[b">p\n", b"\r>q\r", b"\r\n>", b">"] * 3, *_FASTA]),
    max_size=80,
).map(b"".join)
limits = st.builds(Limits, st.integers(1, 40), st.integers(1, 5), st.integers(3, 60))


@st.composite
def chunked(draw: st.DrawFn, source: st.SearchStrategy[bytes] = documents) -> tuple[bytes, list[bytes]]:
    """Return a document and the same in chunks, some of them empty."""
    data = draw(source)
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    return data, [data[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(data)], strict=True)]
