"""What the portal stands on, built once from the environment."""

import os
from dataclasses import dataclass
from functools import cache, cached_property

from assay.aws.clients import client
from assay.aws.s3 import Bucket
from assay.jobs.announcements import announce_jobs
from assay.jobs.environment import JobEnvironment
from assay.jobs.job_records import Jobs
from assay.settings import Settings
from portal.models import Catalogue


@dataclass(frozen=True)
class PortalServices:
    """Settings, buckets and jobs of this environment."""

    settings: Settings

    @cached_property
    def uploads(self) -> Bucket:
        """Return the bucket that files are dropped in."""
        return Bucket(client("s3"), self.settings.uploads_bucket)

    @cached_property
    def results(self) -> Bucket:
        """Return the bucket that results are written to."""
        return Bucket(client("s3"), self.settings.results_bucket)

    @cached_property
    def catalogue(self) -> Catalogue:
        """Return the published models."""
        return Catalogue(Bucket(client("s3"), self.settings.models_bucket), self.settings)

    @cached_property
    def jobs(self) -> Jobs:
        """Return the job records."""
        return announce_jobs(self.settings)

    @property
    def desk(self) -> JobEnvironment:
        """Return what the steps of a file job stand on."""
        return JobEnvironment.of(self.settings)


@cache
def services() -> PortalServices:
    """Return this environment's services. Raises SettingsError that names what is missing."""
    required = ("uploads_bucket", "results_bucket", "models_bucket", "state_table")
    return PortalServices(Settings.from_environ(os.environ, *required))
