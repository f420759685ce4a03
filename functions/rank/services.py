"""What the ranking functions stand on, built once from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from assay.aws.clients import client
from assay.aws.s3 import Bucket
from assay.jobs.announcements import announced
from assay.jobs.environment import Desk
from assay.jobs.job_records import Jobs
from assay.jobs.rank_files import RankKind
from assay.models.model_choice import Choice
from assay.models.pair import Pair, chosen, pinned
from assay.models.published import Shelf
from assay.models.registry import Registry
from assay.options import RankOptions
from assay.settings import Settings

DEFAULTS = RankOptions()


@dataclass(frozen=True, slots=True)
class Service:
    """Settings, models, buckets and jobs of this environment."""

    settings: Settings
    choice: Choice

    @property
    def registry(self) -> Registry:
        """Return the models in memory."""
        return self.choice.registry

    @property
    def uploads(self) -> Bucket:
        """Return the bucket that files are dropped in."""
        return Bucket(client("s3"), self.settings.uploads_bucket)

    @property
    def results(self) -> Bucket:
        """Return the bucket that results are written to."""
        return Bucket(client("s3"), self.settings.results_bucket)

    @property
    def jobs(self) -> Jobs:
        """Return the job records."""
        return announced(self.settings)

    @property
    def desk(self) -> Desk:
        """Return what the steps of a file job stand on."""
        return Desk.of(self.settings)

    @property
    def kind(self) -> RankKind:
        """Return ranking as a kind of file job, the models that serve now to be pinned."""
        return RankKind(lambda options: self.pair(options).models)

    def classifier(self) -> Mapping[str, Mapping[str, str]]:
        """Return which classifier serves, as its pointer says: this image could not load it. Raises NotFound."""
        shelf, name = Shelf(Bucket(client("s3"), self.settings.models_bucket)), self.settings.classifier
        return {"classifier": {"name": name, "version": shelf.current(name)}}

    def pinned(self, models: Mapping[str, Mapping[str, str]]) -> Pair:
        """Return the versions that a job's plan pinned. Raises ModelUnavailable."""
        return pinned(self.registry, models)

    def pair(self, options: RankOptions = DEFAULTS) -> Pair:
        """Return one snapshot of the gate and the score model. Raises as `pair.chosen` does."""
        return chosen(self.choice, options, self.settings.gate_model, self.settings.score_model)


@cache
def service() -> Service:
    """Return this environment's service."""
    settings = Settings.from_environ(os.environ, "models_bucket")
    return Service(settings, Choice.of(Bucket(client("s3"), settings.models_bucket), settings))
