"""The gate and the score model of one request or job: a snapshot, so that a hot swap in the middle mixes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from assay.errors import BundleInvalid
from assay.models.registry import LoadedModel, Registry
from assay.models.scorer import SequenceScorer
from assay.sequences import Contract

TASK = "sequence-score"


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


def current(registry: Registry, gate: str, score: str) -> Pair:
    """Return the current pair. Raises ModelUnavailable; BundleInvalid where the two want different sequences."""
    return _pair(registry.current(gate, TASK), registry.current(score, TASK))


def pinned(registry: Registry, models: Mapping[str, Mapping[str, str]]) -> Pair:
    """Return the versions of `gate` and `score` that a plan pinned. Raises ModelUnavailable, BundleInvalid."""
    gate, score = (registry.pinned(models[role]["name"], models[role]["version"], TASK) for role in ("gate", "score"))
    return _pair(gate, score)


def _pair(gate: LoadedModel, score: LoadedModel) -> Pair:
    pair = Pair(SequenceScorer(gate), SequenceScorer(score), {"score": _name(score), "gate": _name(gate)})
    if (pair.gate.alphabet, pair.gate.length) != (pair.score.alphabet, pair.score.length):
        names = f"{gate.manifest.name} and {score.manifest.name}"
        raise BundleInvalid(f"{names} want sequences of different alphabet or length")
    return pair


def _name(model: LoadedModel) -> dict[str, str]:
    return {"name": model.manifest.name, "version": model.manifest.version}
