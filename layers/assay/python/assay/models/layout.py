"""Where models lie in their bucket, how they are named, and the pointer to the version that serves."""

import json
import re
from dataclasses import dataclass
from typing import Final, Self

from assay.errors import BundleInvalid
from assay.models.fields import document

MANIFEST: Final = "manifest.json"
MAX_POINTER_BYTES: Final = 1 << 16
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Pointer:
    """`current.json`: the version that serves, and the one before, for when it does not load."""

    version: str
    previous: str | None = None

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read `current.json`; raises BundleInvalid."""
        fields = document(content, "current.json", MAX_POINTER_BYTES)
        previous = fields.values.get("previous")
        return cls(checked_version(fields.text("version")), checked_version(str(previous)) if previous else None)

    def dumps(self) -> bytes:
        """Return the pointer as `current.json` holds it."""
        return (json.dumps({"schema": 1, "version": self.version, "previous": self.previous}) + "\n").encode()


def current_key(name: str) -> str:
    """Return the key of a model's pointer in the models bucket."""
    return f"models/{name}/current.json"


def bundle_key(name: str, version: str, path: str = MANIFEST) -> str:
    """Return the key of a bundle's file in the models bucket."""
    return f"models/{name}/{version}/{path}"


def checked_name(name: str) -> str:
    """Return a model's name; BundleInvalid unless it is lower-case letters, digits and hyphens, at most 63."""
    if not _NAME.fullmatch(name):
        raise BundleInvalid(f"a model is named by lower-case letters, digits and hyphens, not {name[:80]!r}")
    return name


def checked_version(version: str) -> str:
    """Return a version; BundleInvalid unless it is letters, digits, dots, hyphens and underscores, at most 64."""
    if not _VERSION.fullmatch(version):
        raise BundleInvalid(f"a version is letters, digits, '.', '-' and '_', not {version[:80]!r}")
    return version
