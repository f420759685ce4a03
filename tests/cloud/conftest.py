import os
from collections.abc import Iterator

import pytest

from tests.cloud.account import Account, emulated
from tests.cloud.deployment import Deployment, deploy, publish
from tools.paths import ROOT

PORT = int(os.environ.get("ASSAY_CLOUD_PORT", "4599"))
# What the tests of files and models need; everything else stays as a first deployment has it.
MANY = dict.fromkeys(("RequestsPerSecond", "RequestBurst", "RouteRequestsPerSecond", "RouteRequestBurst"), "200")
QUICK = {"ShardMegabytes": "1", "ModelRefreshSeconds": "1", **MANY}


@pytest.fixture(scope="session")
def account() -> Iterator[Account]:
    """An account on the emulator, which ends with the session, however that ends."""
    with emulated(PORT) as made:
        yield made


@pytest.fixture(scope="session")
def fresh(account: Account) -> Deployment:
    """The stack as `sam deploy` makes it with default parameters, and the models that ship."""
    made = deploy(account, {})
    for bundle in sorted(ROOT.glob("models/*/[0-9]*")):
        publish(made, str(bundle))
    return made


@pytest.fixture(scope="session")
def cloud(fresh: Deployment) -> Deployment:
    """The stack after an update to small shards, models looked for each second, and a higher rate of requests."""
    fresh.update(**QUICK)
    return fresh
