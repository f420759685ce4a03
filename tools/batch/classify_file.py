"""A file of abstracts classified on this machine as a job of the service is: planned, cut, classified, joined."""

import argparse
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tools.batch.files_as_s3 import open_folder_bucket
from tools.batch.inputs import Place
from tools.batch.rank_file import ENDLESS, summed_up
from tools.models.shipped import newest_model
from tools.terminal import Bar

if TYPE_CHECKING:
    from assay.aws.s3 import Bucket
    from assay.jobs.planning import FileShape
    from assay.jobs.workspace import JobPlan, Source, Workspace
    from assay.models.text_classifier import TextClassifier

SHARD_BYTES: Final = 1 << 18
"""Some hundred abstracts, a second or two: so often is progress shown. One process does them all, for each abstract
keeps the cores busy by itself."""


@dataclass(frozen=True, slots=True)
class ClassifyFileJob:
    """Classification with the options of a command line, which are not those of an object's metadata."""

    chosen: Mapping[str, Any]
    serving: Mapping[str, Mapping[str, str]]
    name: str = "classify"

    def options(self, metadata: Mapping[str, str]) -> Mapping[str, Any]:
        """Return what was chosen. Raises InvalidOption."""
        from assay.jobs.classify_files import ClassifyJobType

        given = {name: str(value) for name, value in self.chosen.items()}
        return ClassifyJobType(lambda: self.serving).options(given)

    def shape(self, head: bytes, source: "Source", options: Mapping[str, Any]) -> "FileShape":
        """Judge a file as the service does."""
        from assay.jobs.classify_files import ClassifyJobType

        return ClassifyJobType(lambda: self.serving).shape(head, source, options)

    def models(self, options: Mapping[str, Any]) -> Mapping[str, Mapping[str, str]]:
        """Return who classifies."""
        return self.serving


def classify_file(
    place: Place, results: Path, models: Path, name: str, options: Mapping[str, Any]
) -> tuple[Path, Mapping[str, Any]]:
    """Classify a file; return the folder of its results and what their summary says. Raises AssayError."""
    from assay.jobs.merging import CutInRow
    from assay.jobs.planning import Caps, Upload, as_one_shard, new_plan
    from assay.jobs.workspace import Workspace, result_key
    from assay.models.text_classifier import TextClassifier

    known = TextClassifier(newest_model(models, name))
    manifest = known.model.manifest
    kind = ClassifyFileJob(options, {"classifier": {"name": manifest.name, "version": manifest.version}})
    caps, uploads = Caps(SHARD_BYTES, ENDLESS, ENDLESS), place.bucket()
    working = Workspace(open_folder_bucket(results), uuid.uuid4().hex)
    plan = new_plan(kind, working.job_id, Upload(place.root, place.key), uploads, caps)
    try:
        summary = _done(plan, working, uploads, known)
    except CutInRow:
        summary = _done(as_one_shard(plan, caps), working, uploads, known)
    return results / result_key(working.job_id, ""), summary


def _done(plan: "JobPlan", working: "Workspace", uploads: "Bucket", known: "TextClassifier") -> Mapping[str, Any]:
    from assay.jobs.classify_files import classify_shard, join_classification

    working.keep(plan)
    with Bar("classifying", plan.source.size) as bar:
        for index in range(plan.shards):
            working.save(classify_shard(plan, index, uploads, working.results, known, known.text))
            shard = plan.shard(index)
            bar.add(shard.stop - shard.start)
    return summed_up(working, plan, join_classification(plan, working))


def holds_many(options: argparse.Namespace, chunks: Iterable[bytes], name: str) -> bool:
    """Say whether a file is read as one of many abstracts, as the service's jobs read it.

    It is where it is JSON or a table, however packed, where a column is named, or where its results shall be files;
    text and PDFs are one abstract. Raises UnreadableInput for what is neither, TooLarge, RuntimeMissing.
    """
    from assay.abstracts.parsing import Layout
    from assay.jobs.classify_files import sniff_layout
    from assay.text.packing import look

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
    """Return what a folder of results holds as POST /classify would answer, counts beside it."""
    lines = (folder / "classification.jsonl").read_text(encoding="utf-8").splitlines()
    said = {"counts": summary["counts"], "models": summary["models"], "notices": summary.get("notices") or []}
    return {"results": [json.loads(line) for line in lines], **said}
