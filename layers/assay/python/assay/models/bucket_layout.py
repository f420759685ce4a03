"""Where models lie in their bucket, how they are named, and the pointer to the version that serves."""

import json
import re
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Final, Self

from assay.errors import BundleInvalid
from assay.models.json_fields import read_document

MANIFEST: Final = "manifest.json"
MAX_POINTER_BYTES: Final = 1 << 16
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Pointer:
    """`current.json`: the version that serves, and the one before, for when it does not load.

    With each the sha256 of its manifest.json, None in a pointer that was written before there was one.
    """

    version: str
    previous: str | None = None
    sha256: str | None = None
    previous_sha256: str | None = None

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read `current.json`; raises BundleInvalid."""
        fields = read_document(content, "current.json", MAX_POINTER_BYTES)
        previous = fields.values.get("previous")
        version = checked_version(fields.text("version"))
        digests = (_digest(fields.values.get(name)) for name in ("sha256", "previous_sha256"))
        return cls(version, checked_version(str(previous)) if previous else None, *digests)

    def dumps(self) -> bytes:
        """Return the pointer as `current.json` holds it."""
        return (json.dumps({"schema": 1, **asdict(self)}) + "\n").encode()

    def digest(self, version: str) -> str | None:
        """Return the sha256 that a version's manifest.json must have, None where the pointer does not say."""
        return {self.previous: self.previous_sha256, self.version: self.sha256}.get(version)


@dataclass(frozen=True, slots=True)
class Target:
    """A model as people name it: `name`, or `name@version` where it is to be one version whatever serves."""

    name: str
    version: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `name` or `name@version`; raises BundleInvalid."""
        name, at, version = text.partition("@")
        return cls(checked_name(name), checked_version(version) if at else None)


def check_manifest(content: bytes, expected: str | None) -> None:
    """Raise BundleInvalid unless a manifest.json is the one that the pointer means; `expected` None holds any."""
    if expected is not None and sha256(content).hexdigest() != expected:
        raise BundleInvalid("manifest.json is not the one that current.json was made for: its sha256 differs")


def _digest(value: object) -> str | None:
    if value is None or (isinstance(value, str) and _DIGEST.fullmatch(value)):
        return value
    raise BundleInvalid("the current.json has a sha256 that is none")


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
