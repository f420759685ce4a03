"""Whatever is kept between calls has a bound: a function that lives for weeks holds no more than on its first day."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

SOURCES = (ROOT / "functions", ROOT / "layers" / "assay" / "python")
BOUNDED = {
    "clients._client": "by service: one client for each that the code names",
    "pages._file": "by path: the files beside the page",
}
"""Caches without a size whose arguments are of a fixed set."""


def cached() -> Iterator[tuple[str, ast.FunctionDef, ast.expr]]:
    """Yield each cached function by `module.name`, with what makes it one."""
    for source in SOURCES:
        for path in source.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef):
                    yield from ((f"{path.stem}.{node.name}", node, each) for each in _caching(node, path))


def _caching(node: ast.FunctionDef, path: Path) -> Iterator[ast.expr]:
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if ast.unparse(called).rpartition(".")[2] in {"cache", "lru_cache"}:
            yield decorator


def sized(decorator: ast.expr) -> bool:
    """Say whether a cache has a size."""
    return isinstance(decorator, ast.Call) and any(
        each.arg == "maxsize" and ast.unparse(each.value) != "None" for each in decorator.keywords
    )


def test_every_cached_function_has_a_size_or_no_arguments_or_a_reason() -> None:
    found = list(cached())
    assert len(found) > 5
    free = {name for name, node, decorator in found if node.args.args and not sized(decorator)}
    assert free == set(BOUNDED)


@pytest.mark.parametrize(("text", "expected"), [("cache", False), ("lru_cache(maxsize=None)", False)])
def test_the_search_sees_a_cache_without_a_size(text: str, expected: bool) -> None:
    tree = ast.parse(f"@{text}\ndef kept(name): ...").body[0]
    assert isinstance(tree, ast.FunctionDef)
    assert [sized(each) for each in _caching(tree, Path("x.py"))] == [expected]
