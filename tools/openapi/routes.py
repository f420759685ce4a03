"""The routes: what each takes and what it answers."""

from collections.abc import Mapping, Sequence

from assay.http import media_type
from classify import replies as classification
from classify.inputs import MOST_ABSTRACTS
from portal import pages
from portal.uploads import record, shown
from rank import replies as ranked
from rank.reading import MAX_BODY_BYTES, MAX_LINES, MAX_SEQUENCES
from tools.openapi import errors, examples
from tools.openapi.parts import Schema, content, header, path_parameter, query, ref, reply
from tools.openapi.schemas import BINARY, CLASSIFY_OPTIONS, MODEL_NAME, RANK_OPTIONS, TEXT

_JSON = "application/json"
_FORM = "multipart/form-data"
_MANY = (400, 413, 415, 422, 503)


def operation(
    tag: str,
    summary: str,
    good: Schema,
    *failures: int,
    keyed: bool = True,
    takes: Schema | None = None,
    parameters: Sequence[Schema] = (),
    description: str = "",
) -> Schema:
    """Return an operation; `keyed` ones want the API key where the deployment has keys."""
    every = {*failures, *errors.EVERYWHERE, *([errors.KEYED] if keyed else ())}
    found: Schema = {"tags": [tag], "summary": summary}
    found |= {"description": description} if description else {}
    found |= {} if keyed else {"security": []}
    found |= {"parameters": list(parameters)} if parameters else {}
    found |= {"requestBody": {"required": True, "content": takes}} if takes else {}
    return {**found, "responses": {**good, **errors.responses(*every)}}


def ranking_paths() -> Schema:
    """Return the routes of ranking."""
    rank = operation(
        "Sequences",
        "Rank sequences",
        _rankings(),
        *_MANY,
        406,
        parameters=query(RANK_OPTIONS),
        takes=_sequences(),
        description=f"At most {MAX_SEQUENCES:,} sequences as JSON, {MAX_LINES:,} lines or records otherwise, "
        f"{MAX_BODY_BYTES >> 20} MiB unpacked, and what the gateway "
        "lets through: 6 MB as JSON, 4.5 MB otherwise. Any of the forms may be gzipped.",
    )
    away = reply("To the page", headers={"Location": header("`upload`")})
    return {
        "/rank": {"post": rank},
        "/file_data": {"post": _plain_ranking("Rank a file; plain lines back")},
        "/upload_file": {
            "post": _plain_ranking("Rank the page's form; plain lines back"),
            "get": operation("Pages", "Go to the page", {"303": away}, keyed=False),
        },
    }


def _plain_ranking(summary: str) -> Schema:
    """Return the old contract: a file in, lines out."""
    lines = content("text/plain", TEXT, f"{examples.DESIGN}\n{examples.SCRAMBLE}\n")
    rejects = {"X-Assay-Rejected": header("How many records were rejected; absent where none was.", int)}
    return operation(
        "Sequences",
        summary,
        {"200": reply("The ranked sequences, best first, a line each", lines, rejects)},
        *_MANY,
        takes=content(_FORM, ref("RankForm")) | content("text/plain", TEXT),
        parameters=query(RANK_OPTIONS),
    )


def _rankings() -> Schema:
    """Return every form in which a ranking is answered."""
    found = examples.found()
    json = {_JSON: {"schema": {"anyOf": [ref("Ranking"), ref("StoredRanking")]}, "examples": _two_rankings()}}
    others = {kind: {"schema": TEXT, "example": make(found).body} for kind, (make, _) in ranked.FORMS.items()}
    said = _said(ranked.headers(found))
    return {
        "200": reply("The ranking; JSON over 5 MB is a link to it", {**others, **json}, said),
        "303": _elsewhere(said),
    }


def _said(headers: Mapping[str, str]) -> Schema:
    return {name: header(f"In replies that are not JSON: `{value}`") for name, value in headers.items()}


def _elsewhere(headers: Schema) -> Schema:
    """Return where a reply that is too large and not JSON lies."""
    link = content(_JSON, ref("Stored"), {"result_url": examples.LINK})
    where = {"Location": header("A presigned link, good for an hour")}
    return reply("Over 5 MB and not JSON: in the results bucket", link, {**headers, **where})


def _two_rankings() -> Schema:
    return {
        "ranking": {"summary": "The ranking", "value": examples.ranked()},
        "stored": {"summary": "A link, where the ranking is large", "value": examples.stored()},
    }


def _sequences() -> Schema:
    """Return every form in which sequences are taken."""
    return (
        content(_JSON, ref("RankRequest"), {"sequences": [examples.DESIGN, examples.SCRAMBLE], "top_k": 10})
        | content("text/plain", TEXT, f"{examples.DESIGN}\n{examples.SCRAMBLE}\n")
        | content("text/x-fasta", TEXT, examples.FASTA)
        | content("text/csv", TEXT, examples.CSV)
        | content("application/gzip", BINARY)
        | content("application/octet-stream", BINARY)
        | content(_FORM, ref("RankForm"))
    )


