"""The bundles that ship in models/: which there are, and how they reach the local models bucket."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.models.loading import LoadedModel

_GREETING = b"INFO: Created TensorFlow Lite XNNPACK delegate"


def list_shipped(folder: Path) -> Iterator[Path]:
    """Yield the folder of every bundle, `NAME/VERSION`, a name's newest version last."""
    yield from sorted((path.parent for path in folder.glob("*/*/manifest.json")), key=_order)


def newest(folder: Path, name: str) -> Path:
    """Return the folder of the newest bundle of a name, or of `name@version`; ModelUnavailable if there is none."""
    from assay.errors import ModelUnavailable

    wanted, _, version = name.partition("@")
    found = [path for path in list_shipped(folder) if path.parent.name == wanted and version in ("", path.name)]
    if not found:
        raise ModelUnavailable(f"{folder} holds no bundle of {name}")
    return found[-1]


def newest_model(folder: Path, name: str, threads: int = 0) -> "LoadedModel":
    """Load what `newest` finds, to run in so many threads (0: one a core); raises as it does, and BundleInvalid."""
    from assay.models.loading import load_folder

    found = newest(folder, name)
    with _without_greeting():
        return load_folder(found, threads or os.cpu_count() or 1)


@contextmanager
def _without_greeting() -> Iterator[None]:
    """Hold back what LiteRT says of itself at its start, past Python, on file descriptor 2; all else is passed on."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            held.seek(0)
            for line in held:
                if _GREETING not in line:
                    os.write(terminal, line)
            os.close(terminal)


def publish_defaults(s3: Any, bucket: str, folder: Path) -> None:
    """Publish every bundle that ships, the newest version of a name to serve; a broken one is told and left out."""
    from assay.aws.s3 import Bucket
    from assay.errors import BundleInvalid
    from tools.models.publish import publish

    for path in list_shipped(folder):
        try:
            publish(Bucket(s3, bucket), path, run=False)
        except BundleInvalid as error:
            print(f"warning: {path}: {error}", file=sys.stderr, flush=True)


def _order(path: Path) -> tuple[str, list[tuple[int, str]]]:
    """Order versions as people do: 9 before 10."""
    parts = re.split(r"(\d+)", path.name)
    return path.parent.name, [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
