"""What parts pass to each other cannot be changed behind one's back, and takes no attribute that is misspelt."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import is_dataclass

import assay

CHANGING = {"Held", "ServingState", "TextBlock"}
"""Public ones that are what a part works with, and no value: of the lock's table, of loaded models, of a page."""
CACHING = {"Held", "ServingState", "Manifest", "LoadedModel", "Probes", "Processors"}
"""Those with attributes that are computed once, or of other classes."""


def classes() -> Iterator[type]:
    for module in pkgutil.walk_packages(assay.__path__, "assay."):
        for found in vars(importlib.import_module(module.name)).values():
            if isinstance(found, type) and found.__module__ == module.name and is_dataclass(found):
                yield found


def test_values_are_frozen() -> None:
    public = [found for found in classes() if not found.__name__.startswith("_")]
    assert len(public) > 50
    changing = {found.__name__ for found in public if not found.__dataclass_params__.frozen}  # type: ignore[attr-defined]
    assert changing == CHANGING


def test_they_have_slots() -> None:
    assert {found.__name__ for found in classes() if "__slots__" not in vars(found)} == CACHING
