"""The file of a bundle's measured sequences, `measured.bin`, which its `reference.json` describes.

V x N values, float32 in little-endian order, one column after another; length x N alphabet indices, a byte each, one
position after another; N names in UTF-8, each with an LF behind it. Every mistake is a BundleInvalid.
"""

from pathlib import Path
from typing import Final, NoReturn

import numpy as np

from assay.errors import BundleInvalid
from assay.models.manifest import Manifest
from assay.models.reference import MEASURED, MeasuredTable
from assay.sequences.contract import Contract
from assay.sequences.measured import MeasuredSequences

MAX_MEASURED_BYTES: Final = 64 << 20
LONGEST_NAME: Final = 255
"""Bytes of a name."""
LONGEST_MEASURED: Final = 255
"""Residues of a measured sequence, whose differences a byte counts."""
_VALUE: Final = 4


def read_measured(folder: Path, manifest: Manifest, table: MeasuredTable | None) -> MeasuredSequences | None:
    """Return the measured sequences of a verified bundle, None where its reference names none. Raises BundleInvalid."""
    if table is None or manifest.sequence is None:
        return None
    if not any(file.path == MEASURED for file in manifest.files):
        raise BundleInvalid(f"the bundle lacks {MEASURED}, which its reference describes")
    with (folder / MEASURED).open("rb") as source:
        return parse_measured(source.read(MAX_MEASURED_BYTES + 1), table, manifest.sequence.contract)


def parse_measured(content: bytes, table: MeasuredTable, contract: Contract) -> MeasuredSequences:
    """Read `measured.bin`. Raises BundleInvalid."""
    count, columns = table.count, len(table.columns)
    start = columns * count * _VALUE
    stop = start + contract.length * count
    if len(content) > MAX_MEASURED_BYTES or contract.length > LONGEST_MEASURED:
        _fail(f"has over {MAX_MEASURED_BYTES} bytes, or sequences of over {LONGEST_MEASURED} residues")
    if len(content) < stop + count:
        _fail(f"has {len(content)} bytes, fewer than {count} sequences take")
    values = np.frombuffer(content, "<f4", columns * count).reshape(columns, count)
    positions = np.frombuffer(content, np.uint8, contract.length * count, start).reshape(contract.length, count)
    if np.isinf(values).any():
        _fail("has values that are infinite")
    if positions.max() >= len(contract.alphabet):
        _fail("has residues that the alphabet lacks")
    names = content[stop:]
    ends = np.flatnonzero(np.frombuffer(names, np.uint8) == ord("\n"))
    _require_names(names, ends.tolist(), count)
    return MeasuredSequences(table.columns, positions, values.astype(np.float32, copy=False), names, ends)


def _require_names(names: bytes, ends: list[int], count: int) -> None:
    if len(ends) != count or not names.endswith(b"\n"):
        _fail(f"has {len(ends)} names for {count} sequences")
    if np.diff(ends, prepend=-1).max() > LONGEST_NAME + 1:
        _fail(f"has a name of over {LONGEST_NAME} bytes")
    try:
        names.decode()
    except UnicodeDecodeError as error:
        raise BundleInvalid(f"{MEASURED} has names that are not UTF-8: {error}") from error


def dump_measured(known: MeasuredSequences) -> bytes:
    """Return what `parse_measured` reads. Raises BundleInvalid where that is too much."""
    content = known.values.astype("<f4").tobytes() + known.positions.tobytes() + known.names
    if len(content) > MAX_MEASURED_BYTES:
        _fail(f"would have {len(content):,} bytes, over {MAX_MEASURED_BYTES:,}: take fewer sequences or values")
    return content


def _fail(complaint: str) -> NoReturn:
    raise BundleInvalid(f"{MEASURED} {complaint}")
