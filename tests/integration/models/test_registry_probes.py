"""A version that a function meets for the first time answers its probes before it serves."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.errors import ModelUnavailable
from assay.models import probes
from assay.models.loading import LoadedModel, load_folder
from assay.models.manifest import MANIFEST
from assay.models.registry import Registry
from tests.conftest import DATA, Aws
from tests.integration.registries import NAME, TASK, Clock, make, version_of
from tools.models.build import build_manifest
from tools.models.importers.result import probe_model
from tools.models.publish import publish

SEQUENCES = ["".join(np.random.default_rng(seed).choice(list("ACDEFGHIKLMNPQRSTVWY"), 50)) for seed in range(20)]
TEXTS = [f"An abstract of {word}, long enough to be read by a model of letters." for word in ("a", "bcd", "xyz")]
CASES = {"tiny-index": ("sequence-score", SEQUENCES), "tiny-text": ("text-classification", TEXTS)}


def rebuilt(folder: Path, header: dict[str, Any]) -> None:
    document = {**json.loads((folder / MANIFEST).read_text()), **header}
    (folder / MANIFEST).write_bytes(build_manifest(folder, document).dumps())


def probed(aws: Aws, folder: Path, version: str, off: float = 0.0, first: int = 0, name: str = NAME) -> None:
    """Publish a version whose probes from `first` on are off by a number; unchecked, as by another tool."""
    target = version_of(folder, version, source=DATA / name / "1")
    found = probe_model(load_folder(target, 1), CASES[name][1], tolerance=0.01)
    found.outputs[first:] += off
    (target / probes.PROBES).write_bytes(found.dumps())
    rebuilt(target, {})
    publish(aws.models, target, run=False)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("off", "serves"), [(0.005, "2"), (0.02, "1")])
def test_a_version_that_fails_its_probes_is_refused_while_the_old_one_serves(
    aws: Aws,
    registry: Registry,
    tmp_path: Path,
    clock: Clock,
    metrics: Counter[str],
    name: str,
    off: float,
    serves: str,
) -> None:
    aws.publish(name)
    old = registry.current(name, CASES[name][0])
    probed(aws, tmp_path, "2", off, name=name)
    clock.pass_refresh()
    found = registry.current(name, CASES[name][0])
    assert found.manifest.version == serves
    assert (found is old) == (serves == "1") == (metrics["ModelRefused"] == 1)


def test_a_first_version_that_fails_its_probes_is_unavailable(aws: Aws, registry: Registry, tmp_path: Path) -> None:
    probed(aws, tmp_path, "2", off=1.0)
    with pytest.raises(ModelUnavailable, match="version 2 was refused: tiny-index 2 differs from its source by 1"):
        registry.current(NAME, TASK)


def test_no_more_than_eight_probes_are_asked_and_once_in_an_environment(
    aws: Aws, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    scores = probes.score_probes

    def counted(model: LoadedModel, inputs: Sequence[str]) -> Any:
        asked.append(len(inputs))
        return scores(model, inputs)

    monkeypatch.setattr(probes, "score_probes", counted)
    for version, off in (("1", 0.0), ("2", 0.0), ("3", 1.0)):
        probed(aws, tmp_path, version, off, first=8)
    asked.clear()
    registry = make(aws, tmp_path, clock, memory_bytes=1)
    for version in ("1", "2", "3", "1", "2", "3"):
        registry.pin(NAME, version, TASK)
    assert asked == [8, 8, 8]


def test_malformed_probes_are_a_refusal(aws: Aws, registry: Registry, tmp_path: Path) -> None:
    target = version_of(tmp_path, "2")
    (target / probes.PROBES).write_text('{"tolerance": 1, "sequences": ["AAA"], "outputs": [0.5]}')
    rebuilt(target, {})
    publish(aws.models, target, run=False)
    with pytest.raises(ModelUnavailable, match="is not 50 residues"):
        registry.current(NAME, TASK)


@pytest.mark.parametrize("content", ["", "{}", '{"version": "1.0", "model": 7}', "not JSON"])
def test_a_classifier_whose_tokenizer_is_none_is_refused_while_the_old_one_serves(
    aws: Aws, registry: Registry, tmp_path: Path, clock: Clock, metrics: Counter[str], content: str
) -> None:
    aws.publish("tiny-text")
    old = registry.current("tiny-text", "text-classification")
    target = version_of(tmp_path, "2", source=DATA / "tiny-text" / "1")
    (target / "tokenizer.json").write_text(content)
    rebuilt(target, {})
    publish(aws.models, target, run=False)
    clock.pass_refresh()
    assert registry.current("tiny-text", "text-classification") is old
    assert metrics["ModelRefused"] == 1
