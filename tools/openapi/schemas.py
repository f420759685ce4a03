"""Schemas of requests and replies; limits, reasons and field names come from the code that holds them."""

from assay.abstracts.options import MOST_LABELS
from assay.abstracts.prepare import LONGEST, SHORTEST
from assay.jobs import Job
from assay.options import GAPS, GATES, OUTPUTS, PADS, TERMINATORS
from assay.options import MODEL as NAMED
from assay.pdf import Extract
from assay.ranking import MAX_TOP_K, Counts, Row
from assay.sequences.alphabet import LINKER, MAX_LENGTH
from assay.sequences.records import REASONS
from assay.sequences.remarks import LINES_NAMED
from classify.inputs import MOST_ABSTRACTS
from portal.catalogue import MOST_MODELS, MOST_VERSIONS, ROLES, SHOWN
from portal.jobs import OURS
from portal.uploads import KINDS, MAX_UPLOAD_BYTES, MOST_NAME
from rank.reading import MAX_SEQUENCES
from rank.replies import REJECTS_SHOWN
from tools.openapi import errors
from tools.openapi.parts import Schema, listed, of, record, ref

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
JOB_ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
COUNT: Schema = {"type": "integer", "minimum": 0}
BINARY: Schema = {"type": "string", "format": "binary"}
LINK: Schema = {"type": "string", "format": "uri", "description": "Presigned, good for an hour."}
MODEL: Schema = {
    "type": "string",
    "pattern": f"^{NAMED}$",
    "examples": ["arxiv-archives", "arxiv-archives@1"],
    "description": "A model's name; `name@version` where it is to be one version, whatever serves.",
}
RELATIVE: Schema = {"type": "string", "description": "Relative to the address that was asked."}
NOTICES: Schema = listed(ref("Notice")) | {
    "description": "What to know of the input, though nothing was refused for it."
}
MODEL_NAME: Schema = {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$", "examples": ["arxiv-archives"]}


def _model(what: str) -> Schema:
    return MODEL | {
        "description": f"The model {what}, by name or `name@version`, instead of the deployment's.",
        "examples": ["stability-trypsin", "stability-trypsin@1"],
    }


RANK_OPTIONS: Schema = {
    "top_k": {
        "type": "integer",
        "minimum": 1,
        "maximum": MAX_TOP_K,
        "default": 100,
        "description": "How many to return.",
    },
    "threshold": {"type": "number", "default": 0, "description": "A sequence passes where gate > threshold."},
    "strict": {"type": "boolean", "default": False, "description": "Refuse the whole if any record is rejected."},
    "column": {"type": "string", "minLength": 1, "description": "The CSV column that holds the sequences."},
    "window": {
        "type": "integer",
        "minimum": 1,
        "maximum": MAX_LENGTH,
        "description": "Rank each stretch of so many residues (as many as the models read) of longer FASTA records.",
    },
    "step": {
        "type": "integer",
        "minimum": 1,
        "maximum": MAX_LENGTH,
        "default": 1,
        "description": "Residues from one window to the next.",
    },
    "output": {
        "type": "string",
        "enum": list(OUTPUTS),
        "default": OUTPUTS[0],
        "description": "Files only: `all` also writes every sequence that passed, with its scores.",
    },
    "gate": {
        "type": "string",
        "enum": list(GATES),
        "default": GATES[0],
        "description": "`off`: the gate holds nothing back, whatever is scored passes.",
    },
    "terminator": {
        "type": "string",
        "enum": list(TERMINATORS),
        "default": TERMINATORS[0],
        "description": "What becomes of a final `*`: it is taken off, or rejects its sequence.",
    },
    "gaps": {
        "type": "string",
        "enum": list(GAPS),
        "default": GAPS[0],
        "description": "What becomes of `-`, `.`, `~` and `_` in sequences, as alignments have them.",
    },
    "pad": {
        "type": "string",
        "enum": list(PADS),
        "default": PADS[0],
        "description": f"`linker` appends {LINKER} to sequences that lack its length.",
    },
    "score_model": _model("that ranks"),
    "gate_model": _model("that lets pass"),
}
CLASSIFY_OPTIONS: Schema = {
    "threshold": {
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "description": "For every label, instead of the model's own.",
    },
    "top_k": {"type": "integer", "minimum": 1, "maximum": MOST_LABELS, "description": "The most labels to list."},
}
ABSTRACT: Schema = {
    "type": "string",
    "description": f"{SHORTEST} to {LONGEST:,} characters after cleaning: Unicode NFKC, no URLs, no HTML tags.",
}


def schemas() -> Schema:
    """Return the components' schemas."""
    return {**_errors(), **_ranking(), **_classification(), **_portal()}


def _errors() -> Schema:
    code = {"type": "string", "enum": errors.codes(), "description": "Stable."}
    message = {"type": "string", "description": "What is wrong, where, and what to do."}
    return {
        "Code": code,
        "Error": record(error=record(code=ref("Code"), message=message, details={"type": "object"})),
        "OldError": record(abstract=listed(TEXT, minItems=1)),
    }


def _ranking() -> Schema:
    item = {"anyOf": [TEXT, record("id", sequence=TEXT, id=TEXT)]}
    options = [*RANK_OPTIONS]
    wanted = record(*options, sequences=listed(item, maxItems=MAX_SEQUENCES), **RANK_OPTIONS)
    form = record(*options, input_file=BINARY, **RANK_OPTIONS)
    models = record(score=ref("Model"), gate=ref("Model"))
    return {
        "RankRequest": wanted | {"additionalProperties": False},
        "RankForm": form,
        "Model": record(name=MODEL_NAME, version=TEXT),
        "Counts": of(Counts) | {"description": "received = scored + rejected + duplicates"},
        "Ranked": _row(),
        "Reject": record(line=COUNT, reason={"type": "string", "enum": [*REASONS]}, detail=TEXT),
        "Ranking": record(
            ranked=listed(ref("Ranked"), maxItems=MAX_TOP_K),
            counts=ref("Counts"),
            rejected=listed(ref("Reject"), maxItems=REJECTS_SHOWN),
            models=models,
            notices=NOTICES,
        ),
        "Notice": _notice(),
        "Stored": record(result_url=LINK),
        "StoredRanking": record(result_url=LINK, counts=ref("Counts"), models=models, notices=NOTICES),
    }


def _notice() -> Schema:
    lines = listed(COUNT, maxItems=LINES_NAMED) | {"description": "The first lines that it is about."}
    count = COUNT | {"description": "How many lines it is about."}
    return record("lines", "count", code=TEXT, message=TEXT, lines=lines, count=count)


def _row() -> Schema:
    row = of(Row)
    found = {"rank": {"type": "integer", "minimum": 1}, **row["properties"]}
    found["columns"] = {"type": "object", "additionalProperties": TEXT, "description": "The CSV's other columns."}
    del found["extra"]
    return record("columns", **found)


def _classification() -> Schema:
    several = listed(ABSTRACT, minItems=1, maxItems=MOST_ABSTRACTS)
    one = record(*CLASSIFY_OPTIONS, abstract=ABSTRACT, **CLASSIFY_OPTIONS)
    many = record(*CLASSIFY_OPTIONS, abstracts=several, **CLASSIFY_OPTIONS)
    result = record(
        "source",
        labels=listed(record(label=TEXT, score=NUMBER)),
        scores={"type": "object", "additionalProperties": NUMBER},
        tokens=COUNT,
        truncated={"type": "boolean"},
        cached={"type": "boolean"},
        source=of(Extract) | {"description": "Which text was taken from a PDF."},
    )
    return {
        "ClassifyRequest": {"oneOf": [{**each, "additionalProperties": False} for each in (one, many)]},
        "ClassifyForm": {"anyOf": [record(input_file=BINARY), record(abstract=ABSTRACT)]},
        "PredictRequest": record(abstract=ABSTRACT),
        "Predictions": record(predictions=listed(listed(NUMBER), minItems=1, maxItems=1)),
        "StoredClassification": record(result_url=LINK, model=ref("Model"), notices=NOTICES),
        "Classification": record(
            model=ref("Model"),
            labels=listed(TEXT),
            results=listed({"anyOf": [result, ref("Error")]}, minItems=1),
            notices=NOTICES,
        ),
    }


def _portal() -> Schema:
    version = record(name=TEXT, version={"type": ["string", "null"]})
    wanted: Schema = {
        "filename": {"type": "string", "minLength": 1, "maxLength": MOST_NAME},
        "kind": {"type": "string", "enum": list(KINDS), "default": KINDS[0]},
        **RANK_OPTIONS,
    }
    texts = ("version", "task", "format")
    roles = {"type": "string", "enum": list(ROLES), "description": "What asks this model where none is named."}
    shown: Schema = {name: TEXT if name in texts else {} for name in SHOWN} | {"name": MODEL_NAME}
    shown |= {"default_for": listed(roles), "versions": listed(TEXT, maxItems=MOST_VERSIONS)}
    extra: Schema = {
        "labels": listed(TEXT),
        "thresholds": {"type": "object"},
        "max_tokens": COUNT,
        "alphabet": TEXT,
        "length": COUNT,
    }
    return {
        "Health": record(
            status={"type": "string", "enum": ["ok", "models missing"]},
            models=record(gate=version, score=version, classifier=version),
        ),
        "Models": record(
            "next",
            models=listed(record(*extra, **shown, **extra), maxItems=MOST_MODELS),
            next=TEXT | {"description": "Where the next ones are, relative to the address that was asked."},
        ),
        "UploadRequest": record("kind", *RANK_OPTIONS, **wanted) | {"additionalProperties": False},
        "Upload": record(
            job_id=TEXT,
            key=TEXT,
            max_bytes={"type": "integer", "const": MAX_UPLOAD_BYTES},
            upload=record(url=LINK, fields={"type": "object", "additionalProperties": TEXT}),
            status_url=RELATIVE,
        ),
        "AcceptedJob": record(job_id=TEXT, status_url=RELATIVE),
        "Job": _job(),
    }


def _job() -> Schema:
    found = of(Job)["properties"]
    for name in OURS - {"id"}:
        del found[name]
    found["shards"] = record(done=COUNT, total=COUNT)
    found["results"] = {"type": "object", "additionalProperties": LINK}
    found["progress"] |= {"minimum": 0, "maximum": 1}
    return record(job_id=found.pop("id"), **found)
