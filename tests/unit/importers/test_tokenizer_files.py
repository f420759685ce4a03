"""Tokens that a folder adds to its vocabulary, in each of the files that may say so."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from assay.errors import UnreadableInput
from tests.importers import checkpoints
from tools.models.importers.tokenizer_files import added_texts, read_tokenizer, write_tokenizer

FIRST = len(checkpoints.PIECES)
FILES: dict[str, dict[str, Any]] = {
    "added_tokens.json": {"added_tokens.json": {"<formula>": FIRST}},
    "added_tokens_decoder": {
        "tokenizer_config.json": {"added_tokens_decoder": {str(FIRST): {"content": "<formula>", "normalized": False}}}
    },
    "additional_special_tokens": {"special_tokens_map.json": {"additional_special_tokens": ["<formula>"]}},
    "a special token as an object": {
        "special_tokens_map.json": {"bos_token": {"content": "<formula>", "lstrip": False, "single_word": False}}
    },
    "both files": {
        "added_tokens.json": {"<formula>": FIRST},
        "special_tokens_map.json": {"additional_special_tokens": ["<formula>"]},
    },
}


def folder_with(folder: Path, files: dict[str, Any], family: str = "Bert", *, whole: bool = False) -> Path:
    """Write a tokenizer's folder and the given files; `whole`: with a tokenizer.json that knows nothing of them."""
    checkpoints.write_tokenizer(folder, family)
    if whole:
        write_tokenizer(folder, folder / "tokenizer.json")
    for name, value in files.items():
        known = json.loads((folder / name).read_text()) if (folder / name).is_file() else {}
        (folder / name).write_text(json.dumps(known | value))
    return folder


@pytest.mark.parametrize("whole", [False, True], ids=["vocab.txt", "tokenizer.json"])
@pytest.mark.parametrize("name", FILES)
def test_an_added_token_is_one_token(tmp_path: Path, name: str, whole: bool) -> None:
    folder = folder_with(tmp_path, FILES[name], whole=whole)
    write_tokenizer(folder, tmp_path / "out.json")
    found = Tokenizer.from_file(str(tmp_path / "out.json"))
    assert found.encode("a <formula> b").ids == [*found.encode("a").ids[:2], FIRST, *found.encode("b").ids[1:]]
    assert found.encode("a<formula>b").ids[2] == FIRST
    assert any("<formula>" in text for text in added_texts(found))


def test_a_folder_without_added_tokens_gives_the_same_file_as_before(tmp_path: Path) -> None:
    for family in ("Bert", "Roberta"):
        folder = folder_with(tmp_path / family, {})
        assert len(read_tokenizer(folder).get_added_tokens_decoder()) == 5


def test_the_padding_token_that_the_folder_names_pads(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {"tokenizer_config.json": {"pad_token": "[MASK]"}})
    assert write_tokenizer(folder, tmp_path / "out.json") == checkpoints.PIECES.index("[MASK]")


def test_case_and_accents_are_those_of_the_configuration(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {}, whole=True)
    lower = read_tokenizer(folder).encode("ABC").ids
    settings_path = folder / "tokenizer_config.json"
    settings_path.write_text(json.dumps(json.loads(settings_path.read_text()) | {"do_lower_case": False}))
    assert read_tokenizer(folder).encode("abc").ids == lower
    assert read_tokenizer(folder).encode("ABC").ids != lower


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"added_tokens.json": {"<formula>": "last"}}, "ids"),
        ({"tokenizer_config.json": {"added_tokens_decoder": {"103": {"content": 5}}}}, "no text"),
        ({"tokenizer_config.json": {"added_tokens_decoder": [1]}}, "ids"),
        ({"special_tokens_map.json": {"additional_special_tokens": "<formula>"}}, "must be a list"),
        ({"tokenizer_config.json": {"cls_token": "[START]"}}, r"vocab\.txt lacks \[START\]"),
    ],
)
def test_a_file_that_is_wrong_is_refused_in_words(tmp_path: Path, files: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UnreadableInput, match=complaint):
        write_tokenizer(folder_with(tmp_path, files), tmp_path / "out.json")


KEYS = st.sampled_from(
    ["cls_token", "pad_token", "unk_token", "added_tokens_decoder", "additional_special_tokens", "do_lower_case",
     "strip_accents", "tokenize_chinese_chars", "do_basic_tokenize"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["content", "103", "x"]), inner),
    max_leaves=4,
)


@given(said=st.dictionaries(KEYS, VALUES, max_size=3), whole=st.booleans())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_setting_of_a_wrong_kind_ends_in_anything_but_words(
    tmp_path: Path, said: dict[str, Any], whole: bool
) -> None:
    (tmp_path / "tokenizer.json").unlink(missing_ok=True)
    folder = folder_with(tmp_path, {"tokenizer_config.json": said}, whole=whole and "cls_token" not in said)
    try:
        assert write_tokenizer(folder, tmp_path / "out.json") >= 0
    except UnreadableInput as error:
        refused = error.message
        assert refused
