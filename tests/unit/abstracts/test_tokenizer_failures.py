"""A tokenizer file that makes the library panic: its panic is a BaseException, which nothing may let through."""

from pathlib import Path

import pytest
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from assay.abstracts.tokens import TextTokenizer, failures_as_invalid
from assay.errors import BundleInvalid

HOPELESS = "a" * 60_000 + "!"


def hostile(path: Path) -> Path:
    """A pattern on which the library's regular expressions give up."""
    tokenizer = Tokenizer(models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("(a|aa)+$"), "isolated")
    tokenizer.save(str(path))
    return path


def test_a_panic_over_a_text_is_an_invalid_bundle(tmp_path: Path) -> None:
    tokenizer = TextTokenizer(hostile(tmp_path / "tokenizer.json"), 64)
    with pytest.raises(BundleInvalid, match="the model's tokenizer failed on a text"):
        tokenizer.encode([HOPELESS])
    assert len(tokenizer.encode(["b"])) == 1, "it serves the next text"


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"model": {"type": "WordPiece", "vocab": 3}}', "\ufeff{}"])
def test_a_file_that_is_no_tokenizer_is_an_invalid_bundle(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(content, "utf-8")
    with pytest.raises(BundleInvalid, match=r"tokenizer\.json is not a tokenizer"):
        TextTokenizer(path, 64)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1), ImportError("tokenizers")])
def test_what_is_no_failure_of_the_library_passes(error: BaseException) -> None:
    with pytest.raises(type(error)), failures_as_invalid("not this"):
        raise error