def classification_paths() -> Schema:
    """Return the routes of classification."""
    bodies = (
        content(_JSON, ref("ClassifyRequest"), {"abstract": examples.ABSTRACT})
        | content("text/plain", TEXT, examples.ABSTRACT)
        | content("application/pdf", BINARY)
        | content(_FORM, ref("ClassifyForm"))
    )
    good = _classifications()
    options = query(CLASSIFY_OPTIONS)
    text = f"One abstract, or up to {MOST_ABSTRACTS}: a bad one among several has its error at its position."
    old = _old_prediction()
    return {
        "/classify": {
            "post": operation(
                "Abstracts", "Classify abstracts", good, *_MANY, 406, parameters=options, description=text, takes=bodies
            )
        },
        "/models/{name}/classify": {
            "post": operation(
                "Abstracts",
                "Classify abstracts with a named model",
                good,
                *_MANY,
                404,
                406,
                parameters=[path_parameter("name", MODEL_NAME), *options],
                takes=bodies,
            )
        },
        "/predict": {"post": old},
        "/api/predict": {"post": old},
    }


def _classifications() -> Schema:
    """Return every form in which a classification is answered."""
    body = examples.classified()
    json = content(_JSON, {"anyOf": [ref("Classification"), ref("StoredClassification")]}, body)
    others = {kind: {"schema": TEXT, "example": make(body).body} for kind, (make, _) in classification.FORMS.items()}
    said = {
        name: header(f"In replies that are not JSON: `{value}`") for name, value in classification.headers(body).items()
    }
    meaning = "Probabilities of all labels, and the labels at or above their thresholds; JSON over 5 MB is a link"
    return {"200": reply(meaning, {**others, **json}, said), "303": _elsewhere(said)}


def _old_prediction() -> Schema:
    """Return the old contract, whose errors have a shape of their own."""
    scores = list(examples.classified()["results"][0]["scores"].values())
    form = {kind: {"schema": ref("PredictRequest")} for kind in (_FORM, "application/x-www-form-urlencoded")}
    given = content(_JSON, ref("PredictRequest"), {"abstract": examples.ABSTRACT}) | form
    wrong = content(_JSON, ref("OldError"), {"abstract": ["This field is required."]})
    return operation(
        "Abstracts",
        "Classify one abstract; bare probabilities back",
        {
            "200": reply("In the order of the labels", content(_JSON, ref("Predictions"), {"predictions": [scores]})),
            "400": reply("What is wrong with the abstract", wrong),
        },
        503,
        takes=given,
    )


def portal_paths() -> Schema:
    """Return the routes of the portal."""
    page = {"200": reply("A page", content("text/html", TEXT))}
    itself = {"200": reply("OpenAPI 3.1", content(_JSON, {"type": "object"}))}
    health = {"200": reply("Which versions serve; null where there is none", content(_JSON, ref("Health")))}
    models = {"200": reply("The current version of each, as its manifest says", content(_JSON, ref("Models")))}
    return {
        "/": {"get": operation("Pages", "The page", page, keyed=False)},
        "/upload": {"get": operation("Pages", "The page", page, keyed=False)},
        "/page/{name}": {"get": _page_file()},
        "/docs": {"get": operation("Pages", "This description, to read and try", page, keyed=False)},
        "/openapi.json": {"get": operation("Pages", "This description", itself, keyed=False)},
        "/health": {"get": operation("Models", "Health", health, 503, keyed=False)},
        "/models": {"get": operation("Models", "Published models", models, 503, keyed=False)},
        **_jobs(),
    }


def _page_file() -> Schema:
    bodies = {media_type(each): {"schema": TEXT} for each in pages.TYPES.values()}
    version = query({"v": {"type": "string", "description": "The version that the page names may be kept for ever."}})
    parameters = [path_parameter("name", {"type": "string", "enum": list(pages.TYPES)}), *version]
    found = {"200": reply("Its script, style or icon", bodies)}
    return operation("Pages", "A file of the page", found, 404, keyed=False, parameters=parameters)


def _jobs() -> Schema:
    form, known = examples.offered(), examples.job()
    offered = content(_JSON, ref("Upload"), shown(known.id, examples.KEY, form))
    wanted = content(_JSON, ref("UploadRequest"), {"filename": "designs.fasta", "kind": "rank"})
    job = {"200": reply("The job; `results` holds links once it has ended", content(_JSON, ref("Job"), record(known)))}
    upload = query({"upload": {"type": "string", "minLength": 1, "description": "The upload's key."}}, required=True)
    return {
        "/uploads": {
            "post": operation(
                "Jobs",
                "Upload a file of any size",
                {"201": reply("A form to POST to S3 with the file as its last field, `file`; and the job", offered)},
                400,
                503,
                takes=wanted,
            )
        },
        "/jobs/{id}": {
            "get": operation("Jobs", "A job", job, 404, 503, keyed=False, parameters=[path_parameter("id", TEXT)])
        },
        "/jobs": {"get": operation("Jobs", "The latest job of an upload", job, 400, 404, 503, parameters=upload)},
    }
