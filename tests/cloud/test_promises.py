"""`assay check` at the deployed stack: every promise that it tries is kept here too."""

import pytest

from tests.cloud.account import FOLDER
from tests.cloud.deployment import Deployment, assay

pytestmark = pytest.mark.cloud


def test_every_promise_is_kept(cloud: Deployment) -> None:
    # The emulator holds no presigned form to its policy; the local service does, and the check is tried there.
    table = assay(cloud, "check", "--stack", cloud.stack, "--url", cloud.url, "--without", "form")
    (FOLDER / "check.txt").write_text(table)
    assert "✓" in table
