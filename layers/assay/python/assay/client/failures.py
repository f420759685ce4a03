"""Why a call came to nothing: the service refused, nothing answered, or the job failed.

AssayError
└── CallFailed
├── Refused       the service, or S3, said no: `status`, `code`, `details` are its own
├── Unreachable   nothing answers at the address, or the connection broke
└── JobFailed     the job ended as FAILED: `job` is its record
"""

from collections.abc import Mapping
from typing import Any

from assay.errors import AssayError


class CallFailed(AssayError):
    """A call came to nothing. `code` is stable, the message says what to do."""

    def __init__(self, message: str, code: str = "", **details: object) -> None:
        super().__init__(message, **details)
        self.code = code or self.code


class Refused(CallFailed):
    """The service, or S3, said no, in its own words. `status` is HTTP's, 0 if this program noticed it before."""

    code = "refused"

    def __init__(self, message: str, code: str = "", status: int = 0, **details: object) -> None:
        super().__init__(message, code, **details)
        self.status = status


class Unreachable(CallFailed):
    """Nothing answers at the address, or the connection broke."""

    code = "unreachable"


class JobFailed(CallFailed):
    """A job ended as FAILED. Its results may still say why: `strict` leaves rejected.csv."""

    code = "job_failed"

    def __init__(self, job: Mapping[str, Any]) -> None:
        super().__init__(f"job {job['job_id']} failed: {job.get('reason') or 'it gives no reason'}")
        self.job = dict(job)
