"""What is mutated, and the tests that must notice: the pure core, jobs and the registry of models."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Subject:
    """Modules, relative to the root, and the nearest tests, which are run for each of their mutants.

    Where it is `only` about some functions and classes of them, those are named.
    """

    modules: tuple[str, ...]
    tests: tuple[str, ...]
    only: tuple[str, ...] = ()


_VALUES: Final = "tests/unit/test_dataclasses.py"
_PROPERTIES: Final = "tests/unit/ranking/test_ranking_properties.py"
_SEQUENCES: Final = "tests/unit/sequences/test_sequences.py"

SUBJECTS: Final[Mapping[str, Subject]] = {
    "top-k": Subject(
        ("layers/assay/python/assay/ranking/ranker.py",),
        (
            _VALUES,
            "tests/unit/ranking/test_top_k.py",
            f"{_PROPERTIES}::test_ranking_agrees_with_sorting_everything",
        ),
    ),
    "ranking": Subject(
        ("layers/assay/python/assay/ranking/ranker.py", "layers/assay/python/assay/ranking/ranking.py"),
        (
            _VALUES,
            "tests/unit/ranking/test_ranker.py",
            "tests/unit/ranking/test_ranking.py",
            f"{_PROPERTIES}::test_ranking_agrees_with_sorting_everything",
            f"{_PROPERTIES}::test_a_split_merged_is_the_whole",
            f"{_PROPERTIES}::test_partials_survive_json",
        ),
    ),
    "waiting rows": Subject(
        ("layers/assay/python/assay/ranking/duplicates.py", "layers/assay/python/assay/ranking/labels.py"),
        (
            _VALUES,
            "tests/unit/ranking/test_duplicates.py",
            "tests/unit/ranking/test_labels.py",
            "tests/unit/ranking/test_ranking.py",
        ),
    ),
    "alphabet": Subject(
        (
            "layers/assay/python/assay/sequences/blocks.py",
            "layers/assay/python/assay/sequences/contract.py",
            "layers/assay/python/assay/sequences/fasta.py",
        ),
        (
            _VALUES,
            "tests/unit/sequences/test_alphabet.py",
            "tests/unit/sequences/test_sequences_windows.py",
            f"{_SEQUENCES}::test_a_bad_line_says_exactly_what_is_wrong",
            f"{_SEQUENCES}::test_the_contract_of_another_model_is_held",
            f"{_SEQUENCES}::test_a_contract_that_cannot_be_is_refused",
        ),
        only=(
            "byte_table", "decode", "Contract", "Lenience", "Windows", "WindowCut", "cut_windows",
            "require_windows_fit", "BLANK", "NEWLINE", "NON_ASCII", "UNKNOWN", "MAX_SYMBOLS", "MAX_LENGTH",
        ),
    ),
    "readers": Subject(
        (
            "layers/assay/python/assay/sequences/plain_lines.py",
            "layers/assay/python/assay/sequences/csv_table.py",
            "layers/assay/python/assay/sequences/fasta.py",
            "layers/assay/python/assay/sequences/alignments.py",
            "layers/assay/python/assay/sequences/flatfiles.py",
            "layers/assay/python/assay/sequences/wrapped_lines.py",
        ),
        (
            _VALUES,
            _SEQUENCES,
            "tests/unit/sequences/test_alignments.py",
            "tests/unit/sequences/test_carried_columns.py",
            "tests/unit/sequences/test_fasta.py",
            "tests/unit/sequences/test_flatfiles.py",
            "tests/unit/sequences/test_lenience.py",
            "tests/unit/sequences/test_wrapped_lines.py",
            "tests/unit/sequences/test_sequences_properties.py",
            "tests/unit/sequences/test_sequences_windows.py",
            "tests/unit/text/test_delimiters.py",
        ),
    ),
    "abstracts": Subject(
        (
            "layers/assay/python/assay/abstracts/classification.py",
            "layers/assay/python/assay/abstracts/cleaning.py",
            "layers/assay/python/assay/abstracts/abstract_records.py",
        ),
        (
            _VALUES,
            "tests/unit/abstracts/test_abstracts.py",
            "tests/unit/abstracts/test_cleaning.py",
            "tests/unit/abstracts/test_parsing_of_abstracts.py",
        ),
    ),
    "planning": Subject(
        ("layers/assay/python/assay/jobs/planning.py",),
        (
            _VALUES,
            "tests/unit/jobs/test_planning.py",
            "tests/unit/text/test_delimiters.py",
            "tests/integration/jobs/test_files.py",
        ),
    ),
    "ranges": Subject(
        ("layers/assay/python/assay/jobs/byte_ranges.py",), (_VALUES, "tests/unit/jobs/test_byte_ranges.py")
    ),
    "bundle": Subject(
        ("layers/assay/python/assay/models/manifest.py",),
        (_VALUES, *(f"tests/unit/models/test_{name}.py" for name in ("bundle", "bundle_names", "manifest_bounds"))),
    ),
    "graphs": Subject(
        ("layers/assay/python/assay/models/graph_operations.py",),
        (_VALUES, "tests/unit/models/test_graph_operations.py"),
    ),
    "registry": Subject(
        ("layers/assay/python/assay/models/registry.py",),
        (_VALUES, "tests/unit/models/test_registry.py", "tests/unit/models/test_model_memory.py"),
        only=(
            "Registry", "ServingState", "Refusals", "Memory", "estimate_memory", "_require_known_name",
            "_describe_outage", "_tell_dropped",
            "_report", "_PAIR", "_FIXED", "_TIMES", "RETRY_SECONDS", "_DISK", "_PASSING", "_MOST",
        ),
    ),
    "records": Subject(
        ("layers/assay/python/assay/jobs/job_records.py",), (_VALUES, "tests/unit/jobs/test_record.py")
    ),
    "merging": Subject(
        (
            "layers/assay/python/assay/jobs/merging.py",
            "layers/assay/python/assay/jobs/steps.py",
        ),
        (
            _VALUES,
            "tests/unit/jobs/test_ledger.py",
            "tests/unit/jobs/test_merging.py",
            "tests/unit/jobs/test_steps.py",
        ),
        only=(
            "_AHEAD", "_NAMED", "Joined", "Ledger", "adds_up", "collect_results", "check_results", "_fetch_results",
            "_require_complete", "_require_result", "locate", "_spell", "plan_step", "shard_step", "merge_step",
            "_conclude", "_reply_failed", "success_summary", "_replan", "_has_failed", "_reply",
        ),
    ),
    "sweep": Subject(("functions/portal/sweep.py",), ("tests/unit/jobs/test_sweep.py",)),
}  # fmt: skip
