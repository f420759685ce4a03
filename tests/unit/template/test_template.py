"""The template says what the code needs: handlers, routes, environment, parameters, gateway errors."""

import importlib
import json
import re
import tomllib
from collections import defaultdict
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.settings import Settings, variable
from assay.text.packing import PACKED_TYPES
from tests.unit.templates import ROOT, functions, handler, of_type, transformed, written
from tools.local import service, stack
from tools.template import Resolver

FUNCTIONS = sorted(functions())
API_FUNCTIONS = ["ClassifyApiFunction", "PortalFunction", "RankApiFunction"]
LONGEST = {"BucketPrefix": "b" * 23, "AWS::AccountId": "123456789012", "AWS::Region": "ap-northeast-1"}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in stack.read_stack(ROOT / "template.yaml").functions["RankApiFunction"].environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ASSAY_PRELOAD", "0")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_functions_handler_can_be_imported_and_called(name: str) -> None:
    module, _, attribute = handler(functions()[name]).rpartition(".")
    assert callable(getattr(importlib.import_module(module), attribute))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_settings_read_what_the_template_gives(name: str) -> None:
    given = stack.read_stack(ROOT / "template.yaml").functions[name].environment
    settings = Settings.from_environ(given, "uploads_bucket", "results_bucket", "models_bucket", "state_table")
    assert settings.uploads_bucket.startswith("assay-uploads-")
    assert settings.classifier == "arxiv-archives"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_assay_variable_is_one_that_the_settings_know(name: str) -> None:
    given = {key for key in functions()[name]["Environment"]["Variables"] if key.startswith("ASSAY_")}
    assert given <= {variable(each.name) for each in fields(Settings)}


@pytest.mark.parametrize("name", API_FUNCTIONS)
def test_the_routes_of_the_template_are_those_of_the_resolver(name: str) -> None:
    module = importlib.import_module(handler(functions()[name]).rpartition(".")[0])
    declared = {
        (event["Properties"]["Method"].upper(), re.sub(r"\{\w+\}", "{}", event["Properties"]["Path"]))
        for event in functions()[name]["Events"].values()
        if event["Type"] == "Api" and "+}" not in event["Properties"]["Path"]  # no route: told so by the resolver
    }
    assert _registered(module.app) == declared


def _registered(app: Any) -> set[tuple[str, str]]:
    return {(method, re.sub(r"<\w+>", "{}", path)) for method, path in app.routes}


def test_paths_end_without_a_slash_and_parameters_fill_whole_segments() -> None:
    paths = [event["Properties"]["Path"] for each in functions().values() for event in each["Events"].values()
             if event["Type"] == "Api"]  # fmt: skip
    assert all(re.fullmatch(r"/|(/([\w.-]+|\{\w+\+?\}))+", path) for path in paths)


def test_what_stands_at_one_place_of_a_path_has_one_name() -> None:
    # API Gateway refuses a second variable beside another.
    places: dict[str, set[str]] = defaultdict(set)
    for route in stack.read_stack(ROOT / "template.yaml").routes:
        for found in re.finditer(r"\{\w+\+?\}", route.path):
            places[route.path[: found.start()]].add(found[0])
    assert len(places) > 3
    assert all(len(names) == 1 for names in places.values()), places


@pytest.mark.parametrize("name", sorted(of_type("AWS::S3::Bucket")))
def test_a_buckets_name_is_legal_even_at_its_longest(name: str) -> None:
    text = of_type("AWS::S3::Bucket")[name]["Properties"]["BucketName"]["Fn::Sub"]
    longest = re.sub(r"\$\{([^}]+)\}", lambda match: LONGEST[match[1]], text)
    assert len(longest) <= 63
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]+[a-z0-9]", longest)


@pytest.mark.parametrize("name", sorted(written()["Parameters"]))
def test_a_parameter_is_described_bounded_and_has_a_default(name: str) -> None:
    parameter = written()["Parameters"][name]
    assert parameter["Description"].endswith((".", "deploying."))
    assert "Default" in parameter
    free_text = {"BaseImage"}
    assert name in free_text or {"AllowedPattern", "AllowedValues", "MaxValue"} & set(parameter)


def test_defaults_work_in_a_new_account() -> None:
    memory = [stack.read_stack(ROOT / "template.yaml").functions[name].memory for name in FUNCTIONS]
    assert max(memory) <= 3008
    assert not any("ReservedConcurrentExecutions" in each for each in functions().values())


@pytest.mark.parametrize("access", ["KEYS", "IAM", "OPEN"])
def test_the_gateways_errors_have_the_shape_of_the_functions_errors_and_pages_can_read_them(access: str) -> None:
    chosen = {"Access": access, "AllowedOrigin": "https://lab.example.org"}
    responses = stack.read_stack(ROOT / "template.yaml", chosen).rest.responses
    assert {"INVALID_API_KEY", "MISSING_AUTHENTICATION_TOKEN", "DEFAULT_4XX", "DEFAULT_5XX"} <= set(responses)
    for each in responses.values():
        text = each["ResponseTemplates"]["application/json"].replace("$context.error.messageString", '"why"')
        assert set(json.loads(text)["error"]) == {"code", "message", "details"}
        headers = each["ResponseParameters"]["Headers"]
        assert headers["Access-Control-Allow-Origin"] == "'https://lab.example.org'"
        assert ("Retry-After" in headers) == (each.get("StatusCode") == 429)


