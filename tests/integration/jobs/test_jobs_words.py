"""What a job's record says, on an emulated DynamoDB: the tests of the one in memory, so that neither is alone right."""

from typing import Any

import pytest

from tests.conftest import Aws
from tests.unit.jobs.test_record import *  # noqa: F403  the same tests, on another table


@pytest.fixture  # type: ignore[no-redef]
def table(aws: Aws) -> Any:
    """Return a client with the state table."""
    return aws.dynamodb
