"""`assay check` against `sam local start-api` beside the local service, whose stores the containers use."""

from collections.abc import Iterator

import pytest

from tests.containers.sam import Sam
from tests.e2e.running import Service
from tools.check.ground import Named, find_ground
from tools.check.runs import run_checks

pytestmark = pytest.mark.containers

NOT_SAM = ("route",)
"""SAM answers a route that there is not by itself, and applies no GatewayResponses."""
SKIPPED = {*NOT_SAM, "key", "alarms", "dashboard", "log"}


@pytest.fixture(scope="module")
def api(sam: Sam, service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with sam.api(tmp_path_factory.mktemp("api") / "log") as url:
        yield url


def test_the_images_keep_every_promise(api: str, service: Service) -> None:
    found = list(run_checks(find_ground(Named(api, endpoint=service.endpoint)), NOT_SAM))
    assert {each.name: each.note for each in found if each.mark == "broken"} == {}
    assert {each.name for each in found if each.mark == "skipped"} == SKIPPED
