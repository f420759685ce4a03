"""Tokens that a folder adds to its vocabulary: in tokenizer_config.json, special_tokens_map.json, added_tokens.json."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tokenizers import AddedToken, Tokenizer

from assay.errors import UnreadableInput

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
    listed = [token for _, token in sorted(_listed(folder, settings), key=lambda pair: pair[0])]
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


def _listed(folder: Path, settings: Mapping[str, Any]) -> Iterator[tuple[int, AddedToken]]:
    """Yield ids and tokens."""
    decoder = settings.get("added_tokens_decoder")
    if decoder is not None:
        for index, value in _limited(decoder).items():
            yield int(index), _token(value, special=False)
        return
    special = {token.content for token in _specials(settings)}
    for content, index in _limited(_json(folder / "added_tokens.json")).items():
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


def _limited(values: object) -> Mapping[str, Any]:
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
