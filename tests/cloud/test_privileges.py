"""Least privilege: with one statement taken away from a role, what it was for fails; with all of them, it works."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.cloud.account import Account
from tests.cloud.deployment import Deployment
from tests.cloud.samples import ABSTRACT, DESIGN, LINES, sequences

pytestmark = pytest.mark.cloud
LARGE = sequences(25_000, 5)
ABSTRACTS = "".join(json.dumps({"id": str(at), "abstract": f"{at} {ABSTRACT}"}) + "\n" for at in range(400)).encode()


@dataclass(frozen=True, slots=True)
class Case:
    """A statement of a role, by its Sid, and a use of the service that cannot do without it."""

    role: str
    sid: str
    works: Callable[[Deployment, str], bool]
    functions: tuple[str, ...] = ()


def _rank(cloud: Deployment, name: str) -> bool:
    return cloud.post("/rank", json={"sequences": [DESIGN]}).status_code == 200


def _classify(cloud: Deployment, name: str) -> bool:
    return cloud.post("/classify", json={"abstract": f"{name} {ABSTRACT}"}).status_code == 200


def _remembered(cloud: Deployment, name: str) -> bool:
    for _ in range(2):
        reply = cloud.post("/classify", json={"abstract": f"{name} {ABSTRACT}"})
        assert reply.status_code == 200, "without its cache it answers all the same"
    return bool(reply.json()["results"][0]["cached"])


def _upload(cloud: Deployment, name: str) -> bool:
    return cloud.post("/uploads", json={"filename": f"{name}.txt", "kind": "rank"}).status_code in (200, 201)


def _posted(cloud: Deployment, name: str) -> bool:
    given = cloud.post("/uploads", json={"filename": f"{name}.txt", "kind": "rank"}).json()["upload"]
    return requests.post(given["url"], given["fields"], files={"file": LINES}, timeout=60).ok


def _link(cloud: Deployment, name: str) -> bool:
    job = cloud.drop(f"rank/{name}.txt", LINES)
    found: dict[str, Any] = cloud.get(f"/jobs/{job['job_id']}").json()
    [link] = [each for each in _strings(found) if each.startswith("http") and "ranking.csv" in each]
    return requests.get(link, timeout=60).ok


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict | list):
        each = value.values() if isinstance(value, dict) else value
        return [found for inner in each for found in _strings(inner)]
    return [value] if isinstance(value, str) else []


def _small(cloud: Deployment, name: str) -> bool:
    return _dropped(cloud, f"rank/{name}.txt", LINES)


def _large(cloud: Deployment, name: str) -> bool:
    return _dropped(cloud, f"rank/{name}-large.txt", LARGE)


def _small_abstracts(cloud: Deployment, name: str) -> bool:
    return _dropped(cloud, f"classify/{name}.jsonl", ABSTRACTS[:5000].rpartition(b"\n")[0])


def _large_abstracts(cloud: Deployment, name: str) -> bool:
    return _dropped(cloud, f"classify/{name}-large.jsonl", ABSTRACTS)


def _dropped(cloud: Deployment, key: str, body: bytes) -> bool:
    """Drop a file; whether it SUCCEEDED. A job that is FAILED, or an event that is a dead letter, did not."""
    cloud.put(key, body)
    return cloud.ends(key) == "SUCCEEDED"


def _swept(cloud: Deployment, name: str) -> bool:
    functions = cloud.account.client("lambda")
    return "FunctionError" not in functions.invoke(FunctionName=cloud.ids["JobSweepFunction"], Payload=b"{}")


CASES = [
    Case("RankApiRole", "ReadModels", _rank, ("RankApiFunction",)),
    Case("ClassifyApiRole", "ReadModels", _classify, ("ClassifyApiFunction",)),
    Case("ClassifyApiRole", "RememberScores", _remembered),
    Case("PortalRole", "SignUploads", _posted),
    Case("PortalRole", "KeepJobs", _upload),
    Case("PortalRole", "LinkResults", _link),
    Case("RankUploadRole", "WriteResults", _small),
    Case("RankUploadRole", "KeepJobs", _small),
    Case("RankUploadRole", "StartFileJobs", _large),
    Case("RankPlanRole", "KeepPartials", _large),
    Case("RankShardRole", "ReadUploads", _large),
    Case("RankMergeRole", "KeepPartials", _large),
    Case("ClassifyUploadRole", "ReadAbstracts", _small_abstracts),
    Case("ClassifyShardRole", "KeepPartials", _large_abstracts),
    Case("JobSweepRole", "FindJobs", _swept),
]


@contextmanager
def _without(account: Account, role: str, sid: str) -> Iterator[None]:
    roles = account.client("iam")
    [name] = roles.list_role_policies(RoleName=role)["PolicyNames"]
    whole = roles.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    rest = [each for each in whole["Statement"] if each["Sid"] != sid]
    assert len(rest) == len(whole["Statement"]) - 1, (
        f"{role} has no {sid}, but {[e['Sid'] for e in whole['Statement']]}"
    )
    roles.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps({**whole, "Statement": rest}))
    try:
        yield
    finally:
        roles.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(whole))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.role}-{case.sid}")
def test_without_a_statement_what_it_is_for_fails(cloud: Deployment, account: Account, case: Case) -> None:
    with _without(account, cloud.ids[case.role], case.sid):
        cloud.forget(*case.functions)
        assert not case.works(cloud, f"without-{case.role}-{case.sid}")


@pytest.mark.parametrize("works", list(dict.fromkeys(case.works for case in CASES)))
def test_with_all_statements_it_works(cloud: Deployment, works: Callable[[Deployment, str], bool]) -> None:
    cloud.forget("RankApiFunction", "ClassifyApiFunction")
    assert works(cloud, "with-all")


def test_strangers_are_refused(cloud: Deployment, account: Account) -> None:
    stranger = account.client("s3", "stranger", "stranger")
    for call in (stranger.list_buckets, lambda: stranger.list_objects_v2(Bucket=cloud.uploads)):
        with pytest.raises(Exception, match=r"InvalidAccessKeyId|AccessDenied|not exist"):
            call()
