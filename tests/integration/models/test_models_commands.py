import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.errors import BundleInvalid, ObjectMissing
from assay.models import probes
from assay.models.loading import SequenceScorer, load_folder
from assay.models.manifest import MANIFEST
from assay.models.probes import PROBES, Probes
from assay.models.published import bundle_key
from tests.conftest import DATA, Aws
from tests.integration.registries import versions
from tests.models_command import main
from tools.models import publish
from tools.models.build import build_manifest

RESIDUES = "ACDEFGHIKLMNPQRSTVWY"
SEQUENCES = ["".join(np.random.default_rng(seed).choice(list(RESIDUES), 50)) for seed in range(30)]
TEXTS = [f"An abstract of {word}, long enough to be read by a model of two letters." for word in ("a", "bcd", "xyz")]
BUCKET = ["--bucket", "models"]


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "ERROR")
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")


def with_probes(tmp_path: Path, name: str, *, off: float = 0.0, version: str = "1", **header: Any) -> Path:
    """A copy of a tiny bundle with probes whose outputs are off by a number."""
    folder = tmp_path / f"{name}-{version}-{off}"
    shutil.copytree(DATA / name / "1", folder)
    model = load_folder(folder, 1)
    kind, inputs = ("texts", TEXTS) if model.manifest.text else ("sequences", SEQUENCES)
    outputs = probes.score_probes(model, inputs) + off
    (folder / PROBES).write_bytes(Probes(kind, tuple(inputs), outputs, 0.02).dumps())  # type: ignore[arg-type]
    document = {**json.loads((folder / MANIFEST).read_text()), "version": version, **header}
    (folder / MANIFEST).write_bytes(build_manifest(folder, document).dumps())
    return folder


@pytest.mark.parametrize("name", ["tiny-index", "tiny-one-hot-flat", "tiny-text"])
def test_a_bundle_is_published_only_if_it_answers_as_its_source(aws: Aws, tmp_path: Path, name: str) -> None:
    with pytest.raises(BundleInvalid, match=r"differs from its source by 0.05"):
        publish.publish(aws.models, with_probes(tmp_path, name, off=0.05))
    assert list(aws.models.keys("")) == []
    publish.publish(aws.models, with_probes(tmp_path, name, off=0.015))
    assert versions(publish.find_pointer(aws.models, name)) == ("1", None)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"outputs": [1.0]}, "shape"),
        ({"outputs": [None] * 30}, "not numbers|not finite"),
        ({"outputs": [[1], [1, 2]] * 15}, "not numbers"),
        ({"tolerance": True}, "tolerance"),
        ({"tolerance": -1}, "tolerance"),
        ({"sequences": ["AAA"] * 30}, "50 residues"),
        ({"sequences": None}, "sequences"),
    ],
)
def test_malformed_probes_are_refused(tmp_path: Path, change: dict[str, Any], complaint: str) -> None:
    folder = with_probes(tmp_path, "tiny-index")
    (folder / PROBES).write_text(json.dumps(json.loads((folder / PROBES).read_text()) | change))
    (folder / MANIFEST).write_bytes(build_manifest(folder, json.loads((folder / MANIFEST).read_text())).dumps())
    with pytest.raises(BundleInvalid, match=complaint):
        publish.require_publishable(folder)


def test_a_rollback_goes_back_and_a_second_one_forward(aws: Aws, tmp_path: Path) -> None:
    for version in ("1", "2"):
        publish.publish(aws.models, with_probes(tmp_path, "tiny-index", version=version))
    assert main(["rollback", "tiny-index", "--dry-run", *BUCKET]) == 0
    assert versions(publish.find_pointer(aws.models, "tiny-index")) == ("2", "1")
    assert main(["rollback", "tiny-index", *BUCKET]) == 0
    assert versions(publish.find_pointer(aws.models, "tiny-index")) == ("1", "2")
    assert versions(publish.rollback(aws.models, "tiny-index")) == ("2", "1")


def test_without_a_previous_version_nothing_is_rolled_back(aws: Aws) -> None:
    aws.publish("tiny-index")
    with pytest.raises(ObjectMissing, match="no version before"):
        publish.rollback(aws.models, "tiny-index")


