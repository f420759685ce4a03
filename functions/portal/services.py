"""What the portal stands on, built once from the environment."""

import os
from dataclasses import dataclass
from functools import cache, cached_property

from assay.aws.clients import client
from assay.aws.s3 import Bucket
from assay.jobs.stores import Stores
from assay.settings import Settings
from portal.models import Catalogue


@dataclass(frozen=True)
class PortalServices(Stores):
    """Settings, buckets and jobs of this environment."""

    settings: Settings

    @cached_property
    def catalogue(self) -> Catalogue:
        """Return the published models."""
        return Catalogue(Bucket(client("s3"), self.settings.models_bucket), self.settings)


@cache
def services() -> PortalServices:
    """Return this environment's services. Raises SettingsError that names what is missing."""
    required = ("uploads_bucket", "results_bucket", "models_bucket", "state_table")
    return PortalServices(Settings.from_environ(os.environ, *required))
