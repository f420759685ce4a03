"""The rank models' training from a table to bundles, small: `make test-importers` runs it where PyTorch is."""

import csv
import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("tensorflow")

from assay.models.loading import load_folder
from assay.models.probes import check_probes
from tools.models.scan_graph import score_rows
from tools.training.sequences import __main__ as command
from tools.training.sequences import convert, distil_pair, fitting, pipeline
from tools.training.sequences.pair_cards import card
from tools.training.sequences.proteins_data import ALPHABET, STABLE, Proteins
from tools.training.sequences.stability_network import Student, StudentShape

ROWS = 600
FOLDS = 2
SHAPES = {
    "32x1": StudentShape(width=32),
    "64x1": StudentShape(),
    "96x2": StudentShape(width=96, blocks=2),
    "stride 1": StudentShape(stride=1),
    "stride 4": StudentShape(stride=4),
    "dilated": StudentShape(kernel=3, blocks=2, dilation=2),
    "depthwise": StudentShape(kernel=9, blocks=2, separable=True),
    "no padding": StudentShape(stem=10, blocks=2, valid=True),
    "no padding, dilated": StudentShape(stem=10, kernel=3, dilation=2, valid=True),
}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random proteins whose stability is what share of them is leucine."""
    random = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("data") / "stability50.csv.gz"
    with gzip.open(path, "wt", newline="", encoding="utf-8") as target:
        rows = csv.writer(target)
        rows.writerow(("sequence", "ss_trypsin", "ss_chymotrypsin", "ec50_t", "ec50_c", "kind", "fold"))
        for row in range(ROWS):
            sequence = "".join(random.choice([*ALPHABET, *"L" * (row % 20)], 50))
            stability = round(sequence.count("L") / 12, 3)
            rows.writerow((sequence, stability, stability, 0, 0, "design", row % FOLDS))
    return path


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "BATCH", 32)
    monkeypatch.setattr(fitting, "TEACHER", fitting.Recipe(2, 3e-3, 0.03))
    monkeypatch.setattr(fitting.new_student, "__defaults__", (fitting.Recipe(6, 3e-3, 0.01),))
    monkeypatch.setattr(pipeline, "SHAPES", {"chymotrypsin": StudentShape(width=8), "trypsin": StudentShape(width=12)})
    monkeypatch.setattr(command, "FOLDS", range(FOLDS))


def _run(monkeypatch: pytest.MonkeyPatch, table: Path, out: Path) -> None:
    options = ("--teachers", "1", "--copies", "1", "--cross-validate", "--threads", "1", "--version", "7")
    monkeypatch.setattr("sys.argv", ["train", str(table), str(out), "--kept", str(out / "kept"), *options])
    command.main()


@pytest.mark.usefixtures("small")
def test_a_table_becomes_two_bundles_whose_cards_say_what_their_manifests_say(
    tmp_path: Path, table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(monkeypatch, table, tmp_path)
    trained = capsys.readouterr().out
    for name in ("chymotrypsin", "trypsin"):
        folder = tmp_path / f"stability-{name}" / "7"
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        difference = check_probes(load_folder(folder, 1))
        assert difference is not None
        assert difference < 1e-4
        assert manifest["quantization"] == "static"
        assert manifest["metrics"]["spearman_all"] > 0.5
        assert len(manifest["metrics"]["cross_validation"]["spearman_all"]) == FOLDS
        assert (folder.parent / "README.md").read_text("utf-8") == card(manifest)
        assert (folder.parent / "quality.png").read_bytes().startswith(b"\x89PNG")
    assert 0 < manifest_zero(tmp_path) < 2
    assert "epoch" in trained
    before = (tmp_path / "stability-trypsin" / "7" / "model.tflite").read_bytes()
    _run(monkeypatch, table, tmp_path)
    assert "epoch" not in capsys.readouterr().out, "a kept network is not trained again"
    assert (tmp_path / "stability-trypsin" / "7" / "model.tflite").read_bytes() == before


@pytest.mark.usefixtures("small")
def test_a_pair_without_padding_is_distilled_and_scans_windows(
    tmp_path: Path, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(monkeypatch, table, tmp_path)
    monkeypatch.setattr(distil_pair, "SHAPE", replace(distil_pair.SHAPE, width=8))
    out = tmp_path / "distilled"
    monkeypatch.setattr("sys.argv", ["distil", str(table), str(tmp_path), str(out), "--threads", "1"])
    distil_pair.main()
    text = np.random.default_rng(2).integers(0, 20, 3000).astype(np.uint8)
    windows = np.lib.stride_tricks.sliding_window_view(text, 50)
    for name in ("chymotrypsin", "trypsin"):
        scorer = load_folder(out / f"stability-{name}" / "scanning", 1).scorer
        assert scorer.model.manifest.metrics["spearman_all"] > 0.5
        assert scorer.model.window_scan is not None
        assert scorer.score(windows).tobytes() == scorer.score_singly(windows).tobytes()


def manifest_zero(folder: Path) -> float:
    manifest = json.loads((folder / "stability-chymotrypsin" / "7" / "manifest.json").read_text("utf-8"))
    return float(manifest["provenance"]["gate_zero"])


def test_the_gates_zero_is_where_a_protein_is_as_likely_stable_as_not() -> None:
    random = np.random.default_rng(0)
    predicted = random.normal(0.5, 0.6, (20_000, 2)).astype(np.float32)
    likely = 1 / (1 + np.exp(-5 * (predicted[:, :1] - 0.7)))
    scores = np.where(random.random((20_000, 1)) < likely, STABLE + 0.5, STABLE - 0.5).astype(np.float32)
    nothing = np.zeros(len(scores))
    proteins = Proteins(
        np.zeros((len(scores), 50), np.uint8), np.repeat(scores, 2, 1), nothing.astype(str), nothing.astype(int), scores
    )
    assert pipeline.find_even_point(
        [pipeline.Fold(proteins, proteins.codes, {}, predicted, predicted)]
    ) == pytest.approx(0.7, abs=0.03)
    assert pipeline.find_even_point([]) == STABLE


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_student_of_each_shape_is_the_same_network_in_litert(shape: StudentShape) -> None:
    import torch

    torch.manual_seed(0)
    student = Student(replace(shape, width=16))
    student(torch.randint(0, 20, (64, 50)))  # normalisation that does something
    student.eval()
    codes = np.random.default_rng(0).integers(0, 20, (300, 50), np.uint8)
    for head in range(2):
        served = score_rows(convert.convert_student(student, head, 0.5, 64), codes)
        np.testing.assert_allclose(served, fitting.predict_stability([student], codes)[:, head] + 0.5, atol=1e-5)
