"""A job's books: each byte of its object is one shard's, and each record that was received has one outcome."""

from collections.abc import Mapping
from typing import Final

from assay.errors import Unaccounted
from assay.jobs.workspace import JobPlan, ShardResult

OUTCOMES: Final = ("scored", "classified", "rejected", "duplicates")
"""What becomes of records; a ranking's `scored` are those that the gate let pass and those that it filtered."""


def adds_up(counts: Mapping[str, int]) -> bool:
    """Say whether each record received has one outcome, and no more passed than were scored."""
    outcomes = sum(counts.get(name, 0) for name in OUTCOMES)
    return counts.get("received", 0) == outcomes and counts.get("passed", 0) <= counts.get("scored", 0)


class Ledger:
    """Takes the results of a job's shards in order; `suspects` are the shards whose bytes or records do not add up."""

    def __init__(self, manifest: JobPlan) -> None:
        """Begin at the object's first byte."""
        self.suspects: set[int] = set()
        self._manifest = manifest
        self._at = self._bytes = self._last = 0
        self._stated = True
        self._wrong: list[str] = []

    def enter(self, result: ShardResult) -> None:
        """Take the next shard's result; one that states no bytes is of an earlier version and ends their check."""
        if not adds_up(result.counts):
            self._suspect(f"{self._name(result.shard)} counts {_spell(result.counts)}", result.shard)
        if result.size is None:
            self._stated = False
        elif result.size:
            if self._stated and result.first != self._at:
                wrong = f"{self._name(result.shard)} begins at byte {result.first:,} but {self._at:,} comes next"
                self._suspect(wrong, self._last, result.shard)
            self._at, self._last = result.first + result.size, result.shard
            self._bytes += result.size

    def close(self) -> None:
        """Raise Unaccounted unless all that was taken adds up to the object."""
        size = self._manifest.source.size
        if self._stated and self._at != size:
            self._suspect(f"{self._name(self._last)} ends at byte {self._at:,}", self._last)
        if self._wrong:
            raise Unaccounted(
                f"the counts of {self._manifest.source.key} do not add up, so no result is shown: its shards have "
                f"{self._bytes:,} of {size:,} bytes; {'; '.join(self._wrong[:3])}; redrive the job, which "
                "repeats the shards that are wrong",
                shards=sorted(self.suspects)[:5],
            )

    def _suspect(self, wrong: str, *shards: int) -> None:
        self._wrong.append(wrong)
        self.suspects |= {*shards}

    def _name(self, shard: int) -> str:
        return f"shard {shard + 1} of {self._manifest.shards}"


def _spell(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "nothing"
