"""Each subject that `make mutants` breaks exists by its name, with the tests that must notice."""

import ast
from pathlib import Path

import pytest

from tests.mutation.subjects import SUBJECTS, Subject

ROOT = Path(__file__).resolve().parents[2]
EQUIVALENTS = ROOT / "tests" / "mutation" / "equivalents.txt"


def defined(module: str) -> set[str]:
    """Return what a module defines at its top."""
    found: set[str] = set()
    for node in ast.parse((ROOT / module).read_text("utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", node)]
        found |= {str(getattr(each, "name", getattr(each, "id", ""))) for each in targets}
    return found


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
def test_a_subject_names_what_there_is(subject: Subject) -> None:
    assert {*subject.only} <= set().union(*map(defined, subject.modules))
    for test in subject.tests:
        path, _, name = test.partition("::")
        assert not name or f"def {name}(" in (ROOT / path).read_text("utf-8")


def test_each_equivalent_mutant_is_of_a_line_that_there_is_and_has_its_reason() -> None:
    for line in filter(None, EQUIVALENTS.read_text("utf-8").splitlines()[1:]):
        module, _, rest = line.partition(" | ")
        text, _, why = rest.partition(" | ")[2].rpartition(" | ")
        assert text in (ROOT / module).read_text("utf-8"), line
        assert len(why.split()) > 4