@pytest.mark.parametrize(("access", "status", "scheme"), [("KEYS", "404", "api_key"), ("IAM", "403", "sigv4")])
def test_who_may_call_is_a_parameter(access: str, status: str, scheme: str) -> None:
    rest = stack.read_stack(ROOT / "template.yaml", {"Access": access}).rest
    assert rest.responses["MISSING_AUTHENTICATION_TOKEN"]["StatusCode"] == status
    resolver = Resolver(written(), {"Access": access})
    body = resolver.resource("Api")["Properties"]["DefinitionBody"]
    assert body["paths"]["/rank"]["post"]["security"] == [{scheme: []}]
    assert bool(resolver.resource("UsagePlan")) == (access == "KEYS")
    assert scheme in body["components"]["securitySchemes"]


def test_an_open_api_wants_nothing() -> None:
    assert stack.read_stack(ROOT / "template.yaml", {"Access": "OPEN"}).rest.closed == frozenset()


def test_a_key_has_a_rate_a_burst_and_a_quota() -> None:
    given = {"RequestsPerSecond": 3, "RequestBurst": 5, "RequestsPerDay": 700}
    plan = Resolver(written(), given).resource("UsagePlan")["Properties"]  # type: ignore[arg-type]
    assert plan["Throttle"] == {"RateLimit": 3, "BurstLimit": 5}
    assert plan["Quota"] == {"Limit": 700, "Period": "DAY"}
    assert plan["ApiStages"]


def test_addresses_are_counted_only_where_asked() -> None:
    assert not Resolver(written()).resource("Firewall")
    counted = Resolver(written(), {"RequestsPerAddress": "1000"})
    [rule] = counted.resource("Firewall")["Properties"]["Rules"]
    assert rule["Statement"]["RateBasedStatement"]["Limit"] == "1000"
    assert counted.resource("FirewallOfApi")


@given(st.one_of(st.integers(0, 12), st.integers(0, 3 * 10**9), st.sampled_from([10, 2 * 10**9, 2 * 10**9 + 1])))
def test_a_limit_that_the_firewall_would_refuse_is_refused_before(limit: int) -> None:
    pattern = written()["Parameters"]["RequestsPerAddress"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, str(limit))) == (limit == 0 or 10 <= limit <= 2_000_000_000)


def test_every_route_is_throttled_and_a_key_has_no_more_than_its_routes() -> None:
    [setting] = Resolver(written()).resource("Api")["Properties"]["MethodSettings"]
    assert (setting["ResourcePath"], setting["HttpMethod"]) == ("/*", "*")
    with (ROOT / "samconfig.toml").open("rb") as file:
        examples = [each.get("deploy", {}).get("parameters", {}).get("parameter_overrides", "")
                    for each in tomllib.load(file).values() if isinstance(each, dict)]  # fmt: skip
    for example in ["", *examples]:
        given_values = {name: each["Default"] for name, each in written()["Parameters"].items()}
        given_values |= dict(pair.split("=", 1) for pair in example.split())
        assert int(given_values["RouteRequestsPerSecond"]) >= int(given_values["RequestsPerSecond"])
        assert int(given_values["RouteRequestBurst"]) >= int(given_values["RequestBurst"])


def test_pages_of_the_api_and_of_the_allowed_origin_reach_the_buckets() -> None:
    resolver = Resolver(written(), {"AllowedOrigin": "https://lab.example.org"})
    for name, method in (("UploadsBucket", "POST"), ("ResultsBucket", "GET")):
        [rule] = resolver.resource(name)["Properties"]["CorsConfiguration"]["CorsRules"]
        assert method in rule["AllowedMethods"]
        first, second = rule["AllowedOrigins"]
        assert first == "https://lab.example.org"
        assert re.fullmatch(r"https://[^/]+\.execute-api\.[^/]+", second)


def test_a_body_too_large_for_the_gateway_is_sent_to_presigned_uploads() -> None:
    response = of_type("AWS::Serverless::Api")["Api"]["Properties"]["GatewayResponses"]["REQUEST_TOO_LARGE"]
    assert response["StatusCode"] == 413
    assert "POST /uploads" in response["ResponseTemplates"]["application/json"]


def test_bytes_that_are_not_text_reach_the_functions_unharmed() -> None:
    binary = set(of_type("AWS::Serverless::Api")["Api"]["Properties"]["BinaryMediaTypes"])
    assert {"multipart/form-data", "application/gzip", "application/pdf", "text/plain", "text/csv"} <= binary
    assert {"application/json", "application/x-www-form-urlencoded", "binary/octet-stream", *PACKED_TYPES} <= binary


def test_a_preflight_is_text_though_json_is_a_binary_type() -> None:
    """A preflight has no Content-Type, is taken for JSON, and a mock answers no binary body: so each says it's text."""
    [api] = [each for each in transformed()["Resources"].values() if each["Type"] == "AWS::ApiGateway::RestApi"]
    for path, methods in api["Properties"]["Body"]["paths"].items():
        answer = methods["options"]["x-amazon-apigateway-integration"]
        assert answer["contentHandling"] == "CONVERT_TO_TEXT", f"{path} needs `options: *preflight` in the template"


def test_sams_environment_file_points_at_the_local_service() -> None:
    given = json.loads((ROOT / "local.env.json").read_text())["Parameters"]
    table = stack.read_stack(ROOT / "template.yaml").functions["RankUploadFunction"].environment["ASSAY_STATE_TABLE"]
    assert given == {
        "AWS_ENDPOINT_URL": f"http://host.docker.internal:{service.DEFAULT_S3_PORT}",
        "ASSAY_STATE_TABLE": table,
    }
