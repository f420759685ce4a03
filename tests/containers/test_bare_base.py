"""The images were built, start and answer without the commands that AWS's base image has not."""

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest

from tools.containers import docker, run_emulated

pytestmark = pytest.mark.containers
IMAGES: Final = {
    "rankapifunction:rank": ("rank.api.handler", "rank_json.json"),
    "classifyapifunction:classify": ("classify.api.handler", "classify.json"),
}
ABSENT: Final = ("find", "xargs", "tar", "gzip", "which", "ps", "perl", "dpkg", "apt-get")
ASK: Final = "for each in {}; do command -v $each && exit 1; done; command -v python3"


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_has_no_more_than_awss_own_and_answers(
    image: str, environment: Mapping[str, str], events: Mapping[str, dict[str, Any]]
) -> None:
    handler, name = IMAGES[image]
    with run_emulated(image, handler, environment) as container:
        found = docker("exec", container.id, "sh", "-c", ASK.format(" ".join(ABSENT)))
        answer = container.invoke(events[name])
    assert found.strip().endswith("python3")
    assert answer["statusCode"] == 200, json.dumps(answer)[:500]
