"""A worker process of `assay rank`: it ranks the shards that it is given.

As a program (`python -m tools.batch.worker`) it reads JSON lines: a `BatchRun`, then the index of a shard at a time.
It answers in JSON lines: `{"read": bytes}` while it works, then `{"done": index}` or `{"error": code, "message": ...}`.
"""

import json
import os
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from assay.jobs.rank_files import RankJobType
from assay.jobs.workspace import Workspace
from assay.models.model_choice import pair_models
from tools.batch.files_as_s3 import open_folder_bucket
from tools.batch.inputs import Place, Told
from tools.models.shipped import newest_model
from tools.terminal import explain


@dataclass(frozen=True, slots=True)
class BatchRun:
    """Where a job's input, results and models lie."""

    job_id: str
    place: Place
    results: str
    models: str
    gate: str
    score: str

    def to_json(self) -> str:
        """Return JSON from which `from_json` makes an equal value."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        body = json.loads(text)
        return cls(**{**body, "place": Place(**body["place"])})

    @property
    def working(self) -> Workspace:
        """Return the job's working objects."""
        return Workspace(open_folder_bucket(Path(self.results)), self.job_id)

    def kind(self, threads: int = 0) -> RankJobType:
        """Return ranking by these models, each in so many threads (0: one a core).

        Raises ModelUnavailable, BundleInvalid.
        """
        gate, score = (newest_model(Path(self.models), name, threads) for name in (self.gate, self.score))
        pair = pair_models(gate, score)
        return RankJobType(lambda _: pair.models, lambda _: pair)


def rank_and_keep(desk: BatchRun, kind: RankJobType, index: int, told: Told) -> None:
    """Rank one shard of a planned job and keep its result; `told` hears of each read. Raises AssayError."""
    working = desk.working
    working.save(kind.work(working.manifest(), index, desk.place.bucket(told), working))


def main() -> None:
    """Do the shards that standard input names, until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command that started this ends it
    answers, sys.stdout = sys.stdout, sys.stderr

    def tell(**said: Any) -> None:
        try:
            print(json.dumps(said), file=answers, flush=True)
        except BrokenPipeError:  # the command that started this has ended, and there is nobody to tell
            os._exit(1)

    try:
        _serve(tell)
    except Exception as error:
        tell(error=str(getattr(error, "code", type(error).__name__)), message=explain(error))


def _serve(tell: Any) -> None:
    desk = BatchRun.from_json(sys.stdin.readline())
    kind = desk.kind(threads=1)
    for line in sys.stdin:
        rank_and_keep(desk, kind, int(line), lambda count: tell(read=count))
        tell(done=int(line))


if __name__ == "__main__":
    main()
