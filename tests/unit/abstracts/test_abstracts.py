import json
import string
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from assay.abstracts.classification import Prediction, classify, describe_labels, shape_result
from assay.abstracts.cleaning import clean, prepare
from assay.abstracts.tokens import TextTokenizer
from assay.errors import InvalidAbstract, InvalidOption
from assay.models.text_classifier import MOST_TOKENS, batches, padded_tokens, stack
from assay.options import ClassifyOptions

TINY = Path(__file__).parents[2] / "data" / "tiny-text" / "1"
LABELS = ["a", "b", "c"]


@dataclass
class Known:
    """What is said of labels."""

    labels: list[str]
    thresholds: dict[str, float] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)


def test_cleaning_keeps_latex_and_drops_urls_tags_and_line_breaks() -> None:
    text = "We show\r\nthat <b>$a<b>c$</b> &\u200b $\\alpha_{\ufb01}$ (see https://arxiv.org/abs/0704.0001) holds."
    assert clean(text) == "We show that $a c$ & $\\alpha_{fi}$ (see ) holds."


def test_inequalities_are_no_tags() -> None:
    assert clean("for $a<b$ and $b>c$ in <i , 3>") == "for $a<b$ and $b>c$ in <i , 3>"


@given(st.text(alphabet=string.ascii_letters + " \n\t<>/$&;:.{}\\\u00a0\ufb01\u212b", max_size=200))
def test_cleaning_leaves_one_line_without_double_spaces(text: str) -> None:
    cleaned = clean(text)
    assert "\n" not in cleaned
    assert "  " not in cleaned
    assert cleaned == cleaned.strip()


@pytest.mark.parametrize(("text", "count"), [("", "0"), (" x \n " * 24, "47"), ("y" * 5001, "5,001")])
def test_limits_count_characters_after_cleaning(text: str, count: str) -> None:
    with pytest.raises(InvalidAbstract, match=rf"{count} characters after cleaning"):
        prepare(text)


def test_limits_are_inclusive() -> None:
    assert len(prepare("z" * 50)) == 50
    assert len(prepare("  " + "z" * 5000)) == 5000


@pytest.mark.parametrize("value", [None, 7, 1.5, True, ["x" * 60], {"x": 1}])
def test_an_abstract_is_a_string(value: object) -> None:
    with pytest.raises(InvalidAbstract, match="must be a string"):
        prepare(value)


def test_lone_surrogates_do_not_reach_the_tokenizer() -> None:
    assert prepare(json.loads('"\\ud800' + "q" * 60 + '"')) == "?" + "q" * 60


@given(st.text(max_size=300))
def test_prepare_raises_nothing_but_the_error_tree(text: str) -> None:
    with suppress(InvalidAbstract):
        assert 50 <= len(prepare(text)) <= 5000


def test_tokens_are_those_of_the_file_and_max_tokens_rules_over_its_settings() -> None:
    # The file itself says to cut at 16.
    plain = Tokenizer.from_file(str(TINY / "tokenizer.json"))
    plain.no_truncation()
    text = "Dark matter $\\rho$ in 12 galaxies"
    (tokens,) = TextTokenizer(TINY / "tokenizer.json", 64).encode([text])
    assert tokens.ids.tolist() == plain.encode(text).ids
    assert tokens.ids.dtype == np.int32
    assert not tokens.truncated


@pytest.mark.parametrize(("letters", "truncated"), [(62, False), (63, True)])
def test_truncation_is_reported_from_the_first_token_cut(letters: int, truncated: bool) -> None:
    (tokens,) = TextTokenizer(TINY / "tokenizer.json", 64).encode(["k" * letters])
    assert len(tokens.ids) == 64
    assert tokens.truncated is truncated
    assert tokens.ids[-1] == 3  # [SEP] stays last


@pytest.mark.parametrize(("length", "width"), [(1, 8), (8, 8), (9, 16), (200, 200), (201, 208), (250, 250)])
def test_lengths_are_rounded_up_but_not_past_the_longest(length: int, width: int) -> None:
    assert padded_tokens(length, 250) == width


