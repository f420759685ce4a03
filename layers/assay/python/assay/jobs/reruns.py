"""The same file again with other options: a new job over the version of the object that the first one read."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from hashlib import sha256
from typing import Any

from assay.aws.s3 import Bucket, ObjectInfo
from assay.errors import Conflict, NotFound, ObjectMissing
from assay.jobs.environment import JobEnvironment
from assay.jobs.job_records import Job
from assay.jobs.steps import order_execution, redrive
from assay.options import OPTIONS, ClassifyOptions, RankOptions, read_options, require_known

_GONE = (
    "the file of this job is not there any more (an upload is kept for 30 days, one that was replaced for 7, unless "
    "the operator chose otherwise): send it again through POST /uploads"
)


def rerun(desk: JobEnvironment, first: Job, given: Mapping[str, Any], owner: str) -> Job:
    """Begin a job over the file of another, with the options of that one but for those given; return it.

    A null stands for the default. The models are those of the first job unless others are named, so that the scores are
    the same. Asked again by the same owner it is the same job, begun again where it FAILED. Raises Conflict before the
    file is there, NotFound where it is gone, InvalidOption.
    """
    require_known(given, OPTIONS[first.kind], "field")
    source = find_source(desk.uploads, first)
    known = first.options or {name.replace("-", "_"): value for name, value in source.metadata.items()}
    options = complete_options(first.kind, {**known, **given})
    models = {} if {"gate_model", "score_model"} & given.keys() else first.models
    job = replace(
        first,
        id=derive_id(first.id, owner, options, models),
        options=options,
        models=models,
        etag=source.etag,
        owner=owner,
        rerun_of=first.id,
    )
    return begin(desk, job)


def begin(desk: JobEnvironment, job: Job) -> Job:
    """Begin a rerun, or go on with it where it was begun before; return it as its record is then."""
    if not desk.jobs.repeat(job, desk.machine.execution(job.id)):
        known = desk.jobs.get(job.id)
        if known is not None and known.state == "FAILED":
            redrive(desk, job.id)
    found = desk.jobs.get(job.id) or job
    if found.state == "QUEUED":
        desk.machine.start(job.id, order_execution(found, desk.uploads.name))
    return found


def find_source(uploads: Bucket, job: Job) -> ObjectInfo:
    """Return what S3 says of a job's file. Raises Conflict before it came, NotFound where it is gone."""
    if not job.bucket:
        raise Conflict("the file of this job has not been uploaded yet", state=job.state)
    try:
        found = uploads.head(job.upload, version=job.version_id or None)
    except ObjectMissing as error:
        raise NotFound(_GONE, key=job.upload) from error
    if job.etag and found.etag.strip('"') != job.etag.strip('"'):  # another file by now, in a bucket without versions
        raise NotFound(_GONE, key=job.upload)
    return found


def complete_options(kind: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options of a kind, those chosen that are not null and else the defaults. Raises InvalidOption."""
    found = read_options(OPTIONS[kind], chosen)
    if kind == "rank":
        return asdict(RankOptions(**found))
    column = found.pop("column", None)
    return {**asdict(ClassifyOptions(**found)), "column": column}


def derive_id(first: str, owner: str, options: Mapping[str, Any], models: Mapping[str, Any]) -> str:
    """Return the id of a rerun, which cannot be guessed without the first job's random id."""
    said = json.dumps([first, owner, options, models], sort_keys=True)
    return sha256(said.encode()).hexdigest()[:32]
