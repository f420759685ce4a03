"""Tokenizers of folders against transformers' own, PyTorch or not; needs requirements/import.txt."""

import json
from pathlib import Path
from typing import Any

import pytest

transformers = pytest.importorskip("transformers")

from tests.importers import checkpoints
from tests.unit.importers.test_tokenizer_files import FILES, folder_with
from tools.models.importers.result import probe_texts
from tools.models.importers.tokenizer_files import added_texts, read_tokenizer

ODD = (
    "a <formula> b",
    "a<formula>b",
    "<formula><formula>",
    "of < formula >",
    "[MASK] x [SEP]",
    "ÀÉ 中文",
)


def compared(folder: Path, config: dict[str, Any]) -> None:
    (folder / "config.json").write_text(json.dumps(config))
    ours = read_tokenizer(folder)
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    # Version 5 finds some special tokens in capitals too; 4, with which most models were trained, does not.
    capitals = ["and <FORMULA>"] if transformers.__version__ < "5" else []
    for text in (*probe_texts(), *added_texts(ours), *ODD, *capitals):
        assert ours.encode(text).ids == theirs(text)["input_ids"], text


@pytest.mark.parametrize("whole", [False, True], ids=["vocab.txt", "tokenizer.json"])
@pytest.mark.parametrize("name", FILES)
def test_added_tokens_are_those_of_transformers(tmp_path: Path, name: str, whole: bool) -> None:
    compared(folder_with(tmp_path, FILES[name], whole=whole), {"model_type": "bert"})


@pytest.mark.parametrize(
    "said",
    [
        {"do_lower_case": False},
        {"strip_accents": False},
        {"tokenize_chinese_chars": False},
        {"do_lower_case": False, "strip_accents": True},
    ],
)
@pytest.mark.parametrize("whole", [False, True], ids=["vocab.txt", "tokenizer.json"])
def test_settings_are_those_of_transformers(tmp_path: Path, said: dict[str, Any], whole: bool) -> None:
    compared(folder_with(tmp_path, {"tokenizer_config.json": said}, whole=whole), {"model_type": "bert"})


@pytest.mark.parametrize("said", [{}, {"add_prefix_space": True}])
@pytest.mark.parametrize("whole", [False, True], ids=["vocab.json", "tokenizer.json"])
def test_byte_pairs_are_those_of_transformers(tmp_path: Path, said: dict[str, Any], whole: bool) -> None:
    folder = folder_with(tmp_path, {"tokenizer_config.json": said}, "Roberta", whole=whole)
    compared(folder, {"model_type": "roberta"})


def test_mpnet_s_word_pieces_have_roberta_s_special_tokens(tmp_path: Path) -> None:
    text = "\n".join(checkpoints.PIECES)
    for old, new in (("[PAD]", "<pad>"), ("[CLS]", "<s>"), ("[SEP]", "</s>"), ("[MASK]", "<mask>")):
        text = text.replace(old, new)
    (tmp_path / "vocab.txt").write_text(text + "\n")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "MPNetTokenizer"}))
    compared(tmp_path, {"model_type": "mpnet"})
