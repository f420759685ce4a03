"""Every role may do what its function does and no more; every store is private, encrypted and lets go of old things."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.templates import functions, of_type, references, written

BUCKETS = sorted(of_type("AWS::S3::Bucket"))
ROLES = sorted(of_type("AWS::IAM::Role"))
ATTACHED = sorted(of_type("AWS::IAM::Policy"))
# Actions that AWS cannot scope to a resource: the service authorization reference lists no resource type for them.
UNSCOPABLE = frozenset(
    {"xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"}
)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _statements(role: str) -> Iterator[dict[str, Any]]:
    """Yield what a role may do by its own policies, with every parameter set that gives it more."""
    for policy in of_type("AWS::IAM::Role")[role]["Properties"]["Policies"]:
        for each in policy["PolicyDocument"]["Statement"]:
            yield each["Fn::If"][1] if "Fn::If" in each else each


@pytest.mark.parametrize("name", [*ROLES, *ATTACHED])
def test_no_permission_is_for_everything(name: str) -> None:
    attached = of_type("AWS::IAM::Policy").get(name, {}).get("Properties", {}).get("PolicyDocument", {})
    for statement in attached.get("Statement") or _statements(name):
        actions = set(_listed(statement["Action"]))
        assert not any(action == "*" or action.endswith(":*") for action in actions)
        assert "*" not in _listed(statement["Resource"]) or actions <= UNSCOPABLE


@pytest.mark.parametrize("role", ROLES)
def test_every_statement_says_what_it_is_for(role: str) -> None:
    sids = [statement["Sid"] for statement in _statements(role)]
    assert len(sids) == len(set(sids))
    assert "ManagedPolicyArns" not in of_type("AWS::IAM::Role")[role]["Properties"]


def test_each_function_has_a_role_and_a_log_group_of_its_own() -> None:
    roles = [each["Role"]["Fn::GetAtt"][0] for each in functions().values()]
    logs = [each["LoggingConfig"]["LogGroup"]["Ref"] for each in functions().values()]
    groups = {name for name, each in of_type("AWS::Logs::LogGroup").items() if "Condition" not in each}
    machine = of_type("AWS::Serverless::StateMachine")["RankFileStateMachine"]
    assert sorted([*roles, machine["Properties"]["Role"]["Fn::GetAtt"][0]]) == ROLES
    assert sorted(logs) == sorted(groups)
    for role, log in zip(roles, logs, strict=True):
        assert log in set(references(of_type("AWS::IAM::Role")[role]))


def test_a_function_that_buries_failures_may_write_to_the_queue() -> None:
    for each in functions().values():
        target = each.get("EventInvokeConfig", {}).get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        allowed = [action for statement in _statements(each["Role"]["Fn::GetAtt"][0])
                   for action in _listed(statement["Action"])]  # fmt: skip
        assert (target is not None) == ("sqs:SendMessage" in allowed)


@pytest.mark.parametrize("name", BUCKETS)
def test_a_bucket_is_private_and_encrypted_and_outlives_the_stack(name: str) -> None:
    bucket = of_type("AWS::S3::Bucket")[name]
    assert all(bucket["Properties"]["PublicAccessBlockConfiguration"].values())
    assert bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"
    assert bucket["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("name", BUCKETS)
def test_a_bucket_refuses_connections_in_the_clear(name: str) -> None:
    policies = [each["Properties"] for each in of_type("AWS::S3::BucketPolicy").values()]
    denials = [
        statement
        for policy in policies
        if policy["Bucket"] == {"Ref": name}
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    ]
    assert len(denials) == 1
    assert denials[0]["Action"] == "s3:*"
    assert len(denials[0]["Resource"]) == 2


def test_queues_and_tables_are_encrypted_and_a_queue_refuses_connections_in_the_clear() -> None:
    queues, tables = of_type("AWS::SQS::Queue"), of_type("AWS::DynamoDB::Table")
    assert all(each["Properties"]["SqsManagedSseEnabled"] for each in queues.values())
    assert all(each["Properties"]["SSESpecification"]["SSEEnabled"] for each in tables.values())
    closed = {
        queue["Ref"]
        for policy in of_type("AWS::SQS::QueuePolicy").values()
        for queue in policy["Properties"]["Queues"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "sqs:*")
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }
    assert closed == set(queues) != set()


@pytest.mark.parametrize("name", BUCKETS)
def test_unfinished_uploads_are_cleared_away(name: str) -> None:
    rules = of_type("AWS::S3::Bucket")[name]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)


def test_every_key_that_results_are_written_under_expires() -> None:
    rules = of_type("AWS::S3::Bucket")["ResultsBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    expiring = {rule["Prefix"] for rule in rules if "ExpirationInDays" in rule}
    written_to = {
        resource["Fn::Sub"].partition("/")[2].removesuffix("*")
        for role in ROLES
        for statement in _statements(role)
        if "s3:PutObject" in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
        if "-results-" in resource["Fn::Sub"]
    }
    assert written_to <= expiring


@pytest.mark.parametrize(("name", "prefix"), [("RankUploadFunction", "rank/"), ("ClassifyUploadFunction", "classify/")])
def test_a_dropped_file_is_tried_three_times_and_then_kept(name: str, prefix: str) -> None:
    upload = functions()[name]
    assert upload["EventInvokeConfig"]["MaximumRetryAttempts"] == 2
    [drop] = upload["Events"].values()
    assert drop["Properties"]["Events"] == "s3:ObjectCreated:*"
    assert drop["Properties"]["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": prefix}]


def test_the_state_table_forgets_and_can_be_restored() -> None:
    [table] = of_type("AWS::DynamoDB::Table").values()
    assert table["Properties"]["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]


def test_outputs_tell_where_everything_is() -> None:
    assert {"ApiUrl", "ApiKeyCommand", "UploadsBucketName", "ResultsBucketName", "ModelsBucketName"} <= set(
        written()["Outputs"]
    )
