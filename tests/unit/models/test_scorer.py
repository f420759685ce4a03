from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.errors import BundleInvalid
from assay.models.loading import SequenceScorer, load_folder
from tools.models.shipped import newest

ROOT = Path(__file__).resolve().parents[3]
TINY = ROOT / "tests" / "data"
ENCODINGS = ("tiny-index", "tiny-one-hot", "tiny-one-hot-flat")
SHIPPED = [newest(ROOT / "models", f"stability-{name}") for name in ("chymotrypsin", "trypsin")]
FOLDERS = [*(TINY / name / "1" for name in ENCODINGS), *SHIPPED]


def scorer(folder: Path) -> SequenceScorer:
    return SequenceScorer(load_folder(folder, threads=2))


def codes(rows: int, seed: int = 1) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 20, (rows, 50)).astype(np.uint8)


def expected(rows: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The network of tests/data/make_tiny_sequences.py in float64."""
    random = np.random.default_rng(50)
    wide, narrow = random.normal(0, 0.4, (1000, 4)), random.normal(0, 1, (4, 1))
    return (np.tanh(np.eye(20)[rows].reshape(len(rows), -1) @ wide) @ narrow).reshape(-1)


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_encoding_gives_the_networks_numbers(name: str) -> None:
    rows = codes(21)
    np.testing.assert_allclose(scorer(TINY / name / "1").score(rows), expected(rows), atol=1e-5)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_a_score_is_the_same_bits_wherever_the_row_stands_and_whoever_stands_beside_it(folder: Path) -> None:
    model = scorer(folder)
    rows = codes(2 * model.batch + 3)
    scores = model.score(rows)
    order = np.random.default_rng(2).permutation(len(rows))
    assert model.score(rows[order]).tobytes() == scores[order].tobytes()
    for position in {0, 1, 2, 3, 5, 6, 7, model.batch // 2, model.batch - 2, model.batch - 1}:
        batch = codes(model.batch, seed=3 + position)
        batch[position] = rows[0]
        assert model.score(batch)[position].tobytes() == scores[0].tobytes()
    for count in (1, 2, model.batch - 1, model.batch, model.batch + 1):
        assert model.score(rows[:count]).tobytes() == scores[:count].tobytes()


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.parent.name)
def test_a_shipped_models_bits_depend_on_no_number_of_threads_and_no_cut_of_the_rows(folder: Path) -> None:
    rows = codes(300, seed=9)
    scores = scorer(folder).score(rows)
    one = SequenceScorer(load_folder(folder, threads=1))
    for cut in (1, 97, 299):
        parts = np.concatenate([one.score(rows[:cut]), one.score(rows[cut:])])
        assert parts.tobytes() == scores.tobytes()


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.parent.name)
def test_a_shipped_models_body_is_of_integers_and_its_scores_are_no_integers(folder: Path) -> None:
    model = scorer(folder)
    assert model.model.manifest.quantization == "static"
    interpreter: Any = getattr(model.model.runner, "_interpreter")  # noqa: B009  any runner
    details = interpreter._get_ops_details()
    dtypes = {each["index"]: each["dtype"] for each in interpreter.get_tensor_details()}
    weighted = [each for each in details if each["op_name"] in ("CONV_2D", "FULLY_CONNECTED")]
    assert [dtypes[each["inputs"][1]] for each in weighted] == [np.int8] * (len(weighted) - 1) + [np.float32]
    assert details[-1]["op_name"] == "DELEGATE", "XNNPACK takes all that multiplies"
    assert set(details[-1]["inputs"]) >= {index for each in weighted for index in each["inputs"][1:]}
    assert len(np.unique(model.score(codes(512)))) > 500


@pytest.mark.parametrize("name", ENCODINGS)
def test_no_rows_have_no_scores(name: str) -> None:
    assert scorer(TINY / name / "1").score(codes(0)).shape == (0,)


def test_the_scorer_knows_its_contract() -> None:
    model = scorer(TINY / "tiny-index" / "1")
    assert (model.alphabet, model.length, model.batch) == ("ACDEFGHIKLMNPQRSTVWY", 50, 8)


def test_a_text_model_scores_no_sequences() -> None:
    with pytest.raises(BundleInvalid, match="text-classification"):
        scorer(TINY / "tiny-text" / "1")
