import json
import shutil
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.errors import BundleInvalid, RuntimeMissing
from assay.models.loading import LiteRTRunner, LoadedModel, load_folder, load_model, run_once
from assay.models.manifest import MANIFEST, Manifest, read_manifest
from tools.models.build import build_manifest

DATA = Path(__file__).parents[2] / "data"
CHANGES: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "other names": ("tiny-text", [{"name": name, "dtype": "int32", "shape": [1, None]} for name in ("ids", "mask")]),
    "another dtype": ("tiny-index", [{"name": "sequence", "dtype": "float32", "shape": [8, 50]}]),
    "another rank": (
        "tiny-text",
        [{"name": n, "dtype": "int32", "shape": [1]} for n in ("input_ids", "attention_mask")],
    ),
}


def copied(tmp_path: Path, name: str, **header: Any) -> Path:
    """A copy of a tiny bundle whose manifest says something else."""
    folder = tmp_path / name
    shutil.copytree(DATA / name / "1", folder)
    rebuild(folder, **header)
    return folder


def rebuild(folder: Path, **header: Any) -> Manifest:
    manifest = build_manifest(folder, {**json.loads((folder / MANIFEST).read_text()), **header})
    (folder / MANIFEST).write_bytes(manifest.dumps())
    return manifest


def put_nan(folder: Path) -> None:
    """Make one weight of tiny-index not a number."""
    random = np.random.default_rng(50)
    random.normal(0, 0.4, (1000, 4))
    weight = struct.pack("<f", random.normal(0, 1, (4, 1))[0, 0])
    content = (folder / "model.tflite").read_bytes()
    assert content.count(weight) == 1
    (folder / "model.tflite").write_bytes(content.replace(weight, struct.pack("<f", float("nan"))))
    rebuild(folder)


def test_an_intact_bundle_loads_and_answers() -> None:
    for name in ("tiny-index", "tiny-one-hot", "tiny-one-hot-flat", "tiny-text"):
        run_once(load_folder(DATA / name / "1", threads=1))


def test_a_text_model_takes_any_length_and_repeats_itself() -> None:
    runner = load_folder(DATA / "tiny-text" / "1", threads=1).runner

    def run(length: int) -> bytes:
        ids = np.arange(length, dtype=np.int32).reshape(1, -1)
        return runner.run({"input_ids": ids, "attention_mask": np.ones_like(ids)}).tobytes()

    first = {length: run(length) for length in (3, 17, 5)}
    assert {length: run(length) for length in (5, 3, 17)} == first
    assert len(set(first.values())) == 3


def test_inputs_are_resized_only_when_their_shape_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = load_folder(DATA / "tiny-index" / "1", threads=1).runner
    assert isinstance(runner, LiteRTRunner)
    allocated = []
    monkeypatch.setattr(runner, "_interpreter", Counted(runner._interpreter, lambda: allocated.append(1)))
    for batch in (8, 8, 3, 3, 8):
        assert runner.run({"sequence": np.zeros((batch, 50), np.uint8)}).shape == (batch,)
    assert len(allocated) == 2


class Counted:
    """An interpreter that tells when it allocates."""

    def __init__(self, interpreter: Any, told: Any) -> None:
        self._interpreter, self._told = interpreter, told

    def __getattr__(self, name: str) -> Any:
        if name == "allocate_tensors":
            self._told()
        return getattr(self._interpreter, name)


def test_threads_that_share_a_runner_get_their_own_answers() -> None:
    runner = load_folder(DATA / "tiny-index" / "1", threads=1).runner
    batches = [np.full((8, 50), letter, np.uint8) for letter in range(20)]
    alone = [runner.run({"sequence": batch}).tobytes() for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda batch: runner.run({"sequence": batch}).tobytes(), batches * 5))
    assert together == alone * 5


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_is_not_what_the_manifest_says_is_refused(tmp_path: Path, change: str) -> None:
    name, inputs = CHANGES[change]
    with pytest.raises(BundleInvalid, match="input"):
        load_folder(copied(tmp_path, name, inputs=inputs), threads=1)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path, "tiny-index")
    (folder / "model.tflite").write_bytes(b"TFL3" * 1000)
    rebuild(folder)
    with pytest.raises(BundleInvalid, match="does not load"):
        load_folder(folder, threads=1)


def test_a_model_that_answers_nan_is_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path, "tiny-index")
    put_nan(folder)
    with pytest.raises(BundleInvalid, match="not finite"):
        load_folder(folder, threads=1)


def test_a_classifier_with_more_labels_than_outputs_is_refused(tmp_path: Path) -> None:
    text = json.loads((DATA / "tiny-text" / "1" / MANIFEST).read_text())["text"]
    folder = copied(tmp_path, "tiny-text", text={**text, "labels": [*text["labels"], "more"]})
    with pytest.raises(BundleInvalid, match="4 numbers, not 5"):
        load_folder(folder, threads=1)


@pytest.mark.parametrize(
    ("name", "module"), [("tiny-index", "ai_edge_litert.interpreter"), ("tiny-index-saved", "tensorflow")]
)
def test_a_runtime_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, name: str, module: str) -> None:
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(RuntimeMissing, match=r"not installed here"):
        load_folder(DATA / name / "1", threads=1)


def test_a_saved_model_scores_as_its_lite_conversion_does() -> None:
    pytest.importorskip("tensorflow")
    from assay.models.loading import SequenceScorer

    rows = np.random.default_rng(1).integers(0, 20, (700, 50)).astype(np.uint8)
    saved, lite = (SequenceScorer(load_folder(DATA / name / "1", 1)) for name in ("tiny-index-saved", "tiny-index"))
    np.testing.assert_allclose(saved.score(rows), lite.score(rows), atol=1e-5)


def test_a_saved_model_with_another_signature_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    inputs = [{"name": "sequence", "dtype": "int32", "shape": [None, 50]}]
    with pytest.raises(BundleInvalid, match="signature"):
        load_folder(copied(tmp_path, "tiny-index-saved", inputs=inputs), threads=1)


def test_probe_refuses_what_can_not_run() -> None:
    class Broken:
        def run(self, inputs: Any) -> Any:
            raise RuntimeError("no kernel")

    folder = DATA / "tiny-index" / "1"
    with pytest.raises(BundleInvalid, match="no kernel"):
        run_once(LoadedModel(read_manifest(folder), folder, Broken()))


def test_loading_is_timed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POWERTOOLS_METRICS_DISABLED", raising=False)
    folder = DATA / "tiny-index" / "1"
    load_model(folder, read_manifest(folder), 1)
    printed = capsys.readouterr().out
    assert "LoadSeconds" in printed
    assert "WarmSeconds" in printed


@pytest.mark.parametrize(
    ("bundle", "wanted"), [("tiny-index", {"ai_edge_litert"}), ("tiny-text", {"ai_edge_litert", "tokenizers"})]
)
def test_what_a_model_runs_on_is_imported_before_its_files_are_there(bundle: str, wanted: set[str]) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from assay.models.loading import import_runtime; from assay.models.manifest import read_manifest\n"
        f"manifest = read_manifest(Path({str(DATA / bundle / '1')!r}))\n"
        "kinds = ('ai_edge_litert', 'tokenizers')\n"
        "before = [each for each in kinds if each in sys.modules]; import_runtime(manifest)\n"
        "print(before, *(each for each in kinds if each in sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert found[0] == "[]"
    assert {*found[1:]} == wanted
