"""The runbook, and the commands of docs/operations.md and docs/deploy.md, typed as they stand at the deployed stack."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.cloud.account import AWS, REGION
from tests.cloud.deployment import Deployment
from tests.cloud.samples import DESIGN, FASTA
from tests.e2e.test_runbook import AWS_ONLY, BLOCK, KEPT, KEYS, PARTS, hold
from tools.paths import ROOT

pytestmark = pytest.mark.cloud
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
DEPLOY = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


class Desk:
    """A shell in a separate folder with the AWS CLI, that remembers the variables of a page."""

    def __init__(self, cloud: Deployment, folder: Path) -> None:
        self._cloud, self._folder = cloud, folder
        (folder / ".venv").mkdir()
        (folder / ".venv" / "bin").symlink_to(ROOT / ".venv" / "bin")
        # Version 1 asks AWS's own SQS whatever AWS_ENDPOINT_URL says, unless it is told on the line.
        (folder / "aws").write_text(f'#!/bin/sh\nexec {AWS} --endpoint-url "$AWS_ENDPOINT_URL" "$@"\n')
        (folder / "aws").chmod(0o755)

    def run(self, block: str) -> str:
        """Run a block unchanged and return what it printed."""
        script = f"[ -f .known ] && . ./.known\n{block}\ndeclare -p {KEPT} PLAN NEW OLD > .known 2> /dev/null || true"
        known = self._cloud.account.environment
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], cwd=self._folder,
            env={**known, "PATH": f"{self._folder}:{known['PATH']}"},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, block + done.stdout + done.stderr
        return done.stdout

    def walk(self, part: str) -> None:
        """Run the blocks of a part in order; hold each to what it is said to print."""
        for block, expected in BLOCK.findall(part):
            hold(self.run(block), expected)

    def values(self) -> None:
        """Set the page's variables as it says that they are for a deployed service."""
        outputs = self.run(f"sam list stack-outputs --stack-name {self._cloud.stack} --output json")
        names = {"UPLOADS": "Uploads", "RESULTS": "Results", "MODELS": "Models"}
        lines = [f"URL={self._cloud.url}", f'WHERE="--stack {self._cloud.stack}"', f"KEY={self._cloud.key}"]
        lines += [f"{name}={self._cloud.outputs[f'{kind}BucketName']}" for name, kind in names.items()]
        assert all(each.partition("=")[2] in outputs for each in lines[3:])
        self.run("\n".join([*lines, f"QUEUE={self._cloud.outputs['UploadsDeadLetterQueueUrl']}"]))


@pytest.fixture
def desk(cloud: Deployment, tmp_path: Path) -> Desk:
    made = Desk(cloud, tmp_path)
    made.values()
    return made


def test_the_runbook_is_walked_through_as_written(desk: Desk) -> None:
    for name, part in PARTS.items():
        if name != KEYS:
            desk.walk(part)


def test_a_key_is_changed_as_written(desk: Desk, cloud: Deployment) -> None:
    part = PARTS[KEYS].partition(AWS_ONLY)[2].replace("the-old-key-of-20-letters", cloud.key)
    fresh = "$(aws apigateway get-api-key --api-key $NEW --include-value --query value --output text)"
    desk.walk(part.replace("the-new-key-of-20-letters", fresh))
    cloud.key = desk.run(f"echo {fresh}").strip()
    assert cloud.post("/rank", json={"sequences": [DESIGN]}).status_code == 200
    opened = {"op": "replace", "path": "/enabled", "value": "true"}
    cloud.account.client("apigateway").update_api_key(apiKey=cloud.ids["ApiKey"], patchOperations=[opened])
    cloud.look()


def test_the_queue_is_looked_into_as_written(desk: Desk) -> None:
    for command in re.findall(r"`(aws sqs [^`]*)`", OPERATIONS):
        desk.run(command.replace(" URL", " $QUEUE"))


def test_the_access_log_is_set_up_as_written(desk: Desk, cloud: Deployment) -> None:
    *commands, deploy = re.search(r"```sh\n(aws iam create-role.*?)```", OPERATIONS, re.DOTALL)[1].splitlines()  # type: ignore[index]
    for command in commands:
        desk.run(command)
    role = desk.run("echo " + re.search(r"ApiLogRoleArn=(\$\(.*\))", deploy)[1]).strip()  # type: ignore[index]
    cloud.update(ApiLogRoleArn=role)
    assert {"ApiAccessLogs", "ApiLogAccount"} <= set(cloud.ids)
    assert cloud.get("/health").status_code == 200


def test_the_guide_is_typed_as_written(desk: Desk, cloud: Deployment, tmp_path: Path) -> None:
    (tmp_path / "designs.fasta").write_bytes(FASTA)
    blocks = re.findall(r"```sh\n(.*?)```", DEPLOY, re.DOTALL)
    [block] = [each for each in blocks if "output()" in each and "--data-binary @designs" in each]
    block = block.replace("AWS_DEFAULT_REGION=eu-central-1", f"AWS_DEFAULT_REGION={REGION}")
    block = block.replace("URL=$(output ApiUrl)", f"OUT=$(output ApiUrl) URL={cloud.url}")
    before, pointer, after = re.split(r"(?m)^(aws s3 cp \S*by-upload.*\n)", block)
    assert DESIGN in desk.run(before)
    job = cloud.job_of("rank/designs.fasta")
    assert cloud.ended(job)["state"] == "SUCCEEDED"
    assert job in desk.run(f"RESULTS={cloud.results}\n{pointer}")
    assert f"results/{job}/ranking.csv" in desk.run(f"RESULTS={cloud.results}\n{after}")
