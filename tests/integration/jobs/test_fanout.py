"""Files of several shards, through the state machine: the same bytes as one shard, whatever the split."""

from collections.abc import Callable

from tests.integration.drops import GOOD, OTHER, Drop

Cut = Callable[..., None]
OPEN = {"threshold": "-1000000"}


def test_a_file_of_many_shards(drop: Drop, cut: Cut) -> None:
    cut(100)
    body = "".join(f"{each}\n" for each in [GOOD, OTHER, "MKV", GOOD, "", OTHER] * 3).encode()
    job_id = drop.done("rank/a.txt", body, **OPEN)
    assert drop.summary(job_id)["state"] == "SUCCEEDED"
    assert drop.machine.executions() == [job_id]
