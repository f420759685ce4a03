"""What a SavedModel's graph may hold, on protocol buffers written here field by field: no TensorFlow is needed."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.models.graph_operations import ALLOWED, GRAPH, _fields, find_forbidden
from tests.conftest import DATA

HONEST = DATA / "tiny-index-saved" / "1" / "saved"
OUTSIDE = (
    "Save",
    "Restore",
    "ImmutableConst",
    "WriteFile",
    "ReadFile",
    "PrintV2",
    "PyFunc",
    "RecordInput",
    "RpcClient",
)
NAMES = st.from_regex(r"[A-Z][A-Za-z0-9]{2,20}", fullmatch=True).filter(lambda name: name not in ALLOWED)


def field(number: int, content: bytes | str) -> bytes:
    content = content.encode() if isinstance(content, str) else content
    size, head = len(content), bytearray([number << 3 | 2])
    while True:
        head.append(size & 127 | (128 if size > 127 else 0))
        size >>= 7
        if not size:
            return bytes(head) + content


def node(*operations: str, attributes: bytes = b"") -> bytes:
    return field(1, "n") + b"".join(field(2, each) for each in operations) + attributes


def call(name: str) -> bytes:
    return field(5, field(1, "f") + field(2, field(10, field(1, name))))


def call_in_list(name: str) -> bytes:
    return field(5, field(1, "branches") + field(2, field(1, field(9, field(1, name)))))


def call_within_a_call(name: str) -> bytes:
    inner = field(2, field(1, "g") + field(2, field(10, field(1, name))))
    return field(5, field(1, "f") + field(2, field(10, field(1, "__inference_known") + inner)))


def function(name: str, *nodes: bytes, attributes: tuple[str, ...] = ()) -> bytes:
    body = b"".join(field(3, each) for each in nodes)
    named = b"".join(field(5, field(1, each) + field(2, b"")) for each in attributes)
    return field(1, field(1, field(1, name)) + body + named)


def objects(*names: str, nodes: bytes = b"") -> bytes:
    return field(7, nodes + b"".join(field(2, field(1, each) + field(2, b"")) for each in names))


def written(folder: Path, nodes: bytes = b"", library: bytes = b"", held: bytes | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    graph = field(2, nodes + field(2, library)) + (objects() if held is None else held)
    (folder / GRAPH).write_bytes(b"\x08\x01" + field(2, graph))
    return folder


def test_an_honest_saved_model_with_its_saver_only_computes() -> None:
    assert b"SaveV2" in (HONEST / GRAPH).read_bytes()
    assert find_forbidden(HONEST) == []


@pytest.mark.parametrize("operation", OUTSIDE)
def test_an_operation_that_reaches_outside_is_found_wherever_it_stands(tmp_path: Path, operation: str) -> None:
    assert find_forbidden(written(tmp_path, field(1, node(operation)))) == [operation]
    assert find_forbidden(written(tmp_path, b"", function("__inference_f", node(operation)))) == [operation]


@given(operation=NAMES, place=st.sampled_from(["node", "function", "twice named", "second graph"]))
def test_whatever_is_not_on_the_list_is_forbidden(
    tmp_path_factory: pytest.TempPathFactory, operation: str, place: str
) -> None:
    folder = tmp_path_factory.mktemp("saved")
    library = function("__inference_f", node(operation)) if place == "function" else b""
    hidden = node(operation, "Identity") if place == "twice named" else node(operation)
    written(folder, b"" if place in ("function", "second graph") else field(1, hidden), library)
    if place == "second graph":
        graph = field(2, field(2, field(1, node(operation))) + objects())
        (folder / GRAPH).write_bytes((folder / GRAPH).read_bytes() + graph)
    assert operation in find_forbidden(folder)


def test_savers_are_allowed_only_where_nothing_calls_them(tmp_path: Path) -> None:
    saver = function("__inference_saver", node("SaveV2"), node("MergeV2Checkpoints"), attributes=("_shapes",))
    from_the_graph = field(1, node("StatefulPartitionedCall", attributes=call("__inference_saver")))
    assert find_forbidden(written(tmp_path, from_the_graph, saver)) == []


def reached(reach: Callable[[str], bytes]) -> bytes:
    return function("__inference_serve", node("StatefulPartitionedCall", attributes=reach("__inference_saver")))


@pytest.mark.parametrize("reach", [call, call_in_list, call_within_a_call])
def test_a_saver_that_a_function_calls_is_forbidden(tmp_path: Path, reach: Callable[[str], bytes]) -> None:
    saver = function("__inference_saver", node("SaveV2"))
    assert find_forbidden(written(tmp_path, b"", saver + reached(reach))) == ["SaveV2"]


def test_a_saver_called_by_its_bare_name_is_forbidden(tmp_path: Path) -> None:
    saver = function("__inference_saver", node("SaveV2"))
    caller = function("__inference_serve", node("__inference_saver"))
    assert find_forbidden(written(tmp_path, b"", saver + caller)) == ["SaveV2"]


@pytest.mark.parametrize(
    "held",
    [
        objects("__inference__traced_save_7"),
        objects(nodes=field(1, field(6, field(1, "__inference__traced_save_7")))),
        objects(nodes=field(1, field(8, field(1, "__inference__traced_save_7")))),
    ],
    ids=["a signature", "a method", "a bare function"],
)
def test_a_saver_that_the_model_offers_is_forbidden_whatever_its_name(tmp_path: Path, held: bytes) -> None:
    saver = function("__inference__traced_save_7", node("SaveV2"))
    assert find_forbidden(written(tmp_path, b"", saver, held)) == ["SaveV2"]


def test_a_saver_that_stands_in_for_another_function_is_forbidden(tmp_path: Path) -> None:
    saver = function("__inference_saver", node("SaveV2"), attributes=("api_implements",))
    assert find_forbidden(written(tmp_path, b"", saver)) == ["SaveV2"]


def test_a_gradient_is_reached(tmp_path: Path) -> None:
    saver = function("__inference_saver", node("SaveV2"))
    gradient = field(2, field(1, "__inference_f") + field(2, "__inference_saver"))
    assert find_forbidden(written(tmp_path, b"", saver + gradient)) == ["SaveV2"]


@pytest.mark.parametrize("name", ["saved_model.cpb", "saved_model.pbtxt"])
def test_a_graph_in_another_form_beside_the_one_that_is_read_is_refused(tmp_path: Path, name: str) -> None:
    (written(tmp_path) / name).write_bytes(b"")
    with pytest.raises(ValueError, match=r"save it again"):
        find_forbidden(tmp_path)


def test_a_graph_of_tensorflow_1_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="TensorFlow 1"):
        find_forbidden(written(tmp_path, held=b""))


@given(content=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_words(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("saved")
    (folder / GRAPH).write_bytes(content)
    with suppress(ValueError):
        assert find_forbidden(folder) == sorted(find_forbidden(folder))


def test_a_file_cut_anywhere_is_refused_or_forbids_nothing(tmp_path: Path) -> None:
    content = (HONEST / GRAPH).read_bytes()
    for end in range(0, len(content), 97):
        (tmp_path / GRAPH).write_bytes(content[:end])
        with pytest.raises(ValueError, match=r"saved_model|TensorFlow 1"):
            find_forbidden(tmp_path)


def varint(number: int) -> bytes:
    head = bytearray()
    while True:
        head.append(number & 127 | (128 if number > 127 else 0))
        number >>= 7
        if not number:
            return bytes(head)


WIRE: dict[int, st.SearchStrategy[bytes]] = {
    0: st.integers(0, (1 << 64) - 1).map(varint),
    1: st.binary(min_size=8, max_size=8),
    2: st.binary(max_size=200),
    5: st.binary(min_size=4, max_size=4),
}
numbers = st.integers(1, (1 << 29) - 1)
wired = st.one_of(*(st.tuples(numbers, st.just(kind), value) for kind, value in WIRE.items()))


@given(st.lists(wired, max_size=6))
def test_fields_of_every_kind_are_read_as_they_were_written(written_fields: list[tuple[int, int, bytes]]) -> None:
    message, expected = b"", []
    for number, kind, value in written_fields:
        message += varint(number << 3 | kind) + (varint(len(value)) if kind == 2 else b"") + value
        expected.append((number, int.from_bytes(_low_bits(value), "little") if kind == 0 else value))
    found = [
        (number, value if isinstance(value, int) else value.tobytes()) for number, value in _fields(memoryview(message))
    ]
    assert found == expected


def _low_bits(value: bytes) -> bytes:
    number = sum((byte & 127) << 7 * at for at, byte in enumerate(value))
    return number.to_bytes(10, "little")


@pytest.mark.parametrize("kind", [3, 4, 6, 7])
def test_a_field_of_an_unknown_kind_is_refused(kind: int) -> None:
    with pytest.raises(ValueError, match=f"it has a field of kind {kind}"):
        list(_fields(memoryview(varint(1 << 3 | kind) + bytes(20))))


@pytest.mark.parametrize("message", [b"\x09" + bytes(7), b"\x0d" + bytes(3), b"\x0a\x05abcd", b"\x08\x80", b"\x80"])
def test_a_message_cut_within_a_field_is_refused(message: bytes) -> None:
    with pytest.raises(ValueError, match="truncated"):
        list(_fields(memoryview(message)))


def test_a_number_has_ten_bytes_at_most() -> None:
    assert list(_fields(memoryview(b"\x08" + b"\xff" * 9 + b"\x01"))) == [(1, (1 << 64) - 1)]
    with pytest.raises(ValueError, match="truncated"):
        list(_fields(memoryview(b"\x08" + b"\xff" * 10 + b"\x01")))


Junk = Callable[[str], bytes]


def layered(junk: Junk) -> bytes:
    """Return a SavedModel that only computes, with a saver that nothing reaches, and junk at every level."""
    call_g = field(10, field(1, "__inference_g") + junk("function name"))
    within = field(2, field(1, "k") + field(2, call_g + junk("value")) + junk("value's entry"))
    listed = field(1, field(9, field(1, "__inference_g") + within) + junk("list"))
    attribute = field(5, field(1, "f") + field(2, listed + junk("value")) + junk("entry"))
    computing = field(1, "n") + field(2, "Identity") + attribute + junk("node")
    saver = (
        field(1, field(1, "__inference_saver") + junk("signature"))
        + field(3, field(2, "SaveV2"))
        + field(5, field(1, "_shapes") + junk("attribute"))
        + junk("function")
    )
    library = field(1, saver) + function("__inference_g", node("Identity")) + junk("library")
    definition = field(1, computing) + field(2, library) + junk("definition")
    concrete = field(2, field(1, "__inference_g") + field(2, b"") + junk("concrete"))
    objects_ = field(1, field(6, field(1, "__inference_g")) + junk("object")) + concrete + junk("objects")
    return field(2, field(2, definition) + field(7, objects_) + junk("graph")) + junk("model")


LEVELS = {
    "model": {2}, "graph": {2, 7}, "definition": {1, 2}, "library": {1, 2, 3}, "node": {2, 5}, "entry": {2},
    "value": {1, 10}, "list": {9}, "function name": {1, 2}, "value's entry": {2}, "function": {1, 3, 5},
    "signature": {1}, "attribute": {1}, "concrete": {1}, "object": {6, 8, 12}, "objects": {1, 2},
}  # fmt: skip
"""The fields that are looked at, by the level that they stand on."""


@pytest.mark.parametrize(
    "content", [b"\xff" * 3, b"__inference_saver", field(1, "__inference_saver"), field(2, "WriteFile")]
)
@pytest.mark.parametrize("level", LEVELS)
def test_fields_that_say_something_else_are_passed_over(tmp_path: Path, level: str, content: bytes) -> None:
    for number in set(range(15)) - LEVELS[level]:
        (tmp_path / GRAPH).write_bytes(
            layered(lambda at, number=number: field(number, content) if at == level else b"")  # type: ignore[misc]
        )
        assert find_forbidden(tmp_path) == []


@pytest.mark.parametrize("kind", [6, 8, 12])
def test_every_holder_of_functions_is_looked_at(tmp_path: Path, kind: int) -> None:
    saver = function("__inference_saver", node("SaveV2"))
    held = objects(nodes=field(1, field(kind, b"\x10\x07" + field(3, "__inference_saver"))))
    assert find_forbidden(written(tmp_path, b"", saver, held)) == ["SaveV2"]


def test_a_node_without_an_operation_and_what_only_looks_like_a_function_are_forbidden(tmp_path: Path) -> None:
    assert find_forbidden(written(tmp_path, field(1, node()))) == [""]
    assert find_forbidden(written(tmp_path, field(1, node("__inference_f")))) == ["__inference_f"]
    library = function("__inference_f", node("Identity"))
    assert find_forbidden(written(tmp_path, field(1, node("__inference_f")), library)) == []
    other = function("WriteFile", node("Identity"))
    assert find_forbidden(written(tmp_path, field(1, node("WriteFile")), other)) == ["WriteFile"]


def test_all_that_is_forbidden_is_told_in_order(tmp_path: Path) -> None:
    library = function("__inference_f", node("ReadFile"), node("Identity"))
    assert find_forbidden(written(tmp_path, field(1, node("WriteFile", "Abort")), library)) == [
        "Abort",
        "ReadFile",
        "WriteFile",
    ]


def test_a_graph_without_objects_beside_one_with_them_is_refused(tmp_path: Path) -> None:
    (tmp_path / GRAPH).write_bytes(field(2, objects()) + field(2, b""))
    with pytest.raises(ValueError, match="TensorFlow 1"):
        find_forbidden(tmp_path)


def test_a_file_without_a_graph_says_so(tmp_path: Path) -> None:
    (tmp_path / GRAPH).write_bytes(b"\x08\x01")
    with pytest.raises(ValueError, match="it holds no graph"):
        find_forbidden(tmp_path)


def test_a_number_where_a_message_belongs_is_refused(tmp_path: Path) -> None:
    (tmp_path / GRAPH).write_bytes(b"\x10\x01")
    with pytest.raises(ValueError, match="it has a number in place of a message"):
        find_forbidden(tmp_path)
