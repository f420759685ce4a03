"""Classify a file on this machine as a job of the service: plan, cut, classify, join."""

import argparse
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from assay.abstracts.abstract_records import Layout
from assay.aws.s3 import Bucket
from assay.jobs.classify_files import ClassifyJobType, sniff_layout
from assay.jobs.merging import CutInRow, collect_results
from assay.jobs.planning import Caps, Upload, as_one_shard, new_plan
from assay.jobs.workspace import JobPlan, Workspace, result_key
from assay.models.text_classifier import TextClassifier
from assay.text.packing import look
from tools.batch.files_as_s3 import open_folder_bucket
from tools.batch.inputs import Place
from tools.batch.rank_file import ENDLESS, write_batch_summary
from tools.models.shipped import newest_model
from tools.transfers import Bar

SHARD_BYTES: Final = 1 << 18
"""Some hundred abstracts, a second or two: so often is progress shown. One process does them all: it
runs abstracts side by side and keeps the cores busy."""


def classify_file(
    place: Place, results: Path, models: Path, name: str, options: Mapping[str, Any]
) -> tuple[Path, Mapping[str, Any]]:
    """Classify a file; return the folder of its results and what their summary says. Raises AssayError."""
    known = TextClassifier(newest_model(models, name))
    manifest = known.model.manifest
    serving = {"classifier": {"name": manifest.name, "version": manifest.version}}
    kind = ClassifyJobType(lambda: serving, lambda _: known)
    chosen = kind.options({name: str(value) for name, value in options.items()})
    caps, uploads = Caps(SHARD_BYTES, ENDLESS, ENDLESS), place.bucket()
    working = Workspace(open_folder_bucket(results), uuid.uuid4().hex)
    plan = new_plan(kind, working.job_id, Upload(place.root, place.key), uploads, caps, chosen)
    try:
        summary = _run(kind, plan, working, uploads)
    except CutInRow:
        summary = _run(kind, as_one_shard(plan, caps), working, uploads)
    return results / result_key(working.job_id, ""), summary


def _run(kind: ClassifyJobType, plan: JobPlan, working: Workspace, uploads: Bucket) -> Mapping[str, Any]:
    working.keep(plan)
    with Bar("classifying", plan.source.size) as bar:
        for index in range(plan.shards):
            working.save(kind.work(plan, index, uploads, working))
            shard = plan.shard(index)
            bar.add(shard.stop - shard.start)
    return write_batch_summary(working, plan, kind.join(plan, working, collect_results(working, plan)))


def holds_many(options: argparse.Namespace, chunks: Iterable[bytes], name: str) -> bool:
    """Say whether a file is read as one of many abstracts, as the service's jobs read it.

    It is where it is JSON or a table, however packed, where a column is named, or where its results shall be files;
    text and PDFs are one abstract. Raises UnreadableInput for what is neither, TooLarge, RuntimeMissing.
    """
    found = look(chunks, name)
    layout = sniff_layout(found.head, found.name, options.column)
    if options.out or options.column or layout in (Layout.JSON, Layout.JSONL):
        return True
    return layout is Layout.CSV and (found.name.lower().endswith(_TABLES) or _heads_columns(found.head))


def _heads_columns(head: bytes) -> bool:
    """Say whether a first line names several columns; one word alone may be the heading of an abstract."""
    first = re.split(r"[\r\n]", head.decode("utf-8", "replace").lstrip("\ufeff \t\r\n"), maxsplit=1)[0]
    cells = re.split(r"[,\t;]", first)
    return len(cells) > 1 and max(map(len, cells)) <= _LONGEST_NAME


_TABLES: Final = (".csv", ".tsv")
_LONGEST_NAME: Final = 40
"""Characters of a column's name where only a first line tells a table from an abstract."""


def read_results(folder: Path, summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return the results in a folder as POST /classify would answer, with counts."""
    lines = (folder / "classification.jsonl").read_text(encoding="utf-8").splitlines()
    said = {"counts": summary["counts"], "models": summary["models"], "notices": summary.get("notices") or []}
    return {"results": [json.loads(line) for line in lines], **said}
