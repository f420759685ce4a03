"""The models that callers choose among: the deployment's own, and any published one by `name` or `name@version`."""

from typing import Self

from assay.aws.s3 import Bucket
from assay.models.bucket_layout import Target
from assay.models.loading import LoadedModel
from assay.models.published import Shelf, target
from assay.models.registry import Registry
from assay.settings import Settings


class Choice:
    """Answers a model for what a caller named. What is in memory already is not looked for in the bucket."""

    def __init__(self, registry: Registry, shelf: Shelf) -> None:
        self.registry = registry
        self._shelf = shelf

    @classmethod
    def of(cls, models: Bucket, settings: Settings) -> Self:
        """Return the choice among the models of a bucket, held as the settings say."""
        registry = Registry(
            models,
            settings.scratch,
            threads=settings.threads,
            refresh_seconds=settings.model_refresh_seconds,
            memory_bytes=settings.model_memory_mb << 20,
        )
        return cls(registry, Shelf(models))

    def model(self, text: str | None, task: str, default: str) -> LoadedModel:
        """Return the model that `text` names, `default` where it is None or empty.

        Raises NotFound for what is not published, or for another task; ModelUnavailable where it can't be had.
        """
        if not text or text == default:
            return self.registry.current(default, task)
        wanted = target(text)
        if self._known(wanted) != task:
            self._shelf.demand(wanted, task)
        if wanted.version is None:
            return self.registry.current(wanted.name, task)
        return self.registry.pinned(wanted.name, wanted.version, task)

    def task(self, text: str) -> str:
        """Return what a model is for. Raises NotFound."""
        wanted = target(text)
        return self._known(wanted) or self._shelf.task(wanted)

    def _known(self, wanted: Target) -> str | None:
        held = self.registry.held(wanted.name, wanted.version)
        return held.manifest.task if held else None
