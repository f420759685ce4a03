"""What is mutated, and the tests that must notice: the pure core, jobs and the registry of models."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_ASSAY: Final = "layers/assay/python/assay"


@dataclass(frozen=True)
class Subject:
    """Modules, relative to the root, and the nearest tests, which are run for each of their mutants."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


SUBJECTS: Final[Mapping[str, Subject]] = {
    "top-k": Subject(
        (f"{_ASSAY}/ranking/topk.py",),
        ("tests/unit/test_topk.py", "tests/unit/test_ranking_properties.py"),
    ),
    "ranking": Subject(
        (f"{_ASSAY}/ranking/ranker.py", f"{_ASSAY}/ranking/partial.py"),
        ("tests/unit/test_ranking.py", "tests/unit/test_ranking_properties.py"),
    ),
    "alphabet": Subject(
        (f"{_ASSAY}/sequences/alphabet.py", f"{_ASSAY}/sequences/windows.py"),
        ("tests/unit/test_sequences.py", "tests/unit/test_windows.py", "tests/unit/test_sequences_windows.py"),
    ),
    "shards": Subject((f"{_ASSAY}/shards.py",), ("tests/unit/test_shards.py",)),
    "bundle": Subject(
        (f"{_ASSAY}/models/bundle.py", f"{_ASSAY}/models/layout.py", f"{_ASSAY}/models/hashing.py"),
        ("tests/unit/models",),
    ),
    "graphs": Subject((f"{_ASSAY}/models/graph_operations.py",), ("tests/unit/models/test_graph_operations.py",)),
    "registry": Subject(
        (f"{_ASSAY}/models/registry.py", f"{_ASSAY}/models/memory.py"),
        ("tests/integration/test_registry.py", "tests/integration/test_registry_memory.py"),
    ),
    "jobs": Subject(
        (f"{_ASSAY}/jobs.py", f"{_ASSAY}/claims.py"),
        ("tests/integration/test_jobs.py", "tests/integration/test_jobs_ending.py"),
    ),
    "merging": Subject(
        (f"{_ASSAY}/files/merging.py", f"{_ASSAY}/files/steps.py", f"{_ASSAY}/files/accounting.py"),
        ("tests/integration/test_files.py", "tests/integration/test_faults_ends.py"),
    ),
    "sweep": Subject(("functions/portal/sweep.py",), ("tests/integration/test_portal.py",)),
}
