"""Examples, made by the functions that make the real replies, so that they have the real shape."""

from dataclasses import replace
from typing import Any

import numpy as np

from assay.abstracts.classification import Prediction, result
from assay.abstracts.options import ClassifyOptions
from assay.files.layout import result_key, summary_key
from assay.jobs import Job
from assay.models.bundle import Manifest
from assay.models.specs import TextSpec
from assay.ranking import Counts, Partial, Row
from assay.sequences import Reject
from assay.serving import TEXTS, Scores
from rank.replies import FirstRejects, Ranked, about, ranking
from tools.demo.sequences import BAD, proteins

FAMILY = 59  # of the demo's proteins, one whose design passes the gate and whose scramble does not
DESIGN, SCRAMBLE = (each.sequence for each in proteins(FAMILY)[-5:-3])
FASTA = f">design-{FAMILY}\n{DESIGN}\n>too-short\n{BAD[0][1]}\n"
CSV = f"id,sequence,batch\ndesign-{FAMILY},{DESIGN},7\n"
ABSTRACT = (
    "A fully differential calculation in perturbative quantum chromodynamics is presented for the production of "
    "massive photon pairs at hadron colliders."  # arXiv:0704.0001, CC0
)
CLASSIFIER = {"name": "arxiv-archives", "version": "3"}
PAIR = {
    "score": {"name": "stability-trypsin", "version": "2"},
    "gate": {"name": "stability-chymotrypsin", "version": "2"},
}
JOB_ID = "0b8e3c1f6a5d4f0e9c7b2a1d8e6f4c3b"
KEY = "rank/5f0c9a3e7d21b846/designs.fasta"
COUNTS = Counts(received=3, scored=2, passed=1, returned=1, rejected=1)
_RESULTS = "https://assay-results-123456789012-eu-west-1.s3.amazonaws.com/"
_KEYS = {
    "ranking": result_key(JOB_ID, "ranking.csv"),
    "rejected": result_key(JOB_ID, "rejected.csv"),
    "summary": summary_key(JOB_ID, "rank"),
}
LINK = f"{_RESULTS}{_KEYS['summary']}?X-Amz-Signature=..."


def found() -> Ranked:
    """Return a ranking."""
    rows = [Row(DESIGN, 2.560, 0.951, 1, f"design-{FAMILY}")]
    rejects = FirstRejects()
    rejects.add([Reject(3, "length", "22 residues, expected 50")])
    return Ranked(Partial(rows, COUNTS), rejects, PAIR)


def ranked() -> dict[str, Any]:
    """Return the reply to /rank."""
    each = found()
    return ranking(each.partial, each.rejects, each.models)


def stored() -> dict[str, Any]:
    """Return the reply to /rank where the ranking is large."""
    return {"result_url": LINK, **about(found())}


def classified() -> dict[str, Any]:
    """Return the reply to /classify."""
    labels = ("astro-ph", "hep-ex", "hep-ph")
    prediction = Prediction(np.array([0.004, 0.213, 0.958], np.float32), 27, False)
    answer = result(prediction, labels, {}, ClassifyOptions())
    return {"model": CLASSIFIER, "labels": list(labels), "results": [answer], "notices": []}


def scores() -> Scores:
    """Return what a sequence model answers to the two example sequences."""
    return Scores(PAIR["score"]["name"], PAIR["score"]["version"], "score", (2,), [2.56, -0.31])


def manifest() -> Manifest:
    """Return a classifier's manifest, so much of it as the serving protocols tell."""
    text = TextSpec(("astro-ph", "hep-ph"), "sigmoid", {}, 256, "tokenizer.json", 0)
    name, version = CLASSIFIER["name"], CLASSIFIER["version"]
    return Manifest(name, version, TEXTS, "tflite", (), (), (), None, text, {}, {}, "")


def job() -> Job:
    """Return a job that is done."""
    times = ("2026-01-31T12:00:00.000+00:00", "2026-01-31T12:00:04.218+00:00")
    counts = {"received": 3, "scored": 2, "passed": 1, "returned": 1, "rejected": 1, "duplicates": 0}
    links = {name: f"{_RESULTS}{key}?X-Amz-Signature=..." for name, key in _KEYS.items()}
    done = Job(JOB_ID, "rank", "SUCCEEDED", KEY, *times, progress=1.0, shards=1)
    return replace(done, counts=counts, models=PAIR, results=links)


def offered() -> dict[str, Any]:
    """Return the form of a presigned upload."""
    fields = {"key": KEY, "x-amz-meta-top-k": "1000", "policy": "eyJleHBpcmF0aW9uIjog...", "x-amz-signature": "..."}
    return {"url": "https://assay-uploads-123456789012-eu-west-1.s3.amazonaws.com/", "fields": fields}
