"""Weights drawn from their names, so that no checkpoint has to be stored."""

import hashlib

import numpy as np
import numpy.typing as npt


def drawn(name: str, shape: list[int]) -> npt.NDArray[np.float64]:
    """Return a weight, norms around 1."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    centre = 1.0 if "norm" in name.lower() and name.endswith("weight") else 0.0
    return np.random.default_rng(seed).normal(centre, 0.2, shape)
