"""What an estimator holds and no prediction reads, and options that a model has no use for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.errors import InvalidOption, UnreadableInput
from assay.models.loading import SequenceScorer, load_folder
from tests.models_command import main
from tests.unit.importers.fakes import dumped, estimator, linear
from tests.unit.importers.test_sklearn import CODES, saved
from tools.models.importers.result import ImportRequest
from tools.models.importers.sklearn import read_estimator
from tools.models.importing import make_bundle

WEIGHTS = np.random.default_rng(3).normal(size=1000)


@pytest.mark.parametrize("protocol", range(6))
def test_a_seed_is_left_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: int) -> None:
    plain = read_estimator(saved(tmp_path, linear(monkeypatch, WEIGHTS, 0.5)), 20)
    for seed in (np.random.RandomState(0), np.random.default_rng(0), np.random.SeedSequence(4)):
        held = linear(monkeypatch, WEIGHTS, 0.5, random_state=seed, seeds_=[seed, {"again": seed}])
        assert read_estimator(saved(tmp_path, held, protocol=protocol), 20) == plain


def test_a_fitted_search_is_its_best_estimator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    best = linear(monkeypatch, WEIGHTS, 0.5)
    scores = np.ma.MaskedArray([1.0, 2.0], mask=[False, True])
    path = "sklearn.model_selection._search.GridSearchCV"
    search = estimator(monkeypatch, path, best_estimator_=best, estimator=linear(monkeypatch, None, None), cv_=scores)
    assert read_estimator(saved(tmp_path, search), 20) == read_estimator(saved(tmp_path, best), 20)
    unfitted = estimator(monkeypatch, path, estimator=best)
    with pytest.raises(UnreadableInput, match="GridSearchCV holds no best estimator: fit it with refit=True"):
        read_estimator(saved(tmp_path, unfitted), 20)


def test_what_is_left_unread_can_not_stand_where_numbers_are_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = np.random.RandomState(0)
    for value in (linear(monkeypatch, seed, 0.0), linear(monkeypatch, WEIGHTS, seed)):
        with pytest.raises(UnreadableInput, match=r"coef_|intercept_"):
            read_estimator(saved(tmp_path, value), 20)
    with pytest.raises(UnreadableInput, match=r"holds a numpy\.random.*, not a scikit-learn estimator"):
        read_estimator(saved(tmp_path, seed), 20)


def test_scikit_learn_s_own_searches_are_taken(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    from scipy import stats
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GridSearchCV, KFold, RandomizedSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    random = np.random.RandomState(5)
    features, target = np.eye(20)[random.randint(0, 20, (60, 50))].reshape(60, 1000), random.normal(size=60)
    grid = GridSearchCV(make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": [1.0, 9.0]}, cv=3, scoring="r2")
    kept = KFold(3, shuffle=True, random_state=random)
    drawn = RandomizedSearchCV(Ridge(random_state=random), {"alpha": stats.uniform(1, 9)}, n_iter=2, cv=kept)
    for at, search in enumerate((grid, drawn)):
        for protocol in (2, 4):
            path = saved(tmp_path, search.fit(features, target), protocol=protocol)
            folder = tmp_path / f"bundle-{at}-{protocol}"
            make_bundle(ImportRequest(path), "sklearn", "found", "1", "", folder)
            served = SequenceScorer(load_folder(folder, 1)).score(CODES)
            np.testing.assert_allclose(served, search.predict(np.eye(20)[CODES].reshape(12, 1000)), atol=1e-3)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--length", "43"], "1,000 numbers, which are 50 positions of 20 residues, and --length says 43"),
        (["--alphabet", "ACDEFGHIKL", "--length", "50"], "100 positions of 10 residues, and --length says 50"),
        (["--encoding", "index"], "reads flat one-hot, and --encoding says index"),
        (["--first-index", "1"], "has no use for --first-index"),
        (["--labels", "a,b"], "has no use for --labels"),
        (["--max-tokens", "64", "--chunks"], "has no use for --max-tokens, --chunks"),
        (["--quantize", "int8"], "no int8 form"),
        (["--quantize", "static"], "no int8 form"),
        (["--representative", "rows.txt"], "has no use for --representative"),
    ],
)
def test_an_option_that_contradicts_or_is_not_used_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    complaint: str,
) -> None:
    path = saved(tmp_path, linear(monkeypatch, WEIGHTS, 0.0))
    given: list[Any] = ["import", str(path), "--name", "mine", "--to", str(tmp_path / "models")]
    assert main([*given, *options]) == 1
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "models").exists()


def test_options_that_agree_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.pkl"
    path.write_bytes(dumped(linear(monkeypatch, WEIGHTS, 0.0)))
    given = ["import", str(path), "--name", "mine", "--to", str(tmp_path / "models"), "--encoding", "one_hot_flat"]
    assert main([*given, "--length", "50"]) == 0
    assert main([*given, "--alphabet", "ACDEFGHIKL", "--length", "100", "--version", "ten"]) == 0
    with pytest.raises(InvalidOption, match="leave it out"):
        make_bundle(ImportRequest(path, said=("labels",)), "sklearn", "mine", "3", "", tmp_path / "none")
