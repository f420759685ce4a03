"""The TensorFlow encoder against transformers' PyTorch models; needs requirements/train.txt, skipped without."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from ai_edge_litert.interpreter import Interpreter
from safetensors.numpy import load_file

from assay.errors import UnreadableInput
from tools.models.canonical_weights import canonical
from tools.models.encoder import Encoder, convert_encoder, save_encoder
from tools.models.families import read_architecture

SIZE = {"vocab_size": 120, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "num_labels": 5}
WIDE = {"intermediate_size": 48, "max_position_embeddings": 70}
IDS = np.random.default_rng(4).integers(5, 120, (1, 33))


def random_model(family: str, **changes: Any) -> Any:
    """Return a small random classifier of a family, its biases and norms random too."""
    torch.manual_seed(0)
    if family == "DistilBert":
        distil = {"dim": 24, "n_layers": 2, "n_heads": 3, "hidden_dim": 48, "vocab_size": 120, "num_labels": 5}
        config = transformers.DistilBertConfig(**distil, max_position_embeddings=70)
    else:
        config = getattr(transformers, f"{family}Config")(**SIZE, **WIDE, **changes)
    model = getattr(transformers, f"{family}ForSequenceClassification")(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return model


def state(model: Any) -> dict[str, Any]:
    return {name: value.numpy() for name, value in model.state_dict().items()}


def run(content: bytes, ids: Any) -> Any:
    runner = Interpreter(model_content=content).get_signature_runner("serving_default")
    ids = ids.astype(np.int32)
    return runner(input_ids=ids, attention_mask=(ids != 1).astype(np.int32))["logits"].copy()


@pytest.mark.parametrize(
    ("family", "changes"),
    [
        ("Bert", {}),
        ("Bert", {"hidden_act": "gelu_new", "layer_norm_eps": 1e-5}),
        ("Roberta", {"pad_token_id": 1, "type_vocab_size": 1}),
        ("DistilBert", {}),
    ],
)
def test_logits_are_those_of_transformers(family: str, changes: dict[str, Any]) -> None:
    model = random_model(family, **changes)
    encoder = Encoder(read_architecture(model.config.to_dict(), "cls"), canonical(state(model)))
    content = convert_encoder(encoder, int8=False)
    for length in (33, 7):
        ids = IDS[:, :length]
        with torch.no_grad():
            expected = model(torch.from_numpy(ids)).logits.numpy()
        np.testing.assert_allclose(run(content, ids), expected, atol=2e-4)
        padded = np.pad(ids, ((0, 0), (0, 6)), constant_values=1)
        np.testing.assert_allclose(run(content, padded), expected, atol=2e-4)


def test_mean_pooling_is_that_of_the_training_model() -> None:
    from tools.training.abstracts.fine_tuning import EncoderWithHead

    model = EncoderWithHead(random_model("Bert").bert).eval()
    weights = canonical(state(model))
    content = convert_encoder(
        Encoder(read_architecture(model.encoder.config.to_dict(), "mean"), _headless(weights)), int8=False
    )
    with torch.no_grad():
        expected = model(torch.from_numpy(IDS), torch.ones(IDS.shape, dtype=torch.int64)).numpy()
    np.testing.assert_allclose(run(content, IDS), expected, atol=2e-4)


def _headless(weights: Any) -> dict[str, Any]:
    return {name: value for name, value in weights.items() if not name.startswith("pooler.")}


def test_a_hugging_face_folder_is_read(tmp_path: Path) -> None:
    model = random_model("Bert")
    model.save_pretrained(tmp_path)
    found = read_architecture(json.loads((tmp_path / "config.json").read_text("utf-8")), "cls")
    weights = canonical(load_file(tmp_path / "model.safetensors"))
    assert (found.layers, found.heads, found.epsilon) == (2, 3, 1e-12)
    expected = canonical(state(model))
    assert weights.keys() == expected.keys()
    assert all(np.array_equal(weights[name], expected[name]) for name in expected)


def test_the_saved_model_and_the_tflite_file_agree(tmp_path: Path) -> None:
    import tensorflow as tf

    model = random_model("Bert")
    encoder = Encoder(read_architecture(model.config.to_dict(), "cls"), canonical(state(model)))
    save_encoder(encoder, tmp_path)
    serve = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    ids = tf.constant(IDS, tf.int32)
    expected = serve(input_ids=ids, attention_mask=tf.ones_like(ids))["logits"].numpy()
    np.testing.assert_allclose(run(convert_encoder(encoder, int8=False), IDS), expected, atol=1e-5)
    assert np.abs(run(convert_encoder(encoder, int8=True), IDS) - expected).max() < 0.2 * np.abs(expected).max()


def test_another_family_is_refused() -> None:
    with pytest.raises(UnreadableInput, match="t5"):
        read_architecture({"model_type": "t5"}, "mean")
