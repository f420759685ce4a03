"""Rows of codes for models of sequences: those of a user's file, or drawn by chance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from assay.errors import UnreadableInput
from assay.sequences.blocks import Block, decode
from assay.sequences.contract import Contract
from assay.sequences.formats import sniff_format
from assay.sequences.parsing import parse
from assay.text.compression import gunzip

Codes = npt.NDArray[np.uint8]
_HEAD: Final = 1 << 20
_LABELS: Final = {"1": True, "0": False, "1.0": True, "0.0": False, "true": True, "false": False}


def read_codes(path: Path, contract: Contract) -> Codes:
    """Return the valid sequences [N, length] of a file in any format that is ranked; UnreadableInput for none."""
    return np.concatenate([block.codes for block in _read_blocks(path, contract)])


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A row of a table: its codes uint8 [length], its line, its id and its other cells, trimmed, by column."""

    codes: Codes
    line: int
    id: str | None
    cells: dict[str, str]


def read_valid_rows(path: Path, contract: Contract) -> tuple[list[Row], int]:
    """Return the rows of a file that hold a valid sequence, and how many hold none. Raises UnreadableInput."""
    blocks = _parse_file(path, contract)
    return [row for block in blocks for row in _rows_of(block)], sum(len(block.rejects) for block in blocks)


def _rows_of(block: Block) -> Iterator[Row]:
    for at, codes in enumerate(block.codes):
        extra = block.extra[at] if block.extra else ()
        cells = {name: _cell(extra, place) for place, name in enumerate(block.columns)}
        yield Row(codes, int(block.lines[at]), block.ids[at] if block.ids else None, cells)


@dataclass(frozen=True, slots=True)
class LabelledSequences:
    """N sequences: `codes` uint8 [N, length], what came true of each [N], and which are of one kin [N]."""

    codes: Codes
    outcomes: npt.NDArray[np.bool_]
    groups: npt.NDArray[np.str_]


def read_labelled(path: Path, contract: Contract) -> LabelledSequences:
    """Return the valid sequences of a table with the columns `sequence` and `label` (0 or 1), and perhaps `cluster`.

    Without clusters, a sequence is of one kin with its copies. Raises UnreadableInput that names the line.
    """
    codes, labels, groups = [], [], []
    for block in _read_blocks(path, contract):
        places = {name.lower(): at for at, name in enumerate(block.columns)}
        if "label" not in places:
            raise UnreadableInput(f"{path} has no column 'label' beside the sequences: it says 1 or 0 for each")
        codes.append(block.codes)
        texts = decode(block.codes, contract)
        for text, line, cells in zip(texts, block.lines.tolist(), block.extra or (), strict=True):
            labels.append(_read_label(_cell(cells, places["label"]), path, line))
            groups.append((_cell(cells, places["cluster"]) if "cluster" in places else "") or text)
    return LabelledSequences(np.concatenate(codes), np.array(labels, np.bool_), np.array(groups))


def _cell(cells: Sequence[str], at: int) -> str:
    return cells[at].strip() if at < len(cells) else ""


def _read_label(text: str, path: Path, line: int) -> bool:
    if text.lower() not in _LABELS:
        raise UnreadableInput(f"line {line} of {path} has the label {text[:40]!r}: it must be 1 or 0")
    return _LABELS[text.lower()]


def _read_blocks(path: Path, contract: Contract) -> list[Block]:
    """Return the blocks of a file that hold sequences. Raises UnreadableInput if no block does."""
    return [block for block in _parse_file(path, contract) if len(block.codes)]


def _parse_file(path: Path, contract: Contract) -> list[Block]:
    """Return the blocks of a file. Raises UnreadableInput if none holds a sequence."""
    content = read_unpacked(path)
    found = list(parse(iter([content]), sniff_format(content[:_HEAD], "", path.name.removesuffix(".gz")), contract))
    if not any(len(block.codes) for block in found):
        raise UnreadableInput(f"{path} holds no sequence of {contract.length} residues")
    return found


def read_unpacked(path: Path) -> bytes:
    """Return what a file holds, unpacked if it is gzip. Raises UnreadableInput."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableInput(f"{path} can't be read: {error.strerror}") from error
    return b"".join(gunzip(iter([content]), limit=None)) if content.startswith(b"\x1f\x8b") else content


def draw_codes(contract: Contract, count: int) -> Codes:
    """Return random sequences [count, length], every residue as likely."""
    random = np.random.default_rng(51)
    return random.integers(0, len(contract.alphabet), (count, contract.length)).astype(np.uint8)


def thin_codes(codes: Codes, most: int) -> Codes:
    """Return at most so many rows, at even distances."""
    return codes[np.linspace(0, len(codes) - 1, min(most, len(codes))).astype(np.intp)]
