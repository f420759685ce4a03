"""`assay classify`: label abstracts, here with the service's code and models, or by a service."""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from assay.abstracts.classification import classify as predict
from assay.abstracts.classification import describe_labels, remarks, shape_result
from assay.errors import InvalidAbstract, InvalidOption
from assay.http.messages import Request
from assay.models.text_classifier import TextClassifier
from assay.models.text_explainer import explain_results
from assay.options import ClassifyOptions
from assay.settings import Settings
from classify.request import ClassifyRequest, read_request
from tools.batch import classify_file
from tools.batch.classify_file import holds_many, read_results
from tools.batch.inputs import Place, place_input
from tools.cli import remote
from tools.cli.arguments import add_where, classification_options
from tools.cli.file_names import each_alone, expand
from tools.cli.output import describe_notice, describe_rejects, read_reject_file, report_failure
from tools.models.shipped import newest_model
from tools.paths import ROOT
from tools.terminal import bar, explain

_PIECE: Final = 1 << 16
_WORDS_SHOWN: Final = 8


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    files = (
        "one abstract as text or PDF, many as JSON, table or workbook; several files and patterns; - is standard input"
    )
    command.add_argument("files", nargs="+", metavar="FILE", help=files)
    command.add_argument("--threshold", type=float, help="a label counts from this probability (default: the model's)")
    command.add_argument("--top-k", type=int, help="how many labels at most")
    command.add_argument("--explain", action="store_true", default=None, help="say why: words and sentences of a label")
    command.add_argument("--column", help="the CSV column, or field of JSON lines, that holds the abstracts")
    command.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="write classification.jsonl, rejected.csv there; .txt is one abstract a line",
    )
    command.add_argument("--json", action="store_true", help="write JSON instead of bars")
    add_where(command)
    command.set_defaults(run=classify_command)


def classify_command(options: argparse.Namespace) -> int:
    """Classify abstracts, or files of many, and print the labels.

    Returns 1 if a file can't be read or done, or no abstract in it could be classified.
    """
    try:
        names = expand(options.files)
    except OSError as error:
        return report_failure(explain(error))
    status, answers, several = 0, [], len(names) > 1
    for name, answer in each_alone(options, names, _by_service if options.url else _here):
        if answer is not None:
            answers.append({"file": name, **answer} if several else answer)
            _print(answer, options, name if several else "")
        status |= 1 if answer is None else _read_none(answer)
    if options.json and answers:
        print(json.dumps(answers if several else answers[0], indent=2, ensure_ascii=False))
    return status


def _read_none(answer: Mapping[str, Any]) -> int:
    """Return 1, and say so, where a file has abstracts and none could be classified, or has none."""
    counts = answer.get("counts")
    if counts is None or counts.get("classified"):
        return 0
    received = counts.get("received", 0)
    return report_failure(
        "there is nothing in it" if not received else f"no abstract of {received:,} could be classified"
    )


def _print(answer: dict[str, Any], options: argparse.Namespace, name: str) -> None:
    """Print one file's answer, but for JSON, which is printed when all are done; `name` heads it if there is one."""
    if name and not options.json:
        print(f"{name}:", file=sys.stderr if options.out else sys.stdout)
    if not options.json and not options.out:
        print("\n".join(_format_result(each, options.top_k, answer.get("titles", {})) for each in answer["results"]))
    for result in answer["results"]:
        if result.get("explanation") and not options.json:
            print(_reasons(result))
        if result.get("source"):
            print(_origin(result["source"]), file=sys.stderr)
    for line in describe_rejects(answer.get("rejected", []), answer.get("counts", {}).get("rejected", 0)):
        print(line, file=sys.stderr)
    for notice in answer.get("notices", ()):
        print(describe_notice(notice), file=sys.stderr)
    if "counts" in answer:
        print(", ".join(f"{count:,} {name}" for name, count in answer["counts"].items()), file=sys.stderr)
    if options.out:
        print(f"results are in {options.out / name if name else options.out}", file=sys.stderr)
    if "address" in answer:
        print(f"to share the result: {answer['address']}", file=sys.stderr)


def _by_service(options: argparse.Namespace) -> dict[str, Any]:

    with _folder(options) as folder:
        return remote.classify_remotely(options, folder)


@contextmanager
def _folder(options: argparse.Namespace) -> Iterator[Path]:
    """Yield where results go: `--out`, or a folder for as long as it takes to show them."""
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        yield options.out
        return
    with TemporaryDirectory(prefix="assay-") as name:
        yield Path(name)


