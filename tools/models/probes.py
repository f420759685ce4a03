"""Probes made from a model's own answers; reading and asking them is the service's own code."""

from collections.abc import Sequence

import numpy as np

from assay.models.loading import LoadedModel
from assay.models.probes import MAX_BYTES, PROBES, Probes, check, codes, has_probes, read, scores

__all__ = ["MAX_BYTES", "PROBES", "Probes", "check", "codes", "has_probes", "made", "read", "scores"]


def made(model: LoadedModel, inputs: Sequence[str], tolerance: float) -> Probes:
    """Return probes that hold other machines to what a model answers on this one."""
    outputs = np.asarray(scores(model, inputs), np.float64)
    return Probes("texts" if model.manifest.text else "sequences", tuple(inputs), outputs, tolerance)
