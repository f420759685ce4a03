"""An importer at work in a separate process: no credentials, no network, one folder to write to, bounded memory.

What a stranger's model makes TensorFlow, Keras or a tokenizer do, it does there. The importer's answer comes back as
JSON and files; nothing of it is unpickled.
"""

import base64
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from assay import errors
from assay.errors import AssayError, UnreadableInput
from assay.models.probes import Probes
from assay.sequences.contract import Contract
from tools.confinement import confine
from tools.models.importers.result import ImportRequest, ImportResult
from tools.models.importing import convert_here

_ROOT: Final = Path(__file__).resolve().parents[2]
_REPLY: Final = "reply.json"
_MOST_REPLY: Final = 64 << 20
_PATHS: Final = ("path", "encoder", "tokenizer", "rows", "representative")
_PASSED_ON: Final = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ", "CUDA_VISIBLE_DEVICES")
_PASSED_ON_BY_PREFIX: Final = ("OMP_", "OPENBLAS_", "MKL_", "TF_")
_SYSTEM: Final = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/opt", "/etc", "/sys", "/proc")
_MEMORY: Final[Mapping[str, int]] = {"sklearn": 8 << 30}
"""Address space by kind; TensorFlow reserves far more than it uses, so the others have none."""


def convert_apart(wish: ImportRequest, kind: str, folder: Path) -> ImportResult:
    """Import a model into `folder` as `convert_here` does, in a confined process; raises what that raises.

    UnreadableInput where the process dies, which a model can only bring about by being broken or hostile.
    """
    with tempfile.TemporaryDirectory() as scratch:
        asked = {"wish": _to_json(wish), "kind": kind, "folder": str(folder), "scratch": scratch}
        command = [sys.executable, "-m", "tools.models.import_process"]
        done = subprocess.run(command, input=json.dumps(asked).encode(), env=_environment(scratch), cwd=_ROOT)
        reply = _reply(Path(scratch) / _REPLY) if done.returncode == 0 else None
    if reply is None:
        raise UnreadableInput(
            f"{wish.path.name} ended the process that read it ({_explain_end(done.returncode)}): it is damaged, needs "
            "more memory than there is, or was made to do that"
        )
    if "error" in reply:
        raise _error(reply["error"])
    if any(not (each.is_dir() or each.is_file()) or each.is_symlink() for each in folder.rglob("*")):
        raise UnreadableInput(f"{wish.path.name} left something that is neither a file nor a folder")
    return _to_made(reply["made"])


def main() -> int:
    """Do what standard input asks, and write the answer into the scratch folder."""
    asked = json.loads(sys.stdin.buffer.read())
    scratch, folder, wish = Path(asked["scratch"]), Path(asked["folder"]), _to_wish(asked["wish"])
    if asked["kind"] in _MEMORY:
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY[asked["kind"]],) * 2)
    confine(_readable(wish), (scratch, folder, Path("/dev")))
    try:
        reply: dict[str, Any] = {"made": _from_made(convert_here(wish, asked["kind"], folder))}
    except AssayError as error:
        reply = {"error": {"name": type(error).__name__, "message": error.message}}
    except MemoryError:
        reply = {
            "error": {"name": "UnreadableInput", "message": f"{wish.path.name} needs more memory than a model may"}
        }
    (scratch / _REPLY).write_text(json.dumps(reply), "utf-8")
    return 0


def _readable(wish: ImportRequest) -> list[Path]:
    """Return what an importer reads: the model, Python with its packages, this program, and the system's libraries."""
    given = [path.resolve() for name in _PATHS if (path := getattr(wish, name)) is not None]
    linked = [each.resolve() for path in given if path.is_dir() for each in path.iterdir() if each.is_symlink()]
    python = [Path(sys.prefix), Path(sys.base_prefix), *(Path(each).resolve() for each in sys.path if each)]
    return [*given, *linked, *python, _ROOT, *(Path(each) for each in _SYSTEM)]


def _environment(scratch: str) -> dict[str, str]:
    """Return the variables of the process: no credentials, and every cache in its own folder."""
    kept = {
        name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith(_PASSED_ON_BY_PREFIX)
    }
    homes = dict.fromkeys(("HOME", "TMPDIR", "HF_HOME", "KERAS_HOME", "XDG_CACHE_HOME", "MPLCONFIGDIR"), scratch)
    return {**kept, **homes, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each), "HF_HUB_OFFLINE": "1"}


def _explain_end(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"


def _reply(path: Path) -> dict[str, Any] | None:
    if not path.is_file() or path.is_symlink() or path.stat().st_size > _MOST_REPLY:
        return None
    found = json.loads(path.read_bytes())
    return found if isinstance(found, dict) else None


def _error(said: Mapping[str, str]) -> AssayError:
    known = getattr(errors, said["name"], None)
    kind = known if isinstance(known, type) and issubclass(known, AssayError) else UnreadableInput
    return kind(said["message"])


def _to_json(wish: ImportRequest) -> dict[str, Any]:
    values = asdict(wish)
    for name in _PATHS:
        values[name] = None if values[name] is None else str(values[name].absolute())
    return {**values, "contract": [wish.contract.alphabet, wish.contract.length]}


def _to_wish(values: dict[str, Any]) -> ImportRequest:
    paths = {name: None if values[name] is None else Path(values[name]) for name in _PATHS}
    labels = None if values["labels"] is None else tuple(values["labels"])
    said = tuple(values["said"])
    return ImportRequest(
        **{**values, **paths, "labels": labels, "said": said, "contract": Contract(*values["contract"])}
    )


def _from_made(made: ImportResult) -> dict[str, Any]:
    probes = made.probes
    outputs = np.asarray(probes.outputs, np.float64)
    return {
        "header": made.header,
        "report": made.report,
        "probes": {
            "kind": probes.kind,
            "inputs": list(probes.inputs),
            "shape": list(outputs.shape),
            "outputs": base64.b64encode(outputs.tobytes()).decode(),
            "tolerance": probes.tolerance,
        },
    }


def _to_made(values: Mapping[str, Any]) -> ImportResult:
    said = values["probes"]
    outputs = np.frombuffer(base64.b64decode(said["outputs"]), np.float64).reshape(said["shape"])
    probes = Probes(said["kind"], tuple(said["inputs"]), outputs, said["tolerance"])
    return ImportResult(values["header"], probes, values["report"])


if __name__ == "__main__":
    sys.exit(main())
