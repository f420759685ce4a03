"""Options as requests carry them, in JSON or as text: integers, numbers, truths, and only names that are known."""

import math
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, TypeGuard

from assay.errors import InvalidOption
from assay.sequences.contract import MAX_LENGTH, Contract, Lenience, Windows

MAX_TOP_K: Final = 10_000
OUTPUTS: Final = ("top", "all")
GATES: Final = ("on", "off")
TERMINATORS: Final = ("strip", "reject")
GAPS: Final = ("reject", "remove")
PADS: Final = ("off", "linker")
MODEL: Final = "[a-z0-9][a-z0-9-]{0,62}(@[A-Za-z0-9][A-Za-z0-9._-]{0,63})?"
"""What names a model, or one version of it."""
_LONGEST: Final = 255
_MODEL: Final = re.compile(MODEL)
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def integer(value: object, name: str) -> int:
    """Return an option as an integer, from JSON or text. Raises InvalidOption."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= 20 and _INTEGER.fullmatch(value.strip(" ")):
        return int(value)
    raise InvalidOption(f"{name} must be an integer", option=name)


def number(value: object, name: str) -> float:
    """Return an option as a finite number, from JSON or text. Raises InvalidOption."""
    try:
        found = float(value) if _is_number(value) else math.nan
    except OverflowError:
        found = math.nan
    if not math.isfinite(found):
        raise InvalidOption(f"{name} must be a finite number", option=name)
    return found


def _is_number(value: object) -> TypeGuard[int | float | str]:
    """Say whether this is a number, or text that is one in ASCII digits: 1_0 and \u0661 are slips, not numbers."""
    if isinstance(value, str):
        return _NUMBER.fullmatch(value.strip(" ")) is not None
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def share(value: object, name: str) -> float:
    """Return an option as a number within 0..1. Raises InvalidOption."""
    found = number(value, name)
    if not 0 <= found <= 1:
        raise InvalidOption(f"{name} must be from 0 to 1", option=name)
    return found


def truth(value: object, name: str) -> bool:
    """Return an option as true or false, from JSON or text. Raises InvalidOption."""
    if isinstance(value, bool):
        return value
    found = {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())
    if found is None:
        raise InvalidOption(f"{name} must be true or false", option=name)
    return found


def text(value: object, name: str) -> str:
    """Return an option that is text, not empty. Raises InvalidOption."""
    if isinstance(value, str) and value:
        return value
    raise InvalidOption(f"{name} must be text, and not empty", option=name)


def model(value: object, name: str) -> str:
    """Return an option that names a model, `name` or `name@version`. Raises InvalidOption."""
    if isinstance(value, str) and _MODEL.fullmatch(value):
        return value
    raise InvalidOption(f"{name} must be a model's name, or name@version; GET /models lists them", option=name)


def top_k(value: object, name: str) -> int:
    """Return how many rows to keep. Raises InvalidOption."""
    found = integer(value, name)
    if not 1 <= found <= MAX_TOP_K:
        raise InvalidOption(f"{name} must be an integer in 1..{MAX_TOP_K}", option=name)
    return found


def one_of(known: Iterable[str], value: object, name: str) -> str:
    """Return an option that is one of a few words. Raises InvalidOption."""
    if isinstance(value, str) and value in known:
        return value
    raise InvalidOption(f"{name} must be {' or '.join(known)}", option=name)


Reader = Callable[[object, str], object]
RANKING: Final[Mapping[str, Reader]] = {
    "top_k": top_k,
    "threshold": number,
    "strict": truth,
    "column": text,
    "window": integer,
    "step": integer,
    "output": partial(one_of, OUTPUTS),
    "gate": partial(one_of, GATES),
    "terminator": partial(one_of, TERMINATORS),
    "gaps": partial(one_of, GAPS),
    "pad": partial(one_of, PADS),
    "score_model": model,
    "gate_model": model,
}
"""The options of a ranking and what reads each: of requests, of presigned uploads, of a dropped file's metadata."""


CLASSIFYING: Final[Mapping[str, Reader]] = {"threshold": share, "top_k": top_k, "column": text}
"""The options of a file of abstracts."""


def as_metadata(given: Mapping[str, object], readers: Mapping[str, Reader]) -> dict[str, str]:
    """Return those of the options that are given as a file's metadata has them: `top-k`. Raises InvalidOption."""
    chosen = {name: read(given[name], name) for name, read in readers.items() if given.get(name) is not None}
    return {name.replace("_", "-"): _ascii(value, name) for name, value in chosen.items()}


FOREIGN: Final = frozenset(
    ("mtime", "atime", "ctime", "uid", "gid", "mode", "md5chksum", "sha256", "s3cmd_attrs", "mc_attrs", "btime")
)
"""Metadata that programs which copy files put beside them (rclone, s3fs, s3cmd, MinIO's client): no option of ours."""


