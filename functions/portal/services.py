"""What the portal stands on, built once from the environment."""

import os
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

from assay.aws.clients import client
from assay.aws.s3 import Bucket
from assay.jobs.stores import Stores
from assay.settings import Settings
from portal.models import Catalogue

if TYPE_CHECKING:
    from portal.cards import Cards


@dataclass(frozen=True)
class PortalServices(Stores):
    """Settings, buckets and jobs of this environment."""

    settings: Settings

    @cached_property
    def catalogue(self) -> Catalogue:
        """Return the published models."""
        return Catalogue(self._models, self.settings)

    @cached_property
    def cards(self) -> "Cards":
        """Return the published models' cards; the first request for them imports the renderer."""
        from portal.cards import Cards

        return Cards(self._models, self.settings.model_refresh_seconds)

    @cached_property
    def _models(self) -> Bucket:
        return Bucket(client("s3"), self.settings.models_bucket)


@cache
def services() -> PortalServices:
    """Return this environment's services. Raises SettingsError that names what is missing."""
    required = ("uploads_bucket", "results_bucket", "models_bucket", "state_table")
    return PortalServices(Settings.from_environ(os.environ, *required))
