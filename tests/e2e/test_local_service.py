"""What the local service does by itself, shown with fake functions."""

import json
import signal
import socket
import subprocess
from typing import Any

import boto3
import pytest

from tests.e2e.conftest import FAKES
from tests.e2e.running import ROOT, SECONDS, Service, command, running, wait_for

DEAD = "assay-local-Dead"


def echo(service: Service, path: str, **body: Any) -> dict[str, Any]:
    reply = service.post(path, **body)
    assert reply.status_code == 200
    event: dict[str, Any] = reply.json()
    return event


def test_event_of_a_rest_api(fakes: Service) -> None:
    event = echo(fakes, "/rank?top_k=3&a=1&a=%2B", data="hällo".encode(), headers={"Content-Type": "text/plain"})
    assert event["resource"] == event["path"] == "/rank"
    assert event["queryStringParameters"] == {"top_k": "3", "a": "+"}
    assert event["multiValueQueryStringParameters"]["a"] == ["1", "+"]
    assert event["pathParameters"] is None
    assert event["headers"]["Content-Type"] == "text/plain"
    assert event["requestContext"]["stage"] == "prod"
    assert (event["body"], event["isBase64Encoded"]) == ("hällo", False)


def test_bodies_that_are_not_utf8_are_replaced_as_the_gateway_does(fakes: Service) -> None:
    event = echo(fakes, "/rank", data=b"\xff!", headers={"Content-Type": "text/plain"})
    assert event["body"] == "\ufffd!"


def test_binary_media_types_arrive_as_base64(fakes: Service) -> None:
    event = echo(fakes, "/rank", data=b"\xff\x00", headers={"Content-Type": "Application/PDF; x=y"})
    assert (event["body"], event["isBase64Encoded"]) == ("/wA=", True)


def test_chunked_bodies_arrive_whole(fakes: Service) -> None:
    assert echo(fakes, "/rank", data=iter([b"abc", b"def"]))["body"] == "abcdef"


@pytest.mark.parametrize("path", ["/rank/", "/prod/rank", "/prod/rank/"])
def test_trailing_slash_and_stage_prefix_reach_the_same_route(fakes: Service, path: str) -> None:
    event = echo(fakes, path)
    assert event["resource"] == "/rank"
    assert event["requestContext"]["path"] == path


def test_path_parameters_are_decoded(fakes: Service) -> None:
    event = echo(fakes, "/models/a%20b/classify")
    assert event["pathParameters"] == {"name": "a b"}
    assert event["resource"] == "/models/{name}/classify"


def test_unknown_routes_and_methods_are_the_gateways(fakes: Service) -> None:
    assert fakes.get("/nothing").status_code == 403
    assert fakes.get("/rank").json() == {"message": "Missing Authentication Token"}


def test_preflight(fakes: Service) -> None:
    reply = fakes.session.options(fakes.url + "/rank")
    assert reply.status_code == 200
    assert reply.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("how", ["raise", "malformed", "long"])
def test_a_failing_handler_is_a_502_that_says_nothing(fakes: Service, how: str) -> None:
    reply = fakes.post(f"/rank?how={how}")
    assert reply.status_code == 502
    assert reply.json() == {"message": "Internal server error"}


def test_binary_replies_are_decoded_only_for_those_who_accept_them(fakes: Service) -> None:
    assert fakes.post("/rank?how=binary", headers={"Accept": "application/pdf"}).content == b"\xff\x00"
    assert fakes.post("/rank?how=binary", headers={"Accept": "text/html"}).content == b"/wA="


@pytest.mark.parametrize("megabytes", [7, 11])
def test_bodies_over_the_limits_of_lambda_and_the_gateway(fakes: Service, megabytes: int) -> None:
    reply = fakes.post("/rank", data=b"x" * (megabytes << 20))
    assert reply.status_code == 413
    assert reply.json() == {"error": {"code": "too_large", "message": "Request Too Long"}}


def noted(service: Service, key: str) -> dict[str, Any]:
    return service.wait_json(key)["event"]["Records"][0]  # type: ignore[no-any-return]


