"""An encoder's folder with a Keras head, against transformers and Keras; needs requirements/train.txt."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.models import probes

pytest.importorskip("tensorflow")
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
keras = pytest.importorskip("keras")

from assay.errors import InvalidOption, UnreadableInput
from assay.models.loading import load_folder
from tests.importers import checkpoints
from tests.importers.heads import nested_model
from tests.importers.samples import TEXTS
from tools.models.importers.head import read_head
from tools.models.importers.result import ImportRequest
from tools.models.importing import kind_of, make_bundle

LABELS = ("cs", "math", "physics")


@keras.saving.register_keras_serializable("archives")
class EncoderLayer(keras.layers.Layer):  # type: ignore[misc, name-defined]
    """As an application wraps an encoder of another library: its weights are no weights of the layer."""

    def __init__(self, checkpoint: str = "scibert", **options: Any) -> None:
        super().__init__(**options)
        self.checkpoint = checkpoint

    def call(self, input_ids: Any, attention_mask: Any) -> Any:
        weight = keras.ops.cast(attention_mask, "float32")
        return keras.ops.repeat(keras.ops.expand_dims(keras.ops.cast(input_ids, "float32") * weight, -1), 24, axis=-1)

    def compute_output_shape(self, shape: Any, *_: Any) -> Any:
        return (*shape, 24)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "checkpoint": self.checkpoint}


def head_model(activation: str = "sigmoid", hidden: int | None = None, units: int = 3) -> Any:
    ids, mask = (keras.Input((None,), dtype="int32", name=name) for name in ("input_ids", "attention_mask"))
    rows = EncoderLayer()(ids, mask)[:, 0, :]
    if hidden:
        rows = keras.layers.Dense(hidden)(rows)
    dense = keras.layers.Dense(units, activation=activation)
    model = keras.Model([ids, mask], dense(keras.layers.Dropout(0.3)(rows)))
    dense.set_weights([np.random.default_rng(4).normal(size=each.shape) for each in dense.get_weights()])
    model.compile("adam", "binary_crossentropy")
    return model


def saved(tmp_path: Path, model: Any, name: str = "head.keras") -> Path:
    model.save(tmp_path / name)
    return tmp_path / name


def refuse(*_: Any, **__: Any) -> None:
    raise AssertionError("the file was given to Keras")


def expected(folder: Path, model: Any, pooling: str) -> Any:
    encoder = transformers.AutoModel.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    kernel, bias = model.layers[-1].get_weights()
    rows = []
    for text in TEXTS:
        with torch.no_grad():
            ids = torch.tensor([tokenizer(text, truncation=True, max_length=60)["input_ids"]])
            output = encoder(ids)
        states = output.last_hidden_state[0]
        pooled = {"cls": states[0], "mean": states.mean(0), "pooler": getattr(output, "pooler_output", states)[0]}
        rows.append(pooled[pooling].numpy() @ kernel + bias)
    return 1 / (1 + np.exp(-np.stack(rows)))


def imported(tmp_path: Path, path: Path, encoder: Path, **wish: Any) -> tuple[Any, list[str]]:
    given = ImportRequest(path, encoder=encoder, **{"labels": LABELS, "quantize": "none", "max_tokens": 60, **wish})
    assert kind_of(given) == "head"
    _, report = make_bundle(given, "head", "archives", "1", "", tmp_path / "bundle")
    return load_folder(tmp_path / "bundle", 1), report


@pytest.mark.parametrize("name", ["head.keras", "head.h5"])
@pytest.mark.parametrize(
    ("family", "pooling"),
    [("Bert", "cls"), ("Bert", "mean"), ("Bert", "pooler"), ("DistilBert", "cls"), ("Roberta", "cls")],
)
def test_scores_are_those_of_the_two_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: str, pooling: str, name: str
) -> None:
    encoder = checkpoints.write(tmp_path / "encoder", checkpoints.model(family, "Model"), family)
    model = head_model()
    path = saved(tmp_path, model, name)
    monkeypatch.setattr(keras.saving, "load_model", refuse)
    monkeypatch.setattr(EncoderLayer, "__init__", refuse)
    bundle, report = imported(tmp_path, path, encoder, pooling=pooling)
    np.testing.assert_allclose(probes.score_probes(bundle, TEXTS), expected(encoder, model, pooling), atol=1e-3)
    assert "EncoderLayer is taken for the encoder and was not run" in report[0]
    assert any(line.startswith("WARNING: --pooling says") for line in report) == (pooling != "cls")
    assert bundle.manifest.text.activation == "sigmoid"


@pytest.mark.parametrize("weights", ["safetensors", "h5"])
@pytest.mark.parametrize("quantize", ["none", None])
def test_the_head_that_is_replaced_imports_as_it_is(tmp_path: Path, weights: str, quantize: str | None) -> None:
    encoder = checkpoints.write(tmp_path / "encoder", checkpoints.model("Bert", "Model"), "Bert", weights)
    names = tuple(f"archive-{at}" for at in range(19))
    model = nested_model(len(names))
    path = saved(tmp_path, model)
    for policy in (b'"class_name": "DTypePolicy"', b'"class_name": "TFBertModel"', b'"registered_name": "Custom>'):
        assert policy in zipfile.ZipFile(path).read("config.json")
    bundle, report = imported(tmp_path, path, encoder, labels=names, quantize=quantize)
    tolerance = 1e-4 if quantize else 0.1
    if weights == "h5":
        (encoder / "tf_model.h5").unlink()
        checkpoints.write(encoder, checkpoints.model("Bert", "Model"), "Bert")
    np.testing.assert_allclose(probes.score_probes(bundle, TEXTS), expected(encoder, model, "cls"), atol=tolerance)
    assert "19 labels by sigmoid over cls; the custom layer ExtractCLSOutput is taken for the encoder" in report[0]


def test_a_deeper_head_gives_what_keras_gives(tmp_path: Path) -> None:
    encoder = checkpoints.write(tmp_path / "encoder", checkpoints.model("Bert", "Model"), "Bert")
    layers = keras.layers
    tail = keras.Sequential(
        [
            keras.Input((24,)),
            layers.Dense(16, activation="gelu"),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            layers.Dense(12),
            layers.LayerNormalization(),
            layers.Activation("tanh"),
            layers.Dense(3),
            layers.Activation("softmax"),
        ]
    )
    random = np.random.default_rng(7)
    tail.set_weights([random.uniform(0.2, 1.0, each.shape) * random.choice([1, 1]) for each in tail.get_weights()])
    bundle, report = imported(tmp_path, saved(tmp_path, tail), encoder)
    assert (bundle.manifest.text.activation, "3 Dense layers" in report[0]) == ("softmax", True)
    network = transformers.AutoModel.from_pretrained(encoder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(encoder)
    ids = [tokenizer(text, truncation=True, max_length=60)["input_ids"] for text in TEXTS]
    with torch.no_grad():
        states = np.stack([network(torch.tensor([each])).last_hidden_state[0, 0].numpy() for each in ids])
    np.testing.assert_allclose(probes.score_probes(bundle, TEXTS), tail.predict(states, verbose=0), atol=1e-4)


def test_a_checkpoint_with_a_classifier_of_its_own_lends_its_encoder(tmp_path: Path) -> None:
    encoder = checkpoints.write(tmp_path / "encoder", checkpoints.model("Bert"), "Bert")
    model = head_model()
    bundle, _ = imported(tmp_path, saved(tmp_path, model), encoder)
    np.testing.assert_allclose(probes.score_probes(bundle, TEXTS), expected(encoder, model, "cls"), atol=1e-3)


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        (lambda: head_model(activation="tanh"), "tanh"),
        (lambda: keras.Sequential([keras.Input((4, 24)), keras.layers.Conv1D(3, 1)]), "no Dense layer"),
    ],
)
def test_a_file_that_holds_more_than_a_head_is_refused(tmp_path: Path, model: Any, complaint: str) -> None:
    with pytest.raises(UnreadableInput, match=complaint):
        read_head(saved(tmp_path, model()))


def test_what_does_not_fit_or_is_missing_is_told(tmp_path: Path) -> None:
    encoder = checkpoints.write(tmp_path / "encoder", checkpoints.model("DistilBert", "Model"), "DistilBert")
    path = saved(tmp_path, head_model())
    with pytest.raises(InvalidOption, match="has no pooler"):
        imported(tmp_path / "a", path, encoder, pooling="pooler")
    with pytest.raises(InvalidOption, match="3 outputs"):
        imported(tmp_path / "b", path, encoder, labels=None)
    with pytest.raises(InvalidOption, match="--encoder"):
        make_bundle(ImportRequest(path), "head", "archives", "1", "", tmp_path / "bundle")
    wide = checkpoints.model("Bert", "Model", hidden_size=48)
    with pytest.raises(InvalidOption, match="reads 24 numbers, the encoder gives 48"):
        imported(tmp_path / "c", path, checkpoints.write(tmp_path / "wide", wide, "Bert"))
