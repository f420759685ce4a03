"""A file of several shards, ways to make its ranking go wrong, and what must hold all the same."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from assay.jobs.environment import JobEnvironment
from tests.integration.drops import GOOD, OTHER, Drop

Cut = Callable[..., None]
OPEN = {"threshold": "-1000000"}
LINES = [GOOD, OTHER, "MKV", GOOD, "", OTHER, GOOD[1:] + "A"] * 3
BODY = "".join(f"{each}\n" for each in LINES).encode()
SHARD = 256
SHARDS = -(-len(BODY) // SHARD)


def desk() -> JobEnvironment:
    """Return the desk of this environment."""
    from rank.services import services

    return services().desk


def whole(drop: Drop, job_id: str) -> None:
    """Hold a job to the results of the file in one piece."""
    summary = drop.summary(job_id)
    counts = summary["counts"]
    assert summary["state"] == drop.job(job_id).state == "SUCCEEDED"
    assert counts == drop.job(job_id).counts
    assert counts["received"] == counts["scored"] + counts["rejected"] == len(LINES)
    ranked = [(row["sequence"], int(row["line"])) for row in drop.rows(job_id, "ranking.csv")]
    assert sorted(line for _, line in ranked) == [1, 2, 7]
    assert all(LINES[line - 1] == text for text, line in ranked)
    rejected = [int(row["line"]) for row in drop.rows(job_id, "rejected.csv")]
    assert rejected == [at for at, text in enumerate(LINES, 1) if len(text) != 50]


def failing(count: int, error: Exception, when: Callable[[str, dict[str, Any]], bool]) -> Callable[..., None]:
    """Return a fault that happens so many times."""
    left = [count]

    def fault(name: str, event: dict[str, Any]) -> None:
        if left[0] and when(name, event):
            left[0] -= 1
            raise error

    return fault


def code(name: str, status: int = 500) -> ClientError:
    """Return AWS's error of that code."""
    said: Any = {"Error": {"Code": name, "Message": "told to"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(said, "Operation")


def shard(number: int) -> Callable[[str, dict[str, Any]], bool]:
    """Say whether a call is that of one shard."""
    return lambda name, event: name == "RankShard" and event["shard"] == number
