"""The stack on an account: deployed by `sam deploy`, changed by change sets, called, given files, deleted."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import requests
from botocore.exceptions import ClientError, WaiterError

from tests.cloud.account import FOLDER, REGION, SAM, Account
from tools.containers import docker
from tools.paths import ROOT

STACK, REPOSITORY = "assay", "assay"
SECONDS = 300.0
Found = TypeVar("Found")


@dataclass
class Deployment:
    """A stack on an account, with what its outputs and resources say, and clients of it."""

    account: Account
    stack: str = STACK
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False
        self.s3 = self.account.client("s3")
        self.look()

    def look(self) -> None:
        """Read the stack's resources and outputs, again after an update."""
        formation = self.account.client("cloudformation")
        pages = formation.get_paginator("list_stack_resources").paginate(StackName=self.stack)
        listed = [each for page in pages for each in page["StackResourceSummaries"]]
        self.ids: dict[str, str] = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in listed}
        [found] = formation.describe_stacks(StackName=self.stack)["Stacks"]
        self.outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", ())}
        self.status = found["StackStatus"]
        self.url = f"{self.account.endpoint}/_aws/execute-api/{self.ids['Api']}/prod"
        self.key = self._key() if "ApiKey" in self.ids else ""

    @property
    def uploads(self) -> str:
        """Name of the bucket that files are dropped in."""
        return self.ids["UploadsBucket"]

    @property
    def results(self) -> str:
        """Name of the bucket that results lie in."""
        return self.ids["ResultsBucket"]

    @property
    def models(self) -> str:
        """Name of the bucket that models are published in."""
        return self.ids["ModelsBucket"]

    def call(self, method: str, path: str, *, keyed: bool = True, **options: Any) -> requests.Response:
        """Send a request, with the API key unless told otherwise; follow nothing, raise nothing."""
        headers = {**({"x-api-key": self.key} if keyed and self.key else {}), **options.pop("headers", {})}
        return self.session.request(
            method, self.url + path, headers=headers, timeout=SECONDS, allow_redirects=False, **options
        )

    def post(self, path: str, **options: Any) -> requests.Response:
        """POST with the API key."""
        return self.call("POST", path, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET with the API key."""
        return self.call("GET", path, **options)

    def put(self, key: str, body: bytes, **metadata: str) -> None:
        """Drop a file in the uploads bucket, with options as metadata."""
        self.s3.put_object(Bucket=self.uploads, Key=key, Body=body, Metadata=metadata)

    def drop(self, key: str, body: bytes, **metadata: str) -> dict[str, Any]:
        """Drop a file and return its job as `GET /jobs/ID` says it once it has ended."""
        self.put(key, body, **metadata)
        return self.ended(self.job_of(key))

    def job_of(self, key: str) -> str:
        """Wait for the job of a dropped file; returns its id."""
        found = wait_for(lambda: self.result(f"by-upload/{key}.json"), f"a job of {key}")
        return str(json.loads(found)["job_id"])

    def ended(self, job: str) -> dict[str, Any]:
        """Wait until a job has ended; returns what `GET /jobs/ID` says."""
        return wait_for(lambda: self._if_ended(job), f"the end of job {job}")

    def result(self, key: str) -> bytes | None:
        """Return an object of the results bucket, None while there is none."""
        try:
            return bytes(self.s3.get_object(Bucket=self.results, Key=key)["Body"].read())
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise

    def ends(self, key: str) -> str:
        """Wait for what becomes of a dropped file: the state that its job ends in, or `dead` for a dead letter.

        `stopped` where its execution ended and could not say so, which is the sweep's to mend.
        """
        return wait_for(lambda: self._end_of(key), f"an end of {key}")

    def reason(self, key: str) -> str | None:
        """Return why the job of a dropped file ended as it did, None if there is no job or no reason."""
        pointer = self.result(f"by-upload/{key}.json")
        job = self._if_ended(json.loads(pointer)["job_id"]) if pointer else None
        return job.get("reason") if job else None

    def letters(self) -> list[str]:
        """Return the bodies of the dead letters, which stay where they are."""
        queue = self.account.client("sqs")
        got = queue.receive_message(
            QueueUrl=self.outputs["UploadsDeadLetterQueueUrl"], VisibilityTimeout=0, MaxNumberOfMessages=10
        )
        return [each["Body"] for each in got.get("Messages", ())]

    def output(self, job: str, name: str) -> bytes:
        """Return a result file of a job. Raises AssertionError if there is none."""
        found = self.result(f"results/{job}/{name}")
        assert found is not None, f"job {job} has no {name}"
        return found

    def log(self, group: str) -> list[str]:
        """Return the lines that a function logged, by the last part of its log group's name."""
        pages = self.account.client("logs").get_paginator("filter_log_events")
        name = f"/assay/{self.stack}/{group}"
        return [event["message"] for page in pages.paginate(logGroupName=name) for event in page["events"]]

    def update(self, **parameters: str) -> None:
        """Change parameters of the stack by a change set over the template that it has; the others stay."""
        formation = self.account.client("cloudformation")
        [found] = formation.describe_stacks(StackName=self.stack)["Stacks"]
        kept = {each["ParameterKey"] for each in found.get("Parameters", ())} - set(parameters)
        given = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
        name = f"update-{time.time_ns()}"
        formation.create_change_set(
            StackName=self.stack, ChangeSetName=name, UsePreviousTemplate=True, Capabilities=CAPABILITIES,
            Parameters=given + [{"ParameterKey": each, "UsePreviousValue": True} for each in sorted(kept)],
        )  # fmt: skip
        formation.get_waiter("change_set_create_complete").wait(
            StackName=self.stack, ChangeSetName=name, WaiterConfig={"Delay": 1}
        )
        formation.execute_change_set(StackName=self.stack, ChangeSetName=name)
        _updated(self)

    def forget(self, *functions: str) -> None:
        """Stop the warm environments of functions, by their logical ids, so that the next call starts anew."""
        for function in functions:
            ids = self.account.containers(self.ids[function])
            if ids:
                docker("kill", *ids)

    def _key(self) -> str:
        gateway = self.account.client("apigateway")
        return str(gateway.get_api_key(apiKey=self.ids["ApiKey"], includeValue=True)["value"])

    def _end_of(self, key: str) -> str | None:
        pointer = self.result(f"by-upload/{key}.json")
        job = json.loads(pointer)["job_id"] if pointer else None
        if job and (ended := self._if_ended(job)):
            return str(ended["state"])
        if any(key in letter for letter in self.letters()):
            return "dead"
        return "stopped" if self._stopped(key) else None

    def _stopped(self, key: str) -> bool:
        machine = self.account.client("stepfunctions")
        found = machine.list_executions(stateMachineArn=self.ids["RankFileStateMachine"], statusFilter="FAILED")
        given = [machine.describe_execution(executionArn=each["executionArn"])["input"] for each in found["executions"]]
        return any(f'"{key}"' in each for each in given)

    def _if_ended(self, job: str) -> dict[str, Any] | None:
        reply = self.get(f"/jobs/{job}")
        found: dict[str, Any] = reply.json() if reply.status_code == 200 else {}
        return found if found.get("state") in ("SUCCEEDED", "FAILED") else None


CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]


