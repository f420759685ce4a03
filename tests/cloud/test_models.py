"""Models published, activated, rolled back and refused while calls come in."""

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cloud.deployment import Deployment, assay, publish, wait_for
from tests.cloud.samples import DESIGN, OTHER
from tools.paths import ROOT

pytestmark = pytest.mark.cloud
NAME = "stability-trypsin"


class Calls:
    """What was answered to calls made one after the other until told to stop."""

    def __init__(self, cloud: Deployment) -> None:
        self.versions: list[str] = []
        self.refused: list[str] = []
        self.stop = threading.Event()
        self._cloud = cloud

    def run(self) -> None:
        """Call until told to stop."""
        while not self.stop.wait(0.05):
            reply = self._cloud.post("/rank?threshold=-1000", json={"sequences": [DESIGN, OTHER]})
            if reply.status_code == 200:
                self.versions.append(reply.json()["models"]["score"]["version"])
            else:
                self.refused.append(reply.text)

    def served(self, version: str) -> None:
        """Wait until a version answers."""
        wait_for(lambda: version in self.versions[-3:] or None, f"an answer of version {version}")


@contextmanager
def _calling(cloud: Deployment) -> Iterator[Calls]:
    calls = Calls(cloud)
    thread = threading.Thread(target=calls.run)
    thread.start()
    try:
        yield calls
    finally:
        calls.stop.set()
        thread.join(120)


def _copied(folder: Path, version: str) -> Path:
    [source] = ROOT.glob(f"models/{NAME}/[0-9]*")
    made = folder / version
    shutil.copytree(source, made)
    manifest: dict[str, Any] = json.loads((made / "manifest.json").read_text())
    (made / "manifest.json").write_text(json.dumps({**manifest, "version": version}))
    return made


def _current(cloud: Deployment) -> str:
    return str(cloud.get("/health").json()["models"]["score"]["version"])


def test_a_model_is_swapped_and_rolled_back_under_calls(cloud: Deployment, tmp_path: Path) -> None:
    before = _current(cloud)
    with _calling(cloud) as calls:
        calls.served(before)
        publish(cloud, str(_copied(tmp_path, "swapped")))
        calls.served("swapped")
        assay(cloud, "models", "rollback", NAME, "--stack", cloud.stack)
        calls.served(before)
        assay(cloud, "models", "activate", NAME, "swapped", "--stack", cloud.stack)
        calls.served("swapped")
        assay(cloud, "models", "activate", NAME, before, "--stack", cloud.stack)
        calls.served(before)
    assert calls.refused == []
    assert set(calls.versions) == {before, "swapped"}


def test_a_broken_model_is_refused_and_the_one_before_goes_on(cloud: Deployment, tmp_path: Path) -> None:
    before = _current(cloud)
    broken = _copied(tmp_path, "broken")
    publish(cloud, str(broken), "--no-serve")
    pointer = f"models/{NAME}/current.json"
    kept = cloud.s3.get_object(Bucket=cloud.models, Key=pointer)["Body"].read()
    [file] = [path for path in broken.iterdir() if path.suffix == ".tflite"]
    cloud.s3.put_object(Bucket=cloud.models, Key=f"models/{NAME}/broken/{file.name}", Body=b"\0" * 1000)
    with _calling(cloud) as calls:
        calls.served(before)
        moved = json.dumps({**json.loads(kept), "version": "broken"}).encode()
        cloud.s3.put_object(Bucket=cloud.models, Key=pointer, Body=moved)
        wait_for(lambda: _refusals(cloud) or None, "a refusal in the log")
        count = len(calls.versions)
        wait_for(lambda: len(calls.versions) > count + 3 or None, "calls after the refusal")
        cloud.s3.put_object(Bucket=cloud.models, Key=pointer, Body=kept)
    assert calls.refused == []
    assert set(calls.versions) == {before}


def _refusals(cloud: Deployment) -> list[str]:
    return [line for line in cloud.log("rank-api") if "model refused" in line]
