"""`measured.bin`: read back as it was written, and refused where it is not what the reference says."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.errors import BundleInvalid
from assay.models.loading import SequenceScorer, load_folder
from assay.models.manifest import MANIFEST
from assay.models.measured_file import MAX_MEASURED_BYTES, dump_measured, parse_measured
from assay.models.reference import MEASURED, MeasuredTable
from assay.sequences.contract import DEFAULT, Contract
from tests.references import bundle, content, measured_bundle, measured_sequences
from tools.models.build import build_manifest

KNOWN = measured_sequences()
TABLE = MeasuredTable("made up", 3, ("a", "b"))
GOOD = dump_measured(KNOWN)
HEAD, CODES = 2 * 3 * 4, 3 * 50


def test_what_was_written_is_read_back() -> None:
    found = parse_measured(GOOD, TABLE, DEFAULT)
    assert (found.positions == KNOWN.positions).all()
    np.testing.assert_array_equal(found.values, KNOWN.values)
    assert [found.name(at) for at in range(3)] == ["first", None, "dritte ä"]
    assert dump_measured(found) == GOOD


WRONG: dict[str, tuple[bytes, MeasuredTable]] = {
    "empty": (b"", TABLE),
    "cut within the codes": (GOOD[: HEAD + CODES - 1], TABLE),
    "more sequences than it has": (GOOD, replace(TABLE, count=4)),
    "fewer sequences than it has": (GOOD, replace(TABLE, count=2)),
    "more values than it has": (GOOD, replace(TABLE, columns=("a", "b", "c"))),
    "a residue beyond the alphabet": (GOOD[:HEAD] + b"\x14" + GOOD[HEAD + 1 :], TABLE),
    "an infinite value": (np.float32(np.inf).tobytes() + GOOD[4:], TABLE),
    "a name too few": (GOOD[: HEAD + CODES] + b"a\nb\n", TABLE),
    "a name too many": (GOOD + b"\n", TABLE),
    "no end behind the last name": (GOOD[: HEAD + CODES] + b"a\nb\nc\nd", TABLE),
    "a name of another coding": (GOOD[: HEAD + CODES] + b"a\n\xff\nc\n", TABLE),
    "a name without end": (GOOD[: HEAD + CODES] + b"a" * 256 + b"\n\n\n", TABLE),
    "more than may be": (GOOD + b"\n" * MAX_MEASURED_BYTES, TABLE),
}


@pytest.mark.parametrize(("wrong", "table"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_the_reference_is_refused(wrong: bytes, table: MeasuredTable) -> None:
    with pytest.raises(BundleInvalid, match=r"measured\.bin"):
        parse_measured(wrong, table, DEFAULT)


def test_sequences_whose_differences_no_byte_counts_are_refused() -> None:
    with pytest.raises(BundleInvalid, match="255"):
        parse_measured(GOOD, TABLE, Contract(length=256))


def test_more_than_may_be_is_not_written() -> None:
    names = b"\n" * (MAX_MEASURED_BYTES + 1)
    with pytest.raises(BundleInvalid, match="fewer sequences"):
        dump_measured(replace(KNOWN, names=names))


def test_a_bundle_that_carries_them_is_loaded_with_them(tmp_path: Path) -> None:
    scorer = SequenceScorer(load_folder(measured_bundle(tmp_path / "both"), 1))
    assert scorer.reference is not None
    assert scorer.model.measured is not None
    assert scorer.model.measured.values_of(1) == {"a": None, "b": 0.5}
    alone = load_folder(measured_bundle(tmp_path / "alone", calibration=None, sets=None, likeness=None), 1)
    assert alone.measured is not None
    assert alone.reference is None
    assert load_folder(bundle(tmp_path / "none", content()), 1).measured is None


def _remove(folder: Path) -> None:
    (folder / MEASURED).unlink()


def _cut(folder: Path) -> None:
    (folder / MEASURED).write_bytes(GOOD[:-1])


@pytest.mark.parametrize("spoil", [_remove, _cut])
def test_a_bundle_whose_file_is_wrong_does_not_serve(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    folder = measured_bundle(tmp_path)
    spoil(folder)
    header = build_manifest(folder, _header(folder))
    (folder / MANIFEST).write_bytes(header.dumps())
    with pytest.raises(BundleInvalid, match=r"measured\.bin"):
        load_folder(folder, 1)


def _header(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / MANIFEST).read_text("utf-8"))
    del found["files"]
    return found
