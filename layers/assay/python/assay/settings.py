"""What the environment says, as typed, frozen values."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Self

from assay.errors import SettingsError

_TRUE = frozenset({"1", "true", "yes", "on"})
_LAMBDA_MEMORY = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
_FALSE = frozenset({"", "0", "false", "no", "off"})


def _processors() -> int:
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Settings:
    """Names, limits and intervals of one function; a name is empty where the function does without it."""

    uploads_bucket: str = ""
    results_bucket: str = ""
    models_bucket: str = ""
    state_table: str = ""
    gate_model: str = "stability-chymotrypsin"
    score_model: str = "stability-trypsin"
    classifier: str = "arxiv-archives"
    model_refresh_seconds: float = 60.0
    scratch: Path = Path("/tmp")  # nosec B108: the only folder that Lambda lets a function write
    threads: int = field(default_factory=_processors)
    preload: bool = False
    reply_bytes: int = 5_000_000
    cache_days: float = 0.0
    job_topic: str = ""
    page_url: str = ""
    allowed_origin: str = ""
    model_memory_mb: int = 1024
    file_machine: str = ""
    shard_megabytes: int = 64
    max_job_shards: int = 2000
    max_unsplit_megabytes: int = 2048
    shard_concurrency: int = 6
    upload_attempts: int = 3
    upload_days: int = 30
    result_days: int = 90

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], *required: str) -> Self:
        """Read `ASSAY_*`; SettingsError names a variable that is malformed, or missing among the fields `required`."""
        given = {each.name: environ.get(variable(each.name), "").strip() for each in fields(cls)}
        given["model_memory_mb"] = given["model_memory_mb"] or _half(environ.get(_LAMBDA_MEMORY, ""))
        missing = [variable(name) for name in required if not given[name]]
        if missing:
            raise SettingsError(f"set {' and '.join(missing)}: this function needs them", missing=missing)
        return cls(**{name: _read(name, text) for name, text in given.items() if text})  # type: ignore[arg-type]


def variable(name: str) -> str:
    """Return the environment variable of a settings field: `threads` is ASSAY_THREADS."""
    return f"ASSAY_{name.upper()}"


def _read(name: str, text: str) -> str | int | float | bool | Path:
    match name:
        case "scratch":
            return Path(text)
        case "threads" | "reply_bytes" | "model_memory_mb" | "shard_megabytes" | "max_job_shards":
            return _number(name, text, int, 1)
        case "max_unsplit_megabytes" | "shard_concurrency" | "upload_attempts" | "upload_days" | "result_days":
            return _number(name, text, int, 1)
        case "model_refresh_seconds" | "cache_days":
            return _number(name, text, float, 0)
        case "preload":
            return _truth(name, text)
    return text


def _half(megabytes: str) -> str:
    """Return what models may take of a function's memory: the rest is for what requests hold, and for PDFs."""
    return str(max(int(megabytes) // 2, 1)) if megabytes.isdecimal() else ""


def _number(name: str, text: str, kind: type[int] | type[float], least: int) -> float:
    try:
        value = kind(text)
    except ValueError:
        raise SettingsError(f"{variable(name)} is {text!r}, not a number") from None
    if not least <= value < float("inf"):
        raise SettingsError(f"{variable(name)} is {text}, which is not a finite number from {least}")
    return value


def _truth(name: str, text: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        raise SettingsError(f"{variable(name)} is {text!r}, not true or false")
    return text.lower() in _TRUE
