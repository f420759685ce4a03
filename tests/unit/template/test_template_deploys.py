"""What SAM makes of the template holds together, and moto's CloudFormation takes it."""

import io
import json
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.unit.templates import ROOT, functions, references, transformed

# Moto 5.2 does not import the API's paths, so what stands on its methods fails there.
LEFT_OUT = {
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::Stage",
    "AWS::ApiGateway::UsagePlan",
    "AWS::ApiGateway::UsagePlanKey",
}
# Conditions that are false with the parameters' defaults.
FALSE = {"AccessLogged", "AlarmsMailed", "Counted", "JobsMailed", "Traced"}
# It takes these without creating anything.
UNSUPPORTED = {
    "AWS::ApiGateway::ApiKey",
    "AWS::CloudWatch::Alarm",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::S3::BucketPolicy",
    "AWS::SQS::QueuePolicy",
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
    notifications = bucket["Properties"]["NotificationConfiguration"]["LambdaConfigurations"]
    told = {each["Filter"]["S3Key"]["Rules"][0]["Value"]: each["Function"]["Fn::GetAtt"][0] for each in notifications}
    assert told == {"rank/": "RankUploadFunction", "classify/": "ClassifyUploadFunction"}
    assert set(bucket["DependsOn"]) == {f"{name}DropPermission" for name in told.values()}


def test_the_api_integrates_every_route_with_its_function() -> None:
    paths = transformed()["Resources"]["Api"]["Properties"]["Body"]["paths"]
    for name, properties in functions().items():
        routes = [event["Properties"] for event in properties["Events"].values() if event["Type"] == "Api"]
        for route in routes:
            uri = paths[route["Path"]][route["Method"]]["x-amazon-apigateway-integration"]["uri"]
            assert f"${{{name}.Arn}}" in uri["Fn::Sub"]


SECURITY = {"Fn::If": ["Keyed", [{"api_key": []}], {"Fn::If": ["Signed", [{"sigv4": []}], {"Ref": "AWS::NoValue"}]}]}


def test_only_reading_routes_and_preflight_are_open_without_a_key() -> None:
    paths = transformed()["Resources"]["Api"]["Properties"]["Body"]["paths"]
    for path, methods in paths.items():
        assert "x-api-key" in str(methods["options"])
        for method, route in methods.items():
            assert route.get("security", SECURITY) == SECURITY
            if "security" not in route:
                assert method in ("get", "options"), path
            assert "x-amazon-apigateway-integration" in route, f"{method} {path} is closed, but no function serves it"


@pytest.fixture(scope="module")
def created() -> Iterator[dict[str, str]]:
    """The physical ids of the stack that moto's CloudFormation made of the template, by logical id."""
    document: dict[str, Any] = json.loads(json.dumps(transformed()))
    kept = {
        name: each
        for name, each in document["Resources"].items()
        if each["Type"] not in LEFT_OUT and each.get("Condition") not in FALSE
    }
    text = json.dumps({**document, "Resources": kept})
    with pytest.MonkeyPatch.context() as patch, mock_aws(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Tried to parse .* not supported by moto")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        _packages()
        boto3.client("cloudformation").create_stack(StackName="assay", TemplateBody=text)
        yield _physical(kept)


def _packages() -> None:
    """Put the code packages where the transformed template says that they are."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("portal/app.py", "")
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="packages")
    for key in ("layer.zip", "code.zip"):
        s3.put_object(Bucket="packages", Key=key, Body=package.getvalue())
    machine = (ROOT / "statemachines" / "rank_file.asl.json").read_bytes()
    s3.put_object(Bucket="packages", Key="rank_file.asl.json", Body=machine)


def _physical(resources: Mapping[str, Any]) -> dict[str, str]:
    cloudformation = boto3.client("cloudformation")
    [stack] = cloudformation.describe_stacks(StackName="assay")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    found = {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for each in cloudformation.list_stack_resources(StackName="assay")["StackResourceSummaries"]
        if each["LogicalResourceId"].strip()
    }
    assert set(resources) - set(found) == {key for key, each in resources.items() if each["Type"] in UNSUPPORTED}
    return found


def test_created_functions_have_the_names_of_the_created_stores(created: dict[str, str]) -> None:
    for name in functions():
        variables = boto3.client("lambda").get_function_configuration(FunctionName=created[name])["Environment"]
        given = variables["Variables"]
        assert given["ASSAY_UPLOADS_BUCKET"] == created["UploadsBucket"] == "assay-uploads-123456789012-us-east-1"
        assert given["ASSAY_RESULTS_BUCKET"] == created["ResultsBucket"]
        assert given["ASSAY_MODELS_BUCKET"] == created["ModelsBucket"]
        assert given["ASSAY_STATE_TABLE"] == created["StateTable"]


def test_created_roles_have_their_policies(created: dict[str, str]) -> None:
    for role in ("RankApiRole", "RankUploadRole", "ClassifyApiRole", "PortalRole"):
        assert boto3.client("iam").list_role_policies(RoleName=created[role])["PolicyNames"]
