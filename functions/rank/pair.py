"""The gate and the score model of one request or job: a snapshot, so that a hot swap in the middle mixes nothing."""

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
    first, second = registry.current(gate, TASK), registry.current(score, TASK)
    pair = Pair(SequenceScorer(first), SequenceScorer(second), {"score": _name(second), "gate": _name(first)})
    if (pair.gate.alphabet, pair.gate.length) != (pair.score.alphabet, pair.score.length):
        raise BundleInvalid(f"{gate} and {score} want sequences of different alphabet or length")
    return pair


def _name(model: LoadedModel) -> dict[str, str]:
    return {"name": model.manifest.name, "version": model.manifest.version}
