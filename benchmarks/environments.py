"""Lambda environments as processes: each runs one handler, one call at a time, and says what it took.

As a program (`python -m benchmarks.environments HANDLER FOLDER`) it reads JSON lines and answers `{"reply": ...}`
or `{"error": ..., "type": ...}`, with `seconds` and `megabytes`, its peak of resident memory. What it reads of the
uploads bucket it reads from a folder, a file being a key's last part.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any

from benchmarks.measuring import peak_megabytes
from tools.batch.files_as_s3 import FolderClient
from tools.local.lambdas import Context, Local
from tools.local.stack import Function
from tools.paths import ROOT


class Died(Exception):
    """An environment ended without an answer."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What one call took: seconds in the handler, the peak memory of its process, and which process that was."""

    seconds: float
    megabytes: float
    process: int


class Environments(Local):
    """One function in separate processes, as many as calls run at once; each process serves again."""

    def __init__(self, function: Function, environment: Mapping[str, str], folder: Path) -> None:
        super().__init__(function, environment)
        self._variables, self._folder = environment, folder
        self._idle: LifoQueue[subprocess.Popen[str]] = LifoQueue()
        self._all: list[subprocess.Popen[str]] = []
        self.taken: list[Taken] = []

    def load(self) -> Any:
        """Load nothing here: environments start with the first call that needs them."""
        return None

    def call(self, event: Any) -> Any:
        """Invoke the handler in an idle environment, or in a new one."""
        process = self._environment_for_call()
        assert process.stdin is not None
        assert process.stdout is not None
        print(json.dumps(event), file=process.stdin, flush=True)
        line = process.stdout.readline()
        if not line:
            raise Died(f"{self.function.name} ended with status {process.wait()}")
        said = json.loads(line)
        self.taken.append(Taken(said["seconds"], said["megabytes"], process.pid))
        self._idle.put(process)
        if "error" in said:
            raise type(said["type"], (Exception,), {})(said["error"])
        return said["reply"]

    def call_async(self, event: Mapping[str, Any], request_id: str) -> None:
        """Invoke the handler and forget its answer."""
        self.call(event)

    @property
    def busy(self) -> bool:
        """Say whether a call goes on."""
        return self._idle.qsize() < len(self._all)

    def stop(self) -> None:
        """End the environments."""
        for process in self._all:
            process.terminate()
            process.communicate()

    def _environment_for_call(self) -> "subprocess.Popen[str]":
        try:
            return self._idle.get_nowait()
        except Empty:
            command = (sys.executable, "-m", __name__, self.function.handler, str(self._folder))
            variables = {**os.environ, **self.function.environment, **self._variables}
            pipe = subprocess.PIPE
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=variables, cwd=ROOT)
            self._all.append(process)
            return process


class _Split:
    """An S3 client that reads one bucket from a folder and leaves all others to another client."""

    def __init__(self, client: Any, bucket: str, folder: Path) -> None:
        self._client, self._bucket, self._files = client, bucket, FolderClient(folder)

    def __getattr__(self, name: str) -> Any:
        def call(**given: Any) -> Any:
            if given.get("Bucket") != self._bucket:
                return getattr(self._client, name)(**given)
            return getattr(self._files, name)(**{**given, "Key": given["Key"].rpartition("/")[2]})

        return call if name in ("head_object", "get_object") else getattr(self._client, name)


def read_uploads_from(folder: Path) -> None:
    """Have this process read the uploads bucket from a folder."""
    from assay.aws import clients

    make = clients._client

    def split(name: str) -> Any:
        client = make(name)
        return _Split(client, os.environ["ASSAY_UPLOADS_BUCKET"], folder) if name == "s3" else client

    clients._client = split  # type: ignore[assignment]


def answer_events(handler: Any, function: str) -> None:
    """Answer events until there are no more."""
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        began = time.perf_counter()
        context = Context(function, function, 0, time.monotonic() + 900)
        try:
            said: dict[str, Any] = {"reply": handler(json.loads(line), context)}
        except Exception as error:
            said = {"error": str(error), "type": type(error).__name__}
        taken = {"seconds": time.perf_counter() - began, "megabytes": peak_megabytes()}
        print(json.dumps({**said, **taken}), file=answers, flush=True)


def main() -> None:
    """Import the handler that the command line names, and serve it."""
    import importlib

    name, folder = sys.argv[1:]
    read_uploads_from(Path(folder))
    module, _, attribute = name.rpartition(".")
    answer_events(getattr(importlib.import_module(module), attribute), name)


if __name__ == "__main__":
    threading.current_thread().name = "environment"
    main()
