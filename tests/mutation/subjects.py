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


_PROPERTIES: Final = "tests/unit/ranking/test_ranking_properties.py"

SUBJECTS: Final[Mapping[str, Subject]] = {
    "top-k": Subject(
        (f"{_ASSAY}/ranking/topk.py",),
        (
            "tests/unit/test_dataclasses.py",
            "tests/unit/ranking/test_top_k.py",
            f"{_PROPERTIES}::test_ranking_agrees_with_sorting_everything",
        ),
    ),
    "ranking": Subject(
        (f"{_ASSAY}/ranking/ranker.py", f"{_ASSAY}/ranking/partial.py"),
        (
            "tests/unit/test_dataclasses.py",
            "tests/unit/ranking/test_ranker.py",
            "tests/unit/ranking/test_ranking.py",
            f"{_PROPERTIES}::test_ranking_agrees_with_sorting_everything",
            f"{_PROPERTIES}::test_a_split_merged_is_the_whole",
            f"{_PROPERTIES}::test_partials_survive_json",
        ),
    ),
    "alphabet": Subject(
        (f"{_ASSAY}/sequences/alphabet.py", f"{_ASSAY}/sequences/windows.py"),
        (
            "tests/unit/test_dataclasses.py",
            "tests/unit/sequences/test_alphabet.py",
            "tests/unit/sequences/test_sequences_windows.py",
            "tests/unit/sequences/test_sequences.py::test_a_bad_line_says_exactly_what_is_wrong",
            "tests/unit/sequences/test_sequences.py::test_the_contract_of_another_model_is_held",
            "tests/unit/sequences/test_sequences.py::test_a_contract_that_cannot_be_is_refused",
        ),
    ),
    "shards": Subject(
        (f"{_ASSAY}/shards.py",), ("tests/unit/test_dataclasses.py", "tests/unit/jobs/test_byte_ranges.py")
    ),
    "bundle": Subject(
        (f"{_ASSAY}/models/bundle.py", f"{_ASSAY}/models/layout.py", f"{_ASSAY}/models/hashing.py"),
        (
            "tests/unit/test_dataclasses.py",
            "tests/unit/models/test_bundle.py",
            "tests/unit/models/test_bundle_names.py",
        ),
    ),
    "graphs": Subject(
        (f"{_ASSAY}/models/graph_operations.py",),
        ("tests/unit/test_dataclasses.py", "tests/unit/models/test_graph_operations.py"),
    ),
    "registry": Subject(
        (f"{_ASSAY}/models/registry.py", f"{_ASSAY}/models/memory.py", f"{_ASSAY}/models/slots.py"),
        ("tests/unit/test_dataclasses.py", "tests/unit/models/test_registry.py"),
    ),
    "jobs": Subject(
        (f"{_ASSAY}/jobs.py", f"{_ASSAY}/claims.py"),
        ("tests/unit/test_dataclasses.py", "tests/unit/jobs/test_record.py"),
    ),
    "merging": Subject(
        (f"{_ASSAY}/files/merging.py", f"{_ASSAY}/files/steps.py", f"{_ASSAY}/files/accounting.py"),
        (
            "tests/unit/test_dataclasses.py",
            "tests/unit/jobs/test_ledger.py",
            "tests/unit/jobs/test_merging.py",
            "tests/unit/jobs/test_steps.py",
        ),
    ),
    "sweep": Subject(("functions/portal/sweep.py",), ("tests/unit/jobs/test_sweep.py",)),
}
