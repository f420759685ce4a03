"""The bundles that ship in models/: which there are, and how they reach the local models bucket."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def shipped(folder: Path) -> Iterator[Path]:
    """Yield the folder of every bundle, `NAME/VERSION`, a name's newest version last."""
    yield from sorted((path.parent for path in folder.glob("*/*/manifest.json")), key=_order)


def newest(folder: Path, name: str) -> Path | None:
    """Return the newest bundle of a name, None where there is none."""
    return next((path for path in reversed(list(shipped(folder))) if path.parent.name == name), None)


def publish_defaults(s3: Any, bucket: str, folder: Path) -> None:
    """Publish every bundle that ships: its files, then its manifest, then the pointer; the newest version serves."""
    from assay.models.layout import Pointer, bundle_key, current_key

    for path in shipped(folder):
        name, version = path.parent.name, path.name
        files = (file for file in path.rglob("*") if file.is_file())
        for file in sorted(files, key=lambda file: file.name == "manifest.json"):
            s3.upload_file(str(file), bucket, bundle_key(name, version, file.relative_to(path).as_posix()))
        s3.put_object(Bucket=bucket, Key=current_key(name), Body=Pointer(version).dumps())


def _order(path: Path) -> tuple[str, list[tuple[int, str]]]:
    """Order versions as people do: 9 before 10."""
    parts = re.split(r"(\d+)", path.name)
    return path.parent.name, [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
