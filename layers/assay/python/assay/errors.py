"""The error tree: the caller fixes an `InputError`, the operator a `ServiceError`. `assay.http` gives each a status."""

from collections.abc import Mapping
from typing import Final

UPLOADS_HINT: Final = "send it through POST /uploads instead"


class AssayError(Exception):
    """An error with a stable code, a message that says what to do, and details for machines."""

    code = "error"

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details: Mapping[str, object] = details


class InputError(AssayError):
    """The caller can fix it."""

    code = "invalid_input"


class MalformedBody(InputError):
    """The body is not what its content type says, or JSON of the wrong shape."""

    code = "malformed_body"


class InvalidOption(InputError):
    """An option is out of its range or of the wrong type."""

    code = "invalid_option"


class InvalidAbstract(InputError):
    """An abstract is too short or too long after cleaning, or takes too long to clean."""

    code = "invalid_abstract"


class UnreadableInput(InputError):
    """Nothing can be read: truncated or corrupt gzip, a CSV without the column asked for."""

    code = "unreadable_input"


class UnsupportedMediaType(InputError):
    """No reader takes this content type."""

    code = "unsupported_media_type"


class TooLarge(InputError):
    """A body, a record or a count is over its limit."""

    code = "too_large"


class Overtime(TooLarge):
    """A body takes longer to work on than a request may wait."""


class StrictReject(InputError):
    """`strict` was asked for and at least one record was rejected."""

    code = "rejected_records"


class Forbidden(InputError):
    """It belongs to another caller, and only its owner may change it."""

    code = "forbidden"


class NotFound(InputError):
    """There is no such job, model or route."""

    code = "not_found"


class NotAcceptable(InputError):
    """The caller accepts no form that the reply has."""

    code = "not_acceptable"


class Conflict(InputError):
    """Its state does not allow what was asked for."""

    code = "conflict"


class ObjectChanged(InputError):
    """An object was replaced while a job read it."""

    code = "object_changed"


class Cancelled(InputError):
    """A job was stopped before its end."""

    code = "cancelled"


class ServiceError(AssayError):
    """The operator must fix it."""

    code = "service_error"


class ModelUnavailable(ServiceError):
    """A model has no current version, or none that loads."""

    code = "model_unavailable"


class BundleInvalid(ServiceError):
    """A manifest is malformed, or a file does not match it."""

    code = "bundle_invalid"


class RuntimeMissing(ServiceError):
    """The bundle's format needs a runtime that this image leaves out."""

    code = "runtime_missing"


class StoreAway(ServiceError):
    """A store that the service needs does not answer as it should."""

    code = "store_away"


class ObjectMissing(ServiceError):
    """An object that should exist does not."""

    code = "object_missing"


class AnswerInvalid(ServiceError):
    """A store returned another range or another object than was asked for, or too few bytes."""

    code = "answer_invalid"


class ManifestInvalid(ServiceError):
    """A job's manifest cannot be read, or contradicts itself."""

    code = "manifest_invalid"


class ShardFailed(ServiceError):
    """Shards of a file job gave up after every retry, or left no result."""

    code = "shard_failed"


class Unaccounted(ServiceError):
    """Bytes or records of a file job do not add up, so no result is shown."""

    code = "unaccounted"


class JobLost(ServiceError):
    """A job ended without a final state, and nothing is left that could end it."""

    code = "job_lost"


class SettingsError(ServiceError):
    """An environment variable is missing or malformed."""

    code = "settings"
