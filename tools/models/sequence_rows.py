"""Rows of codes for models of sequences: those of a user's file, or drawn by chance."""

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from assay.errors import UnreadableInput
from assay.sequences.contract import Contract
from assay.sequences.formats import sniff_format
from assay.sequences.parsing import parse
from assay.text.compression import gunzip

Codes = npt.NDArray[np.uint8]
_HEAD: Final = 1 << 20


def read_codes(path: Path, contract: Contract) -> Codes:
    """Return the valid sequences [N, length] of a file in any format that is ranked; UnreadableInput for none."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableInput(f"{path} can't be read: {error.strerror}") from error
    if content.startswith(b"\x1f\x8b"):
        content = b"".join(gunzip(iter([content]), limit=None))
    blocks = parse(iter([content]), sniff_format(content[:_HEAD], "", path.name.removesuffix(".gz")), contract)
    found = [block.codes for block in blocks if len(block.codes)]
    if not found:
        raise UnreadableInput(f"{path} holds no sequence of {contract.length} residues")
    return np.concatenate(found)


def draw_codes(contract: Contract, count: int) -> Codes:
    """Return random sequences [count, length], every residue as likely."""
    random = np.random.default_rng(51)
    return random.integers(0, len(contract.alphabet), (count, contract.length)).astype(np.uint8)


def thin_codes(codes: Codes, most: int) -> Codes:
    """Return at most so many rows, at even distances."""
    return codes[np.linspace(0, len(codes) - 1, min(most, len(codes))).astype(np.intp)]
