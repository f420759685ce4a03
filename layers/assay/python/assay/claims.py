"""Which upload a worker claims, and what it is answered."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal


@dataclass(frozen=True, slots=True)
class UploadIdentity:
    """One event of one object: `version` is its versionId or ETag. The same file dropped again has a new sequencer.

    `version_id` and `etag` are what the event said of either, for whoever has to find the object again.
    """

    bucket: str
    key: str
    version: str = ""
    sequencer: str = ""
    version_id: str = ""
    etag: str = ""

    @property
    def pk(self) -> str:
        """The key of the item that stands for the identity."""
        return "upload#" + sha256("\0".join((self.bucket, self.key, self.version, self.sequencer)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Claim:
    """Whether to work: `new` and `taken_over` mean yes, `running` (by someone else) and `done` mean no.

    `attempt` counts the claims of this upload that were granted, from 1.
    """

    job_id: str
    state: Literal["new", "taken_over", "running", "done"]
    attempt: int = 1

    @property
    def granted(self) -> bool:
        """True when the claimer has the job."""
        return self.state in {"new", "taken_over"}
