import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.containers.sam import Sam
from tests.e2e.running import Service, running
from tools.containers import HOST
from tools.local import stack
from tools.paths import ROOT


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """The local service with the default bundles, listening beyond loopback so that containers reach its S3."""
    with running("--host", "0.0.0.0", "--log-level", "ERROR") as started:
        yield started


@pytest.fixture(scope="session")
def declared() -> stack.Stack:
    """What the template declares."""
    return stack.read_stack(ROOT / "template.yaml")


@pytest.fixture(scope="session")
def endpoint(service: Service) -> dict[str, str]:
    """Where a container finds the local S3 and its neighbours."""
    return {"AWS_ENDPOINT_URL": f"http://{HOST}:{service.endpoint.rpartition(':')[2]}"}


@pytest.fixture(scope="session")
def environment(declared: stack.Stack, endpoint: Mapping[str, str]) -> dict[str, str]:
    """The environment of a function in a container."""
    return {**declared.functions["RankUploadFunction"].environment, **endpoint}


@pytest.fixture(scope="session")
def sam(declared: stack.Stack, endpoint: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Sam:
    """`sam local` with the environment file that local.env.json is, but for the port."""
    variables = json.loads((ROOT / "local.env.json").read_text())
    variables["Parameters"].update(endpoint)
    file = tmp_path_factory.mktemp("sam") / "env.json"
    file.write_text(json.dumps(variables))
    return Sam(file, os.environ.get("ASSAY_SAM_ENVIRONMENT", "default"))


@pytest.fixture(scope="session")
def events(declared: stack.Stack) -> dict[str, dict[str, Any]]:
    """Every recorded event, by file name."""
    return {path.name: json.loads(path.read_text()) for path in sorted((ROOT / "events").glob("*.json"))}


@pytest.fixture(scope="session")
def in_process(service: Service, declared: stack.Stack) -> Path:
    """Set this process up as a function's environment, so that handlers can be called in it."""
    os.environ.update(declared.functions["RankUploadFunction"].environment)
    os.environ.update(
        AWS_ENDPOINT_URL=service.endpoint,
        AWS_ACCESS_KEY_ID="local",
        AWS_SECRET_ACCESS_KEY="local",
        AWS_DEFAULT_REGION="us-east-1",
        POWERTOOLS_TRACE_DISABLED="true",
        NO_PROXY="127.0.0.1",
    )
    return ROOT
