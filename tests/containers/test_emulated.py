"""The images as Lambda runs them: read-only, without rights, within their memory, behind AWS's emulator."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from assay.aws.s3 import Bucket
from tests.e2e.running import Service
from tools.containers import docker, run_emulated
from tools.local import stack
from tools.models.build import build_manifest
from tools.models.publish import publish
from tools.models.shipped import newest
from tools.paths import ROOT

pytestmark = pytest.mark.containers
RANK, CLASSIFY, FULL = "rankapifunction:rank", "classifyapifunction:classify", "assay-rank:full"
SLIM_BYTES = 400_000_000
EVENTS = {"rank.api.handler": "rank_json.json", "classify.api.handler": "classify.json"}
TWINS = {"twin-litert": ("tflite", "model.tflite"), "twin-tensorflow": ("saved_model", "saved_model")}


def _event(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / "events" / name).read_text())
    return event


@pytest.mark.parametrize("image", [RANK, CLASSIFY])
def test_a_slim_image_is_small(image: str) -> None:
    assert int(docker("image", "inspect", "--format", "{{.Size}}", image)) <= SLIM_BYTES


@pytest.mark.parametrize(("image", "handler"), [(RANK, "rank.api.handler"), (CLASSIFY, "classify.api.handler")])
@pytest.mark.parametrize("memory", [1024, 3008])
def test_an_image_answers_on_a_read_only_file_system(
    image: str, handler: str, memory: int, environment: Mapping[str, str]
) -> None:
    with run_emulated(image, handler, {**environment, "ASSAY_PRELOAD": "1"}, memory=memory) as container:
        answers = [container.invoke(_event(EVENTS[handler])) for _ in range(2)]
        log = container.log()
    assert [answer["statusCode"] for answer in answers] == [200, 200]
    assert "Read-only file system" not in log


def test_a_new_version_is_noticed_without_a_restart(
    service: Service, environment: Mapping[str, str], tmp_path: Path
) -> None:
    settings = {**environment, "ASSAY_SCORE_MODEL": "copy", "ASSAY_MODEL_REFRESH_SECONDS": "0"}
    versions = []
    _publish_copy(service, tmp_path, "1")
    with run_emulated(RANK, "rank.api.handler", settings) as container:
        for following in ("2", "3"):
            versions.append(_models(container.invoke(_event("rank_json.json")))["score"]["version"])
            _publish_copy(service, tmp_path, following)
    assert versions == ["1", "2"]


def _publish_copy(service: Service, folder: Path, version: str) -> None:
    """Publish the default score model under the name `copy`."""
    source, target = newest(ROOT / "models", "stability-trypsin"), folder / version
    shutil.copytree(source, target)
    header = json.loads((source / "manifest.json").read_text())
    del header["files"]
    (target / "manifest.json").write_bytes(
        build_manifest(target, {**header, "name": "copy", "version": version}).dumps()
    )
    publish(Bucket(service.s3, service.models), target, run=False)


def _models(answer: Mapping[str, Any]) -> dict[str, Any]:
    models: dict[str, Any] = json.loads(answer["body"])["models"]
    return models


@pytest.fixture(scope="module")
def full() -> str:
    """The image with TensorFlow, built once."""
    base = docker("image", "inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", RANK)
    arguments = ["--build-arg=WITH_TENSORFLOW=1", "--build-arg=FUNCTION=rank"]
    if "PIP_BREAK_SYSTEM_PACKAGES=1" in base:
        arguments.append("--build-arg=BASE_IMAGE=local/python:3.13")
    docker("build", "--quiet", "--tag", FULL, "--file", str(ROOT / "functions/Dockerfile"), *arguments, str(ROOT))
    return FULL


@pytest.fixture(scope="module")
def twins(full: str, service: Service, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """One network published in both formats; gives the bundles' names."""
    folder = tmp_path_factory.mktemp("twins")
    folder.chmod(0o777)
    script = ROOT / "tests/containers/twins.py"
    docker("run", "--rm", f"--volume={script}:/twins.py:ro", f"--volume={folder}:/twins", "--entrypoint=python3",
           full, "/twins.py", "/twins")  # fmt: skip
    for name, (kind, path) in TWINS.items():
        _publish_twin(Bucket(service.s3, service.models), folder, name, kind, path)
    return list(TWINS)


def _publish_twin(bucket: Bucket, folder: Path, name: str, kind: str, path: str) -> None:
    target = folder / "bundles" / name
    target.mkdir(parents=True)
    (folder / path).rename(target / path)
    header = {
        "schema": 1, "name": name, "version": "1", "task": "sequence-score", "format": kind,
        "inputs": [{"name": "sequence", "dtype": "uint8", "shape": [64, 50]}],
        "outputs": [{"name": "score", "dtype": "float32", "shape": [64]}],
        "sequence": {"alphabet": "ACDEFGHIKLMNPQRSTVWY", "length": 50, "encoding": "index"},
        "metrics": {}, "provenance": {}, "licence": "Apache-2.0",
    }  # fmt: skip
    (target / "manifest.json").write_bytes(build_manifest(target, header).dumps())
    publish(bucket, target, run=False)


def _answer(image: str, model: str, environment: Mapping[str, str]) -> tuple[dict[str, Any], str]:
    settings = {**environment, "ASSAY_GATE_MODEL": model, "ASSAY_SCORE_MODEL": model}
    with run_emulated(image, "rank.api.handler", settings) as container:
        event = _event("rank_json.json")
        body = json.loads(event["body"])
        event["body"] = json.dumps({"sequences": body["sequences"], "threshold": -1e6})
        answer: dict[str, Any] = container.invoke(event)
        return answer, container.log()


def test_both_runtimes_score_alike(full: str, twins: list[str], environment: Mapping[str, str]) -> None:
    rankings = []
    for name in twins:
        answer, log = _answer(full, name, environment)
        assert answer["statusCode"] == 200, log
        rankings.append({row["sequence"]: row["score"] for row in json.loads(answer["body"])["ranked"]})
    assert len(rankings[0]) > 1
    assert rankings[0] == pytest.approx(rankings[1], rel=1e-4, abs=1e-5)


@pytest.mark.usefixtures("twins")
def test_the_slim_image_says_that_it_cannot_serve_a_saved_model(environment: Mapping[str, str]) -> None:
    answer, log = _answer(RANK, "twin-tensorflow", environment)
    assert answer["statusCode"] == 503
    assert json.loads(answer["body"])["error"]["code"] in {"runtime_missing", "model_unavailable"}
    assert "tensorflow" in log


def test_the_full_image_does_not_import_tensorflow_for_litert(full: str) -> None:
    found = docker(
        "run", "--rm", "--read-only", "--tmpfs=/tmp", "--env=ASSAY_MODELS_BUCKET=none", "--env=AWS_DEFAULT_REGION=none",
        "--entrypoint=python3", full, "-c",
        "import sys, rank.api, assay.models.loading; print('tensorflow' in sys.modules)",
    )  # fmt: skip
    assert found == "False"


def test_functions_share_images_as_the_template_says(declared: stack.Stack) -> None:
    built = set(docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines())
    assert {RANK, CLASSIFY} <= built
