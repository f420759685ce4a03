"""The gate and the score model of one request or job: a snapshot, so that a hot swap in the middle mixes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from assay.errors import BundleInvalid, InvalidOption
from assay.models.loading import LoadedModel
from assay.models.model_choice import Choice
from assay.models.registry import Registry
from assay.models.sequence_scorer import SequenceScorer
from assay.options import RankOptions
from assay.ranking.ranker import Scorer
from assay.sequences.contract import Contract

TASK = "sequence-score"


class Scorers(Protocol):
    """Two models of sequences."""

    @property
    def gate(self) -> Scorer:
        """Return the model that lets sequences pass."""
        ...

    @property
    def score(self) -> Scorer:
        """Return the model that orders them."""
        ...


@dataclass(frozen=True, slots=True)
class Pair:
    """Two scorers of the same alphabet and length, and who they are."""

    gate: SequenceScorer
    score: SequenceScorer
    models: dict[str, dict[str, str]]

    @property
    def contract(self) -> Contract:
        """Return what a sequence must be for these models."""
        return Contract(self.gate.alphabet, self.gate.length)


def choose_pair(choice: Choice, options: RankOptions, gate: str, score: str) -> Pair:
    """Return the models that a caller named, for those not named the deployment's `gate` and `score`.

    Raises NotFound, ModelUnavailable; where the two want different sequences InvalidOption if the caller named one of
    them, else BundleInvalid.
    """
    first = choice.model(options.gate_model, TASK, gate)
    second = choice.model(options.score_model, TASK, score)
    try:
        return pair_models(first, second)
    except BundleInvalid as error:
        if not options.gate_model and not options.score_model:
            raise
        option = "score_model" if options.score_model else "gate_model"
        raise InvalidOption(f"{error.message}: name a gate_model and a score_model that agree", option=option) from None


def load_pinned_pair(registry: Registry, models: Mapping[str, Mapping[str, str]]) -> Pair:
    """Return the versions of `gate` and `score` that a plan pinned. Raises ModelUnavailable, BundleInvalid."""
    gate, score = (registry.pinned(models[role]["name"], models[role]["version"], TASK) for role in ("gate", "score"))
    return pair_models(gate, score)


def pair_models(gate: LoadedModel, score: LoadedModel) -> Pair:
    """Return two loaded models as a pair. Raises BundleInvalid where the two want different sequences."""
    pair = Pair(SequenceScorer(gate), SequenceScorer(score), {"score": _name(score), "gate": _name(gate)})
    if (pair.gate.alphabet, pair.gate.length) != (pair.score.alphabet, pair.score.length):
        raise BundleInvalid(f"{_reads(pair.gate)}, {_reads(pair.score)}")
    return pair


def _reads(scorer: SequenceScorer) -> str:
    return f"{scorer.model.manifest.name} reads {scorer.length} residues of {scorer.alphabet}"


def _name(model: LoadedModel) -> dict[str, str]:
    return {"name": model.manifest.name, "version": model.manifest.version}
