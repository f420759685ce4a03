"""The images need no rights: not root, no capability, nothing to write but /tmp, and answers as right as any.

Lambda runs every image as an unknown user on a read-only file system, so the Dockerfiles name no USER: SAM builds
on them what only root may.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.e2e.running import Service
from tools.containers import USER, Container, docker, run_emulated
from tools.paths import ROOT

pytestmark = pytest.mark.containers
IMAGES: Final = {
    "rankapifunction:rank": ("rank.api.handler", "rank_json.json"),
    "classifyapifunction:classify": ("classify.api.handler", "classify.json"),
}
CONFINED: Final = ("--cap-drop=ALL", "--security-opt=no-new-privileges", "--ipc=none", "--pids-limit=128")
PROBE: Final = """
import json, os, pathlib
def tried(path, mode="x"):
    try:
        with open(path, mode) as stream: stream.write("x")
        return "written"
    except OSError as error: return error.strerror
def status(process): return dict(line.split(":\\t", 1) for line in open(f"/proc/{process}/status") if ":\\t" in line)
kept = ("/proc", "/sys", "/dev", "/tmp")
folders = [folder for folder, _, _ in os.walk("/") if not folder.startswith(kept)]
code = [str(path) for root in ("/var/task", "/opt/python") for path in pathlib.Path(root).rglob("*") if path.is_file()]
print(json.dumps({
    "user": [os.getuid(), os.geteuid(), os.getgid(), os.getgroups()],
    "processes": [status(each)["Uid"].split() for each in os.listdir("/proc") if each.isdigit()],
    "rights": {name: int(status("self")[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")},
    "folders": len(folders), "code": len(code),
    "written": [path for path in folders if tried(path + "/written-by-a-test") == "written"]
        + [path for path in code if tried(path, "a") == "written"],
    "shared": tried("/var/tmp/written-by-a-test"), "tmp": tried("/tmp/written-by-a-test"),
}))
"""


def _event(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / "events" / name).read_text())
    return event


def _expected(service: Service, event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the local service, which runs in no container, answers the same request."""
    reply = service.post(event["path"], data=event["body"], headers={"Content-Type": "application/json"})
    assert reply.status_code == 200
    body: dict[str, Any] = reply.json()
    return body


def _inside(container: Container) -> dict[str, Any]:
    """Return what a process finds in a container that it may do there."""
    found: dict[str, Any] = json.loads(docker("exec", container.id, "python3", "-c", PROBE))
    return found


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_is_right_without_any_rights(image: str, service: Service, environment: Mapping[str, str]) -> None:
    handler, name = IMAGES[image]
    event = _event(name)
    with run_emulated(image, handler, environment, options=CONFINED) as container:
        answers = [container.invoke(event), container.invoke(event)]
        inside = _inside(container)
    for answer in answers:
        assert answer["statusCode"] == 200
        _hold_alike(json.loads(answer["body"]), _expected(service, event))
    user, group = map(int, USER.split(":"))
    assert inside["user"] == [user, user, group, [group]]
    assert user != 0
    assert {number for numbers in inside["processes"] for number in numbers} == {str(user)}
    assert set(inside["rights"].values()) == {0}
    assert inside["folders"] > 100
    assert inside["code"] > 50
    assert inside["written"] == []
    assert (inside["shared"], inside["tmp"]) == ("Read-only file system", "written")


def _hold_alike(answer: dict[str, Any], expected: dict[str, Any]) -> None:
    """Hold that two replies say the same, numbers to six digits: models may run on other kernels."""
    if "ranked" in expected:
        assert len(expected["ranked"]) > 0
        assert [row["sequence"] for row in answer["ranked"]] == [row["sequence"] for row in expected["ranked"]]
        assert [row["score"] for row in answer["ranked"]] == pytest.approx([row["score"] for row in expected["ranked"]])
        assert answer["counts"] == expected["counts"]
    else:
        [found], [wanted] = answer["results"], expected["results"]
        assert found["scores"] == pytest.approx(wanted["scores"], abs=1e-6)
        assert found["labels"]
