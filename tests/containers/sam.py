"""`sam local` as people call it, and what its answers are compared with."""

import importlib
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tools.containers import HOST, free_port
from tools.local import stack
from tools.local.lambdas import Context
from tools.paths import ROOT

# What differs from one answer to the next.
VOLATILE = {"request_id", "job_id", "status_url", "result_url", "key", "upload", "cached"}


@dataclass(frozen=True, slots=True)
class Sam:
    """SAM's command line with an environment file, under one environment of samconfig.toml."""

    variables: Path
    config: str

    def invoke(self, function: str, event: Path) -> Any:
        """Return what `sam local invoke` printed, parsed; fails the test with its log if it failed."""
        done = subprocess.run(
            self._command("invoke", function, "-e", str(event)), cwd=ROOT, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        try:
            return json.loads(done.stdout.strip().rpartition("\n")[2])
        except ValueError:
            raise AssertionError(f"no JSON answer\n{done.stdout[:2000]}\n{done.stderr}") from None

    @contextmanager
    def api(self, log: Path) -> Iterator[str]:
        """Run `sam local start-api` until the block ends; gives its address."""
        port = free_port()
        with log.open("w") as output:
            process = subprocess.Popen(
                self._command("start-api", "--port", str(port)), cwd=ROOT, stdout=output, stderr=output
            )
            try:
                _wait(f"http://127.0.0.1:{port}", process, log)
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()
                process.wait(60)

    def _command(self, verb: str, *arguments: str) -> list[str]:
        program = os.environ.get("ASSAY_SAM", str(ROOT / ".venv-sam/bin/sam"))
        return [program, "local", verb, *arguments, "--config-env", self.config, "--env-vars", str(self.variables)]


def step_of(name: str) -> str:
    """Return the logical id of the function that an event's file names: `rank_merge_note` is RankMergeFunction's."""
    return "".join(word.capitalize() for word in name.split("_")[:2]) + "Function"


def function_of(event: Mapping[str, Any], declared: stack.Stack, name: str) -> str:
    """Return the logical id of the function that the event of a file `name` is for."""
    if "Records" in event:
        key = event["Records"][0]["s3"]["object"]["key"]
        return next(trigger.function for trigger in declared.triggers if key.startswith(trigger.prefix))
    if "path" not in event:
        return step_of(name)
    path = event["path"].rstrip("/") or "/"
    found = [
        route for route in declared.routes if route.method == event["httpMethod"] and route.match(path) is not None
    ]
    assert found, f"no route for {event['httpMethod']} {event['path']}"
    return found[0].function


def call(function: stack.Function, event: Mapping[str, Any]) -> Any:
    """Return what a function's handler answers in this process."""
    module, _, name = function.handler.rpartition(".")
    context = Context(function.name, function.arn, function.memory, time.monotonic() + function.timeout)
    return json.loads(json.dumps(getattr(importlib.import_module(module), name)(event, context)))


def comparable(value: Any) -> Any:
    """Return an answer with its body parsed, numbers approximate, and without what always differs."""
    if isinstance(value, dict):
        return {key: comparable(_parsed(key, each)) for key, each in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        return [comparable(each) for each in value]
    if isinstance(value, str):
        return value.replace(f"//{HOST}:", "//127.0.0.1:")
    return pytest.approx(value, rel=1e-4, abs=1e-5) if isinstance(value, float) else value


def _parsed(key: str, value: Any) -> Any:
    if key != "body" or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 120
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        try:
            requests.get(url + "/upload_file", timeout=120, allow_redirects=False)
        except requests.ConnectionError:
            time.sleep(0.2)
        else:
            return
