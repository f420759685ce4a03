"""A text model of every family is imported where PyTorch is not installed; needs `requirements/import.txt`."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from assay.models import probes

pytest.importorskip("tensorflow")
pytest.importorskip("transformers")
save_file = pytest.importorskip("safetensors.numpy").save_file

from assay.models.loading import load_folder
from tests.importers import stored
from tests.importers.checkpoints import LABELS, write_tokenizer
from tools.models.importers import tokenizer_files
from tools.models.importers.result import ImportRequest
from tools.models.importing import kind_of, make_bundle

CASES = stored.cases()
LENGTH = stored.LENGTHS[1]


@pytest.fixture(autouse=True)
def _no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)


def folder_of(path: Path, name: str) -> Path:
    write_tokenizer(path, "Bert")
    if CASES[name]["config"]["model_type"] == "modernbert":  # whose tokenizer has one form only
        tokenizer_files.write_tokenizer(path, path / "tokenizer.json")
        (path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))
    labels = {"id2label": LABELS, "architectures": ["AnyForSequenceClassification"]}
    (path / "config.json").write_text(json.dumps({**CASES[name]["config"], **labels}))
    save_file(stored.weights_of(name), path / "model.safetensors")
    return path


@pytest.mark.parametrize("name", CASES)
def test_the_bundle_answers_as_transformers_did(tmp_path: Path, name: str) -> None:
    wish = ImportRequest(folder_of(tmp_path / "source", name), quantize="none", labels=tuple("abcde")[: outputs(name)])
    _, report = make_bundle(wish, kind_of(wish), "mine", "1", "", tmp_path / "bundle")
    model = load_folder(tmp_path / "bundle", 1)
    assert probes.check_probes(model) is not None
    assert any("differs from its source" in line for line in report)
    ids = stored.ids(LENGTH).astype(np.int32)
    found = model.runner.run({"input_ids": ids, "attention_mask": np.ones_like(ids)})[0]
    np.testing.assert_allclose(found, CASES[name]["logits"][str(LENGTH)], atol=1e-4)


def outputs(name: str) -> int:
    return len(CASES[name]["logits"][str(LENGTH)])