def test_a_put_notifies_after_it_is_complete(fakes: Service) -> None:
    key = "rank/a b+ö.txt"
    put = fakes.s3.put_object(Bucket=fakes.uploads, Key=key, Body=b"hi", Metadata={"top-k": "3"})
    record = noted(fakes, key)
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["s3"]["bucket"]["name"] == fakes.uploads
    described = record["s3"]["object"]
    assert described["key"] == "rank/a+b%2B%C3%B6.txt"
    assert described["size"] == 2
    assert described["versionId"] == put["VersionId"]
    assert f'"{described["eTag"]}"' == put["ETag"]
    assert fakes.wait_json(key)["metadata"] == {"top-k": "3"}


def test_later_writes_have_later_sequencers(fakes: Service) -> None:
    for key in ("rank/1", "rank/2"):
        fakes.s3.put_object(Bucket=fakes.uploads, Key=key, Body=b"hi")
    first, second = (noted(fakes, key)["s3"]["object"]["sequencer"] for key in ("rank/1", "rank/2"))
    assert first < second


def test_copies_notify(fakes: Service) -> None:
    fakes.s3.put_object(Bucket=fakes.uploads, Key="elsewhere/x", Body=b"hi")
    fakes.s3.copy_object(Bucket=fakes.uploads, Key="rank/copy", CopySource=f"{fakes.uploads}/elsewhere/x")
    assert noted(fakes, "rank/copy")["eventName"] == "ObjectCreated:Copy"
    assert fakes.result("elsewhere/x") is None


def test_presigned_posts_notify(fakes: Service) -> None:
    session = boto3.Session("local", "local", region_name="us-east-1")
    form = session.client("s3", endpoint_url=fakes.endpoint).generate_presigned_post(fakes.uploads, "rank/${filename}")
    reply = fakes.session.post(form["url"], data=form["fields"], files={"file": ("posted.txt", b"hi")})
    assert reply.status_code == 204
    assert noted(fakes, "rank/posted.txt")["eventName"] == "ObjectCreated:Post"


def test_completing_a_multipart_upload_notifies_once(fakes: Service) -> None:
    where = {"Bucket": fakes.uploads, "Key": "rank/parts"}
    upload = fakes.s3.create_multipart_upload(**where)["UploadId"]
    part = fakes.s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"hi")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    fakes.s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload=parts)
    assert noted(fakes, "rank/parts")["eventName"] == "ObjectCreated:CompleteMultipartUpload"
    fakes.s3.put_object(Bucket=fakes.uploads, Key="rank/after-parts", Body=b"hi")
    noted(fakes, "rank/after-parts")
    assert fakes.wait_json("rank/parts")["attempts"] == 1


def test_a_handler_that_fails_twice_is_tried_again(fakes: Service) -> None:
    fakes.s3.put_object(Bucket=fakes.uploads, Key="rank/flaky", Body=b"hi")
    assert fakes.wait_json("rank/flaky")["attempts"] == 3


def test_a_handler_that_always_fails_ends_in_the_dead_letter_queue(fakes: Service) -> None:
    fakes.s3.put_object(Bucket=fakes.uploads, Key="rank/bad", Body=b"hi")
    sqs = fakes.client("sqs")
    queue = sqs.get_queue_url(QueueName=DEAD)["QueueUrl"]

    def receive() -> Any:
        return sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"]).get("Messages")

    (message,) = wait_for(receive, "a dead letter")
    assert json.loads(message["Body"])["Records"][0]["s3"]["object"]["key"] == "rank/bad"
    assert message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "bad file"


def test_invoke_reaches_the_handler(fakes: Service) -> None:
    event = {"queryStringParameters": None, "hello": 1}
    reply = fakes.client("lambda").invoke(FunctionName="assay-local-EchoFunction", Payload=json.dumps(event))
    assert json.loads(json.loads(reply["Payload"].read())["body"]) == event


def test_invoke_reports_what_a_handler_raised(fakes: Service) -> None:
    reply = fakes.client("lambda").invoke(FunctionName="assay-local-EchoFunction", Payload=b"{}")
    assert reply["FunctionError"] == "Unhandled"
    assert json.loads(reply["Payload"].read())["errorType"] == "KeyError"


def test_a_taken_port_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        arguments = command("up", "--port", port, "--template", str(FAKES))
        done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: port {port} on 127.0.0.1 is not free")
    assert done.stdout == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_when_told(number: signal.Signals) -> None:
    with running("--template", str(FAKES)) as started:
        started.process.send_signal(number)
        assert started.process.wait(SECONDS) == 0
