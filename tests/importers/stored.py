"""Checkpoints whose weights are drawn from their names, and the logits that transformers gives with them.

`tests/data/family_logits.json` is made by `tests/data/make_family_logits.py` where transformers is installed; here only
NumPy is needed. A name with `#` stands for all layers.
"""

import json
import re
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tests.conftest import DATA

LENGTHS = (33, 7)
VOCABULARY = 120
PATH = DATA / "family_logits.json"
_NUMBER = re.compile(r"\blayers?\.(\d+)\.")


def cases() -> dict[str, Any]:
    """Return the cases by name, each with `config`, `shapes` and `logits` by length."""
    found: dict[str, Any] = json.loads(PATH.read_text("utf-8"))
    return found


def ids(length: int) -> Any:
    """Return token ids [1, length] without special ones."""
    return np.random.RandomState(length).randint(5, VOCABULARY, (1, length))


def weight(name: str, shape: Iterable[int]) -> Any:
    """Return a weight that depends on its name alone; `RandomState` draws the same numbers in every release."""
    found = np.random.RandomState(zlib.crc32(name.encode())).uniform(-0.3, 0.3, tuple(shape))
    norm = found.ndim == 1 and name.endswith("weight")
    return (found + norm).astype(np.float32)


def state(shapes: Mapping[str, list[int]], layers: int) -> dict[str, Any]:
    """Return the weights of a case by their names."""
    names = {name.replace("#", str(layer)): shape for name, shape in shapes.items() for layer in range(max(1, layers))}
    return {name: weight(name, shape) for name, shape in names.items()}


def weights_of(name: str) -> dict[str, Any]:
    """Return the weights of a case by its name."""
    known = cases()
    case = known[name]
    shapes = known[case["shapes"]]["shapes"] if isinstance(case["shapes"], str) else case["shapes"]
    return state(shapes, case["layers"])


def folded(shapes: Mapping[str, list[int]], layers: int) -> dict[str, list[int]]:
    """Return shapes with `#` for the number of a layer where all layers have such a weight."""
    found: dict[str, list[int]] = {}
    for name, shape in shapes.items():
        pattern = _NUMBER.sub(lambda match: match[0].replace(match[1], "#"), name)
        everywhere = all(pattern.replace("#", str(layer)) in shapes for layer in range(layers))
        found[pattern if everywhere else name] = shape
    return found