@given(st.lists(st.integers(1, 512), max_size=64), st.sampled_from([None, 1, 3, 8]))
def test_batches_hold_each_text_once_within_the_budget(lengths: list[int], rows: int | None) -> None:
    found = list(batches(lengths, rows, 512))
    assert sorted(index for batch in found for index in batch) == list(range(len(lengths)))
    for batch in found:
        assert rows is None or len(batch) <= rows
        assert len(batch) * padded_tokens(max(lengths[index] for index in batch), 512) <= MOST_TOKENS


def test_batches_group_similar_lengths() -> None:
    assert list(batches([10, 500, 12, 490], 2, 512)) == [[0, 2], [3, 1]]


def test_stack_pads_and_masks_and_fills_rows_that_have_no_text() -> None:
    ids, mask = stack([np.array([5, 6], np.int32), np.array([7], np.int32)], 3, 4, 9)
    assert ids.tolist() == [[5, 6, 9, 9], [7, 9, 9, 9], [5, 6, 9, 9]]
    assert mask.tolist() == [[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0]]


def answer(scores: list[float], thresholds: dict[str, float] | None = None, **options: float) -> list[str]:
    prediction = Prediction(np.array(scores, np.float32), 12, False)
    chosen = shape_result(prediction, Known(LABELS, thresholds or {}), ClassifyOptions(**options))  # type: ignore[arg-type]
    return [each["label"] for each in chosen["labels"]]


def test_labels_are_those_at_or_above_their_threshold_best_first() -> None:
    assert answer([0.5, 0.49, 0.9]) == ["c", "a"]
    assert answer([0.5, 0.49, 0.9], {"b": 0.25, "c": 0.95}) == ["a", "b"]
    assert answer([0.1, 0.2, 0.3]) == []


def test_options_replace_thresholds_and_cap_the_labels() -> None:
    assert answer([0.5, 0.49, 0.9], {"b": 0.99}, threshold=0.0) == ["c", "a", "b"]
    assert answer([0.5, 0.49, 0.9], threshold=0.0, top_k=1) == ["c"]


def test_equal_scores_keep_the_models_order() -> None:
    assert answer([0.7, 0.9, 0.7]) == ["b", "a", "c"]


def test_scores_are_the_shortest_decimals_of_float32() -> None:
    prediction = Prediction(np.array([0.1, 1 / 3, 1e-9], np.float32), 12, True)
    found = shape_result(prediction, Known(LABELS), ClassifyOptions())
    assert json.dumps(found["scores"]) == '{"a": 0.1, "b": 0.33333334, "c": 1e-09}'
    assert (found["tokens"], found["truncated"], found["cached"]) == (12, True, False)


def test_labels_have_the_titles_that_there_are() -> None:
    prediction = Prediction(np.array([0.5, 0.4, 0.9], np.float32), 12, False)
    known = Known(LABELS, titles={"a": "First", "b": "Second"})
    found = shape_result(prediction, known, ClassifyOptions())
    assert found["labels"] == [{"label": "c", "score": 0.9}, {"label": "a", "score": 0.5, "title": "First"}]
    assert describe_labels(known) == {"labels": LABELS, "titles": known.titles}
    assert describe_labels(Known(LABELS)) == {"labels": LABELS}


@pytest.mark.parametrize("options", [{"threshold": -0.1}, {"threshold": 1.1}, {"top_k": 0}, {"top_k": 10_001}])
def test_options_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InvalidOption, match=next(iter(options))):
        ClassifyOptions(**options)  # type: ignore[arg-type]


class Lengths:
    """Predicts a text's length."""

    def classify(self, texts: object) -> list[Prediction]:
        return [Prediction(np.array([len(text)], np.float32), 1, False) for text in texts]  # type: ignore[attr-defined]


def test_bad_abstracts_keep_their_positions() -> None:
    found = classify(["x" * 60, "short", None, "y" * 70], Lengths())
    assert [each.scores.tolist() if isinstance(each, Prediction) else each.code for each in found] == [
        [60.0],
        "invalid_abstract",
        "invalid_abstract",
        [70.0],
    ]
