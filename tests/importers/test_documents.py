"""The documented imports that need TensorFlow, PyTorch and transformers, word by word: `make test-importers`."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("torch")
pytest.importorskip("transformers")
keras = pytest.importorskip("keras")

from tests.conftest import Aws
from tests.importers import checkpoints, test_head, test_keras, test_saved_model
from tests.importers.samples import TEXTS
from tests.unit.importers.documents import commands, make_stack, run
from tests.unit.importers.test_documents import NEEDS_TENSORFLOW
from tools.models import publish


def make_sources(folder: Path) -> None:
    """Make a model of each kind under the names that the page gives them."""
    test_keras.saved(folder, test_keras.convolutional(), "cnn.keras")
    test_keras.saved(folder, test_keras.texts(None), "texts.keras")
    checkpoints.write_tokenizer(folder / "tokenizer", "Bert")
    tf = test_saved_model.tf
    weights = np.random.default_rng(1).normal(size=(43 * 20, 1)).astype(np.float32)
    spec = tf.TensorSpec([None, 43, 20], tf.float32, "x")
    test_saved_model.saved(folder / "saved", lambda _, rows: {"score": tf.reshape(rows, [-1, 860]) @ weights}, spec)
    made = checkpoints.model("Bert", problem_type="multi_label_classification")
    checkpoints.write(folder / "scibert-topics", made, "Bert")
    checkpoints.write(folder / "scibert", checkpoints.model("Bert", "Model"), "Bert")
    test_head.saved(folder, test_head.head_model())
    rows = [{"abstract": text, "labels": ["cs"] if at % 2 else ["math"]} for at, text in enumerate(TEXTS)]
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))


def test_the_documented_imports_work_as_they_stand(aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_stack()
    make_sources(tmp_path)
    words = commands(NEEDS_TENSORFLOW)
    assert len(words) >= 6
    for each in words:
        run(monkeypatch, tmp_path, [*each, "--tolerance", "0.5"])
    serving = {each.name for each in publish.list_models(aws.models) if each.current}
    assert serving == {"my-cnn", "my-topics"}
    bundles = {f"{path.parent.parent.name}" for path in (tmp_path / "models").glob("*/*/manifest.json")}
    assert bundles == {"my-cnn", "my-net", "my-topics", "my-archives"}
