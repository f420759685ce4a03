"""Build and deploy with SAM, publish the models, and wait until the stack answers."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from botocore.exceptions import ClientError

from assay.aws.s3 import Bucket
from tools.deploy.parameters import BUILD_ONLY, DeploymentRefused, DeploymentRequest
from tools.deploy.preconditions import GONE, Clients, Footing, find_stack
from tools.models.publish import find_pointer, publish
from tools.paths import ROOT

BUILT: Final = Path(".aws-sam", "build", "template.yaml")
CAPABILITIES: Final = ("CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND")
QUIETLY: Final = {"SAM_CLI_TELEMETRY": "0", "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
"""Nothing is told to SAM's makers, and images get no attestations, which would make indexes that Lambda refuses."""
Run = Callable[[Sequence[str]], None]
"""Runs a command in the checkout, what it prints shown. Raises DeploymentRefused where it fails."""


def run_here(command: Sequence[str]) -> None:
    """Run a command in the checkout. Raises DeploymentRefused where it fails, or is not there."""
    print(f"$ {' '.join(map(str, command))}", flush=True)
    try:
        done = subprocess.run(command, cwd=ROOT, check=False, env={**os.environ, **QUIETLY})
    except OSError as error:
        raise DeploymentRefused(f"{command[0]} cannot be run: {error}") from error
    if done.returncode:
        raise DeploymentRefused(f"{Path(command[0]).name} {command[1]} failed with status {done.returncode}: see above")


def require_docker(command: Sequence[str] = ("docker", "info", "--format", "{{.ServerVersion}}")) -> None:
    """Raise DeploymentRefused where no Docker engine answers, for the images are built with one."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeploymentRefused(f"no Docker engine answers ({error}): install or start Docker") from error
    if done.returncode:
        raise DeploymentRefused(f"no Docker engine answers: start Docker ({done.stderr.strip()[:200]})")


@contextmanager
def _no_config() -> Iterator[str]:
    """Give an empty configuration of SAM's: samconfig.toml is for calling `sam` by hand."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "samconfig.toml")
        path.write_text("version = 0.1\n", "utf-8")
        yield str(path)


def build_images(sam: str, run: Run, values: Mapping[str, str]) -> None:
    """Build the images, the functions and the layer. Raises DeploymentRefused."""
    overrides = [f"{name}={values[name]}" for name in BUILD_ONLY]
    with _no_config() as config:
        run([sam, "build", "--config-file", config, "--parallel", "--parameter-overrides", *overrides])


def deploy_stack(sam: str, run: Run, wish: DeploymentRequest, footing: Footing, repository: str, *, plan: bool) -> None:
    """Deploy what was built, or only show the change set with `plan`. Raises DeploymentRefused.

    Parameters that are not given keep the values that the stack has.
    """
    with _no_config() as config:
        command = [sam, "deploy", "--template-file", str(BUILT), "--config-file", config, "--stack-name", wish.stack]
        command += ["--region", wish.region, "--resolve-s3", "--image-repository", repository]
        command += ["--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"]
        command += ["--no-execute-changeset"] if plan else []
        command += ["--capabilities", *CAPABILITIES]
        given = [f"{name}={_quote(value)}" for name, value in sorted(footing.chosen.items())]
        run([*command, *(["--parameter-overrides", *given] if given else [])])


def _quote(value: str) -> str:
    """Return a value as SAM reads it from a command line: in quotes where it is empty or has spaces."""
    return value if value and not any(letter in value for letter in " \"'") else '"' + value.replace('"', '\\"') + '"'


def forget_plan(clients: Clients, stack: str) -> None:
    """Remove the change sets that were only shown, and the empty stack that a first one leaves."""
    formation = clients("cloudformation")
    status, _ = find_stack(stack, clients)
    if status == "REVIEW_IN_PROGRESS":
        formation.delete_stack(StackName=stack)
    elif status not in GONE:
        for each in _list_plans(formation, stack):
            formation.delete_change_set(ChangeSetName=each, StackName=stack)


def _list_plans(formation: Any, stack: str) -> list[str]:
    listed = formation.list_change_sets(StackName=stack)["Summaries"]
    return [str(each["ChangeSetId"]) for each in listed if each.get("ExecutionStatus") == "AVAILABLE"]


def list_failures(clients: Clients, stack: str) -> list[str]:
    """Return what failed in a stack's last events, a line each, the first first."""
    try:
        events = clients("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    except ClientError:
        return []
    failed = [each for each in events if each["ResourceStatus"].endswith("_FAILED")]
    return [f"{each['LogicalResourceId']}: {each.get('ResourceStatusReason', '')}" for each in reversed(failed)]


WARM_SECONDS: Final = 300.0
"""What a first answer may take: roles that AWS has just made are not everywhere at once, and models are fetched."""
_PAUSE: Final = 2.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where a stack answers, what it is called with, and where its files go."""

    url: str
    outputs: Mapping[str, str]
    key_command: str = ""


def read_address(wish: DeploymentRequest, clients: Clients, endpoint: str = "") -> Address:
    """Return what the outputs of a stack say; at an emulated AWS the API is under the emulator's own address."""
    formation = clients("cloudformation")
    [found] = formation.describe_stacks(StackName=wish.stack)["Stacks"]
    outputs = {each["OutputKey"]: str(each["OutputValue"]) for each in found.get("Outputs", ())}
    url = outputs["ApiUrl"]
    if endpoint:
        api, stage = url.split("//", 1)[1].split(".", 1)[0], url.rpartition("/")[2]
        url = f"{endpoint.rstrip('/')}/_aws/execute-api/{api}/{stage}"
    command = outputs.get("ApiKeyCommand", "")
    return Address(url, outputs, f"{command} --region {wish.region}" if command else "")


def publish_shipped(s3: Any, bucket_name: str, folder: Path) -> Iterator[str]:
    """Publish each model that ships, unless the bucket has a model of that name: a model in use is never replaced.

    Yields a line a model. Raises BundleInvalid, AWS's errors.
    """
    bucket = Bucket(s3, bucket_name)
    for bundle in sorted(each.parent for each in folder.glob("*/[0-9]*/manifest.json")):
        name = bundle.parent.name
        served = find_pointer(bucket, name)
        if served is not None:
            yield f"model {name}: version {served.version} serves, left as it is"
            continue
        manifest = publish(bucket, bundle)
        yield f"model {name}: version {manifest.version} published"


def wait_until_warm(
    calls: Mapping[str, Callable[[], int]],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[str]:
    """Call each until its status is 200; yields how long it took. Raises DeploymentRefused where that is too long."""
    for name, call in calls.items():
        began = clock()
        while (status := call()) != 200:
            if clock() - began > WARM_SECONDS:
                raise DeploymentRefused(
                    f"{name} still answers {status} after {WARM_SECONDS:.0f} s: the function's log says why, in the "
                    "log groups /assay/STACK/..."
                )
            sleep(_PAUSE)
        yield f"{name} answers after {clock() - began:.0f} s"