def _updated(deployment: Deployment) -> None:
    waiter = deployment.account.client("cloudformation").get_waiter("stack_update_complete")
    try:
        waiter.wait(StackName=deployment.stack, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    except WaiterError as error:
        raise AssertionError(failures(deployment.account, deployment.stack)) from error
    deployment.look()


def failures(account: Account, stack: str = STACK) -> str:
    """Return what failed in a stack's events, a line each."""
    events = account.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    kept = [each for each in events if "FAILED" in each["ResourceStatus"]]
    return "\n".join(f"{each['LogicalResourceId']}: {each.get('ResourceStatusReason')}" for each in kept)


def deploy(account: Account, parameters: Mapping[str, str], stack: str = STACK) -> Deployment:
    """Deploy what `sam build` built by `sam deploy`, as a person would. Raises AssertionError with its words."""
    repository = _repository(account)
    overrides = [f"{name}={value}" for name, value in parameters.items()]
    run(
        account, str(SAM), "deploy", "--template-file", str(ROOT / ".aws-sam" / "build" / "template.yaml"),
        "--config-file", str(_empty_config()), "--stack-name", stack, "--region", REGION,
        "--resolve-s3", "--image-repository", repository, "--capabilities", *CAPABILITIES, "--no-confirm-changeset",
        "--no-progressbar", *(["--parameter-overrides", *overrides] if overrides else []),
    )  # fmt: skip
    return Deployment(account, stack)


def publish(deployment: Deployment, folder: str, *options: str) -> str:
    """Publish a bundle by `assay models publish`, as a person would; returns what it printed."""
    where = ["--stack", deployment.stack, "--endpoint", deployment.account.endpoint]
    return assay(deployment, "models", "publish", folder, *where, *options)


def assay(deployment: Deployment, *arguments: str) -> str:
    """Run the `assay` command on the account; returns what it printed. Raises AssertionError with its words."""
    return run(deployment.account, str(ROOT / ".venv" / "bin" / "python"), "-m", "tools", *arguments)


def run(account: Account, *command: str) -> str:
    """Run a command with the account's environment; returns what it printed. Raises AssertionError with its words."""
    paths = os.pathsep.join(str(ROOT / each) for each in ("functions", "layers/assay/python", ""))
    done = subprocess.run(
        command, cwd=ROOT, env={**account.environment, "PYTHONPATH": paths}, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def wait_for(ask: Callable[[], Found | None], what: str, seconds: float = SECONDS) -> Found:
    """Ask until there is an answer; fails the test when the time is over."""
    deadline = time.monotonic() + seconds
    while (found := ask()) is None:
        assert time.monotonic() < deadline, f"{what} did not appear within {seconds:.0f} s"
        time.sleep(0.3)
    return found


def _repository(account: Account) -> str:
    registry = account.client("ecr")
    try:
        return str(registry.create_repository(repositoryName=REPOSITORY)["repository"]["repositoryUri"])
    except registry.exceptions.RepositoryAlreadyExistsException:
        found = registry.describe_repositories(repositoryNames=[REPOSITORY])["repositories"]
        return str(found[0]["repositoryUri"])


def _empty_config() -> Any:
    path = FOLDER / "samconfig.toml"
    path.write_text("version = 0.1\n")
    return path
