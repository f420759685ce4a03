"""`reference.json`: what it must be, and what is made of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.errors import BundleInvalid
from assay.models.loading import SequenceScorer, load_folder
from assay.models.reference import MAX_REFERENCE_BYTES, MOST_MEASURED, Reference
from tests.conftest import DATA
from tests.references import EVENT, SYMBOLS, bundle, content, document

Change = Callable[[dict[str, Any]], object]


def test_a_reference_says_what_the_scores_mean() -> None:
    found = Reference.parse(content(), SYMBOLS)
    assert found.scale().names == ("probability", "percentile", "notice")
    shown = found.summarize()
    assert shown["calibration"] == {
        "event": EVENT,
        "about": "10 proteins that were made up",
        "count": 10,
        "expected_error": 0.02,
        "reliability": [{"from": 0.0, "to": 0.5, "count": 10, "given": 0.2, "observed": 0.3}],
    }
    assert [each["name"] for each in shown["sets"]] == ["windows", "designs"]
    assert json.loads(json.dumps(shown)) == shown


def test_each_part_may_be_left_out() -> None:
    assert Reference.parse(content(sets=None, likeness=None), SYMBOLS).scale().names == ("probability", "notice")
    bare = Reference.parse(content(calibration=None), SYMBOLS)
    assert bare.scale().names == ("percentile", "notice")
    assert "calibration" not in bare.summarize()
    short = {"expected_error": None, "reliability": None}
    known = {name: value for name, value in (document()["calibration"] | short).items() if value is not None}
    assert Reference.parse(content(calibration=known), SYMBOLS).summarize()["calibration"]["reliability"] == []


WRONG: dict[str, Change] = {
    "another schema": lambda d: d.update(schema=2),
    "nothing in it": lambda d: [d.pop("calibration"), d.pop("sets")],
    "no list of sets": lambda d: d.update(sets={}),
    "a set without a name": lambda d: d["sets"][0].update(name=""),
    "a set of nobody": lambda d: d["sets"][0].update(count=0),
    "a list instead of a calibration": lambda d: d.update(calibration=[]),
    "no event": lambda d: d["calibration"].pop("event"),
    "one knot": lambda d: d["calibration"].update(scores=[0.0], probabilities=[0.5]),
    "fewer probabilities than scores": lambda d: d["calibration"]["probabilities"].pop(),
    "scores that fall": lambda d: d["calibration"]["scores"].reverse(),
    "probabilities that fall": lambda d: d["calibration"]["probabilities"].reverse(),
    "a probability over 1": lambda d: d["calibration"]["probabilities"].__setitem__(-1, 1.01),
    "a negative percent": lambda d: d["sets"][1]["percents"].__setitem__(0, -0.1),
    "a score that is text": lambda d: d["sets"][1]["scores"].__setitem__(0, "0"),
    "a score that is true": lambda d: d["sets"][1].update(scores=[False, True]),
    "a number that nothing holds": lambda d: d["sets"][1]["scores"].__setitem__(1, 10**400),
    "an error over 1": lambda d: d["calibration"].update(expected_error=2),
    "a bin without a count": lambda d: d["calibration"]["reliability"][0].pop("count"),
    "too few residues": lambda d: d["likeness"]["residues"].pop(),
    "too few pairs": lambda d: d["likeness"]["pairs"][0]["values"].pop(),
    "a distance of 0": lambda d: d["likeness"]["pairs"][0].update(distance=0),
    "measured sequences without values": lambda d: d.update(measured={"about": "x", "count": 1, "columns": []}),
    "two values of one name": lambda d: d.update(measured={"about": "x", "count": 1, "columns": ["a", "a"]}),
    "a value without a name": lambda d: d.update(measured={"about": "x", "count": 1, "columns": [""]}),
    "more measured sequences than may be": lambda d: d.update(
        measured={"about": "x", "count": MOST_MEASURED + 1, "columns": ["a"]}
    ),
    "no least": lambda d: d["likeness"].pop("least"),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_a_reference_that_is_wrong_is_refused_and_its_place_named(change: Change) -> None:
    wrong = document()
    change(wrong)
    with pytest.raises(BundleInvalid, match=r"reference\.json"):
        Reference.parse(json.dumps(wrong).encode(), SYMBOLS)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"schema": NaN}', b" " * (MAX_REFERENCE_BYTES + 1)])
def test_what_is_no_document_is_refused(text: bytes) -> None:
    with pytest.raises(BundleInvalid, match=r"reference\.json"):
        Reference.parse(text, SYMBOLS)


def test_a_model_whose_reference_is_wrong_is_not_loaded(tmp_path: Path) -> None:
    assert SequenceScorer(load_folder(bundle(tmp_path / "good", content()), 1)).reference is not None
    with pytest.raises(BundleInvalid, match="neither"):
        load_folder(bundle(tmp_path / "bad", content(calibration=None, sets=None)), 1)


def test_a_model_without_one_has_none() -> None:
    assert SequenceScorer(load_folder(DATA / "tiny-index" / "1", 1)).reference is None


def test_measured_sequences_are_described_to_whoever_lists_models() -> None:
    table = {"about": "3 sequences", "count": 3, "columns": ["a", "b"]}
    assert Reference.parse(content(measured=table), SYMBOLS).summarize()["measured"] == table
    alone = Reference.parse(json.dumps({"schema": 1, "measured": table}).encode(), SYMBOLS)
    assert alone.summarize() == {"sets": [], "measured": table}
    assert not alone.knows_scores


def test_what_a_bundle_of_texts_calls_so_is_not_read(tmp_path: Path) -> None:
    assert load_folder(bundle(tmp_path, b"no reference", "tiny-text"), 1).reference is None
