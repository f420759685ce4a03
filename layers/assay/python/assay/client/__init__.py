"""A client of a running service: `Assay(url, key).rank("designs.fasta")`, and `AsyncAssay` for programs that await.

Small inputs are one request. Large ones are uploaded and become a job that is followed to its end. The client needs
neither NumPy nor boto3 nor models. Of the package it imports only the errors and the rule for formulas in CSV.
"""

from assay.client.failures import CallFailed, JobFailed, Refused, Unreachable
from assay.client.results import Abstract, Classification, JobStatus, RankedDesign, Ranking
from assay.client.sessions import Assay, AsyncAssay

__all__ = [
    "Abstract",
    "Assay",
    "AsyncAssay",
    "CallFailed",
    "Classification",
    "JobFailed",
    "JobStatus",
    "RankedDesign",
    "Ranking",
    "Refused",
    "Unreachable",
]
