"""Every requirements.in has its compiled requirements.txt: complete, hashed, from no index in particular, in step."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[3]
SOURCES = sorted(
    path
    for folder in ("requirements", "functions/rank", "functions/classify", "layers/assay")
    for path in (ROOT / folder).glob("*.in")
)
RUN_TOGETHER = [
    "requirements/local",
    "functions/rank/requirements",
    "functions/classify/requirements",
    "layers/assay/requirements",
]


def _asked(source: Path) -> Iterator[Requirement]:
    """Yield what a requirements.in asks for, and what those that it includes ask for."""
    for line in source.read_text().splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r"):
            yield from _asked(source.parent / text[2:].strip())
        elif text:
            yield Requirement(text)


def _pinned(lock: Path) -> dict[str, set[str]]:
    """Return the versions that a requirements.txt pins, by name; markers may choose between several."""
    versions: dict[str, set[str]] = {}
    for line in _lines(lock):
        requirement = Requirement(line.partition("--hash")[0])
        [pin] = requirement.specifier
        assert pin.operator == "=="
        versions.setdefault(canonicalize_name(requirement.name), set()).add(pin.version)
    return versions


def _lines(lock: Path) -> list[str]:
    joined = lock.read_text().replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("source", SOURCES, ids=_named)
def test_what_is_asked_for_is_pinned(source: Path) -> None:
    pinned = _pinned(source.with_suffix(".txt"))
    for requirement in _asked(source):
        versions = pinned[canonicalize_name(requirement.name)]
        assert all(version in requirement.specifier for version in versions), f"{requirement}: run make lock"


@pytest.mark.parametrize("source", SOURCES, ids=_named)
def test_a_lock_is_hashed_and_names_no_address(source: Path) -> None:
    lock = source.with_suffix(".txt")
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", line) for line in _lines(lock))
    assert not re.search(r"https?://|file:|--(extra-)?index-url|--find-links", lock.read_text())


@pytest.mark.parametrize("name", RUN_TOGETHER)
def test_what_runs_together_is_tested_at_the_same_versions(name: str) -> None:
    tested = _pinned(ROOT / "requirements/dev.txt")
    for package, versions in _pinned(ROOT / f"{name}.txt").items():
        assert tested[package] == versions, package
