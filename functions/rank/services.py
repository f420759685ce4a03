"""What the ranking functions stand on, built once from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

from assay.aws.clients import client
from assay.aws.s3 import Bucket
from assay.jobs.stores import Stores
from assay.models.model_choice import Choice, Pair, choose_pair, load_pinned_pair
from assay.models.published import Shelf
from assay.options import RankOptions
from assay.settings import Settings

if TYPE_CHECKING:
    from assay.jobs.planning import JobType

DEFAULTS = RankOptions()


@dataclass(frozen=True)
class RankServices(Stores):
    """Settings, models, buckets and jobs of this environment."""

    settings: Settings

    @cached_property
    def models(self) -> Choice:
        """Return the models that callers choose among."""
        return Choice.of(Bucket(client("s3"), self.settings.models_bucket), self.settings)

    @cached_property
    def kinds(self) -> "Mapping[str, JobType]":
        """Return the kinds of file jobs; abstracts are planned and joined here, and not classified."""
        from assay.jobs.classify_files import ClassifyJobType  # a request that keeps no job does without
        from assay.jobs.rank_files import RankJobType

        ranking = RankJobType(
            lambda options: self.choose(options["gate_model"], options["score_model"]).models,
            lambda models: load_pinned_pair(self.models.registry, models),
        )
        return {each.name: each for each in (ranking, ClassifyJobType(self.classifier))}

    def classifier(self) -> Mapping[str, Mapping[str, str]]:
        """Return which classifier serves, as its pointer says: this image could not load it. Raises NotFound."""
        shelf, name = Shelf(Bucket(client("s3"), self.settings.models_bucket)), self.settings.classifier
        return {"classifier": {"name": name, "version": shelf.current(name)}}

    def pair(self, options: RankOptions = DEFAULTS) -> Pair:
        """Return one snapshot of the gate and the score model. Raises as `choose_pair` does."""
        return self.choose(options.gate_model, options.score_model)

    def choose(self, gate: str | None, score: str | None) -> Pair:
        """Return the gate and the score model that a caller named. Raises as `choose_pair` does."""
        return choose_pair(self.models, (gate, self.settings.gate_model), (score, self.settings.score_model))


@cache
def services() -> RankServices:
    """Return this environment's services. Raises SettingsError that names what is missing."""
    return RankServices(Settings.from_environ(os.environ, "models_bucket"))
