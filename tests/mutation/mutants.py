"""Mutants of a module by Cosmic Ray's operators: which there are, and the code of one."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cosmic_ray.plugins
from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.mutating import mutate_code

_LEFT_OUT = "ReplaceBinaryOperator_BitOr"
"""It mostly breaks annotations (`int | None`), which any import notices: such mutants would only flatter the share."""


@dataclass(frozen=True)
class Mutant:
    """One change of one module; `line` counts from 1."""

    module: str
    operator: str
    occurrence: int
    line: int


def sample(root: Path, modules: tuple[str, ...], count: int, seed: int) -> list[Mutant]:
    """Return so many mutants of modules, drawn by the seed; all where there are fewer."""
    found = [mutant for module in modules for mutant in _of(root, module)]
    return found if len(found) <= count else random.Random(seed).sample(found, count)


def code(root: Path, mutant: Mutant) -> str | None:
    """Return the module's text with the change, None where it makes none."""
    before = (root / mutant.module).read_text("utf-8")
    after: str | None = mutate_code(before, _operator(mutant.operator), mutant.occurrence)
    return after


def _of(root: Path, module: str) -> Iterator[Mutant]:
    tree = get_ast_from_path(root / module)
    for name in cosmic_ray.plugins.operator_names():
        if _LEFT_OUT in name or cosmic_ray.plugins.get_operator(name).arguments():
            continue
        operator = _operator(name)
        places = (place for node in ast_nodes(tree) for place in operator.mutation_positions(node))
        for occurrence, (start, _) in enumerate(places):
            yield Mutant(module, name, occurrence, start[0])


def _operator(name: str) -> Any:
    return cosmic_ray.plugins.get_operator(name)()
