from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.errors import BundleInvalid
from assay.models.loading import SequenceScorer, load_folder
from tools.models.shipped import newest

ROOT = Path(__file__).resolve().parents[3]
TINY = ROOT / "tests" / "data"
ENCODINGS = ("tiny-index", "tiny-one-hot", "tiny-one-hot-flat")
FOLDERS = [
    *(TINY / name / "1" for name in ENCODINGS),
    newest(ROOT / "models", "stability-chymotrypsin"),
    newest(ROOT / "models", "stability-trypsin"),
]


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


@pytest.mark.parametrize("name", ENCODINGS)
def test_no_rows_have_no_scores(name: str) -> None:
    assert scorer(TINY / name / "1").score(codes(0)).shape == (0,)


def test_the_scorer_knows_its_contract() -> None:
    model = scorer(TINY / "tiny-index" / "1")
    assert (model.alphabet, model.length, model.batch) == ("ACDEFGHIKLMNPQRSTVWY", 50, 8)


def test_a_text_model_scores_no_sequences() -> None:
    with pytest.raises(BundleInvalid, match="text-classification"):
        scorer(TINY / "tiny-text" / "1")
