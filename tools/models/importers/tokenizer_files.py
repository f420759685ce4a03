"""A `tokenizer.json` from what a folder has: that file, BERT's vocab.txt, RoBERTa's vocab.json and merges.txt."""

import json
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from assay.abstracts.tokenizing import failures_as_invalid
from assay.errors import BundleInvalid, UnreadableInput

_BERT = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_ROBERTA = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")


def write_tokenizer(source: Path, target: Path) -> int:
    """Write the tokenizer of a file or folder to `target` and return the id that pads; UnreadableInput."""
    try:
        with failures_as_invalid(f"the tokenizer of {source.name} can't be read"):
            tokenizer = _read(source)
    except BundleInvalid as error:
        raise (
            error.__cause__ if isinstance(error.__cause__, UnreadableInput) else UnreadableInput(str(error))
        ) from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    target.write_text(tokenizer.to_str(), "utf-8")
    found = [tokenizer.token_to_id(piece) for piece in ("[PAD]", "<pad>")]
    return next((index for index in found if index is not None), 0)


def _read(source: Path) -> Any:
    if source.is_file():
        return Tokenizer.from_file(str(source))
    if (source / "tokenizer.json").is_file():
        return Tokenizer.from_file(str(source / "tokenizer.json"))
    settings = _settings(source)
    if (source / "vocab.txt").is_file():
        return _word_piece(source / "vocab.txt", settings)
    if (source / "vocab.json").is_file() and (source / "merges.txt").is_file():
        return _byte_pairs(source, settings)
    raise UnreadableInput(f"{source.name} has no tokenizer: tokenizer.json, vocab.txt, or vocab.json with merges.txt")


def _settings(source: Path) -> dict[str, Any]:
    path = source / "tokenizer_config.json"
    found = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return found if isinstance(found, dict) else {}


def _word_piece(path: Path, settings: dict[str, Any]) -> Any:
    pieces = path.read_text("utf-8").split("\n")
    vocabulary = {piece.rstrip("\r"): at for at, piece in enumerate(pieces) if piece or at < len(pieces) - 1}
    missing = [piece for piece in _BERT[:4] if piece not in vocabulary]
    if missing:
        raise UnreadableInput(f"vocab.txt lacks {', '.join(missing)}")
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=bool(settings.get("tokenize_chinese_chars", True)),
        strip_accents=settings.get("strip_accents"),
        lowercase=bool(settings.get("do_lower_case", True)),
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [(piece, vocabulary[piece]) for piece in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=ends
    )
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    tokenizer.add_special_tokens([piece for piece in _BERT if piece in vocabulary])
    return tokenizer


def _byte_pairs(source: Path, settings: dict[str, Any]) -> Any:
    vocabulary, merges = models.BPE.read_file(str(source / "vocab.json"), str(source / "merges.txt"))
    missing = [piece for piece in _ROBERTA[:4] if piece not in vocabulary]
    if missing:
        raise UnreadableInput(f"vocab.json lacks {', '.join(missing)}")
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    spaced = bool(settings.get("add_prefix_space", False))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=spaced)
    end, begin = (("</s>", vocabulary["</s>"]), ("<s>", vocabulary["<s>"]))
    tokenizer.post_processor = processors.RobertaProcessing(end, begin, trim_offsets=True, add_prefix_space=spaced)
    tokenizer.decoder = decoders.ByteLevel()
    special = [piece for piece in _ROBERTA if piece in vocabulary]
    tokenizer.add_special_tokens([AddedToken(piece, lstrip=piece == "<mask>", special=True) for piece in special])
    return tokenizer
