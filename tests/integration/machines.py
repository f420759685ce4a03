"""The state machine file, interpreted by moto with the real handlers in this process; retries wait for nothing."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl

from tests.conftest import ROOT
from tests.events import Context

FILE = ROOT / "statemachines" / "rank_file.asl.json"
ROLE = "arn:aws:iam::123456789012:role/machine"
SECONDS = 60.0
Handler = Callable[[dict[str, Any], Any], Any]


def definition(substitutions: Mapping[str, str]) -> str:
    """Return the definition as it is deployed."""
    text = FILE.read_text(encoding="utf-8")
    for name, value in substitutions.items():
        text = text.replace("${" + name + "}", value)
    return text


class Died(Exception):
    """What a function's sudden death looks like to its caller."""


@dataclass
class FileMachine:
    """The machine of file jobs. `fault(name, event)` is asked before each call and may raise; `calls` has them all."""

    arn: str
    queue: str
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    fault: Callable[[str, dict[str, Any]], None] = lambda *_: None

    def called(self, name: str) -> list[dict[str, Any]]:
        """Return the events that a function got."""
        return [event for each, event in self.calls if each == name]

    def executions(self) -> list[str]:
        """Return the names of the executions."""
        found = boto3.client("stepfunctions").list_executions(stateMachineArn=self.arn)["executions"]
        return sorted(each["name"] for each in found)

    def running(self) -> list[str]:
        """Return the names of the executions that have not ended."""
        found = boto3.client("stepfunctions").list_executions(stateMachineArn=self.arn, statusFilter="RUNNING")
        return [each["name"] for each in found["executions"]]

    def wait(self, name: str) -> str:
        """Wait for an execution's end and return its status."""
        client = boto3.client("stepfunctions")
        execution = f"{self.arn.replace(':stateMachine:', ':execution:')}:{name}"
        deadline = time.monotonic() + SECONDS
        while (found := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
            assert time.monotonic() < deadline, f"{name} did not end within {SECONDS:.0f} s"
            threading.Event().wait(0.01)
        return str(found["status"])

    def buried(self) -> list[dict[str, Any]]:
        """Return the messages of the dead-letter queue."""
        reply = boto3.client("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in reply.get("Messages", ())]


class _Unhurried:
    """The clock of moto's retries, which does not wait."""

    @staticmethod
    def sleep(seconds: float) -> None:
        assert seconds >= 0


def create(handlers: Mapping[str, Handler], patch: pytest.MonkeyPatch) -> FileMachine:
    """Create the machine in the moto of this process; functions are called as `name-of-their-substitution`."""
    queue = boto3.client("sqs").create_queue(QueueName="dead")["QueueUrl"]
    functions = {f"{name}FunctionArn": f"arn:aws:lambda:us-east-1:123456789012:function:{name}" for name in handlers}
    text = definition({**functions, "DeadLetterQueueUrl": queue})
    made = boto3.client("stepfunctions").create_state_machine(name="files", definition=text, roleArn=ROLE)
    machine = FileMachine(made["stateMachineArn"], queue)

    def invoke(_: Any, name: str, qualifier: Any, body: Any, headers: Any, reply_headers: dict[str, str]) -> bytes:
        name = name.rpartition(":")[2]
        event = json.loads(body)
        machine.calls.append((name, event))
        try:
            machine.fault(name, event)
            return json.dumps(handlers[name](event, Context())).encode()
        except Exception as error:
            reply_headers["x-amz-function-error"] = "Unhandled"
            return json.dumps({"errorMessage": str(error), "errorType": type(error).__name__}).encode()

    patch.setattr("moto.awslambda.models.LambdaBackend.invoke", invoke)
    patch.setattr(retrier_decl, "time", _Unhurried)
    return machine
