import json
import pickle
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.errors import BundleInvalid, UnreadableInput
from assay.models.loading import SequenceScorer, load_folder
from tests.conftest import DATA
from tests.unit.importers.fakes import dumped, estimator, linear
from tools.models.importers.result import ImportRequest
from tools.models.importers.sklearn import read_estimator
from tools.models.importing import kind_of, make_bundle

VERSIONS = sorted(path.name for path in (DATA / "sklearn").iterdir())
PICKLES = sorted(path for path in (DATA / "sklearn").glob("*/*") if path.suffix != ".json")
RANDOM = np.random.default_rng(3)
CODES = RANDOM.integers(0, 20, (12, 50)).astype(np.uint8)


def saved(tmp_path: Path, value: Any, name: str = "model.pkl", protocol: int = 4) -> Path:
    (tmp_path / name).write_bytes(dumped(value, protocol))
    return tmp_path / name


def values(path: Path, codes: Any = CODES) -> list[float]:
    return [float(value) for value in read_estimator(path, 20).exact(codes)]


def test_several_versions_are_held_to() -> None:
    assert {version.rpartition(".")[0] for version in VERSIONS} >= {"1.1", "1.2", "1.4", "1.7", "1.9"}


@pytest.mark.parametrize("path", PICKLES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_files_of_several_versions_and_protocols_give_what_scikit_learn_predicted(path: Path) -> None:
    expected = json.loads((path.parent / "expected.json").read_text())
    codes = np.array(expected["codes"], np.uint8)
    largest = float(
        max(map(abs, read_estimator(path, 20).weights))
    )  # up to 1e14: scikit-learn itself rounds in the sum
    np.testing.assert_allclose(values(path, codes), expected["predicted"][path.stem], atol=1e-12 + 1e-14 * largest)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_the_layout_of_version_1_0_is_read_in_every_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: int
) -> None:
    coefficients = RANDOM.normal(size=1000)
    path = saved(tmp_path, linear(monkeypatch, coefficients, np.float64(0.25)), protocol=protocol)
    expected = 0.25 + coefficients[np.arange(50) * 20 + CODES].sum(1)
    np.testing.assert_allclose(values(path), expected, rtol=1e-12)


def test_the_served_value_is_the_exact_one_even_with_coefficients_of_1e14(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shifts = RANDOM.normal(size=50) * 1e14
    coefficients = (RANDOM.normal(size=(50, 20)) + shifts[:, None]).ravel()
    path = saved(tmp_path, linear(monkeypatch, coefficients, -float(shifts.sum())))
    manifest, report = make_bundle(ImportRequest(path), "sklearn", "old-score", "1", "", tmp_path / "bundle")
    exact = [
        Fraction(-float(shifts.sum()))
        + sum(Fraction(float(coefficients[20 * at + int(code)])) for at, code in enumerate(row))
        for row in CODES
    ]
    served = SequenceScorer(load_folder(tmp_path / "bundle", 1)).score(CODES)
    np.testing.assert_allclose(served, [float(value) for value in exact], atol=1e-3, rtol=0)
    in_float64 = -float(shifts.sum()) + coefficients[np.arange(50) * 20 + CODES].sum(1)
    assert np.abs(in_float64 - served).max() > 1e-2  # what summing them up as they are would give
    assert manifest.task == "sequence-score"
    assert "differs from its source" in report[1]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_names_of_columns_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: int) -> None:
    names = np.array([f"{at}" for at in range(40)], dtype=object)
    fitted = linear(monkeypatch, np.arange(40.0), 0.0, feature_names_in_=names, other_=names.astype("U2"))
    assert values(saved(tmp_path, fitted, protocol=protocol), np.array([[3, 4]], np.uint8)) == [27.0]


