"""Large files on ten functions: shards, a function killed in the middle, throttling, ranges that are none."""

import gzip
import hashlib
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cloud.account import Account
from tests.cloud.deployment import Deployment, assay, wait_for
from tests.cloud.samples import sequences
from tools.containers import docker

pytestmark = pytest.mark.cloud
COUNT, BAD = 100_000, 100
LARGE = sequences(COUNT, 3)
TOP = {"top-k": "5000", "threshold": "-1"}


@pytest.fixture(scope="module")
def single(cloud: Deployment, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The sha256 of the ranking of one pass on this machine, held to that of one function on the cloud."""
    folder = tmp_path_factory.mktemp("single")
    (folder / "large.txt").write_bytes(LARGE)
    assay(
        cloud, "rank", str(folder / "large.txt"), "--top-k", TOP["top-k"], "--threshold", TOP["threshold"],
        "--out", str(folder / "out"), "--processes", "1",
    )  # fmt: skip
    here = hashlib.sha256(_ranking(folder / "out").read_bytes()).hexdigest()
    job = cloud.drop("rank/single.txt.gz", gzip.compress(LARGE, 1), **TOP)
    assert job["state"] == "SUCCEEDED", job
    assert _sha(cloud, job["job_id"]) == here
    return here


def _ranking(folder: Path) -> Path:
    [found] = folder.rglob("ranking.csv")
    return found


def _sha(cloud: Deployment, job: str) -> str:
    return hashlib.sha256(cloud.output(job, "ranking.csv")).hexdigest()


def _hold(cloud: Deployment, job: str, single: str) -> None:
    found = cloud.ended(job)
    assert found["state"] == "SUCCEEDED", found
    assert found["counts"]["received"] == COUNT
    assert found["counts"]["rejected"] == BAD
    assert _sha(cloud, job) == single


def _shards(cloud: Deployment, job: str) -> int:
    machine = cloud.account.client("stepfunctions")
    runs = machine.list_executions(stateMachineArn=cloud.ids["RankFileStateMachine"])["executions"]
    return len([run for run in runs if run["name"] == job])


def test_shards_rank_as_one_pass(cloud: Deployment, single: str) -> None:
    cloud.put("rank/shards.txt", LARGE, **TOP)
    job = cloud.job_of("rank/shards.txt")
    _hold(cloud, job, single)
    assert _shards(cloud, job) == 1, "the state machine did it"


def test_a_shard_function_killed_in_the_middle_is_done_again(cloud: Deployment, account: Account, single: str) -> None:
    function = cloud.ids["RankShardFunction"]
    before = _unfinished(cloud)
    cloud.forget("RankShardFunction")
    cloud.put("rank/killed.txt", LARGE, **TOP)
    wait_for(lambda: _killed(account, function), "a shard at work")
    _hold(cloud, cloud.job_of("rank/killed.txt"), single)
    assert _unfinished(cloud) > before


def _unfinished(cloud: Deployment) -> int:
    """Return how many invocations of the shard function began and did not end, by its log."""
    log = "".join(cloud.log("rank-shard"))
    return log.count("START RequestId") - log.count("INVOKE RTDONE")


def _killed(account: Account, function: str) -> bool | None:
    """Kill a container of the function in the middle of an invocation; None where none is in one."""
    return next((True for each in account.containers(function) if _killed_at_work(account, each)), None)


def _killed_at_work(account: Account, container: str) -> bool:
    try:
        docker("pause", container)
    except RuntimeError:  # it has ended meanwhile
        return False
    try:
        log = account.log(container)
    except subprocess.CalledProcessError:  # it is being removed, and has no log any more
        log = ""
    if log.count("INVOKE START") > log.count("INVOKE RTDONE"):
        docker("kill", container)
        return True
    with suppress(RuntimeError):
        docker("unpause", container)
    return False


def test_a_job_ends_where_functions_are_refused(cloud: Deployment, account: Account, single: str) -> None:
    with account.fault(concurrency=2):
        cloud.put("rank/throttled.txt", LARGE, **TOP)
        _hold(cloud, cloud.job_of("rank/throttled.txt"), single)
    assert _metric(account, "Throttles", cloud.ids["RankShardFunction"]) > 0


def _metric(account: Account, name: str, function: str) -> float:
    now = time.time()
    points = account.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda", MetricName=name, Dimensions=[{"Name": "FunctionName", "Value": function}],
        StartTime=now - 3600, EndTime=now + 60, Period=60, Statistics=["Sum"],
    )["Datapoints"]  # fmt: skip
    return float(sum(point["Sum"] for point in points))


def test_a_whole_object_is_not_taken_for_a_range(cloud: Deployment, account: Account, single: str) -> None:
    key = "rank/ranges.txt"
    with account.fault(ranges=True):
        cloud.put(key, LARGE, **TOP)
        assert cloud.ends(key) in ("FAILED", "dead")
    letters = wait_for(lambda: [each for each in cloud.letters() if key in each] or None, "a dead letter")
    assert "status 200" in letters[0] + str(cloud.reason(key)), letters
    assay(cloud, "jobs", "redrive", "--dead-letters", "--stack", cloud.stack)
    wait_for(lambda: cloud.ends(key) == "SUCCEEDED" or None, "the job begun again")
    _hold(cloud, cloud.job_of(key), single)
