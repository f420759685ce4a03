"""The state machine of file jobs: one execution a job, named by it, so that a second start of the same is refused."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from assay.errors import SettingsError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


@dataclass(frozen=True, slots=True)
class ExecutionOutcome:
    """Whether an execution goes on, and why it ended where it did not end well."""

    running: bool
    reason: str = ""


class StateMachine:
    """One state machine through one client."""

    def __init__(self, client: "SFNClient", arn: str) -> None:
        if not arn:
            raise SettingsError("no state machine: ASSAY_FILE_MACHINE is missing")
        self._client = client
        self._arn = arn

    def execution(self, name: str) -> str:
        """Return the ARN of the execution of that name."""
        return f"{self._arn.replace(':stateMachine:', ':execution:')}:{name}"

    def start(self, name: str, given: Mapping[str, Any]) -> None:
        """Start the execution of that name; one that was started before is left as it is."""
        try:
            self._client.start_execution(stateMachineArn=self._arn, name=name, input=json.dumps(given))
        except ClientError as error:
            if _code(error) != "ExecutionAlreadyExists":
                raise

    def stop(self, execution: str, cause: str) -> None:
        """Stop an execution; one that has ended, or never was, is no error."""
        with suppress(self._client.exceptions.ExecutionDoesNotExist):
            self._client.stop_execution(executionArn=execution, cause=cause)

    def outcome(self, execution: str) -> ExecutionOutcome:
        """Return how an execution stands; one that is no longer known has ended."""
        try:
            found = self._client.describe_execution(executionArn=execution)
        except ClientError as error:
            if _code(error) != "ExecutionDoesNotExist":
                raise
            return ExecutionOutcome(False, "its execution no longer exists")
        said = " ".join(filter(None, (found["status"], found.get("error"), found.get("cause"))))
        return ExecutionOutcome(found["status"] in {"RUNNING", "PENDING_REDRIVE"}, said)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
