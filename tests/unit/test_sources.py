"""Names say one thing each, a function's what it does; no function is long, no module mostly imports and docstring."""

import ast
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.unit.templates import ROOT

SOURCES = {
    path: path.read_text("utf-8")
    for folder in ("functions", "layers", "tools", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "node_modules" not in path.parts
}
TREES = {path: ast.parse(source) for path, source in SOURCES.items()}
Function = ast.FunctionDef | ast.AsyncFunctionDef

PARTICIPLE = re.compile(
    r"[a-z]+ed|[a-z]+ing|begun|bought|broken|brought|built|chosen|done|drawn|found|given|gone|got|grown|heard|held|hidden|"
    r"kept|known|laid|left|lost|made|met|paid|said|seen|sent|shown|sold|spent|stood|taken|thought|told|torn|used|written"
)
NOUNS_AND_VERBS = {"bring", "embed", "feed", "mapping", "padding", "ranking", "succeed", "warning"}
"""What ends as a participle and is none."""
ROLES = {
    "about", "add_arguments", "handler", "headers", "main", "read_request", "services", "shard_handler",
    "upload_handler",
}  # fmt: skip
"""Names of a part that several modules play alike: a Lambda's entry, a command's, a reply's."""
SHARED_MODULES = {"__init__", "__main__", "api", "jobs", "reply", "request", "services"}
SMALL = 10
"""Lines of code below which a module is a constant or a mark of a package."""


def is_participle(name: str) -> bool:
    """Say whether a name is a participle alone, which says what comes back and not what is done."""
    word = name.strip("_")
    return word not in NOUNS_AND_VERBS and PARTICIPLE.fullmatch(word) is not None


def functions(tree: ast.Module) -> Iterator[Function]:
    """Yield the functions and methods that are called: properties are nouns."""
    for node in ast.walk(tree):
        if isinstance(node, Function) and not any("property" in ast.unparse(each) for each in node.decorator_list):
            yield node


def share_of_head(source: str) -> float:
    """Return the share of a module's lines, blank ones left out, that are imports and its docstring."""
    tree, lines = ast.parse(source), source.splitlines()
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    head = [*imports, *(tree.body[:1] if ast.get_docstring(tree) else [])]
    places = {at for node in head for at in range(node.lineno - 1, node.end_lineno or 0)}
    return sum(bool(lines[at].strip()) for at in places) / max(sum(map(bool, map(str.strip, lines))), SMALL)


@pytest.mark.parametrize("name", ["_chosen", "made", "told", "serving", "parsed"])
def test_a_participle_is_told(name: str) -> None:
    assert is_participle(name)


@pytest.mark.parametrize("name", ["choose", "ranking", "list_done", "shorten", "read", "__len__"])
def test_a_verb_or_a_noun_is_none(name: str) -> None:
    assert not is_participle(name)


def test_no_function_is_named_by_a_participle() -> None:
    found = [f"{path}:{each.lineno} {each.name}" for path, tree in TREES.items() for each in functions(tree)]
    assert len(found) > 1000
    assert [each for each in found if is_participle(each.split()[1])] == []


def test_no_function_has_more_than_forty_lines() -> None:
    found = [(path, each) for path, tree in TREES.items() for each in ast.walk(tree) if isinstance(each, Function)]
    assert len(found) > 1000
    lines = {f"{path} {each.name}": (each.end_lineno or 0) - each.lineno + 1 for path, each in found}
    assert {name: count for name, count in lines.items() if count > 40} == {}


def test_no_public_name_has_two_meanings() -> None:
    places = Counter(
        name
        for tree in TREES.values()
        for name in {each.name for each in tree.body if isinstance(each, Function | ast.ClassDef)}
        if not name.startswith("_")
    )
    assert {name for name, count in places.items() if count > 1} == ROLES


def test_no_two_modules_share_a_name() -> None:
    places = Counter(path.stem for path in TREES)
    assert {name for name, count in places.items() if count > 1} == SHARED_MODULES


@pytest.mark.parametrize(
    ("source", "share"), [("import a\nimport b\n" + "c = 1\n" * 8, 0.2), ('"""A.\n\nB.\n"""\n' + "c = 1\n" * 9, 0.25)]
)
def test_the_share_of_imports_and_docstring_is_counted(source: str, share: float) -> None:
    assert share_of_head(source) == share


def test_no_module_is_mostly_imports_and_docstring() -> None:
    assert [f"{path}" for path, source in SOURCES.items() if share_of_head(source) > 0.4] == []