def _here(options: argparse.Namespace) -> dict[str, Any]:

    models, name = options.models or ROOT / "models", Settings.from_environ(os.environ).classifier
    with place_input(options.file) as where:
        if holds_many(options, _pieces(where), where.key.rpartition("/")[2]):
            require_one(options)
            return _many_here(options, where, models, name)
        sent = _request(b"".join(_pieces(where)))
    return classify_here(sent, models, name, classification_options(options))


def require_one(options: argparse.Namespace) -> None:
    """Raise InvalidOption where a file of many abstracts is to be explained."""
    if options.explain:
        raise InvalidOption("--explain is for one abstract or PDF, not for a file of many", option="explain")


def _pieces(where: Place) -> Iterator[bytes]:
    """Yield an input's bytes as they are asked for. Raises ObjectMissing, ObjectChanged."""
    bucket = where.bucket()
    info = bucket.head(where.key)
    for start in range(0, info.size, _PIECE):
        yield bucket.read_range(where.key, start, min(start + _PIECE, info.size), etag=info.etag)


def _many_here(options: argparse.Namespace, where: Place, models: Path, name: str) -> dict[str, Any]:

    with _folder(options) as out, TemporaryDirectory(prefix=".assay-", dir=out) as work:
        folder, summary = classify_file.classify_file(where, Path(work), models, name, classification_options(options))
        for path in folder.iterdir():
            path.replace(out / path.name)
        return {**read_results(out, summary), "rejected": read_reject_file(out)}


def _format_result(result: dict[str, Any], top_k: int | None, titles: Mapping[str, str]) -> str:
    if "line" not in result:
        return _bars(result, top_k, titles)
    labels = ", ".join(f"{each['label']} {each['score']:.3f}" for each in result["labels"])
    return f"{result['line']}\t{result['id'] or ''}\t{labels or '-'}"


def _request(body: bytes) -> ClassifyRequest:
    """Return the abstract of a file, text or PDF, as the service reads it; raises MalformedBody, UnreadableInput."""
    kind = "application/pdf" if body.startswith(b"%PDF-") else "text/plain"
    return read_request(Request("POST", "/classify", {"content-type": kind}, {}, body))


def classify_here(sent: ClassifyRequest, folder: Path, name: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return what POST /classify would answer to one abstract. Raises AssayError."""
    options = ClassifyOptions(chosen.get("threshold"), chosen.get("top_k"), bool(chosen.get("explain")))
    classifier = TextClassifier(newest_model(folder, name))
    (outcome,) = predict(sent.abstracts, classifier)
    if isinstance(outcome, InvalidAbstract):
        raise outcome
    spec, manifest = classifier.text, classifier.model.manifest
    found = shape_result(outcome, spec, options)
    if options.explain:
        explain_results(classifier, sent.abstracts, [found])
    return {
        "model": {"name": manifest.name, "version": manifest.version},
        **describe_labels(spec, classifier.checks),
        "results": [found | ({"source": sent.source} if sent.source else {})],
        "notices": [each.to_body() for each in remarks([(1, found)])],
    }


def _reasons(result: Mapping[str, Any]) -> str:
    """Return the words that speak most for and against each label, and what each sentence adds to its probability."""
    lines = []
    for each in result.get("explanation", ()):
        words = (f"{word['text']} {word['weight']:+.2f}" for word in each["tokens"][:_WORDS_SHOWN])
        lines.append(f"why {each['label']}: {', '.join(words)}".rstrip(": "))
        lines += [f"  {part['change']:+.3f}  {part['text']}" for part in each["sentences"]]
    return "\n".join(lines)


def _origin(source: Mapping[str, Any]) -> str:
    """Say which text of a PDF was taken, how sure that is, and what else it might have been."""
    told = f"page {source['page']} of {source['pages']}, {source['found_by']}, confidence {source['confidence']:g}"
    others = [
        f"  or page {each['page']}, {each['source']}, confidence {each['confidence']:g}: {each['text'][:60]} ..."
        for each in source["candidates"][1:]
    ]
    return "\n".join([f"the abstract: {source['text'][:60]} ... ({told})", *others])


def _bars(result: dict[str, Any], top_k: int | None, titles: Mapping[str, str]) -> str:
    chosen = {label["label"] for label in result["labels"]}
    best = sorted(result["scores"].items(), key=lambda pair: -pair[1])[:top_k]
    return "\n".join(
        f"{'*' if name in chosen else ' '} {name:12} {bar(share)} {share:.3f}  {titles.get(name, '')}".rstrip()
        for name, share in best
    )
