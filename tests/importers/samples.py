"""Inputs that tests of several importers share."""

from typing import Any

import numpy as np

from tests.conftest import DATA

TOKENIZER = DATA / "tiny-text" / "1"
CODES = np.random.default_rng(3).integers(0, 20, (20, 50)).astype(np.uint8)
EDGES = np.concatenate([CODES, np.repeat(np.arange(20, dtype=np.uint8)[:, None], 50, axis=1)])
TEXTS = [
    "Short, but long enough for the service to take it as an abstract.",
    "a" * 50,
    "Ünïcode, $\\alpha < \\beta$, and numbers 10^{-14}: everything that a vocabulary may lack. " * 12,
]


def one_hot(codes: Any) -> Any:
    return np.eye(20, dtype=np.float32)[codes]
