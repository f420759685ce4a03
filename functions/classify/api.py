"""POST /classify and /models/{name}/classify, and the old contract at POST /predict and /api/predict."""

from typing import Any

from assay.errors import AssayError, InputError, InvalidOption
from assay.http import inference_protocols as protocols
from assay.http import routing
from assay.http.messages import Request, Response, choose_form, deliver, json_response
from assay.telemetry import logger, observe
from classify import reply
from classify import request as inputs
from classify.services import services

app = routing.Router()


@app.post("/classify")
def post_classify() -> Response:
    """Classify with the default model."""
    return _classify()


@app.post("/models/<name>/classify")
def post_classify_by_name(name: str) -> Response:
    """Classify with a named model."""
    return _classify(name)


def _classify(name: str | None = None) -> Response:
    request = routing.request(app)
    form = choose_form(request.accept, [*reply.FORMS])
    make, filename = reply.FORMS[form]
    asked = inputs.read_request(request)
    if asked.options.explain and form == "text/csv":
        raise InvalidOption("explain needs JSON or NDJSON: a row of CSV has no room for reasons", option="explain")
    body = services().classify(asked, name)
    about, made = reply.about(body), make(body)
    limit = services().settings.reply_bytes
    return deliver(made, services().results, limit, filename=filename, about=about)


@app.post("/predict")
@app.post("/api/predict")
def post_predict() -> Response:
    """Answer as the service that Assay replaces did: bare scores, and what is wrong under the field's name."""
    try:
        request = routing.request(app)
        predictions = services().predict(inputs.read_old(request), inputs.choose_caching(request))
    except InputError as error:
        return json_response({"abstract": [error.message]}, 400)
    return json_response({"predictions": predictions})


@app.post("/v1/models/<target>")
def post_v1(target: str) -> Response:
    """Answer a client of TensorFlow Serving: `name:predict`."""
    return _predict(protocols.parse_predict_target(target))


@app.post("/v1/models/<target>/versions/<version>")
def post_v1_version(target: str, version: str) -> Response:
    """Answer one that names the version too: `version:predict`."""
    return _predict(target, protocols.parse_predict_target(version))


@app.post("/v2/models/<name>/infer")
@app.post("/v2/models/<name>/versions/<version>/infer")
def post_v2(name: str, version: str | None = None) -> Response:
    """Answer a client of the Open Inference Protocol."""
    request = routing.request(app)
    wanted = protocols.infer(protocols.unpack_binary(request.body, request.headers))
    return _score(request, wanted, name, version)


def _predict(name: str, version: str | None = None) -> Response:
    request = routing.request(app)
    return _score(request, protocols.predict(request.json()), name, version)


def _score(request: Request, wanted: protocols.Predict | protocols.Infer, name: str, version: str | None) -> Response:
    from classify import inference  # what POST /classify does without, no cold start waits for

    model = protocols.join_version(name, version)
    found = inference.scores(services(), model, wanted.instances, inputs.choose_caching(request))
    return json_response(wanted.reply(found))


@observe
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a REST API proxy event."""
    return routing.answer(app, event, context)


def _warm() -> None:
    """Load the model while the environment starts; a failure is the first request's to report."""
    try:
        services().classifier()
    except AssayError as error:
        logger.error("model not loaded at start", code=error.code, reason=error.message)


if services().settings.preload:
    _warm()
