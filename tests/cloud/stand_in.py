"""The emulator of AWS that `make cloud` deploys to: ministack, mended where it is not yet what AWS is.

Run by the interpreter of .venv-cloud: `python stand_in.py FAULTS PORT GATEWAY`, where tests write FAULTS, a JSON file,
to bring a fault back or to lower a limit. GATEWAY is the engine's address, by which containers reach this. What is
mended, and why, stands at each function. IAM is enforced, for AUTH=true is in the environment.
"""

import contextlib
import contextvars
import hashlib
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker
import hypercorn.asyncio
from ministack import app
from ministack.core import iam_evaluator
from ministack.services import apigateway_v1, ecr, lambda_svc, s3, stepfunctions

RIE = "/usr/local/bin/aws-lambda-rie"
RUNTIME = "local/lambda-python:3.13"
FAULTS = Path(sys.argv[1] if len(sys.argv) > 1 else "")
EVENT: contextvars.ContextVar[str] = contextvars.ContextVar("event")
CONFIG: contextvars.ContextVar[dict[str, Any]] = contextvars.ContextVar("config")


def fault(name: str, usual: Any) -> Any:
    """Return what the file of faults says of a name now, `usual` where it says nothing."""
    try:
        return json.loads(FAULTS.read_text()).get(name, usual)
    except (OSError, ValueError):
        return usual


def serve_both_addresses(port: str, gateway: str) -> None:
    """Listen on loopback and on the engine's bridge, and nowhere else."""
    serve = hypercorn.asyncio.serve

    def bound(application: Any, config: Any) -> Any:
        config.bind = sorted({f"127.0.0.1:{port}", f"{gateway}:{port}"})
        return serve(application, config)

    hypercorn.asyncio.serve = bound


def honour_ranges() -> None:
    """A GET with `Range` and `VersionId` answers 200 with the whole object; AWS answers 206 with the range.

    The fault `ranges` leaves it as it is: Assay must notice that a reply is not the range it asked for.
    """
    get = s3._get_object

    def ranged(bucket: str, key: str, headers: dict[str, str], query: dict[str, Any] | None = None) -> Any:
        status, given, body = get(bucket, key, headers, query)
        wanted = headers.get("range", "")
        if status != 200 or not wanted or fault("ranges", False):
            return status, given, body
        found = s3._parse_range(wanted, len(body))
        if found is None:
            return get(bucket, key, headers, {k: v for k, v in (query or {}).items() if k != "versionId"})
        start, end = found
        part = body[start : end + 1]
        kept = {name: value for name, value in given.items() if not name.lower().startswith("x-amz-checksum")}
        length, place = str(len(part)), f"bytes {start}-{end}/{len(body)}"
        return 206, {**kept, "Content-Length": length, "Content-Range": place}, part

    s3._get_object = ranged


def count_as_encrypted() -> None:
    """The emulator speaks HTTP on this machine; the buckets' policies deny what is not encrypted."""
    resolve = iam_evaluator._resolve_condition_key

    def resolved(key: str, context: Any) -> Any:
        return "true" if key.lower() == "aws:securetransport" else resolve(key, context)

    iam_evaluator._resolve_condition_key = resolved


def run_images_as_lambda_does(rie: str) -> None:
    """Put AWS's runtime interface emulator in front of an image, as AWS's own base brings it, and confine it.

    The images are those that `sam build` made. Zip functions run in a stand-in for Lambda's own runtime image, where
    the engine has one.
    """
    spawn, parse = lambda_svc._spawn_lambda_container_impl, lambda_svc._parse_docker_flags
    client = docker.from_env()
    lambda_svc.LAMBDA_DOCKER_FLAGS = "--security-opt no-new-privileges"

    def spawned(config: dict[str, Any], *rest: Any) -> Any:
        CONFIG.set(config)
        return spawn(config, *rest)

    def flags(line: str) -> dict[str, Any]:
        config = CONFIG.get()
        image = config.get("PackageType") == "Image"
        mount = docker.types.Mount(RIE, rie, type="bind", read_only=True)
        entry = client.images.get(config["ImageUri"]).attrs["Config"]["Entrypoint"] if image else None
        limits = {"read_only": True, "tmpfs": {"/tmp": "rw,size=2g"}, "user": "993:990"} if image else {}
        return {
            **parse(line),
            **limits,
            "mounts": [mount],
            "entrypoint": [RIE, *(entry or ["/var/runtime/bootstrap"])],
        }

    lambda_svc._spawn_lambda_container_impl = spawned
    lambda_svc._parse_docker_flags = flags
    if client.images.list(RUNTIME):
        lambda_svc._docker_image_for_runtime = lambda runtime: RUNTIME


def keep_ids_of_retries() -> None:
    """Attempts at one event have one request id on AWS; the emulator gives each its own, as if another called."""
    begin, execute = lambda_svc.invoke_async_with_retry, lambda_svc._execute_function_dispatch

    def begun(function: dict[str, Any], event: Any) -> None:
        contextvars.copy_context().run(lambda: (EVENT.set(lambda_svc.new_uuid()), begin(function, event)))

    def executed(function: Any, config: Any, event: Any, request_id: str, *rest: Any) -> Any:
        return execute(function, config, event, EVENT.get(None) or request_id, *rest)

    lambda_svc.invoke_async_with_retry, lambda_svc._execute_function_dispatch = begun, executed


