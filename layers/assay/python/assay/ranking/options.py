"""What the caller of a ranking may choose."""

import sys
from dataclasses import dataclass, replace

from assay.errors import InvalidOption, StrictReject
from assay.options import GAPS, GATES, MAX_TOP_K, OUTPUTS, PADS, TERMINATORS
from assay.ranking.partial import Counts
from assay.sequences.contract import MAX_LENGTH, Contract, Lenience, Windows


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


def hold_strict(options: RankOptions, counts: Counts, **details: object) -> None:
    """Raise StrictReject where `strict` was asked for and records were rejected."""
    if options.strict and counts.rejected:
        message = f"{counts.rejected} of {counts.received} records were rejected, and strict allows none"
        raise StrictReject(message, count=counts.rejected, **details)
