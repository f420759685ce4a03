"""The routes of the serving protocols: TensorFlow Serving's and the Open Inference Protocol's."""

from functools import partial

from assay import serving
from classify.inputs import MOST_ABSTRACTS
from classify.serving import MOST_SEQUENCES
from portal import protocols
from tools.openapi import errors, examples
from tools.openapi.operations import CACHE, JSON, operation
from tools.openapi.parts import Schema, content, listed, path_parameter, record, ref, reply
from tools.openapi.schemas import BINARY, MODEL, MODEL_NAME, NUMBER, TEXT

OCTETS = "application/octet-stream"
_COUNT = f"At most {MOST_ABSTRACTS} texts or {MOST_SEQUENCES:,} sequences."
_OBJECT: Schema = {"type": "object"}
_WHOLE: Schema = {"type": "integer"}
_YES: Schema = {"type": "boolean"}
_TARGET: Schema = {
    "type": "string",
    "pattern": f"{MODEL['pattern'].rstrip('$')}{serving.PREDICT}$",
    "examples": [f"stability-trypsin{serving.PREDICT}"],
}
_NAME = path_parameter("name", MODEL)
_VERSION = TEXT | {"examples": ["1"]}
_AT = path_parameter("version", _VERSION)
_FAILURES = (400, 404, 413, 422, 503)
_operation = partial(operation, "Serving protocols", wrong=errors.protocol_responses)


def serving_schemas() -> Schema:
    """Return the schemas of the protocols' requests and replies."""
    one = _OBJECT | {"minProperties": 1, "maxProperties": 1}
    return {
        "Instance": one | {"description": "A text under any name, or base64 of it under `b64`."},
        "Column": one | {"additionalProperties": _texts()},
        "ProtocolError": record(error=TEXT, code=ref("Code"), details=_OBJECT),
        "ModelStatus": record(model_version_status=listed(_OBJECT, minItems=1)),
        "ModelMetadata": record(
            name=MODEL_NAME, versions=listed(TEXT), platform=TEXT, inputs=listed(_OBJECT), outputs=listed(_OBJECT)
        ),
        "ModelSignature": record(model_spec=_OBJECT, metadata=_OBJECT),
        "ServerMetadata": record(name=TEXT, version=TEXT, extensions=listed(TEXT)),
        "ModelConfig": record(
            name=MODEL_NAME, platform=TEXT, max_batch_size=_WHOLE, input=listed(_OBJECT), output=listed(_OBJECT)
        ),
        "ModelStats": record(model_stats=listed(record(name=MODEL_NAME, version=TEXT))),
        "IndexedModel": record(name=MODEL_NAME, version=TEXT, state=TEXT, reason=TEXT),
        **_predict_schemas(),
        **_infer_schemas(),
    }


def _texts() -> Schema:
    return listed({"anyOf": [TEXT, ref("Instance")]}, minItems=1)


def _predict_schemas() -> Schema:
    signature = {"type": "string", "const": serving.SIGNATURE}
    by_row = record("signature_name", instances=_texts(), signature_name=signature)
    by_column = record("signature_name", inputs={"anyOf": [_texts(), ref("Column")]}, signature_name=signature)
    rows = listed({"anyOf": [NUMBER, listed(NUMBER)]})
    return {
        "ServingRequest": {"oneOf": [{**each, "additionalProperties": False} for each in (by_row, by_column)]},
        "ServingReply": {"oneOf": [record(predictions=rows), record(outputs=rows)]},
    }


def _infer_schemas() -> Schema:
    shape = listed(_WHOLE | {"minimum": 1}, minItems=1, maxItems=2)
    kind = {"type": "string", "const": "BYTES"}
    given = record("name", "parameters", name=TEXT, parameters=_OBJECT, datatype=kind, shape=shape, data=_texts())
    tensor = record(name=TEXT, datatype={"type": "string", "const": "FP32"}, shape=listed(_WHOLE), data=listed(NUMBER))
    wanted = record(
        "id", "parameters", "outputs", id=TEXT, parameters=_OBJECT,
        inputs=listed(given, minItems=1, maxItems=1), outputs=listed(record(name=TEXT)),
    )  # fmt: skip
    return {
        "InferRequest": wanted | {"additionalProperties": False},
        "InferReply": record("id", model_name=MODEL_NAME, model_version=TEXT, id=TEXT, outputs=listed(tensor)),
    }


