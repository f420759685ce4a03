"""What SAM makes of the template holds together, and moto's CloudFormation takes it."""

import json
from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.unit.templates import functions, references, transformed

# Moto 5.2 cannot create these: it has no code package or image to fetch, or does not know the type.
UNSUPPORTED = {
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
}


def _depends(resource: dict[str, Any]) -> set[str]:
    explicit = resource.get("DependsOn", [])
    return {*references(resource), *([explicit] if isinstance(explicit, str) else explicit)}


def test_every_reference_names_a_resource_or_a_parameter() -> None:
    document = transformed()
    known = {*document["Resources"], *document["Parameters"]}
    mentioned = {name for each in document["Resources"].values() for name in _depends(each)}
    mentioned |= set(references(document["Outputs"]))
    assert {name for name in mentioned if not name.startswith("AWS::")} <= known


def test_no_resource_depends_on_itself_in_a_circle() -> None:
    resources = transformed()["Resources"]
    order = TopologicalSorter({name: _depends(each) & set(resources) for name, each in resources.items()})
    assert set(order.static_order()) == set(resources)


def test_every_function_reaches_lambda_with_its_environment_and_its_triggers() -> None:
    resources = transformed()["Resources"]
    for name, properties in functions().items():
        deployed = resources[name]["Properties"]
        assert deployed["Environment"]["Variables"] == properties["Environment"]["Variables"]
        permissions = [each for each in resources.values()
                       if each["Type"] == "AWS::Lambda::Permission"
                       and each["Properties"]["FunctionName"] == {"Ref": name}]  # fmt: skip
        assert len(permissions) >= len(properties["Events"])


def test_the_bucket_notifies_the_function_of_what_lies_under_its_prefix() -> None:
    bucket = transformed()["Resources"]["UploadsBucket"]
    [notification] = bucket["Properties"]["NotificationConfiguration"]["LambdaConfigurations"]
    assert notification["Function"] == {"Fn::GetAtt": ["RankUploadFunction", "Arn"]}
    assert bucket["DependsOn"] == ["RankUploadFunctionDropPermission"]


def test_the_api_integrates_every_route_with_its_function() -> None:
    paths = transformed()["Resources"]["Api"]["Properties"]["Body"]["paths"]
    for name, properties in functions().items():
        routes = [event["Properties"] for event in properties["Events"].values() if event["Type"] == "Api"]
        for route in routes:
            uri = paths[route["Path"]][route["Method"]]["x-amazon-apigateway-integration"]["uri"]
            assert f"${{{name}.Arn}}" in uri["Fn::Sub"]


def test_only_reading_routes_are_open_without_a_key() -> None:
    body = transformed()["Resources"]["Api"]["Properties"]["Body"]
    closed = {path for path, methods in body["paths"].items() for method, route in methods.items()
              if method == "post" and route["security"] != [{"api_key": []}]}  # fmt: skip
    assert not closed


@pytest.fixture
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


def _supported() -> dict[str, Any]:
    """Return the transformed template without what moto cannot create, and what points at that."""
    document: dict[str, Any] = json.loads(json.dumps(transformed()))
    left_out = {name for name, each in document["Resources"].items() if each["Type"] in UNSUPPORTED}
    api = {name for name, each in document["Resources"].items() if each["Type"].startswith("AWS::ApiGateway::")}
    for name in left_out | api:
        del document["Resources"][name]
    for bucket in document["Resources"].values():
        bucket.pop("DependsOn", None)
        bucket["Properties"].pop("NotificationConfiguration", None)
    outputs = document["Outputs"].items()
    document["Outputs"] = {key: each for key, each in outputs if not set(references(each)) & (left_out | api)}
    return document


@pytest.mark.usefixtures("_aws")
def test_motos_cloudformation_creates_stores_logs_and_roles() -> None:
    cloudformation = boto3.client("cloudformation")
    cloudformation.create_stack(StackName="assay", TemplateBody=json.dumps(_supported()))
    [stack] = cloudformation.describe_stacks(StackName="assay")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    buckets = {each["Name"] for each in boto3.client("s3").list_buckets()["Buckets"]}
    assert buckets == {f"assay-{kind}-123456789012-us-east-1" for kind in ("uploads", "results", "models")}
