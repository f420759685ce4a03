"""Loaded models, the ones used longest ago let go where the memory for models would not hold one more."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from assay.models.loading import LoadedModel
from assay.models.manifest import Manifest

Key = tuple[str, str]
"""Name and version."""
_PAIR: Final = 2
_FIXED: Final = 8 << 20
_TIMES: Final = 2


def footprint(manifest: Manifest) -> int:
    """Return about how many bytes a loaded model takes.

    Measured: 5 MB for a sequence model of 0.4 MB, 43 MB for a classifier of 24 MB with its tokenizer.
    """
    return _FIXED + _TIMES * manifest.size


class Memory:
    """Models by name and version, within a budget of bytes. Safe to share between threads.

    The two used last always stay, for a request may need a pair. Whoever has got a model keeps it for as long as it
    needs it, let go here or not.
    """

    def __init__(self, budget: int, on_drop: Callable[[Key], None] = lambda key: None) -> None:
        self._budget = budget
        self._on_drop = on_drop
        self._lock = threading.Lock()
        self._models: OrderedDict[Key, LoadedModel] = OrderedDict()

    def get(self, key: Key) -> LoadedModel | None:
        """Return a model, which is now the one used last; None where it is not held."""
        with self._lock:
            if key in self._models:
                self._models.move_to_end(key)
            return self._models.get(key)

    def keep(self, key: Key, model: LoadedModel) -> None:
        """Hold a model, in place of another of its name and version."""
        with self._lock:
            self._models[key] = model
            self._models.move_to_end(key)

    def drop(self, key: Key) -> None:
        """Let go of a model."""
        with self._lock:
            self._models.pop(key, None)

    def make_room(self, size: int) -> None:
        """Let go of the models used longest ago until `size` bytes more are within the budget."""
        for key in self._dropped(size):
            self._on_drop(key)

    def held(self) -> list[LoadedModel]:
        """Return what is held, the one used longest ago first."""
        with self._lock:
            return list(self._models.values())

    def _dropped(self, size: int) -> list[Key]:
        dropped = []
        with self._lock:
            # One stays, and with what the room is for that makes two.
            while len(self._models) >= _PAIR and self._size() + size > self._budget:
                dropped.append(self._models.popitem(last=False)[0])
        return dropped

    def _size(self) -> int:
        return sum(footprint(model.manifest) for model in self._models.values())
