"""Run images as Lambda does: read-only, as an unprivileged user, behind AWS's runtime interface emulator."""

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.paths import ROOT

HOST = "host.docker.internal"
EMULATOR = "/usr/local/bin/aws-lambda-rie"
USER = "993:990"
_PATH = "/2015-03-31/functions/function/invocations"
# What Lambda gives a function besides its own environment; any credentials do for a stand-in.
LAMBDA = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_LAMBDA_FUNCTION_NAME": "function",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008",
}


@dataclass(frozen=True, slots=True)
class Container:
    """A running function: its container's id and the port that its emulator answers on."""

    id: str
    port: int

    def invoke(self, event: Mapping[str, Any], seconds: float = 120) -> Any:
        """Invoke the function once it listens. Raises TimeoutError, or RuntimeError with the log if it died."""
        body = json.dumps(event).encode()
        deadline = time.monotonic() + seconds
        while True:
            try:
                return json.loads(_post(f"http://127.0.0.1:{self.port}{_PATH}", body, deadline - time.monotonic()))
            except (urllib.error.URLError, ConnectionError) as error:
                self._must_live(error, deadline)
                time.sleep(0.005)

    def log(self) -> str:
        """Return what the container wrote so far."""
        done = subprocess.run(["docker", "logs", self.id], capture_output=True, text=True, check=True)
        return done.stdout + done.stderr

    def _must_live(self, error: Exception, deadline: float) -> None:
        if docker("inspect", "--format", "{{.State.Running}}", self.id) != "true":
            raise RuntimeError(f"the container ended:\n{self.log()}") from error
        if time.monotonic() > deadline:
            raise TimeoutError(f"no answer:\n{self.log()}") from error


@contextmanager
def run_emulated(
    image: str, handler: str, environment: Mapping[str, str], *, memory: int = 3008, options: Sequence[str] = ()
) -> Iterator[Container]:
    """Run a handler of an image under the emulator until the block ends; `memory` in MB."""
    port = free_port()
    settings = [f"--env={key}={value}" for key, value in {**LAMBDA, **environment}.items()]
    command = ["python3", "-m", "assay.lambda_runtime", handler]
    limits = ["--read-only", "--tmpfs=/tmp:rw,size=2g", f"--memory={memory}m", f"--user={USER}"]
    network = [f"--publish=127.0.0.1:{port}:8080", f"--add-host={HOST}:host-gateway"]
    mount = [f"--volume={emulator()}:{EMULATOR}:ro", f"--entrypoint={EMULATOR}"]
    id_ = docker("run", "--detach", *limits, *network, *mount, *settings, *options, image, *command)
    try:
        yield Container(id_, port)
    finally:
        docker("rm", "--force", "--volumes", id_)


def docker(*arguments: str) -> str:
    """Run docker and return what it printed. Raises RuntimeError with its complaint."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"docker {' '.join(arguments[:2])}: {done.stderr.strip()}")
    return done.stdout.strip()


def emulator() -> Path:
    """Return the runtime interface emulator that aws-sam-cli carries. Raises FileNotFoundError."""
    sam = Path(os.environ.get("ASSAY_SAM", ROOT / ".venv-sam/bin/sam"))
    found = sorted(sam.parents[1].glob("lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-x86_64"))
    if not found:
        raise FileNotFoundError(f"no emulator beside {sam}: `make containers` installs aws-sam-cli there")
    return found[0].resolve()


def _post(url: str, body: bytes, seconds: float) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, body), timeout=max(seconds, 0.1)) as reply:
        answer: bytes = reply.read()
    return answer


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
