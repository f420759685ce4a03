from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.running import Service, running
from tests.e2e.samples import DESIGN, OPEN, OTHER, POOR

FAKES = Path(__file__).parent / "fakes" / "template.yaml"


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """The real service, started once."""
    with running(
        "--log-level", "ERROR", "--parameter", "ModelRefreshSeconds=1", "--parameter", "ShardMegabytes=1"
    ) as started:
        yield started


@pytest.fixture(scope="session")
def fakes() -> Iterator[Service]:
    """A service of two fake functions: an echo, and an upload handler that fails where the key says so."""
    with running("--template", str(FAKES)) as started:
        yield started


@pytest.fixture(scope="session")
def order(service: Service) -> list[str]:
    """The good sequences of the samples in the order that the models give them."""
    ranked = service.post("/rank", params=OPEN, json={"sequences": [OTHER, DESIGN, POOR]}).json()["ranked"]
    scores = [row["score"] for row in ranked]
    assert scores == sorted(scores, reverse=True)
    sequences = [row["sequence"] for row in ranked]
    assert sequences[-1] == POOR
    return sequences
