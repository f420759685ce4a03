"""Why the shipped classifier gave a label, and why the tiny one did."""

from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from assay.abstracts.classification import shape_result
from assay.abstracts.cleaning import prepare
from assay.abstracts.explanation import MOST_LABELS, MOST_SENTENCES, MOST_WORDS
from assay.errors import BundleInvalid, TooLarge
from assay.models.loading import load_folder, open_interpreter
from assay.models.manifest import JsonFields
from assay.models.text_classifier import TextClassifier
from assay.models.text_explainer import explain_result, require_few
from assay.models.wide_part import read_wide_part
from assay.options import ClassifyOptions
from tests.conftest import DATA, ROOT
from tools.models.shipped import newest

GIVEN = (
    "<p>A fully   differential calculation in quantum chromodynamics is presented &amp; compared.  Massive photon "
    "pairs are produced at hadron colliders. See https://example.org/a. The pastry was baked for an hour.</p>"
)


@pytest.fixture(scope="module")
def shipped() -> TextClassifier:
    return TextClassifier(load_folder(newest(ROOT / "models", "arxiv-archives"), 1))


@pytest.fixture(scope="module")
def tiny() -> TextClassifier:
    return TextClassifier(load_folder(DATA / "tiny-text" / "1", 1))


def explained(known: TextClassifier, text: str, **options: Any) -> list[dict[str, Any]]:
    result = shape_result(known.classify([prepare(text)])[0], known.text, ClassifyOptions(**options))
    return explain_result(known, text, result)


def test_the_words_and_sentences_that_drive_a_label_are_found_where_they_stand(shipped: TextClassifier) -> None:
    [found] = explained(shipped, GIVEN, top_k=1)
    assert found["label"] == "hep-ph"
    for piece in (*found["tokens"], *found["sentences"]):
        assert GIVEN[piece["start"] : piece["end"]] == piece["text"]
    weights = [each["weight"] for each in found["tokens"]]
    assert weights == sorted(weights, key=abs, reverse=True)
    assert {each["text"] for each in found["tokens"][:5]} & {"chromodynamics", "hadron", "colliders"}
    changes = {each["text"]: each["change"] for each in found["sentences"]}
    assert max(changes, key=changes.__getitem__) == "Massive photon pairs are produced at hadron colliders."


def test_the_weights_of_tokens_sum_to_what_the_graph_adds(shipped: TextClassifier) -> None:
    model = shipped.model
    ids = np.array([[each.id for each in model.tokenizer.locate(prepare(GIVEN))[0]]], np.int32)
    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(
        str(model.folder / model.manifest.model_path),
        experimental_op_resolver_type=plain,
        experimental_preserve_all_tensors=True,
    )
    interpreter.get_signature_runner("serving_default")(input_ids=ids, attention_mask=np.ones_like(ids))
    [at] = [each["index"] for each in interpreter.get_tensor_details() if each["name"] == "mul_41"]
    assert model.wide_part is not None
    np.testing.assert_allclose(model.wide_part.weigh(ids[0]).sum(0), interpreter.get_tensor(at)[0], atol=2e-5)


def test_a_sentences_change_is_the_probability_with_it_less_the_one_without(shipped: TextClassifier) -> None:
    [found] = explained(shipped, GIVEN, top_k=1)
    text = prepare(GIVEN)
    last = "The pastry was baked for an hour."
    whole, without = shipped.classify([text, text.removesuffix(last).strip()])
    change = {each["text"]: each["change"] for each in found["sentences"]}[last]
    at = shipped.text.labels.index("hep-ph")
    assert change == pytest.approx(float(whole.scores[at] - without.scores[at]), abs=1e-6)


def test_a_model_without_a_wide_part_has_sentences_alone_and_all_is_bounded(tiny: TextClassifier) -> None:
    text = " ".join(f"Dark matter in {at} galaxies is seen." for at in range(9))
    found = explained(tiny, text, threshold=0.0)
    assert [each["tokens"] for each in found] == [[]] * min(len(tiny.text.labels), MOST_LABELS)
    assert all(0 < len(each["sentences"]) <= MOST_SENTENCES for each in found)
    assert max(each["end"] for each in found[0]["sentences"]) < len(text)  # it reads 64 tokens
    assert [each["label"] for each in explained(tiny, text, threshold=1.0)] == [found[0]["label"]]


def test_words_are_bounded(shipped: TextClassifier) -> None:
    found = explained(shipped, GIVEN * 3, threshold=0.0)
    assert len(found) == MOST_LABELS
    assert all(len(each["tokens"]) <= MOST_WORDS for each in found)


def test_too_many_abstracts_are_refused_by_number() -> None:
    require_few(4)
    with pytest.raises(TooLarge, match="at most 4 abstracts"):
        require_few(5)


@pytest.mark.parametrize("changes", [{"tokens": "none"}, {"factor": 0}, {"pairs": "Gather_2"}, {"tokens": 3}])
def test_a_wide_part_that_the_graph_has_not_is_refused(
    shipped: TextClassifier, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.models import wide_part

    said = {"tokens": "Gather", "pairs": "Gather_1", "factor": 65_521} | changes
    document = JsonFields({"wide": said}, "reference.json")
    monkeypatch.setattr(wide_part, "read_document", lambda *_: document)
    with pytest.raises(BundleInvalid, match="wide"):
        read_wide_part(shipped.model.folder, shipped.model.manifest, shipped.model.tokenizer.size, open_interpreter)
