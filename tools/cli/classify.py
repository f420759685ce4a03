"""`assay classify`: an abstract labelled on this machine with the code and models that are served, or by a service."""

import argparse
import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tools.cli.output import fail, open_binary, quiet
from tools.demo.tables import bar
from tools.local.bundles import newest_model
from tools.local.functions import add_sources
from tools.local.service import ROOT


def classify(options: argparse.Namespace) -> int:
    """Classify an abstract and print its labels; 1 if it is too short or too long, or can't be read."""
    from requests import RequestException

    quiet()
    add_sources(ROOT)
    from assay.errors import AssayError

    try:
        answer = _by_service(options) if options.url else _here(options)
    except (AssayError, OSError, RequestException, RuntimeError) as error:
        return fail(str(error) or type(error).__name__)
    print(json.dumps(answer, indent=2) if options.json else "\n\n".join(map(_shown, answer["results"])))
    return 0


def _by_service(options: argparse.Namespace) -> dict[str, Any]:
    from tools.cli import remote

    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        return remote.classify(options, options.out)
    with TemporaryDirectory(prefix="assay-") as folder:
        return remote.classify(options, Path(folder))


def _here(options: argparse.Namespace) -> dict[str, Any]:
    from assay.settings import Settings

    with open_binary(options.file) as source:
        text = _text(source.read())
    return classified(text, options.models or ROOT / "models", Settings.from_environ(os.environ).classifier)


def _shown(result: dict[str, Any]) -> str:
    if "scores" not in result:
        return json.dumps(result, ensure_ascii=False)
    return _bars(result)


def _text(body: bytes) -> str:
    """Return the abstract of a file, text or PDF, as the service reads it; raises MalformedBody, UnreadableInput."""
    from assay.http import Request
    from classify.inputs import read

    kind = "application/pdf" if body.startswith(b"%PDF-") else "text/plain"
    (text,) = read(Request("POST", "/classify", {"content-type": kind}, {}, body)).abstracts
    return str(text)


def classified(text: str, folder: Path, name: str) -> dict[str, Any]:
    """Return what POST /classify would answer; raises InvalidAbstract, ModelUnavailable, BundleInvalid."""
    from assay.abstracts.classification import classify as predict
    from assay.abstracts.classification import result
    from assay.abstracts.options import ClassifyOptions
    from assay.errors import InvalidAbstract
    from assay.models.classifier import TextClassifier

    classifier = TextClassifier(newest_model(folder, name))
    (outcome,) = predict([text], classifier)
    if isinstance(outcome, InvalidAbstract):
        raise outcome
    spec, manifest = classifier.text, classifier.model.manifest
    return {
        "model": {"name": manifest.name, "version": manifest.version},
        "labels": list(spec.labels),
        "results": [result(outcome, spec.labels, spec.thresholds, ClassifyOptions())],
    }


def _bars(result: dict[str, Any]) -> str:
    chosen = {label["label"] for label in result["labels"]}
    best = sorted(result["scores"].items(), key=lambda pair: -pair[1])
    return "\n".join(f"{'*' if name in chosen else ' '} {name:12} {bar(share)} {share:.3f}" for name, share in best)
