"""JSON is the same records however it is laid out and cut, in requests and in files."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.abstracts.abstract_records import LISTS as ABSTRACTS
from assay.abstracts.abstract_records import AbstractRecord, Layout
from assay.abstracts.abstract_records import read_records as read_abstracts
from assay.errors import UnreadableInput
from assay.jobs.classify_files import sniff_layout as sniff_abstracts
from assay.sequences.formats import LISTS, Format, sniff_format
from assay.sequences.json_items import parse_items
from assay.sequences.parsing import parse
from assay.text.json_values import is_lines, values
from assay.text.records import LIMITS, Limits, gather
from tests.unit.reference import flat

GOOD = "MKKLEELLKKAEELLKRGDEEALRRALELAKRALELAEELGDPELLARAL"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
RECORD = JSON.filter(lambda value: not isinstance(value, list)) | st.just({"id": "a", "sequence": GOOD})
ITEMS = [
    {"id": "a", "sequence": GOOD, "note": "x", "score": 1.5},
    {"id": 7, "sequence": GOOD[::-1], "note": None},
    GOOD,
]
LAID_OUT = {
    "list": json.dumps(ITEMS),
    "pretty list": json.dumps(ITEMS, indent=2),
    "named": json.dumps({"sequences": ITEMS}),
    "pretty named": json.dumps({"sequences": ITEMS}, indent=1),
    "lines": "".join(f"{json.dumps(item)}\n" for item in ITEMS),
    "lines, none at the end": "\n".join(map(json.dumps, ITEMS)),
    "pretty values": "\n".join(json.dumps(item, indent=4) for item in ITEMS),
    "CRLF": "\r\n".join(map(json.dumps, ITEMS)),
    "marked": "\ufeff" + json.dumps(ITEMS),
}


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@given(items=st.lists(RECORD, max_size=5), size=st.integers(1, 40), indent=st.none() | st.integers(0, 2))
def test_a_list_is_the_same_values_in_any_chunks(items: list[object], size: int, indent: int | None) -> None:
    for whole in (items, {"sequences": items}):
        data = json.dumps(whole, indent=indent, ensure_ascii=False).encode("utf-8", "replace")
        found = [value for _, value in values(cut(data, size), LISTS, LIMITS)]
        assert found == json.loads(data)["sequences"] if isinstance(whole, dict) else json.loads(data) == found


@given(items=st.lists(st.dictionaries(st.text(max_size=3), JSON, max_size=3), min_size=1), size=st.integers(1, 40))
def test_values_that_follow_each_other_are_numbered(items: list[object], size: int) -> None:
    data = "\n".join(json.dumps(item, indent=1) for item in items).encode()
    assert list(values(cut(data, size), ("no such list",), LIMITS)) == list(enumerate(items, 1))


@pytest.mark.parametrize("name", LAID_OUT)
@pytest.mark.parametrize("called", ["", "x.json", "x.jsonl"])
@pytest.mark.parametrize("size", [1, 50, 100_000])
def test_every_layout_is_the_same_sequences(name: str, called: str, size: int) -> None:
    data = LAID_OUT[name].encode()
    blocks = list(parse(cut(data, size), sniff_format(data, "", called)))
    assert [record.line for record in flat(blocks)] == [1, 2, 3]
    assert [name for block in blocks for name in block.ids or []] == ["a", "7", ""]
    assert {block.columns for block in blocks} == {("note", "input_score")}
    assert [row for block in blocks for row in block.extra or []] == [("x", "1.5"), ("", ""), ("", "")]


@pytest.mark.parametrize("name", LAID_OUT)
def test_every_layout_is_the_same_abstracts(name: str) -> None:
    data = LAID_OUT[name].replace('"sequences"', '"abstracts"').replace('"sequence"', '"abstract"').encode()
    layout = sniff_abstracts(data, "")
    assert layout in (Layout.JSON, Layout.JSONL)
    found = list(read_abstracts([data], layout))
    assert [(each.line, each.id, each.text) for each in found if isinstance(each, AbstractRecord)] == [
        (1, "a", GOOD),
        (2, "7", GOOD[::-1]),
        (3, None, GOOD),
    ]
    assert isinstance(found[0], AbstractRecord)
    assert found[0].about == {"columns": {"note": "x", "score": 1.5}}


@pytest.mark.parametrize(
    ("head", "lines"),
    [
        (b'{"sequence": "A"}\n{"sequence": "B"}\n', True),
        (b'{"sequence": "A"}\n{"seq', True),
        (b'{"sequence": "broken\n{"sequence": "B"}\n', True),
        (b'"A"\n"B"\n', True),
        (b"", True),
        (b'{"sequences": ["A"]}\n', False),
        (b'{"sequences": ["A",', False),
        (b'{\n "sequence": "A"\n}\n{\n', False),
        (b'[{"sequence": "A"},\n{"sequence": "B"}]', False),
        (b'\xef\xbb\xbf [ "A" ]', False),
        (b'{"sequence": "A"}', True),
        (b'{"id": "1", "sequence": "' + b"A" * (1 << 16), True),
        (b'{"sequence": "A"' + b" " * (1 << 16), True),
        (b'{"sequences": ["' + b"A" * (1 << 16), False),
        (b'{"sequence": "A', False),
    ],
)
def test_lines_are_told_from_documents(head: bytes, lines: bool) -> None:
    assert is_lines(head, LISTS) is lines


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'["A", ', "character 7"),
        (b'["A" "B"]', "character 6: expected ','"),
        (b'{"sequences": ["A"], "top_k": 5}', "'top_k' is beside the list"),
        (b'{"top_k": 5, "sequences": ["A"]}', "'top_k' is beside the list"),
        (b"[NaN]", "NaN"),
        (b'["\xff"]', "not UTF-8: byte 2"),
        (b"[" * 100_000, "character"),
        (b'["' + b"A" * 3000, "character"),
        (b"[" + b"9" * 5000 + b"]", "character 2"),
        (b"{'sequence': 1}", "character 2"),
        (b"[1]-2.5e-", "character 8"),
        (b'[1, "a" 2]', "character 9: expected ','"),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_what_is_no_json_says_where(data: bytes, said: str, size: int) -> None:
    if size == 1 and len(data) > 10_000:
        return
    with pytest.raises(UnreadableInput, match=said):
        list(values(cut(data, size), LISTS, Limits(record_bytes=2000)))


def test_a_bad_record_is_rejected_where_it_stands() -> None:
    data = json.dumps([GOOD, 5, {"id": "x"}, {"sequence": ["A"]}, {"sequence": "AC"}, None]).encode()
    found = {record.line: record.reason for record in flat(parse([data], Format.JSON))}
    assert found == {1: "", 2: "malformed", 3: "malformed", 4: "malformed", 5: "length", 6: "malformed"}
    lines = data.strip(b"[]").replace(b", ", b"\n")
    assert [record.reason for record in flat(parse([b"nonsense\n\n" + lines[: len(GOOD) + 2]], Format.JSONL))] == [
        "malformed",
        "empty",
        "",
    ]


def test_a_field_that_comes_late_is_told() -> None:
    first = [{"sequence": GOOD, "id": at} for at in range(2000)]
    data = json.dumps([*first, {"sequence": GOOD, "late": 1}]).encode()
    (notice,) = [each for block in parse([data], Format.JSON) for each in block.notices]
    assert (notice.code, notice.lines, notice.count) == ("fields_left_out", (2001,), 1)


def test_a_long_list_is_streamed() -> None:
    import tracemalloc

    def chunks() -> Iterator[bytes]:
        yield b"["
        for _ in range(300):
            yield f'"{GOOD}",'.encode() * 1000
        yield f'"{GOOD}"]'.encode()

    tracemalloc.start()
    assert sum(block.received for block in parse(chunks(), Format.JSON)) == 300_001
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


def test_names_of_lists_are_those_of_requests() -> None:
    assert (LISTS, ABSTRACTS) == (("sequences",), ("abstracts",))


SHAPES = st.one_of(
    st.sampled_from([GOOD, GOOD.lower(), "ACD", ""]),
    st.fixed_dictionaries(
        {"sequence": st.sampled_from([GOOD, f"{GOOD}*", "AC"])},
        optional={
            "id": st.one_of(st.none(), st.integers(), st.text(max_size=3)),
            "note": st.one_of(st.none(), st.booleans(), st.text(max_size=3), st.lists(st.integers(), max_size=2)),
            "Note": st.text(max_size=2),
        },
    ),
    st.fixed_dictionaries({"Sequence": st.just(GOOD), "id": st.just("x")}),
)


@given(st.lists(SHAPES, max_size=8), st.integers(1, 40))
def test_items_of_any_shape_are_the_same_in_a_list_a_document_and_lines(items: list[object], size: int) -> None:
    body = json.dumps(items).encode()
    lines = b"\n".join(json.dumps(item).encode() for item in items)
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    listed = [parse_items(items, head=body)]
    for blocks in (listed, [*parse(chunks, Format.JSON)], [*parse([lines], Format.JSONL)]):
        named = [name for block in blocks for name in block.ids or [""] * len(block.lines)]
        assert named == [_id(item) for item in items if _text(item).removesuffix("*").upper() == GOOD]
        assert [place for block in blocks for place in block.lines.tolist()] == [
            at for at, item in enumerate(items, 1) if _text(item).removesuffix("*").upper() == GOOD
        ]
        assert [cells for block in blocks for cells in block.extra or []] == [
            cells for block in listed for cells in block.extra or []
        ]
        assert gather(each for block in blocks for each in block.notices) == gather(listed[0].notices)
        assert sum(block.received for block in blocks) == len(items)


def _text(item: object) -> str:
    return item if isinstance(item, str) else str(dict(item).get("sequence", dict(item).get("Sequence")))  # type: ignore[call-overload]


def _id(item: object) -> str:
    found = None if isinstance(item, str) else dict(item).get("id")  # type: ignore[call-overload]
    return "" if found is None else str(found)


def test_what_no_record_had_at_first_is_told_once_for_all() -> None:
    found = parse_items([{"sequence": GOOD}, {"sequence": GOOD, "x": 1}, GOOD, {"sequence": GOOD, "SEQUENCE": "A"}])
    assert [(each.code, each.lines) for each in found.notices] == [("fields_left_out", (2,))]
