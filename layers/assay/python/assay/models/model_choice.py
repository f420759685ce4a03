"""The models that callers choose: the deployment's own, or any published one; gate and score model as one pair."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

from assay.aws.s3 import Bucket
from assay.errors import BundleInvalid, InvalidOption
from assay.models.loading import LoadedModel, SequenceScorer
from assay.models.manifest import Target
from assay.models.published import Shelf, parse_target
from assay.models.registry import Registry
from assay.sequences.contract import Contract
from assay.settings import Settings

if TYPE_CHECKING:
    from assay.ranking.ranker import Scorer  # what a classifier does without


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

        Raises NotFound for what is not published, or for another task; ModelUnavailable where it can't be loaded.
        """
        return self.models(task, (text, default))[0]

    def models(self, task: str, *wanted: tuple[str | None, str]) -> list[LoadedModel]:
        """Return a model for each name and default. All are found before the first is taken. Raises as `model` does."""
        targets, registry = [self._find(text, task, default) for text, default in wanted], self.registry
        return [
            registry.current(target.name, task)
            if target.version is None
            else registry.pin(target.name, target.version, task)
            for target in targets
        ]

    def _find(self, text: str | None, task: str, default: str) -> Target:
        if not text or text == default:
            return Target(default)
        wanted = parse_target(text)
        if self._find_task(wanted) != task:
            self._shelf.require(wanted, task)
        return wanted

    def task(self, text: str) -> str:
        """Return what a model is for. Raises NotFound."""
        wanted = parse_target(text)
        return self._find_task(wanted) or self._shelf.task(wanted)

    def _find_task(self, wanted: Target) -> str | None:
        held = self.registry.find_loaded(wanted.name, wanted.version)
        return held.manifest.task if held else None


TASK = "sequence-score"


class Scorers(Protocol):
    """Two models of sequences."""

    @property
    def gate(self) -> "Scorer":
        """Return the model that lets sequences pass."""
        ...

    @property
    def score(self) -> "Scorer":
        """Return the model that orders them."""
        ...

    @property
    def contract(self) -> Contract:
        """Return what a sequence must be for both."""
        ...


@dataclass(frozen=True, slots=True)
class Pair:
    """Two scorers of the same alphabet and length, and who they are."""

    gate: SequenceScorer
    score: SequenceScorer
    models: dict[str, dict[str, str]]
    contract: Contract
    """What a sequence must be for both."""


def choose_pair(choice: Choice, gate: tuple[str | None, str], score: tuple[str | None, str]) -> Pair:
    """Return two models, each the one that a caller named, else the deployment's.

    Raises NotFound, ModelUnavailable; where the two want different sequences InvalidOption if the caller named one of
    them, else BundleInvalid.
    """
    first, second = choice.models(TASK, gate, score)
    try:
        return pair_models(first, second)
    except BundleInvalid as error:
        if not gate[0] and not score[0]:
            raise
        option = "score_model" if score[0] else "gate_model"
        raise InvalidOption(f"{error.message}: name a gate_model and a score_model that agree", option=option) from None


def load_pinned_pair(registry: Registry, models: Mapping[str, Mapping[str, str]]) -> Pair:
    """Return the versions of `gate` and `score` that a plan pinned. Raises ModelUnavailable, BundleInvalid."""
    gate, score = (registry.pin(models[role]["name"], models[role]["version"], TASK) for role in ("gate", "score"))
    return pair_models(gate, score)


def pair_models(gate: LoadedModel, score: LoadedModel) -> Pair:
    """Return two loaded models as a pair. Raises BundleInvalid where the two want different sequences."""
    models = {"score": _name(score), "gate": _name(gate)}
    pair = Pair(gate.scorer, score.scorer, models, gate.scorer.contract)
    if (pair.gate.alphabet, pair.gate.length) != (pair.score.alphabet, pair.score.length):
        raise BundleInvalid(f"{_describe(pair.gate)}, {_describe(pair.score)}")
    return pair


def _describe(scorer: SequenceScorer) -> str:
    return f"{scorer.model.manifest.name} reads {scorer.length} residues of {scorer.alphabet}"


def _name(model: LoadedModel) -> dict[str, str]:
    return {"name": model.manifest.name, "version": model.manifest.version}
