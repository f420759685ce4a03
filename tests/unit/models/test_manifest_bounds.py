"""Each field of a manifest at the bounds of what it may be."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from assay.errors import BundleInvalid
from assay.models.manifest import Manifest
from tests.unit.models.test_bundle import SEQUENCE, TEXT, Json, changed, set_file


def at_place(place: str, value: object) -> Callable[[Json], object]:
    """Return a change of what stands at `files.0.path`."""

    def change(d: Json) -> None:
        held: Any = d
        *way, last = place.split(".")
        for step in way:
            held = held[int(step)] if step.isdigit() else held[step]
        held[int(last) if last.isdigit() else last] = value

    return change


def spelled(place: str) -> str:
    """Return how an error names a place."""
    return re.sub(r"\.(\d+)", r"[\1]", f"manifest.{place}")


NAMES = [f"label-{at}" for at in range(4097)]
INPUTS = [{"name": str(at), "dtype": "int32", "shape": [1, None]} for at in range(17)]
EDGES: list[tuple[Json, str, list[object], list[object]]] = [
    (SEQUENCE, "files.0.chunk_bytes", [1 << 30, 1 << 20], [0, -1, (1 << 30) + 1, "1", True, None]),
    (SEQUENCE, "provenance", [{}, {"a": [1]}], [[], "x", None, 1]),
    (SEQUENCE, "licence", ["", "MIT"], [None, 1]),
    (SEQUENCE, "quantization", ["none", "dynamic", "static"], [None, "", "int8", 1]),
    (
        TEXT,
        "inputs.0.shape",
        [[1] * 8, [1 << 24, None], [-1], []],
        [[1] * 9, [0], [-2], [(1 << 24) + 1], [True], [1.0], "1"],
    ),
    (TEXT, "outputs.0.dtype", ["float32", "float64"], ["int32", "uint8", "float16", 3]),
    (TEXT, "inputs", [INPUTS[:16], INPUTS[:1]], [INPUTS, [], {}, [1]]),
    (TEXT, "text.max_tokens", [8, 65_536], [7, 65_537]),
    (TEXT, "text.pad_id", [0, 1 << 31], [-1, (1 << 31) + 1]),
    (TEXT, "text.overlap", [0, TEXT["text"]["max_tokens"] // 2], [-1, TEXT["text"]["max_tokens"] // 2 + 1]),
    (TEXT, "text.activation", ["sigmoid", "softmax", "none"], ["relu", ""]),
    (
        TEXT,
        "text.titles",
        [{}, {"cs": "x" * 200}, {"cs": "Computer Science", "math": "\u2126"}],
        [{"x": "X"}, {"cs": ""}, {"cs": "x" * 201}, {"cs": 1}, {"cs": "a\nb"}, {"cs": None}, []],
    ),
    (TEXT, "text.thresholds", [{}, {"cs": 1}, {"cs": 0.5}], [{"x": 1}, {"cs": 1, "x": 1}]),
]


@pytest.mark.parametrize(("document", "place", "right", "wrong"), EDGES, ids=[each[1] for each in EDGES])
def test_each_field_is_taken_to_its_bounds_and_no_further(
    document: Json, place: str, right: list[object], wrong: list[object]
) -> None:
    for value in right:
        Manifest.parse(changed(_smaller(document, place), at_place(place, value)))
    for value in wrong:
        with pytest.raises(
            BundleInvalid, match="output is" if value in ("int32", "uint8") else re.escape(_told(place))
        ):
            Manifest.parse(changed(document, at_place(place, value)))


def _smaller(document: Json, place: str) -> Json:
    """Return a document whose file has a byte, where it is about chunks."""
    if not place.endswith("chunk_bytes"):
        return document
    return {**document, "files": [{**document["files"][0], "bytes": 1, "chunks": ["a" * 64]}]}


def _told(place: str) -> str:
    return "manifest.text.labels" if place == "text.thresholds" else spelled(place)


@pytest.mark.parametrize(
    ("thresholds", "told"),
    [
        ({"cs": True}, " has values that are not finite numbers"),
        ({"cs": "1"}, " has values that are not finite numbers"),
        ([1], " is not an object"),
    ],
)
def test_thresholds_that_are_no_numbers_are_told_by_their_own_name(thresholds: object, told: str) -> None:
    with pytest.raises(BundleInvalid, match=rf"manifest\.text\.thresholds{told}"):
        Manifest.parse(changed(TEXT, at_place("text.thresholds", thresholds)))


def test_a_manifest_without_titles_is_written_as_before_there_were_any() -> None:
    assert "titles" not in json.loads(Manifest.parse(changed(TEXT, lambda d: d)).dumps())["text"]
    titled = Manifest.parse(changed(TEXT, at_place("text.titles", {"cs": "Computer Science"})))
    assert Manifest.parse(titled.dumps()) == titled


def test_as_many_labels_as_may_be_are_taken_and_no_more() -> None:
    for count, right in ((1, True), (4096, True), (4097, False), (0, False)):
        document = changed(TEXT, lambda d, count=count: d["text"].update(labels=NAMES[:count], thresholds={}))  # type: ignore[misc]
        if right:
            text = Manifest.parse(document).text
            assert text is not None
            assert len(text.labels) == count
        else:
            with pytest.raises(BundleInvalid, match=r"manifest\.text\.labels is not a list of 1\.\.4096 items"):
                Manifest.parse(document)


@pytest.mark.parametrize(
    ("folders", "longest", "right"), [(7, 9, True), (8, 9, False), (0, 128, True), (0, 129, False)]
)
def test_a_path_has_eight_segments_and_each_128_characters_at_most(folders: int, longest: int, right: bool) -> None:
    path = "a/" * folders + "model.tflite".rjust(longest, "x")[-max(longest, 12) :]
    if right:
        assert Manifest.parse(changed(SEQUENCE, set_file(path=path))).files[0].path == path
    else:
        with pytest.raises(BundleInvalid, match=r"manifest\.files\[0\]\.path is .* not a plain relative path"):
            Manifest.parse(changed(SEQUENCE, set_file(path=path)))


def test_an_axis_that_may_vary_is_written_either_way() -> None:
    shape = Manifest.parse(changed(TEXT, at_place("inputs.0.shape", [-1, None, 5]))).inputs[0].shape
    assert shape == (None, None, 5)


def test_what_is_not_said_is_what_it_always_was() -> None:
    text = Manifest.parse(changed(TEXT, lambda d: [d["text"].pop(name, 0) for name in ("pad_id", "overlap")])).text
    assert text is not None
    assert (text.pad_id, text.overlap) == (0, 0)
    (file,) = Manifest.parse(changed(SEQUENCE, lambda d: d["files"][0].pop("chunk_bytes", 0))).files
    assert file.chunk_bytes == 8 << 20


def test_a_long_choice_is_told_short() -> None:
    with pytest.raises(BundleInvalid) as told:
        Manifest.parse(changed(SEQUENCE, at_place("task", "x" * 500)))
    assert told.value.message == f"manifest.task is {'x' * 40!r}, not one of sequence-score, text-classification"
    with pytest.raises(BundleInvalid, match="manifest is not an object"):
        Manifest.parse(b"[]")
    with pytest.raises(BundleInvalid, match=r"manifest\.name is not a string"):
        Manifest.parse(changed(SEQUENCE, at_place("name", 1)))
