"""The routes of ranking and of classification: what each takes and what it answers."""

from classify import replies as classification
from classify.inputs import MOST_ABSTRACTS
from rank import replies as ranked
from rank.reading import MAX_BODY_BYTES, MAX_LINES, MAX_SEQUENCES
from tools.openapi import examples
from tools.openapi.operations import CACHE, FORM, JSON, MANY, elsewhere, operation, said
from tools.openapi.parts import Schema, content, header, path_parameter, query, ref, reply
from tools.openapi.schemas import BINARY, CLASSIFY_OPTIONS, MODEL, RANK_OPTIONS, TEXT

PREFER: Schema = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "schema": TEXT,
    "description": "`respond-async`: do not wait; the request becomes a job.",
}


def ranking_paths() -> Schema:
    """Return the routes of ranking."""
    rank = operation(
        "Sequences",
        "Rank sequences",
        {**_rankings(), "202": _promised()},
        *MANY,
        404,
        406,
        parameters=[*query(RANK_OPTIONS), PREFER],
        takes=_sequences(),
        description=f"At most {MAX_SEQUENCES:,} sequences as JSON, {MAX_LINES:,} lines or records otherwise, "
        f"{MAX_BODY_BYTES >> 20} MiB unpacked, and what the gateway "
        "lets through: 4.5 MB. Any of the forms may be packed: gzip, bzip2, xz, Zstandard, a zip of one file.",
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


def _promised() -> Schema:
    """Return the reply to a request that does not wait."""
    body = {"job_id": examples.JOB_ID, "status_url": f"jobs/{examples.JOB_ID}"}
    headers = {"Preference-Applied": header("`respond-async`"), "Location": header("As `status_url`.")}
    return reply("The job that the request became", content(JSON, ref("AcceptedJob"), body), headers)


def _plain_ranking(summary: str) -> Schema:
    """Return the old contract: a file in, lines out."""
    lines = content("text/plain", TEXT, f"{examples.DESIGN}\n{examples.SCRAMBLE}\n")
    rejects = {"X-Assay-Rejected": header("How many records were rejected; absent where none was.", int)}
    return operation(
        "Sequences",
        summary,
        {"200": reply("The ranked sequences, best first, a line each", lines, rejects)},
        *MANY,
        404,
        takes=content(FORM, ref("RankForm")) | content("text/plain", TEXT),
        parameters=query(RANK_OPTIONS),
    )


def _rankings() -> Schema:
    """Return every form in which a ranking is answered."""
    found = examples.found()
    json = {JSON: {"schema": {"anyOf": [ref("Ranking"), ref("StoredRanking")]}, "examples": _two_rankings()}}
    others = {kind: {"schema": TEXT, "example": make(found).body} for kind, (make, _) in ranked.FORMS.items()}
    headers = said(ranked.headers(found))
    return {
        "200": reply("The ranking; JSON over 5 MB is a link to it", {**others, **json}, headers),
        "303": elsewhere(headers),
    }


def _two_rankings() -> Schema:
    return {
        "ranking": {"summary": "The ranking", "value": examples.ranked()},
        "stored": {"summary": "A link, where the ranking is large", "value": examples.stored()},
    }


def _sequences() -> Schema:
    """Return every form in which sequences are taken."""
    return (
        content(JSON, ref("RankRequest"), {"sequences": [examples.DESIGN, examples.SCRAMBLE], "top_k": 10})
        | content("text/plain", TEXT, f"{examples.DESIGN}\n{examples.SCRAMBLE}\n")
        | content("text/x-fasta", TEXT, examples.FASTA)
        | content("text/csv", TEXT, examples.CSV)
        | content("application/gzip", BINARY)
        | content("application/octet-stream", BINARY)
        | content(FORM, ref("RankForm"))
    )


CACHE_CONTROL: Schema = {
    "name": "Cache-Control",
    "in": "header",
    "required": False,
    "schema": TEXT,
    "example": "no-cache",
    "description": "`no-cache` computes scores anew where they are remembered; `no-store` remembers none either.",
}


def classification_paths() -> Schema:
    """Return the routes of classification."""
    bodies = (
        content(JSON, ref("ClassifyRequest"), {"abstract": examples.ABSTRACT})
        | content("text/plain", TEXT, examples.ABSTRACT)
        | content("application/pdf", BINARY)
        | content(FORM, ref("ClassifyForm"))
    )
    good = _classifications()
    options = [*query(CLASSIFY_OPTIONS), CACHE_CONTROL]
    text = f"One abstract, or up to {MOST_ABSTRACTS}: a bad one among several has its error at its position."
    old = _old_prediction()
    return {
        "/classify": {
            "post": operation(
                "Abstracts", "Classify abstracts", good, *MANY, 406, parameters=options, description=text, takes=bodies
            )
        },
        "/models/{name}/classify": {
            "post": operation(
                "Abstracts",
                "Classify abstracts with a named model",
                good,
                *MANY,
                404,
                406,
                parameters=[path_parameter("name", MODEL), *options],
                takes=bodies,
            )
        },
        "/predict": {"post": old},
        "/api/predict": {"post": old},
    }


def _classifications() -> Schema:
    """Return every form in which a classification is answered."""
    body = examples.classified()
    json = content(JSON, {"anyOf": [ref("Classification"), ref("StoredClassification")]}, body)
    others = {kind: {"schema": TEXT, "example": make(body).body} for kind, (make, _) in classification.FORMS.items()}
    headers = said(classification.headers(body))
    meaning = "Probabilities of all labels, and the labels at or above their thresholds; JSON over 5 MB is a link"
    return {"200": reply(meaning, {**others, **json}, headers), "303": elsewhere(headers)}


def _old_prediction() -> Schema:
    """Return the old contract, whose errors have a shape of their own."""
    scores = list(examples.classified()["results"][0]["scores"].values())
    form = {kind: {"schema": ref("PredictRequest")} for kind in (FORM, "application/x-www-form-urlencoded")}
    given = content(JSON, ref("PredictRequest"), {"abstract": examples.ABSTRACT}) | form
    wrong = content(JSON, ref("OldError"), {"abstract": ["This field is required."]})
    return operation(
        "Abstracts",
        "Classify one abstract; bare probabilities back",
        {
            "200": reply("In the order of the labels", content(JSON, ref("Predictions"), {"predictions": [scores]})),
            "400": reply("What is wrong with the abstract", wrong),
        },
        503,
        takes=given,
        parameters=[CACHE],
    )
