"""Mutants of a module by Cosmic Ray's operators: which there are, and the code of one."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import cosmic_ray.plugins
from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.mutating import mutate_code

from tests.mutation.subjects import Subject

_LEFT_OUT: Final = ("BitOr", "_Is_Eq", "_IsNot_NotEq", "_Eq_Is", "_NotEq_IsNot")
"""What would flatter the share or spoil it. `|` mostly stands in annotations, which any import notices. `is` for `==`
and the other way round differ by what Python happens to hold twice."""

_PARAMETERS: Final = re.compile(r"def |(.*, )?\*,")
"""The star among parameters is taken for a product: most changes of it cannot be parsed, and `/` changes nothing."""


@dataclass(frozen=True)
class Mutant:
    """One change of one module; `line` counts from 1, `text` is what stands on it now."""

    module: str
    operator: str
    occurrence: int
    line: int
    text: str

    @property
    def key(self) -> str:
        """The name under which an equivalent mutant is listed."""
        return f"{self.module} | {self.operator.partition('/')[2]} | {self.text}"


def sample(root: Path, subject: Subject, count: int, seed: int) -> list[Mutant]:
    """Return so many mutants of a subject, drawn by the seed; all if there are fewer.

    Each is drawn by what it changes, so that a change elsewhere leaves the others in the sample.
    """
    alike: Counter[str] = Counter()
    drawn: list[tuple[str, Mutant]] = []
    for module in subject.modules:
        for mutant in _of(root, module, _lines(root / module, subject.only)):
            name = f"{seed} {Path(module).name} {mutant.operator} {mutant.text} {alike[mutant.key]}"
            alike[mutant.key] += 1
            drawn.append((sha256(name.encode()).hexdigest(), mutant))
    return [mutant for _, mutant in sorted(drawn, key=lambda each: each[0])[:count]]


def code(root: Path, mutant: Mutant) -> str | None:
    """Return the module's text with the change, None where it makes none."""
    before = (root / mutant.module).read_text("utf-8")
    after: str | None = mutate_code(before, _operator(mutant.operator), mutant.occurrence)
    return after


def _lines(path: Path, only: tuple[str, ...]) -> set[int]:
    """Return the lines of what a module defines by these names; all where none is named."""
    text = path.read_text("utf-8")
    found: set[int] = set()
    for node in ast.parse(text).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", node)]
        names = {getattr(each, "name", getattr(each, "id", "")) for each in targets}
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        if not only or names & {*only}:
            found |= {*range(first, (node.end_lineno or first) + 1)}
    return found


def _of(root: Path, module: str, within: set[int]) -> Iterator[Mutant]:
    tree = get_ast_from_path(root / module)
    lines = (root / module).read_text("utf-8").splitlines()
    for name in cosmic_ray.plugins.operator_names():
        if name.endswith(_LEFT_OUT) or "_BitOr_" in name or cosmic_ray.plugins.get_operator(name).arguments():
            continue
        operator = _operator(name)
        places = (place for node in ast_nodes(tree) for place in operator.mutation_positions(node))
        for occurrence, (start, _) in enumerate(places):
            text = lines[start[0] - 1].strip()
            if start[0] in within and not ("Operator_Mul_" in name and _PARAMETERS.match(text)):
                yield Mutant(module, name, occurrence, start[0], text)


def _operator(name: str) -> Any:
    return cosmic_ray.plugins.get_operator(name)()