def end_at_once() -> None:
    """Kill an environment that is done with; the emulator asks it to stop and waits for ten seconds."""

    def killed(entry: dict[str, Any]) -> None:
        with contextlib.suppress(docker.errors.APIError):
            entry["container"].remove(force=True, v=True)

    lambda_svc._kill_pool_entry = killed


def hold_concurrency() -> None:
    """Let tests lower how many functions run at once, without another emulator."""
    acquire, usual = lambda_svc._acquire_execution_slot, lambda_svc._ACCOUNT_CONCURRENCY_CAP

    def acquired(function: dict[str, Any], config: dict[str, Any]) -> Any:
        lambda_svc._ACCOUNT_CONCURRENCY_CAP = int(fault("concurrency", usual))
        return acquire(function, config)

    lambda_svc._acquire_execution_slot = acquired


def name_refusals() -> None:
    """A task whose function Lambda refuses for want of concurrency fails as Lambda.Unknown; AWS names the exception."""
    call = stepfunctions._call_lambda

    def named(function: str, event: Any) -> Any:
        try:
            return call(function, event)
        except stepfunctions._ExecutionError as error:
            if "TooManyRequestsException" in str(error.cause):
                raise stepfunctions._ExecutionError("Lambda.TooManyRequestsException", error.cause) from None
            raise

    stepfunctions._call_lambda = named


def import_responses() -> None:
    """The import of an OpenAPI document leaves out what the emulator has and applies when it is put by itself.

    These are the gateway's own responses, and those of integrations: the headers of a preflight.
    """
    read, add = apigateway_v1._import_security_schemes, apigateway_v1._import_operation

    def imported(api: str, document: dict[str, Any]) -> Any:
        for kind, response in document.get("x-amazon-apigateway-gateway-responses", {}).items():
            status = {"statusCode": str(response["statusCode"])} if "statusCode" in response else {}
            given = {name: response[name] for name in ("responseParameters", "responseTemplates") if name in response}
            apigateway_v1._put_gateway_response(api, kind, {**status, **given})
        return read(api, document)

    def added(api: str, resource: str, method: str, operation: dict[str, Any], *rest: Any) -> None:
        add(api, resource, method, operation, *rest)
        integration = operation.get("x-amazon-apigateway-integration") or {}
        for response in (integration.get("responses") or {}).values():
            status = str(response["statusCode"])
            apigateway_v1._put_method_response(api, resource, method, status, {})
            apigateway_v1._put_integration_response(api, resource, method, status, response)

    apigateway_v1._import_security_schemes, apigateway_v1._import_operation = imported, added


def close_disabled_keys() -> None:
    """An API key that was disabled by a patch, whose values are strings, still opens; on AWS it does not."""
    update = apigateway_v1._update_api_key

    def updated(key: str, data: dict[str, Any]) -> Any:
        for change in data.get("patchOperations", []):
            if change.get("path") == "/enabled":
                change["value"] = str(change["value"]).lower() == "true"
        return update(key, data)

    apigateway_v1._update_api_key = updated


def take_images_as_pushed(port: str) -> None:
    """Be a registry at this address that has every layer already: the engine that pushes is the one that runs them."""
    handle, call = ecr.handle_registry_request, ecr.handle_request
    here = f"127.0.0.1:{port}".encode()
    ecr._repo_uri = lambda name: f"127.0.0.1:{port}/{name}"

    async def called(*request: Any) -> Any:
        status, headers, body = await call(*request)
        return status, headers, re.sub(rb"https://[0-9]+[.]dkr[.]ecr[.][a-z0-9.-]+", b"http://" + here, body)

    def digest(body: bytes, path: str) -> dict[str, str]:
        known = path.rpartition("/")[2] if "sha256:" in path else f"sha256:{hashlib.sha256(body).hexdigest()}"
        return {"Docker-Content-Digest": known, "Docker-Distribution-Api-Version": "registry/2.0"}

    async def handled(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
        if method == "HEAD" and "/blobs/" in path:
            return 200, {**digest(b"", path), "Content-Length": "1", "Content-Type": "application/octet-stream"}, b""
        if method == "PUT" and "/manifests/" in path:
            return 201, {**digest(body, path), "Location": path}, b""
        return await handle(method, path, headers, body, query)

    ecr.handle_registry_request, ecr.handle_request = handled, called


def main() -> None:
    """Mend the emulator and run it until it is told to end."""
    _, _, port, gateway, rie = sys.argv
    steps: list[Callable[[], None]] = [
        honour_ranges,
        count_as_encrypted,
        keep_ids_of_retries,
        end_at_once,
        hold_concurrency,
        name_refusals,
        import_responses,
        close_disabled_keys,
    ]
    for step in steps:
        step()
    serve_both_addresses(port, gateway)
    run_images_as_lambda_does(rie)
    take_images_as_pushed(port)
    sys.argv = sys.argv[:1]
    app.main()


if __name__ == "__main__":
    main()