def serving_paths() -> Schema:
    """Return the routes."""
    ready = {"name": examples.CLASSIFIER["name"], "ready": True}
    status, metadata = serving.status(examples.CLASSIFIER["version"]), serving.metadata(examples.manifest())
    target, serves = path_parameter("target", MODEL), record(name=TEXT, ready=_YES)
    signed = protocols.signature(examples.manifest())
    return {
        "/v1/models/{target}": {
            "post": _predict(path_parameter("target", _TARGET)),
            "get": _read("TensorFlow Serving: a model's status", ref("ModelStatus"), status, target),
        },
        "/v1/models/{target}/versions/{version}": {
            "post": _predict(target, path_parameter("version", _VERSION | {"pattern": f"{serving.PREDICT}$"})),
            "get": _read("TensorFlow Serving: a version's status", ref("ModelStatus"), status, target, _AT),
        },
        "/v1/models/{target}/metadata": {
            "get": _read("TensorFlow Serving: a model's signature", ref("ModelSignature"), signed, target)
        },
        "/v1/models/{target}/versions/{version}/metadata": {
            "get": _read("TensorFlow Serving: a version's signature", ref("ModelSignature"), signed, target, _AT)
        },
        **_triton_paths(),
        "/v2/health/live": {"get": _read("The service is there", record(live=_YES), {"live": True})},
        "/v2/health/ready": {"get": _ready()},
        "/v2/models/{name}": {
            "get": _read("Open Inference Protocol: a model's metadata", ref("ModelMetadata"), metadata, _NAME)
        },
        "/v2/models/{name}/versions/{version}": {
            "get": _read("Open Inference Protocol: a version's metadata", ref("ModelMetadata"), metadata, _NAME, _AT)
        },
        "/v2/models/{name}/ready": {"get": _read("A model serves", serves, ready, _NAME)},
        "/v2/models/{name}/versions/{version}/ready": {"get": _read("A version serves", serves, ready, _NAME, _AT)},
        "/v2/models/{name}/infer": {"post": _infer(_NAME)},
        "/v2/models/{name}/versions/{version}/infer": {"post": _infer(_NAME, _AT)},
    }


def _triton_paths() -> Schema:
    """Return the routes of Triton's extensions."""
    known = examples.manifest()
    server, config = protocols.server("0.1.0"), protocols.configuration(known)
    stats = protocols.statistics([known])
    index = [{"name": known.name, "version": known.version, "state": "READY", "reason": ""}]
    at = "/v2/models/{name}/versions/{version}"
    return {
        "/v2": {"get": _read("Open Inference Protocol: the service's metadata", ref("ServerMetadata"), server)},
        "/v2/models/{name}/config": {
            "get": _read("Triton: a model's configuration", ref("ModelConfig"), config, _NAME)
        },
        f"{at}/config": {"get": _read("Triton: a version's configuration", ref("ModelConfig"), config, _NAME, _AT)},
        "/v2/models/{name}/stats": {"get": _read("Triton: a model's statistics", ref("ModelStats"), stats, _NAME)},
        f"{at}/stats": {"get": _read("Triton: a version's statistics", ref("ModelStats"), stats, _NAME, _AT)},
        "/v2/repository/index": {
            "post": _operation(
                "Triton: the models that there are",
                {"200": reply("Every model that is listed", content(JSON, listed(ref("IndexedModel")), index))},
                503,
                takes=content(JSON, _OBJECT, {"ready": True}),
            )
        },
    }


def _read(summary: str, schema: Schema, example: object, *parameters: Schema) -> Schema:
    """Return an operation that only reads; a model that it names may be missing."""
    good = {"200": reply(summary, content(JSON, schema, example))}
    return _operation(summary, good, *((404, 503) if parameters else ()), keyed=False, parameters=parameters)


def _ready() -> Schema:
    shape = record(ready=_YES)
    missing = content(JSON, {"anyOf": [shape, ref("ProtocolError"), ref("Error")]}, {"ready": False})
    found = _read("The models that requests need are published", shape, {"ready": True})
    found["responses"]["503"] = reply("They are not, or a store cannot be had", missing)
    return found


def _predict(*parameters: Schema) -> Schema:
    wanted = serving.Predict([examples.DESIGN, examples.SCRAMBLE], by_row=True)
    answer = content(JSON, ref("ServingReply"), wanted.reply(examples.scores()))
    return _operation(
        "TensorFlow Serving: predict",
        {"200": reply("A score for each sequence, or the scores of every label for each text", answer)},
        *_FAILURES,
        takes=content(JSON, ref("ServingRequest"), {"instances": wanted.instances}),
        parameters=parameters,
        description=f"{_COUNT} `instances` are texts or objects of one text; `inputs` instead of them gives `outputs`.",
    )


def _infer(*parameters: Schema) -> Schema:
    rows = [examples.DESIGN, examples.SCRAMBLE]
    tensor = {"name": "sequence", "datatype": "BYTES", "shape": [len(rows)], "data": rows}
    answer = content(JSON, ref("InferReply"), serving.Infer(rows, [], "42").reply(examples.scores()))
    return _operation(
        "Open Inference Protocol: infer",
        {"200": reply("One tensor of scores, row by row", answer)},
        *_FAILURES,
        takes=content(JSON, ref("InferRequest"), {"id": "42", "inputs": [tensor]}) | content(OCTETS, BINARY),
        parameters=(*parameters, CACHE),
        description=f"{_COUNT} One input of datatype BYTES, as JSON or in Triton's binary form.",
    )
