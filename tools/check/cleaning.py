"""What a run made is taken away: its uploads, their results and pointers, in every version.

The records of its jobs stay until they expire: without them an S3 event that comes twice would begin a job again.
"""

from collections.abc import Iterator
from typing import Any, Final

from tools.check.ground import Ground
from tools.check.promises import Check, hold

OURS: Final = ("results", "partials")


def check_cleaning(ground: Ground) -> str:
    """Stop what still runs, remove what the run made, and hold that nothing of it is left."""
    for job in ground.jobs:
        ground.wire.post(f"/jobs/{job}/cancel")  # one that has ended says 409
    s3 = ground.held.client("s3")
    removed = sum(_empty(s3, *place) for place in _places(ground))
    left = [key for place in _places(ground) for key, _ in _versions(s3, *place)]
    hold(not left, f"{len(left)} objects could not be removed, such as {left[:1]}")
    return f"{removed} objects; records of jobs expire by themselves"


def _places(ground: Ground) -> Iterator[tuple[str, str]]:
    """Yield bucket and prefix of everything that the run made."""
    held = ground.held
    yield from ((held.uploads, key) for key in sorted(ground.uploads))
    yield from ((held.results, f"by-upload/{key}.json") for key in sorted(ground.uploads))
    yield from ((held.results, f"{folder}/{job}/") for job in sorted(ground.jobs) for folder in OURS)


def _versions(s3: Any, bucket: str, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield key and version of what lies under a prefix, marks of deletion too."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            yield each["Key"], each["VersionId"]


def _empty(s3: Any, bucket: str, prefix: str) -> int:
    found = [*_versions(s3, bucket, prefix)]
    for key, version in found:
        s3.delete_object(Bucket=bucket, Key=key, VersionId=version)
    return len(found)


CHECKS: Final = (Check("cleaning", "what this run made is taken away", check_cleaning),)
