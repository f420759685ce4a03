"""What the portal stands on, built once from the environment."""

import os
from dataclasses import dataclass
from functools import cache

from assay.aws.clients import client
from assay.aws.s3 import Bucket
from assay.jobs.announcements import announce_jobs
from assay.jobs.environment import JobEnvironment
from assay.jobs.job_records import Jobs
from assay.settings import Settings
from portal.models import Catalogue


@dataclass(frozen=True, slots=True)
class PortalServices:
    """Settings, buckets and jobs of this environment."""

    settings: Settings
    uploads: Bucket
    results: Bucket
    catalogue: Catalogue
    jobs: Jobs

    @property
    def desk(self) -> JobEnvironment:
        """Return what the steps of a file job stand on."""
        return JobEnvironment.of(self.settings)


@cache
def service() -> PortalServices:
    """Return this environment's service."""
    settings = Settings.from_environ(os.environ, "uploads_bucket", "results_bucket", "models_bucket", "state_table")
    names = (settings.uploads_bucket, settings.results_bucket, settings.models_bucket)
    uploads, results, models = (Bucket(client("s3"), name) for name in names)
    return PortalServices(settings, uploads, results, Catalogue(models, settings), announce_jobs(settings))
