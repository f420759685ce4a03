"""A `tokenizer.json` from what a folder has: that file, vocab.txt, vocab.json and merges.txt, or a SentencePiece model.

Whatever the folder adds to its vocabulary is added as transformers adds it (`added_tokens`).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from assay.abstracts.tokens import failures_as_invalid
from assay.errors import BundleInvalid, UnreadableInput

_SPECIAL: Final = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
_MORE: Final = "additional_special_tokens"
_USUAL: Final = frozenset(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<s>", "</s>", "<pad>", "<unk>", "<mask>"])
_FLAGS: Final = ("single_word", "lstrip", "rstrip", "normalized", "special")
_MOST: Final = 100_000


def read_settings(folder: Path) -> dict[str, Any]:
    """Return tokenizer_config.json; where that lists no added tokens, special_tokens_map.json on top of it."""
    settings = _json(folder / "tokenizer_config.json")
    if "added_tokens_decoder" in settings:
        return settings
    return settings | _json(folder / "special_tokens_map.json")


def special_token(settings: Mapping[str, Any], key: str, default: str) -> str:
    """Return the text of a special token, by default what its family calls it."""
    value = settings.get(key)
    return default if value is None else _token(value, special=True).content


def add_tokens(tokenizer: Tokenizer, folder: Path, settings: Mapping[str, Any]) -> None:
    """Add to a tokenizer what the files of its folder add, in the order of their ids, as transformers does."""
    known = {repr(token) for token in tokenizer.get_added_tokens_decoder().values()}
    listed = [token for _, token in sorted(_list_added(folder, settings), key=lambda pair: pair[0])]
    tokenizer.add_tokens([token for token in listed if repr(token) not in known])
    named = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
    tokenizer.add_tokens([token for token in _specials(settings) if token.content not in named])


def added_texts(tokenizer: Tokenizer) -> list[str]:
    """Return texts that hold every added token: alone, and with letters right before and behind it.

    The usual special tokens stand between letters only: which blanks they take in differs between transformers'
    releases, and no abstract has them.
    """
    contents = sorted(token.content for token in tokenizer.get_added_tokens_decoder().values())
    return [f"a{content}b" if content in _USUAL else f"we add {content} to it, and a{content}b" for content in contents]


def _list_added(folder: Path, settings: Mapping[str, Any]) -> Iterator[tuple[int, AddedToken]]:
    """Yield ids and tokens."""
    decoder = settings.get("added_tokens_decoder")
    if decoder is not None:
        for index, value in _require_few(decoder).items():
            yield int(index), _token(value, special=False)
        return
    special = {token.content for token in _specials(settings)}
    for content, index in _require_few(_json(folder / "added_tokens.json")).items():
        yield int(index), _token(content, special=content in special)


def _specials(settings: Mapping[str, Any]) -> Iterator[AddedToken]:
    more = settings.get(_MORE) or []
    values: Iterable[Any] = [settings[key] for key in _SPECIAL if settings.get(key) is not None]
    if not isinstance(more, list):
        raise UnreadableInput(f"{_MORE} is {str(more)[:60]!r}, and must be a list")
    for value in (*values, *more):
        yield _token(value, special=True)


def _token(value: object, *, special: bool) -> AddedToken:
    if isinstance(value, str) and value:
        return AddedToken(value, special=special, normalized=not special)
    if isinstance(value, dict) and isinstance(value.get("content"), str) and value["content"]:
        flags = {name: bool(value[name]) for name in _FLAGS if name in value}
        return AddedToken(value["content"], **{"special": special, **flags})
    raise UnreadableInput(f"the tokenizer's files name a token {str(value)[:60]!r}, which is no text")


def _require_few(values: object) -> Mapping[str, Any]:
    if not isinstance(values, dict) or len(values) > _MOST or not all(_is_index(each) for each in _indices(values)):
        raise UnreadableInput("the tokenizer's added tokens are not a list of tokens with their ids")
    return values


def _indices(values: Mapping[str, Any]) -> Iterator[Any]:
    return (value if isinstance(value, int) else key for key, value in values.items())


def _is_index(value: object) -> bool:
    return type(value) is int or (isinstance(value, str) and value.isdecimal())


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UnreadableInput(f"{path.name} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise UnreadableInput(f"{path.name} holds no JSON object")
    return found


_BERT: Final = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}
_ROBERTA: Final = {
    "cls_token": "<s>",
    "pad_token": "<pad>",
    "sep_token": "</s>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
}
_SETTINGS: Final = (
    (
        "normalizer",
        "BertNormalizer",
        {
            "do_lower_case": "lowercase",
            "strip_accents": "strip_accents",
            "tokenize_chinese_chars": "handle_chinese_chars",
        },
    ),
    ("pre_tokenizer", "ByteLevel", {"add_prefix_space": "add_prefix_space"}),
)
"""Parts of a tokenizer.json, and what tokenizer_config.json calls their settings, which have the last word."""
_PADS: Final = ("[PAD]", "<pad>")
Names = Mapping[str, str]


def write_tokenizer(source: Path, target: Path) -> int:
    """Write the tokenizer of a file or folder to `target` and return the id that pads; UnreadableInput."""
    try:
        with failures_as_invalid(f"the tokenizer of {source.name} can't be read"):
            tokenizer = read_tokenizer(source)
    except BundleInvalid as error:
        raise (
            error.__cause__ if isinstance(error.__cause__, UnreadableInput) else UnreadableInput(str(error))
        ) from error
    target.write_text(tokenizer.to_str(), "utf-8")
    return pad_index(tokenizer, source)


def read_tokenizer(source: Path) -> Tokenizer:
    """Return the tokenizer of a file or folder, without its truncation and padding."""
    if source.is_file():
        tokenizer, settings = Tokenizer.from_file(str(source)), {}
    else:
        settings = read_settings(source)
        tokenizer = _of_folder(source, settings)
        add_tokens(tokenizer, source, settings)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def pad_index(tokenizer: Tokenizer, source: Path) -> int:
    """Return the id that pads: that of the token which the folder names, else of the usual ones, else 0."""
    named = [special_token(read_settings(source), "pad_token", _PADS[0])] if source.is_dir() else []
    found = [tokenizer.token_to_id(piece) for piece in (*named, *_PADS)]
    return next((index for index in found if index is not None), 0)


def _of_folder(source: Path, settings: Mapping[str, Any]) -> Tokenizer:
    if (source / "tokenizer.json").is_file():
        return _apply_settings(Tokenizer.from_file(str(source / "tokenizer.json")), settings)
    if (source / "vocab.txt").is_file():
        return _word_piece(source / "vocab.txt", settings)
    if (source / "vocab.json").is_file() and (source / "merges.txt").is_file():
        return _byte_pairs(source, settings)
    raise UnreadableInput(
        f"{source.name} has no tokenizer: tokenizer.json, vocab.txt, or vocab.json with merges.txt. Of a SentencePiece "
        "model transformers makes tokenizer.json: AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)"
    )


def _apply_settings(tokenizer: Tokenizer, settings: Mapping[str, Any]) -> Tokenizer:
    """Return a tokenizer with the case, accents and first blank that tokenizer_config.json says, where that differs."""
    state = json.loads(tokenizer.to_str())
    changed = False
    for part, kind, names in _SETTINGS:
        rules = state.get(part) or {}
        said = {rule: settings[name] for name, rule in names.items() if name in settings}
        if rules.get("type") == kind and any(rules.get(rule) != value for rule, value in said.items()):
            state[part], changed = rules | said, True
    return Tokenizer.from_str(json.dumps(state)) if changed else tokenizer


def _special(settings: Mapping[str, Any], defaults: Names, vocabulary: Mapping[str, int], file: str) -> Names:
    """Return the special tokens by their names; UnreadableInput where the vocabulary lacks one that is needed."""
    names = {key: special_token(settings, key, default) for key, default in defaults.items()}
    missing = [piece for key, piece in names.items() if key != "mask_token" and piece not in vocabulary]
    if missing:
        raise UnreadableInput(f"{file} lacks {', '.join(missing)}: it is not the vocabulary of such a model")
    return names


def _word_piece(path: Path, settings: Mapping[str, Any]) -> Tokenizer:
    pieces = path.read_text("utf-8").split("\n")
    vocabulary = {piece.rstrip("\r"): at for at, piece in enumerate(pieces) if piece or at < len(pieces) - 1}
    roberta = "[CLS]" not in vocabulary and "<s>" in vocabulary  # MPNet's special tokens are RoBERTa's, but for one
    defaults = _BERT if not roberta else _ROBERTA if "<unk>" in vocabulary else _ROBERTA | {"unk_token": "[UNK]"}
    names = _special(settings, defaults, vocabulary, "vocab.txt")
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=names["unk_token"], max_input_chars_per_word=100))
    basic = bool(settings.get("do_basic_tokenize", True))
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=basic and bool(settings.get("tokenize_chinese_chars", True)),
        strip_accents=settings.get("strip_accents") if basic else False,
        lowercase=basic and bool(settings.get("do_lower_case", True)),
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    first, last = names["cls_token"], names["sep_token"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first}:0 $A:0 {last}:0",
        pair=f"{first}:0 $A:0 {last}:0 $B:1 {last}:1",
        special_tokens=[(piece, vocabulary[piece]) for piece in (first, last)],
    )
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    _add_special(tokenizer, names, vocabulary, stripping=roberta)
    return tokenizer


def _byte_pairs(source: Path, settings: Mapping[str, Any]) -> Tokenizer:
    vocabulary, merges = models.BPE.read_file(str(source / "vocab.json"), str(source / "merges.txt"))
    names = _special(settings, _ROBERTA, vocabulary, "vocab.json")
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    spaced = bool(settings.get("add_prefix_space", False))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=spaced)
    end, begin = ((names[key], vocabulary[names[key]]) for key in ("sep_token", "cls_token"))
    tokenizer.post_processor = processors.RobertaProcessing(end, begin, trim_offsets=True, add_prefix_space=spaced)
    tokenizer.decoder = decoders.ByteLevel()
    _add_special(tokenizer, names, vocabulary, stripping=True)
    return tokenizer


def _add_special(tokenizer: Tokenizer, names: Names, vocabulary: Mapping[str, int], *, stripping: bool) -> None:
    """Add special tokens; RoBERTa's kin take the blank before <mask> into it."""
    mask = names["mask_token"]
    present = [piece for piece in names.values() if piece in vocabulary]
    tokenizer.add_special_tokens(
        [AddedToken(piece, lstrip=stripping and piece == mask, special=True, normalized=False) for piece in present]
    )
