"""The options of a ranking and of a classification: what each must be, and how JSON, a query or metadata says it."""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from assay.errors import InvalidOption
from assay.sequences.contract import MAX_LENGTH, Contract, Lenience, Windows

MAX_TOP_K: Final = 10_000
"""Of a ranking's rows, and of an abstract's labels."""
OUTPUTS: Final = ("top", "all")
GATES: Final = ("on", "off")
TERMINATORS: Final = ("strip", "reject")
GAPS: Final = ("reject", "remove")
PADS: Final = ("off", "linker")
MODEL: Final = "[a-z0-9][a-z0-9-]{0,62}(@[A-Za-z0-9][A-Za-z0-9._-]{0,63})?"
"""What names a model, or one version of it."""
_LONGEST: Final = 255
_INTEGER: Final = re.compile(r" *[+-]?[0-9]+ *")
_NUMBER: Final = re.compile(r" *[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)? *")
_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class OptionSpec:
    """What a value must be, in words and as a check; `parse` turns what else a caller may write into such a value."""

    wanted: str
    holds: Callable[[Any], bool]
    parse: Callable[[Any], object] = lambda value: value

    def require(self, value: object, name: str) -> None:
        """Raise InvalidOption unless this is such a value."""
        if not self.holds(value):
            raise InvalidOption(f"{name} must be {self.wanted}", option=name)

    def read(self, value: object, name: str) -> Any:
        """Return the value that JSON or text gives. Raises InvalidOption."""
        found = self.parse(value)
        self.require(found, name)
        return found


def _parse_integer(value: object) -> object:
    """Return text of ASCII digits as an integer: 1_0 and \u0661 are slips, not numbers."""
    return int(value) if isinstance(value, str) and len(value) <= 20 and _INTEGER.fullmatch(value) else value


def _parse_number(value: Any) -> object:
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        return value
    return float(value) if isinstance(value, str) or _is_number(value) else value


def _is_integer(value: object) -> bool:
    return type(value) is int  # a bool is none


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= sys.float_info.max  # not NaN either


def bound_integer(most: int) -> OptionSpec:
    """Return an option of integers from 1 to `most`."""
    return OptionSpec(
        f"an integer in 1..{most}", lambda value: _is_integer(value) and 1 <= value <= most, _parse_integer
    )


def _word(known: tuple[str, ...]) -> OptionSpec:
    return OptionSpec(" or ".join(known), lambda value: isinstance(value, str) and value in known)


_ANY_INTEGER: Final = OptionSpec("an integer", _is_integer, _parse_integer)
_ANY_NUMBER: Final = OptionSpec("a finite number", _is_number, _parse_number)
_SHARE: Final = OptionSpec("a number from 0 to 1", lambda value: _is_number(value) and 0 <= value <= 1, _parse_number)
_TRUTH: Final = OptionSpec(
    "true or false", lambda value: type(value) is bool, lambda value: _TRUTHS.get(str(value).lower(), value)
)
_TEXT: Final = OptionSpec("text, and not empty", lambda value: isinstance(value, str) and value != "")
_MODEL: Final = OptionSpec(
    "a model's name, or name@version; GET /models lists them",
    lambda value: isinstance(value, str) and re.fullmatch(MODEL, value) is not None,
)

OptionSpecs = Mapping[str, OptionSpec]
RANKING: Final[OptionSpecs] = {
    "top_k": bound_integer(MAX_TOP_K),
    "threshold": _ANY_NUMBER,
    "strict": _TRUTH,
    "column": _TEXT,
    "window": bound_integer(MAX_LENGTH),
    "step": bound_integer(MAX_LENGTH),
    "output": _word(OUTPUTS),
    "gate": _word(GATES),
    "terminator": _word(TERMINATORS),
    "gaps": _word(GAPS),
    "pad": _word(PADS),
    "score_model": _MODEL,
    "gate_model": _MODEL,
}
"""The options of a ranking: of requests, of presigned uploads, of a dropped file's metadata."""
CLASSIFYING: Final[OptionSpecs] = {"threshold": _SHARE, "top_k": bound_integer(MAX_TOP_K), "column": _TEXT}
"""The options of a file of abstracts."""
OPTIONS: Final[Mapping[str, OptionSpecs]] = {"rank": RANKING, "classify": CLASSIFYING}
"""What may be chosen for each kind of file."""
REQUESTING: Final[OptionSpecs] = {**CLASSIFYING, "explain": _TRUTH}
"""The options of abstracts in a request."""
FOREIGN: Final = frozenset(
    ("mtime", "atime", "ctime", "uid", "gid", "mode", "md5chksum", "sha256", "s3cmd_attrs", "mc_attrs", "btime")
)
"""Metadata that programs which copy files put beside them (rclone, s3fs, s3cmd, MinIO's client): no option of ours."""


def read_integer(value: object, name: str) -> int:
    """Return an option as an integer, from JSON or text. Raises InvalidOption."""
    return int(_ANY_INTEGER.read(value, name))


def read_options(known: OptionSpecs, *sources: Mapping[str, object]) -> dict[str, Any]:
    """Return the known options that are given; the last source that gives one counts. Raises InvalidOption."""
    given = {name: source[name] for source in sources for name in known if source.get(name) is not None}
    return {name: known[name].read(value, name) for name, value in given.items()}


def write_metadata(given: Mapping[str, object], known: OptionSpecs) -> dict[str, str]:
    """Return those of the options that are given as a file's metadata has them: `top-k`. Raises InvalidOption."""
    return {name.replace("_", "-"): _ascii(value, name) for name, value in read_options(known, given).items()}


def read_metadata(given: Mapping[str, str], known: OptionSpecs) -> dict[str, Any]:
    """Return the options among a dropped file's metadata, names with `_`. Raises InvalidOption for an unknown name."""
    require_known(set(given) - FOREIGN, known, "metadata")
    return read_options(known, given)


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
    `off` the gate model holds nothing back: all that is scored passes. `strict` is held by `require_no_rejects`, after
    the ranking; `rank_blocks` ranks what it can either way.
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
        """Hold the values to types and ranges, and `step` to a `window`."""
        _require_valid(self, RANKING)
        if self.window is None and self.step != 1:
            raise InvalidOption("step must be given with window", option="step")

    def lenient(self, contract: Contract) -> Contract:
        """Return what models read, and what is made such a sequence before it is judged."""
        lenience = Lenience(self.terminator == "strip", self.gaps == "remove", self.pad == "linker")
        return contract if lenience == contract.lenience else replace(contract, lenience=lenience)

    @property
    def windows(self) -> Windows | None:
        """Return the windows to cut FASTA records into, None to take them whole."""
        return Windows(self.window, self.step) if self.window else None


@dataclass(frozen=True, slots=True)
class ClassifyOptions:
    """`threshold` (0..1) stands for every label instead of the model's own; `top_k` caps the labels listed.

    `explain` asks why each label is listed. Raises InvalidOption for a value out of its range.
    """

    threshold: float | None = None
    top_k: int | None = None
    explain: bool = False

    def __post_init__(self) -> None:
        """Hold the options to their ranges."""
        _require_valid(self, REQUESTING)


def _require_valid(options: RankOptions | ClassifyOptions, known: OptionSpecs) -> None:
    """Raise InvalidOption for a value that is not what it must be; None stands only where it is the default."""
    for each in fields(options):
        value = getattr(options, each.name)
        if value is not None or each.default is not None:
            known[each.name].require(value, each.name)