def test_a_dry_run_writes_nothing(aws: Aws, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(with_probes(tmp_path, "tiny-index"))
    assert main(["publish", folder, "--dry-run", *BUCKET]) == 0
    assert "would be in models" in capsys.readouterr().out
    assert list(aws.models.keys("")) == []
    assert main(["publish", folder, *BUCKET]) == 0
    assert main(["pull", "tiny-index", "--dry-run", "--to", str(tmp_path / "to"), *BUCKET]) == 0
    assert not (tmp_path / "to").exists()


def test_what_is_pulled_is_what_was_published(aws: Aws, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = with_probes(tmp_path, "tiny-text")
    publish.publish(aws.models, folder)
    assert main(["pull", "tiny-text", "--to", str(tmp_path / "to"), *BUCKET]) == 0
    assert "100%" in capsys.readouterr().err
    pulled = tmp_path / "to" / "tiny-text" / "1"
    assert {path.name: path.read_bytes() for path in pulled.iterdir()} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }
    assert main(["pull", "tiny-text/1", "--to", str(tmp_path / "to"), *BUCKET]) == 1
    assert "is there already" in capsys.readouterr().err


def test_a_bundle_changed_in_the_bucket_is_not_pulled(aws: Aws, tmp_path: Path) -> None:
    aws.publish("tiny-index")
    key = "models/tiny-index/1/model.tflite"
    content = aws.models.get(key, limit=1 << 24)
    assert content is not None
    aws.models.put(key, content[0][:-1] + b"?", "")
    assert main(["pull", "tiny-index", "--to", str(tmp_path), *BUCKET]) == 1
    assert list(tmp_path.rglob("*.tflite")) == []


@pytest.mark.parametrize("which", ["tiny-index", "tiny-index@1"])
def test_a_manifest_changed_in_the_bucket_is_not_pulled(
    aws: Aws, tmp_path: Path, capsys: pytest.CaptureFixture[str], which: str
) -> None:
    aws.publish("tiny-index")
    content = (DATA / "tiny-index" / "1" / MANIFEST).read_bytes()
    aws.models.put(bundle_key("tiny-index", "1"), content.replace(b"Apache", b"apache"), "")
    assert main(["pull", which, "--to", str(tmp_path / "to"), *BUCKET]) == 1
    assert "its sha256 differs" in capsys.readouterr().err
    assert not (tmp_path / "to").exists()


def test_show_prints_the_manifest(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.publish("tiny-text")
    assert main(["show", "tiny-text", *BUCKET]) == 0
    from_bucket = capsys.readouterr().out
    assert main(["show", str(DATA / "tiny-text" / "1")]) == 0
    assert capsys.readouterr().out == from_bucket
    for part in ("text-classification", "input_ids int32 [1, any]", "cs  from 0.3", "sigmoid"):
        assert part in from_bucket


def test_compare_tells_what_changes_of_sequences(aws: Aws, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    aws.publish("tiny-index")
    file = tmp_path / "designs.txt"
    file.write_text("\n".join(SEQUENCES))
    other = str(DATA / "tiny-one-hot" / "1")
    assert main(["compare", "tiny-index/1", other, "--file", str(file), "--top", "10", *BUCKET]) == 0
    out = capsys.readouterr().out
    assert "tiny-index 1 -> tiny-one-hot 1" in out
    assert "rank correlation (Spearman)   1.0000" in out
    assert "10 of 10" in out
    assert main(["compare", other, str(DATA / "tiny-text" / "1"), "--file", str(file)]) == 1


def test_spearman_is_that_of_scipy_s_definition_with_ties() -> None:
    from tools.models.metrics import spearman

    first, second = np.array([1, 2, 2, 4], np.float32), np.array([1, 3, 2, 4], np.float32)
    assert spearman(first, second) == pytest.approx(0.9486833)
    assert spearman(first, -first) == pytest.approx(-1)
    assert np.isnan(spearman(first, np.ones(4, np.float32)))


def test_compare_tells_what_changes_of_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = json.loads((DATA / "tiny-text" / "1" / MANIFEST).read_text())["text"]
    other = with_probes(tmp_path, "tiny-text", version="2", text={**text, "thresholds": {"cs": 0.0, "math": 1.0}})
    for name, content in (("a.txt", "\n".join(TEXTS)), ("a.jsonl", "\n".join(json.dumps({"text": t}) for t in TEXTS))):
        (tmp_path / name).write_text(content)
        file = ["--file", str(tmp_path / name)]
        assert main(["compare", str(DATA / "tiny-text" / "1"), str(other), *file]) == 0
        rows = [line.split() for line in capsys.readouterr().out.splitlines()]
        listed = {row[0]: row[1:] for row in rows if len(row) == 6}
        assert set(listed) >= {"astro-ph", "cs", "math", "physics"}
        assert listed["cs"][3] == "3"
        assert listed["math"][3] == "0"


def test_without_a_bucket_a_command_says_how_to_name_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ASSAY_MODELS_BUCKET", raising=False)
    assert main(["list"]) == 1
    assert "--bucket NAME, --stack NAME" in capsys.readouterr().err


def test_scores_are_those_of_the_scorer() -> None:
    model = load_folder(DATA / "tiny-index" / "1", 1)
    codes = probes.probe_codes([*SEQUENCES, SEQUENCES[0].lower()], SequenceScorer(model).contract)
    assert probes.score_probes(model, SEQUENCES).tobytes() == SequenceScorer(model).score(codes[:-1]).tobytes()
    assert codes[0].tobytes() == codes[-1].tobytes()
