"""The stack changed to other parameters, with calls after each change, and deleted at the end."""

import json
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.cloud.account import REGION, SAM, Account
from tests.cloud.deployment import Deployment, run, wait_for
from tests.cloud.samples import DESIGN, LINES

pytestmark = pytest.mark.cloud


def _signed(cloud: Deployment, key: str, secret: str) -> int:
    body = json.dumps({"sequences": [DESIGN]}).encode()
    request = AWSRequest("POST", cloud.url + "/rank", data=body, headers={"Content-Type": "application/json"})
    SigV4Auth(Credentials(key, secret), "execute-api", REGION).add_auth(request)
    sent = cloud.session.post(cloud.url + "/rank", data=body, headers=dict(request.headers), timeout=60)
    return int(sent.status_code)


def _person(account: Account, name: str, *statements: dict[str, Any]) -> tuple[str, str]:
    people = account.client("iam")
    people.create_user(UserName=name)
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    if statements:
        people.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=document)
    made = people.create_access_key(UserName=name)["AccessKey"]
    return made["AccessKeyId"], made["SecretAccessKey"]


def test_signatures_are_asked_for(cloud: Deployment, account: Account) -> None:
    cloud.update(Access="IAM")
    assert "ApiKey" not in cloud.ids
    assert cloud.call("POST", "/rank", keyed=False, json={"sequences": [DESIGN]}).status_code == 403
    assert cloud.call("GET", "/health", keyed=False).status_code == 200
    resource = f"arn:aws:execute-api:{REGION}:*:{cloud.ids['Api']}/*"
    may = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resource}
    assert _signed(cloud, *_person(account, "may", may)) == 200
    assert _signed(cloud, *_person(account, "may-not")) == 403
    assert _signed(cloud, "nobody", "nothing") == 403


def test_nothing_is_asked_for(cloud: Deployment) -> None:
    cloud.update(Access="OPEN")
    assert cloud.call("POST", "/rank", keyed=False, json={"sequences": [DESIGN]}).status_code == 200
    assert cloud.drop("rank/open.txt", LINES)["state"] == "SUCCEEDED"


def test_traces_are_sent(cloud: Deployment, account: Account) -> None:
    cloud.update(Tracing="Active")
    functions = account.client("lambda")
    roles = account.client("iam")
    names = [name for name in cloud.ids if name.endswith("Function")]
    for name in names:
        assert functions.get_function_configuration(FunctionName=cloud.ids[name])["TracingConfig"]["Mode"] == "Active"
        role = cloud.ids[name.removesuffix("Function") + "Role"]
        policies = [
            roles.get_role_policy(RoleName=role, PolicyName=each)["PolicyDocument"]
            for each in roles.list_role_policies(RoleName=role)["PolicyNames"]
        ]
        assert "xray:PutTraceSegments" in json.dumps(policies), f"{role} may not send traces"
    assert cloud.post("/rank", json={"sequences": [DESIGN]}).status_code == 200
    assert cloud.drop("rank/traced.txt", LINES)["state"] == "SUCCEEDED"


def test_the_end_of_a_job_is_told(cloud: Deployment, account: Account) -> None:
    cloud.update(JobEmail="lab@example.org", PageUrl="https://lab.example.org/assay")
    topics, queues = account.client("sns"), account.client("sqs")
    topic = cloud.ids["JobTopic"]
    subscribed = topics.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [(each["Protocol"], each["Endpoint"]) for each in subscribed] == [("email", "lab@example.org")]
    queue = queues.create_queue(QueueName="ears")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    queues.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    job = cloud.drop("rank/told.txt", LINES)
    got = wait_for(lambda: queues.receive_message(QueueUrl=queue).get("Messages"), "a mail")
    assert job["job_id"] in got[0]["Body"]
    assert "lab.example.org/assay" in got[0]["Body"]
    assert DESIGN not in got[0]["Body"]


def test_the_keys_come_back(cloud: Deployment) -> None:
    cloud.update(Access="KEYS", Tracing="PassThrough", JobEmail="", PageUrl="")
    assert cloud.call("POST", "/rank", keyed=False, json={"sequences": [DESIGN]}).status_code == 403
    assert cloud.post("/rank", json={"sequences": [DESIGN]}).status_code == 200


def test_deleting_leaves_the_buckets_and_nothing_else(cloud: Deployment, account: Account) -> None:
    kept = {cloud.uploads, cloud.results, cloud.models}
    run(account, str(SAM), "delete", "--stack-name", cloud.stack, "--region", REGION, "--no-prompts")
    with pytest.raises(ClientError, match="does not exist"):
        account.client("cloudformation").describe_stacks(StackName=cloud.stack)
    assert kept <= {each["Name"] for each in cloud.s3.list_buckets()["Buckets"]}
    names = [each["FunctionName"] for each in account.client("lambda").list_functions()["Functions"]]
    assert [name for name in names if name.startswith("assay-")] == []
    assert account.client("apigateway").get_rest_apis()["items"] == []
    assert account.client("stepfunctions").list_state_machines()["stateMachines"] == []
    groups = account.client("logs").describe_log_groups(logGroupNamePrefix="/assay/")["logGroups"]
    assert groups == []
