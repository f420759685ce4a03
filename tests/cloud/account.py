"""An account on an emulated AWS: the emulator's process, clients of it, its faults, and an end that leaves nothing."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tools.containers import docker, emulator
from tools.paths import ROOT

NUMBER, REGION = "123456789012", "us-east-1"
FOLDER = ROOT / "build" / "cloud"
AWS = ROOT / ".venv-cloud" / "bin" / "aws"
SAM = ROOT / ".venv-sam" / "bin" / "sam"
# A new account runs 10 functions at once. What AWS waits between attempts (minutes) is a tenth here, or seconds.
_SETTINGS = {
    "AUTH": "true",
    "LAMBDA_EXECUTOR": "docker",
    "LAMBDA_ACCOUNT_CONCURRENCY": "10",
    "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "1",
    "LAMBDA_ASYNC_RETRY_MAX_SECONDS": "2",
    "SFN_WAIT_SCALE": "0.1",
    "IOT_MTLS_ENABLED": "0",
    "SFTP_ENABLED": "0",
    "MINISTACK_ACCOUNT_ID": NUMBER,
    "MINISTACK_REGION": REGION,
    "MINISTACK_HOST": "127.0.0.1",
    "BIND_HOST": "127.0.0.1",
}
ROOT_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@dataclass(frozen=True, slots=True)
class Account:
    """A running emulator: its port on loopback, and the address by which containers reach it."""

    port: int
    gateway: str

    @property
    def endpoint(self) -> str:
        """Where it answers on this machine."""
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str, key: str = "test", secret: str = "test") -> Any:
        """Return a boto3 client, the root's unless somebody else's keys are given."""
        session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name=REGION)
        open_client: Any = session.client
        return open_client(service, endpoint_url=self.endpoint, config=Config(proxies={}, retries={"max_attempts": 2}))

    @property
    def environment(self) -> dict[str, str]:
        """What commands such as `aws`, `sam` and `assay` need to work on this account."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        path = f"{AWS.parent}:{ROOT / '.venv' / 'bin'}:{SAM.parent}:{os.environ['PATH']}"
        where = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": REGION,
            "NO_PROXY": f"127.0.0.1,{self.gateway}",
        }
        return {**kept, **ROOT_KEYS, **where, "PATH": path, "SAM_CLI_TELEMETRY": "0", "AWS_PAGER": ""}

    @contextmanager
    def fault(self, **faults: Any) -> Iterator[None]:
        """Bring faults back until the block ends: `ranges`, `concurrency` (stand_in.py says what they do)."""
        _faults().write_text(json.dumps(faults))
        try:
            yield
        finally:
            _faults().write_text("{}")

    def containers(self, function: str) -> list[str]:
        """Return the ids of a function's running containers, by the function's name on AWS."""
        ids = docker("ps", "--quiet", "--filter", _label(self.port)).split()
        variable = f"AWS_LAMBDA_FUNCTION_NAME={function}"
        shown = json.loads(docker("inspect", *ids)) if ids else []
        return [str(each["Id"]) for each in shown if variable in each["Config"]["Env"]]

    def log(self, container: str) -> str:
        """Return what a container wrote so far."""
        done = subprocess.run(["docker", "logs", container], capture_output=True, text=True, check=True)
        return done.stdout + done.stderr


def _label(port: int) -> str:
    return f"label=ministack.instance={socket.gethostname()}:{port}"


def _faults() -> Path:
    return FOLDER / "faults.json"


@contextmanager
def emulated(port: int) -> Iterator[Account]:
    """Run the emulator until the block ends, however it ends; its log is build/cloud/emulator.log."""
    (FOLDER / "state").mkdir(parents=True, exist_ok=True)
    _faults().write_text("{}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what is below ends too
    _remove(port)
    account = Account(port, _gateway())
    with (FOLDER / "emulator.log").open("w") as log:
        process = subprocess.Popen(_command(account), env=_environment(account), stdout=log, stderr=log, cwd=ROOT)
        try:
            _answering(account, process)
            yield account
        finally:
            _end(process)
            _remove(port)


def _command(account: Account) -> list[str]:
    python, script = str(ROOT / ".venv-cloud" / "bin" / "python"), str(Path(__file__).with_name("stand_in.py"))
    return [python, script, str(_faults()), str(account.port), account.gateway, str(emulator())]


def _environment(account: Account) -> Mapping[str, str]:
    state = str(FOLDER / "state")
    places = {"HOME": state, "TMPDIR": state, "STATE_DIR": state, "GATEWAY_PORT": str(account.port)}
    seen = {"AWS_ENDPOINT_URL": f"http://{account.gateway}:{account.port}"}
    return {"PATH": os.environ["PATH"], **_SETTINGS, **ROOT_KEYS, **places, **seen}


def _gateway() -> str:
    """Return the engine's address on its bridge where this machine has it, as an engine on Linux gives it."""
    address = docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}") or "172.17.0.1"
    with socket.socket() as probe:
        probe.bind((address, 0))
    return address


def _answering(account: Account, process: "subprocess.Popen[bytes]") -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, (FOLDER / "emulator.log").read_text()[-3000:]
        try:
            opener.open(f"{account.endpoint}/_ministack/health", timeout=5).close()
        except OSError:
            assert time.monotonic() < deadline, "the emulator does not answer"
            time.sleep(0.2)
        else:
            return


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


def _remove(port: int) -> None:
    """Remove the containers that the emulator started, and the names that were given to images for it."""
    ids = docker("ps", "--all", "--quiet", "--filter", _label(port)).split()
    if ids:
        with suppress(RuntimeError):  # the emulator may be removing one itself
            docker("rm", "--force", "--volumes", *ids)
    names = docker("images", "--format", "{{.Repository}}:{{.Tag}}", f"127.0.0.1:{port}/*").split()
    if names:
        docker("rmi", *names)