def test_what_float32_can_not_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, linear(monkeypatch, RANDOM.normal(size=1000) * 1e9, 0.0))
    with pytest.raises(BundleInvalid, match="differs from its source"):
        make_bundle(ImportRequest(path), "sklearn", "huge", "1", "", tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize("name", ["a.pkl", "b.pickle", "c.joblib"])
def test_a_pickle_is_known_by_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    assert kind_of(ImportRequest(tmp_path / name)) == "sklearn"


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "several outputs": ({"coef_": np.ones((2, 1000)), "intercept_": np.ones(2)}, "row of finite numbers"),
    "not fitted": ({"coef_": None}, "was it fitted"),
    "infinite": ({"coef_": np.full(1000, np.inf)}, "finite"),
    "text": ({"coef_": np.array(["a"] * 1000)}, "coef_"),
    "another width": ({"coef_": np.ones(1001)}, "1001 features"),
    "objects": ({"coef_": np.array([None] * 1000)}, "coef_"),
    "two intercepts": ({"intercept_": np.ones(2)}, "predicts 2 values"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_linear_score_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    attributes, complaint = REFUSED[case]
    given = {"coefficients": np.ones(1000), "intercept": 0.0, **attributes}
    with pytest.raises(UnreadableInput, match=complaint):
        read_estimator(saved(tmp_path, linear(monkeypatch, **given)), 20)


def pipeline(monkeypatch: pytest.MonkeyPatch, *steps: Any) -> Any:
    return estimator(monkeypatch, "sklearn.pipeline.Pipeline", steps=[(str(at), step) for at, step in enumerate(steps)])


def scaler(monkeypatch: pytest.MonkeyPatch, name: str, **attributes: Any) -> Any:
    return estimator(monkeypatch, f"sklearn.preprocessing._data.{name}", **attributes)


def test_scalers_are_folded_exactly_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mean, scale, low = RANDOM.normal(size=40), RANDOM.uniform(0.5, 2, 40), RANDOM.normal(size=40)
    weights = RANDOM.normal(size=40)
    inner = pipeline(monkeypatch, scaler(monkeypatch, "MinMaxScaler", scale_=scale, min_=low, clip=False))
    standard = scaler(monkeypatch, "StandardScaler", mean_=mean, scale_=scale, with_mean=True)
    path = saved(tmp_path, pipeline(monkeypatch, standard, inner, "passthrough", linear(monkeypatch, weights, 1.5)))
    codes = CODES[:, :2]
    features = np.eye(20)[codes].reshape(12, 40)
    expected = (((features - mean) / scale) * scale + low) @ weights + 1.5
    np.testing.assert_allclose(values(path, codes), expected, rtol=1e-10)


def test_pipelines_that_are_not_linear_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clipping = scaler(monkeypatch, "MinMaxScaler", scale_=np.ones(40), min_=np.ones(40), clip=True)
    last = linear(monkeypatch, np.ones(40), 0.0)
    zero = scaler(monkeypatch, "StandardScaler", mean_=None, scale_=np.zeros(40), with_mean=False)
    narrow = scaler(monkeypatch, "MaxAbsScaler", scale_=np.ones(20))
    for steps, complaint in (
        ((clipping, last), "clips"),
        ((zero, last), "divides by zero"),
        ((narrow, last), "scales 20 features"),
        ((zero, zero), "ends in a StandardScaler"),
        ((last, last), "stands before the end"),
        (("remainder", last), "no estimator"),
        ((), "no steps"),
    ):
        with pytest.raises(UnreadableInput, match=complaint):
            read_estimator(saved(tmp_path, pipeline(monkeypatch, *steps)), 20)


def test_pipelines_within_pipelines_without_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = pipeline(monkeypatch, linear(monkeypatch, np.ones(40), 0.0))
    for _ in range(60):
        deep = pipeline(monkeypatch, deep, deep)
    itself = pipeline(monkeypatch)
    itself.__dict__["steps"] = [("again", itself)]
    for value in (deep, itself):
        with pytest.raises(UnreadableInput, match="more than 32 steps"):
            read_estimator(saved(tmp_path, value), 20)


def test_scikit_learn_itself_agrees(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features = np.eye(20)[RANDOM.integers(0, 20, (60, 50))].reshape(60, 1000)
    model = make_pipeline(StandardScaler(), LinearRegression()).fit(features, RANDOM.normal(size=60))
    path = saved(tmp_path, model)
    make_bundle(ImportRequest(path), "sklearn", "new-score", "1", "", tmp_path / "bundle")
    served = SequenceScorer(load_folder(tmp_path / "bundle", 1)).score(CODES)
    np.testing.assert_allclose(served, model.predict(np.eye(20)[CODES].reshape(12, 1000)), atol=1e-3)
