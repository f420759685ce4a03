"""References made from scores: calibrated, honest about it, and read as they were written."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.models.loading import SequenceScorer, load_folder
from assay.models.manifest import read_manifest
from assay.models.reference import Reference, read_reference
from tests.conftest import ROOT
from tests.models_command import main
from tests.references import SYMBOLS, bundle, content
from tools.models.score_reference import (
    cross_fit,
    describe_set,
    expected_error,
    fit_calibration,
    reliability,
    write_reference,
)

RANDOM = np.random.default_rng(0)
TRUE = RANDOM.uniform(0, 1, 4000)
SCORES = np.log(TRUE / (1 - TRUE)) * 0.3 + 1.0
OUTCOMES = RANDOM.uniform(0, 1, 4000) < TRUE
GROUPS = np.repeat(np.arange(800), 5)


def test_a_calibration_gives_back_the_probabilities_that_labels_were_drawn_by() -> None:
    made = fit_calibration(SCORES, OUTCOMES, GROUPS, "an event", "drawn")
    scale = Reference.parse(json.dumps({"schema": 1, "calibration": made}).encode(), SYMBOLS).scale()
    assert scale.probability is not None
    assert np.abs(scale.probability.at(SCORES.astype(np.float32)) - TRUE).mean() < 0.02
    assert made["expected_error"] < 0.03
    assert sum(each["count"] for each in made["reliability"]) == 4000


def test_who_is_judged_did_not_shape_the_line_that_judges() -> None:
    turned = OUTCOMES.copy()
    one = GROUPS == 7
    turned[one] = ~turned[one]
    assert (cross_fit(SCORES, OUTCOMES, GROUPS)[one] == cross_fit(SCORES, turned, GROUPS)[one]).all()


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_reliability_counts_each_once_and_its_error_is_a_share(rows: list[tuple[float, bool]]) -> None:
    bins = reliability(np.array([given for given, _ in rows]), np.array([came for _, came in rows]))
    assert sum(each["count"] for each in bins) == len(rows)
    assert 0 <= expected_error(bins) <= 1


@pytest.mark.parametrize(("count", "true"), [(49, 20), (60, 9), (60, 51), (0, 0)])
def test_too_few_labels_are_refused(count: int, true: int) -> None:
    with pytest.raises(ValueError, match="a calibration needs"):
        fit_calibration(np.arange(count) * 1.0, np.arange(count) < true, np.arange(count), "e", "a")


def test_the_percentile_is_the_share_of_the_set_below() -> None:
    made = describe_set("some", "some", SCORES)
    scale = Reference.parse(json.dumps({"schema": 1, "sets": [made]}).encode(), SYMBOLS).scale()
    assert scale.percentile is not None
    asked = np.quantile(SCORES, [0.1, 0.5, 0.9, 0.999])
    below = [(each > SCORES).mean() * 100 for each in asked]
    assert scale.percentile.at(asked.astype(np.float32)) == pytest.approx(below, abs=0.1)
    with pytest.raises(ValueError, match="no sequence"):
        describe_set("none", "none", np.zeros(0))


def test_a_reference_is_written_into_a_bundle_and_listed(tmp_path: Path) -> None:
    folder = bundle(tmp_path, content())
    made = describe_set("some", "some", np.arange(9.0))
    for _ in range(2):
        write_reference(folder, {"sets": [made]})
    assert SequenceScorer(load_folder(folder, 1)).reference is not None
    found = read_reference(folder, read_manifest(folder))
    assert found is not None
    assert [each.name for each in found.sets] == ["some"]
    assert found.calibration is None


RESIDUES = "ACDEFGHIKLMNPQRSTVWY"


def table(path: Path, count: int, label: str = "", columns: str = "sequence,label") -> Path:
    texts = ["".join(RANDOM.choice(list(RESIDUES), 50)) for _ in range(count)]
    lines = [f"{text},{label or at % 2}" for at, text in enumerate(texts)]
    path.write_text("\n".join([columns, *lines, "TOO,1"]) + "\n")
    return path


def test_users_say_what_the_scores_of_their_model_mean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = bundle(tmp_path, content())
    asked = ["--labelled", str(table(tmp_path / "a.csv", 80)), "--event", "it folds"]
    fasta = tmp_path / "set.fasta"
    fasta.write_text("".join(f">s{at}\n{RESIDUES * 2 + RESIDUES[at : at + 10]}\n" for at in range(9)))
    assert main(["reference", str(folder), *asked, "--set", f"mine={fasta}"]) == 0
    said = capsys.readouterr().out
    assert "it folds" in said
    assert "set mine: 9 sequences" in said
    found = read_reference(folder, read_manifest(folder))
    assert found is not None
    assert found.calibration is not None
    assert (found.calibration.count, [each.name for each in found.sets]) == (80, ["mine"])
    assert found.likeness is not None
    load_folder(folder, 1)


@pytest.mark.parametrize(
    ("count", "label", "columns", "said"),
    [
        (80, "maybe", "sequence,label", "line 2"),
        (80, "", "sequence,other", "no column 'label'"),
        (20, "", "sequence,label", "needs 50"),
        (80, "1", "sequence,label", "the rarer label 0 times"),
    ],
)
def test_labels_that_will_not_do_are_refused_and_the_bundle_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int, label: str, columns: str, said: str
) -> None:
    folder = bundle(tmp_path, content())
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    file = table(tmp_path / "a.csv", count, label, columns)
    assert main(["reference", str(folder), "--labelled", str(file)]) == 1
    assert said in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_nothing_given_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(bundle(tmp_path, content()))
    for words in ([], ["--set", "mine"], ["--set", "=a.fasta"]):
        assert main(["reference", folder, *words]) == 1
        assert "--labelled FILE" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["stability-trypsin", "stability-chymotrypsin"])
def test_the_shipped_references_hold_what_their_cards_promise(name: str) -> None:
    folder = sorted((ROOT / "models" / name).glob("*/manifest.json"))[-1].parent
    found = read_reference(folder, read_manifest(folder))
    assert found is not None
    assert found.calibration is not None
    assert found.calibration.expected_error is not None
    assert found.calibration.expected_error < 0.01
    assert [each.name for each in found.sets] == ["natural-windows", "measured-designs"]
    rates = json.loads((folder / "reference.json").read_text("utf-8"))["likeness"]["measured"]
    assert rates["false_alarms"]["all"] <= 0.02
    assert f"{rates['caught']['natural windows']:.1%}" in (folder.parent / "README.md").read_text("utf-8")
