"""Where a job's objects lie in the results bucket: working objects under partials/, results under results/."""

import re
from hashlib import sha256
from typing import Final

_PARTIAL: Final = re.compile(r"/(\d{5,})\.json")
_LONGEST_KEY: Final = 1024
_SUMMARIES: Final = {"rank": "ranking", "classify": "classification"}


def folder(job_id: str) -> str:
    """Return the prefix of a job's working objects."""
    return f"partials/{job_id}/"


def manifest_key(job_id: str) -> str:
    """Return where a job's pins lie."""
    return f"{folder(job_id)}manifest.json"


def shards_key(job_id: str) -> str:
    """Return where the list lies that the state machine's map reads."""
    return f"{folder(job_id)}shards.json"


def partial_key(job_id: str, shard: int) -> str:
    """Return where a shard's result lies; it exists once the shard is done."""
    return f"{folder(job_id)}{shard:05d}.json"


def part_key(job_id: str, shard: int, name: str) -> str:
    """Return where something else of a shard lies: `part_key(job, 7, "rejected.csv")` ends in `00007.rejected.csv`."""
    return f"{folder(job_id)}{shard:05d}.{name}"


def shard_of(key: str) -> int | None:
    """Return which shard's result a key is of, None for any other key."""
    found = _PARTIAL.search(key)
    return int(found[1]) if found and found.end() == len(key) else None


def result_key(job_id: str, name: str) -> str:
    """Return where a result lies: `result_key(job, "ranking.csv")`."""
    return f"results/{job_id}/{name}"


def summary_key(job_id: str, kind: str) -> str:
    """Return where a job's summary lies, written last: `ranking.json` or `classification.json`."""
    return result_key(job_id, f"{_SUMMARIES[kind]}.json")


def pointer_key(upload: str) -> str:
    """Return where the pointer of an upload lies; a key too long to be part of another is named by its sha256."""
    plain = f"by-upload/{upload}.json"
    return plain if len(plain.encode()) <= _LONGEST_KEY else f"by-upload/{sha256(upload.encode()).hexdigest()}.json"
