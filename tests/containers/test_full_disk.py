"""A /tmp that is really full: a request is refused as one to try again, and served once there is room."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tools.containers import USER, Container, docker, run_emulated

pytestmark = pytest.mark.containers
SMALL = ("--tmpfs=/tmp:rw,size=64m",)
IMAGE, HANDLER = "classifyapifunction:classify", "classify.api.handler"


def inside(container: Container, command: str) -> str:
    return docker("exec", f"--user={USER}", container.id, "sh", "-c", command)


def test_a_full_disk_is_a_503_until_there_is_room(
    environment: Mapping[str, str], events: Mapping[str, dict[str, Any]]
) -> None:
    with run_emulated(IMAGE, HANDLER, environment, options=SMALL) as container:
        left = inside(container, "head -c 80m /dev/zero > /tmp/full 2>/dev/null; df /tmp | tail -1")
        assert left.split()[3] == "0"
        refused = container.invoke(events["classify.json"])
        error = json.loads(refused["body"])["error"]
        assert (refused["statusCode"], error["code"]) == (503, "model_unavailable")
        assert "the scratch disk 0 free: raise EphemeralStorage" in error["message"]
        inside(container, "rm /tmp/full")
        assert container.invoke(events["classify.json"])["statusCode"] == 200
