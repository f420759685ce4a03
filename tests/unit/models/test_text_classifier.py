from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.errors import BundleInvalid, ModelUnavailable
from assay.models.loading import LoadedModel, load_folder
from assay.models.manifest import TensorSpec
from assay.models.text_classifier import TextClassifier

TINY = Path(__file__).parents[2] / "data" / "tiny-text" / "1"
TEXTS = ["dark matter in galaxies", "learning " * 30, "prime numbers and zeta functions", "dark matter in galaxies"]


class Recorder:
    """A network whose logits depend on the unmasked ids alone; it records the shapes that it was run with."""

    def __init__(self, labels: int = 4) -> None:
        self.weights = np.random.default_rng(3).normal(size=(200, labels))
        self.shapes: list[tuple[int, ...]] = []

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        self.shapes.append(inputs["input_ids"].shape)
        masked = self.weights[inputs["input_ids"]] * inputs["attention_mask"][:, :, None]
        return np.asarray(masked.sum(1), np.float32)


class Constant:
    def __init__(self, logits: list[list[float]]) -> None:
        self.logits = np.array(logits, np.float32)

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        return self.logits


@pytest.fixture(scope="module")
def tiny() -> LoadedModel:
    return load_folder(TINY, 1)


def with_runner(
    model: LoadedModel, runner: Any, shape: tuple[int | None, ...] = (1, None), **text: Any
) -> TextClassifier:
    assert model.manifest.text is not None
    names = ("input_ids", "attention_mask", "token_type_ids")
    manifest = replace(
        model.manifest,
        inputs=tuple(TensorSpec(name, "int64", shape) for name in names),
        text=replace(model.manifest.text, **text),
    )
    return TextClassifier(LoadedModel(manifest, model.folder, runner))


def test_a_text_scores_the_same_alone_and_among_others(tiny: LoadedModel) -> None:
    classifier = TextClassifier(tiny)
    together = classifier.classify(TEXTS)
    for text, prediction in zip(TEXTS, together, strict=True):
        (alone,) = classifier.classify([text])
        assert np.array_equal(alone.scores, prediction.scores)
        assert (alone.tokens, alone.truncated) == (prediction.tokens, prediction.truncated)
    assert [each.truncated for each in together] == [False, True, False, False]


def test_padding_changes_nothing(tiny: LoadedModel) -> None:
    # 28 tokens are padded to 32; the runner given exactly 28 must agree.
    classifier = TextClassifier(tiny)
    text = "a" * 26
    (tokens,) = classifier._tokenizer.encode([text])
    ids = tokens.ids[None]
    logits = tiny.runner.run({"input_ids": ids, "attention_mask": np.ones_like(ids)})
    (prediction,) = classifier.classify([text])
    assert prediction.tokens == 28
    np.testing.assert_allclose(prediction.scores, 1 / (1 + np.exp(-logits[0])), atol=1e-6)


@pytest.mark.parametrize("shape", [(1, None), (None, None), (2, None), (3, 64), (1, 40)])
def test_every_input_shape_gives_the_same_scores(tiny: LoadedModel, shape: tuple[int | None, ...]) -> None:
    texts = [text[:30] for text in TEXTS]
    expected = [each.scores for each in with_runner(tiny, Recorder()).classify(texts)]
    runner = Recorder()
    found = [each.scores for each in with_runner(tiny, runner, shape).classify(texts)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    for axis, size in enumerate(shape):
        assert size is None or {each[axis] for each in runner.shapes} == {size}


def test_texts_that_run_alone_share_no_run(tiny: LoadedModel) -> None:
    runner = Recorder()
    alone = with_runner(tiny, runner, (None, None)).run_alone()
    found = alone.classify(TEXTS)
    assert [rows for rows, _ in runner.shapes] == [1] * 3
    singly = [alone.classify([text])[0] for text in TEXTS]
    assert [each.scores.tobytes() for each in found] == [each.scores.tobytes() for each in singly]


def test_repeats_in_a_request_are_computed_once(tiny: LoadedModel) -> None:
    runner = Recorder()
    found = with_runner(tiny, runner).classify([TEXTS[0], TEXTS[2], TEXTS[0], TEXTS[0]])
    assert len(runner.shapes) == 2
    assert np.array_equal(found[0].scores, found[3].scores)


def test_nothing_is_padded_to_the_models_limit(tiny: LoadedModel) -> None:
    runner = Recorder()
    with_runner(tiny, runner).classify(["a" * 26])
    assert runner.shapes == [(1, 32)]


def test_a_fixed_width_below_max_tokens_truncates(tiny: LoadedModel) -> None:
    (found,) = with_runner(tiny, Recorder(), (1, 24)).classify(["a" * 40])
    assert (found.tokens, found.truncated) == (24, True)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("sigmoid", [1.0, 0.5, 0.0, 0.7310586]),
        ("softmax", [1.0, 0.0, 0.0, 0.0]),
        ("none", [500.0, 0.0, -500.0, 1.0]),
    ],
)
def test_the_activation_is_the_manifests(tiny: LoadedModel, activation: str, expected: list[float]) -> None:
    classifier = with_runner(tiny, Constant([[500.0, 0.0, -500.0, 1.0]]), activation=activation)
    np.testing.assert_allclose(classifier.classify(["a"])[0].scores, expected, atol=1e-6)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_not_finite_are_the_services_error(tiny: LoadedModel, bad: float) -> None:
    with pytest.raises(ModelUnavailable, match="not a finite number"):
        with_runner(tiny, Constant([[0.0, bad, 0.0, 0.0]])).classify(["a"])


def test_an_answer_of_another_shape_is_refused(tiny: LoadedModel) -> None:
    with pytest.raises(BundleInvalid, match="4 labels"):
        with_runner(tiny, Constant([[0.0, 0.0]])).classify(["a"])


@pytest.mark.parametrize("shape", [(1, 50, 20), (None,)])
def test_inputs_that_are_not_a_texts_are_refused(tiny: LoadedModel, shape: tuple[int | None, ...]) -> None:
    with pytest.raises(BundleInvalid, match="input_ids"):
        with_runner(tiny, Recorder(), shape)


def test_no_texts_give_no_predictions(tiny: LoadedModel) -> None:
    assert TextClassifier(tiny).classify([]) == []