def from_metadata(given: Mapping[str, str], readers: Mapping[str, Reader]) -> dict[str, object]:
    """Return the options among a dropped file's metadata, names with `_`. Raises InvalidOption for an unknown name."""
    require_known(set(given) - FOREIGN, readers, "metadata")
    return {name: read(given[name], name) for name, read in readers.items() if given.get(name) is not None}


def _ascii(value: object, name: str) -> str:
    """Return text that S3 keeps as it is."""
    said = str(value).lower() if isinstance(value, bool) else str(value)
    if len(said) > _LONGEST or not (said.isascii() and said.isprintable()) or said != said.strip():
        message = f"{name} must be at most {_LONGEST} printable ASCII characters: it travels as the file's metadata"
        raise InvalidOption(message, option=name)
    return said


def require_known(given: Iterable[str], known: Iterable[str], what: str = "option") -> None:
    """Raise InvalidOption that names the first name of `given` that is not among `known`, and those that are."""
    unknown = sorted(set(given) - {*known})
    if unknown:
        named = ", ".join(known) or "none"
        raise InvalidOption(f"unknown {what} {unknown[0]!r}; known: {named}", option=unknown[0])


@dataclass(frozen=True, slots=True)
class RankOptions:
    """What the caller may choose. Raises `InvalidOption` naming the option that is out of range.

    `output` is `top` (the best `top_k`) or, for files, `all`: every sequence that passed, with its scores. With `gate`
    `off` the gate model holds nothing back: all that is scored passes. `strict` is held by `hold_strict`, after the
    ranking; `rank_blocks` ranks what it can either way.
    `window` and `step` are for parsing: FASTA records are then cut into windows of that many residues.
    `terminator`, `gaps` and `pad` say what is forgiven in a sequence: `lenient`.
    `score_model` and `gate_model` are `name` or `name@version`, None for the deployment's.
    """

    top_k: int = 100
    threshold: float = 0.0
    strict: bool = False
    column: str | None = None
    window: int | None = None
    step: int = 1
    output: str = "top"
    gate: str = "on"
    terminator: str = "strip"
    gaps: str = "reject"
    pad: str = "off"
    score_model: str | None = None
    gate_model: str | None = None

    def __post_init__(self) -> None:
        """Check types as well as ranges, since options come from JSON, queries and object metadata."""
        _require(type(self.top_k) is int and 1 <= self.top_k <= MAX_TOP_K, "top_k", f"an integer in 1..{MAX_TOP_K}")
        number = type(self.threshold) in (int, float) and abs(self.threshold) <= sys.float_info.max  # not NaN either
        _require(number, "threshold", "a finite number")
        _require(type(self.strict) is bool, "strict", "true or false")
        _require(self.column is None or (isinstance(self.column, str) and bool(self.column)), "column", "a name")
        _require(self.output in OUTPUTS, "output", "top or all")
        _require(self.gate in GATES, "gate", "on or off")
        _require(self.terminator in TERMINATORS, "terminator", "strip or reject")
        _require(self.gaps in GAPS, "gaps", "reject or remove")
        _require(self.pad in PADS, "pad", "off or linker")
        _require(self.window is None or _within(self.window), "window", f"an integer in 1..{MAX_LENGTH}")
        _require(_within(self.step), "step", f"an integer in 1..{MAX_LENGTH}")
        _require(self.window is not None or self.step == 1, "step", "given with window")

    def lenient(self, contract: Contract) -> Contract:
        """Return what models read, and what is made such a sequence before it is judged."""
        lenience = Lenience(self.terminator == "strip", self.gaps == "remove", self.pad == "linker")
        return replace(contract, lenience=lenience)

    @property
    def windows(self) -> Windows | None:
        """Return the windows to cut FASTA records into, None to take them whole."""
        return Windows(self.window, self.step) if self.window else None


def _within(value: object) -> bool:
    return type(value) is int and 1 <= value <= MAX_LENGTH


def _require(holds: bool, option: str, wanted: str) -> None:
    if not holds:
        raise InvalidOption(f"{option} must be {wanted}", option=option)


MOST_LABELS = 10_000


@dataclass(frozen=True, slots=True)
class ClassifyOptions:
    """`threshold` (0..1) stands for every label instead of the model's own; `top_k` caps the labels listed.

    Raises InvalidOption for a value out of its range.
    """

    threshold: float | None = None
    top_k: int | None = None

    def __post_init__(self) -> None:
        """Hold the options to their ranges."""
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise InvalidOption("threshold must be from 0 to 1", option="threshold")
        if self.top_k is not None and not 1 <= self.top_k <= MOST_LABELS:
            raise InvalidOption(f"top_k must be from 1 to {MOST_LABELS:,}", option="top_k")


def with_options(options: RankOptions, given: Mapping[str, object]) -> RankOptions:
    """Return `options` with those of `given` that have a known name. Raises InvalidOption."""
    wanted = {name: given[name] for name in RANKING if given.get(name) is not None}
    chosen: dict[str, Any] = {name: RANKING[name](value, name) for name, value in wanted.items()}
    return replace(options, **chosen)
