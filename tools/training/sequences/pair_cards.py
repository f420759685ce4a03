"""The model cards, models/{name}/README.md, from the numbers in the manifests."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from tools.training.sequences.pair_metrics import Report

_ABOUT = {
    "chymotrypsin": (
        "The default gate of `POST /rank` and of dropped files: the predicted stability of a 50-residue mini-protein\n"
        "against chymotrypsin, minus {gate_zero:.2f}. Above zero means more likely stable than not; stable means\n"
        "measured above 1.0, ten times more so than unfolded."
    ),
    "trypsin": (
        "The default score of `POST /rank` and of dropped files: the predicted stability of a 50-residue mini-protein\n"
        "against trypsin, log10 of the measured EC50 over the one predicted for the unfolded state."
    ),
}
_FORMS = {
    "none": "float32",
    "dynamic": "int8 weights",
    "static": "int8 weights and\nactivations, the last layer float32",
}
_FLOAT32 = (
    ". These are\nthe float32 networks, before quantization; the integer form was made and measured of the "
    "shipped one only"
)
_LABELS = {
    "spearman_all": "Spearman, all kinds",
    "spearman_design": "Spearman, designs",
    "spearman_natural": "Spearman, natural proteins",
    "precision_at_zero": "precision at gate > 0",
    "recall_at_zero": "recall at gate > 0",
    "top100_stable_after_gate": "truly stable among the top 100 after the gate",
}


def card(manifest: Mapping[str, Any], reference: Mapping[str, Any] | None = None) -> str:
    """Return the card of a manifest that `tools.training.sequences` wrote, and of its `reference.json`."""
    name, metrics, provenance = (manifest[key] for key in ("name", "metrics", "provenance"))
    return _CARD.format(
        name=name,
        version=manifest["version"],
        about=_ABOUT[name.removeprefix("stability-")].format(**provenance),
        table=metrics_table(metrics),
        folds=folds(metrics, int(provenance["held_out"].removeprefix("fold "))),
        form=_FORMS[manifest.get("quantization", "none")],
        agreement=describe_agreement(metrics),
        meaning=write_meaning(reference) if reference else "",
        **{**provenance, "rows": metrics["rows_all"]},
    )


def folds(metrics: Mapping[str, Any], shipped: int) -> str:
    """Return the measures of all folds as a Markdown section, the shipped one first, empty if only one was trained."""
    found = metrics.get("cross_validation")
    if not found:
        return ""
    count = len(found["spearman_all"])
    rows = [f"| {label} | {_spread(found[key])} |" for key, label in _LABELS.items() if key in found]
    float32 = metrics.get("cross_validation_of") == "float32"
    also = _FLOAT32 if float32 else ""
    head = f"The same training without each of {count} folds in turn, the shipped one first{also}:\n\n"
    order = sorted(range(count), key=lambda number: number != shipped)
    names = " | ".join(f"fold {number}" for number in order)
    return head + "\n".join([f"| | mean | {names} |", "|---" * (count + 2) + "|", *rows]) + "\n\n"


def describe_agreement(metrics: Mapping[str, Any]) -> str:
    """Return how alike the served file and its float32 form rank, empty where that was not measured."""
    found = metrics.get("agreement_with_float32")
    if not found:
        return ""
    least = min(found["spearman"])
    mean, most = found["mean_difference"], found["greatest_difference"]
    return (
        "Against the float32 network that it was made from, on all five folds: Spearman is "
        f"{least:.4f} or more on each;\na score differs by {mean:.4f} on average, by {most:.3f} at most.\n\n"
    )


def write_meaning(reference: Mapping[str, Any]) -> str:
    """Return what the scores mean as a Markdown section."""
    known, rates = reference["calibration"], reference["likeness"]["measured"]
    bins = [
        f"| {each['from']:.1f} to {each['to']:.1f} | {each['count']:,} | {each['given']:.3f} | {each['observed']:.3f} |"
        for each in known["reliability"]
    ]
    sets = [f"| {each['name']} | {each['count']:,} | {each['about']} |" for each in reference["sets"]]
    after = rates["after_gate"]
    return _MEANING.format(
        about=textwrap.fill(f"**Probability** of {known['event']}. {known['about']}", 118),
        error=known["expected_error"],
        bins="\n".join(bins),
        **{f"gate_{name}": value for name, value in after.items()},
        sets="\n".join(sets),
        least=reference["likeness"]["least"],
        alarms=_shares(rates["false_alarms"]),
        caught=_shares(rates["caught"]),
    )


def _shares(rates: Mapping[str, float]) -> str:
    return "\n".join(f"| {name} | {share:.1%} |" for name, share in rates.items())


_MEANING = """\
## What a score means

{about}

| probability given | proteins | mean given | came true |
|---|---|---|---|
{bins}

The expected calibration error is {error:.4f}. The probability follows from this model's score alone, whether the gate
lets a sequence pass or not. Of the {gate_count} of these proteins that pass the default gate, {gate_observed:.1%} are
stable, where {gate_given:.1%} was given on average. It holds for proteins like the measured ones, of which 7% are
stable. Where a library has another share of stable proteins, the probability is off by that.

![Probability given against the share that came true](reliability.png)

**Percentile**: how many percent of the first of these sets score less.

| set | sequences | |
|---|---|---|
{sets}

**Notice.** `looks_like_dna` and `low_complexity` are rules ([formats](../../docs/formats.md#what-a-score-means)).
`unlike_training` is a logistic regression on residues and neighbours, fitted to tell the measured proteins of three
folds from natural windows. Its limit, {least:.4f}, was set on a fourth fold. The tables give the share that gets any
notice, first of proteins that nothing was fitted on, then of other input.

| held-out measured proteins | false alarms |
|---|---|
{alarms}

| input | caught |
|---|---|
{caught}

A design whose residues are shuffled is caught rarely: scrambles like it were measured, and the model learned from
them. English prose is the text of this project's documents; other languages were not tried.

"""


def _spread(values: Sequence[float]) -> str:
    return " | ".join(f"{value:.3f}" for value in [sum(values) / len(values), *values])


def metrics_table(metrics: Report) -> str:
    """Return the metrics as Markdown rows: name, value, 95% interval."""
    return "\n".join(
        f"| {label} | {metrics[key]:.3f} | {_span(metrics[f'{key}_ci95'])} |"
        for key, label in _LABELS.items()
        if key in metrics
    )


def _span(bounds: Any) -> str:
    low, high = bounds
    return f"{low:.3f} to {high:.3f}"


_CARD = """\
# {name}

{about}

Input: indices of `ACDEFGHIKLMNPQRSTVWY`, uint8 [batch, 50]. Output: float32 [batch]. Format: LiteRT, {form}.
Version {version}.

## Quality

Measured on the shipped file, on the {rows} proteins of {held_out}, whose clusters neither this model nor what it
was distilled from has seen. Intervals are 95%, by bootstrap over proteins.

| | | 95% |
|---|---|---|
{table}

Truly stable means measured above 1.0 against both proteases.

{folds}{agreement}![Predicted against measured stability; precision and recall by threshold](quality.png)

{meaning}## Training

Data: {data}; {trained_on}.

{method}
The gate runs on every sequence, the score only on those that pass, so the score's network is the larger.

    make train-sequences DATA=FOLDER

`FOLDER` holds `stability50.csv.gz`, the supplement of the paper as one table, and `windows50.txt.gz`.
The latter is natural 50-residue windows, one a line; any set of them will do.

## Use and limits

- For ranking designed mini-proteins of the kinds that were assayed: helical and mixed bundles of 43 residues, padded
  with `LESSGGS`, and of 50 residues. It says nothing of function, solubility or expression.
- Natural proteins are out of distribution: fewer than 3% of the training proteins are natural, small domains all of
  them. A window cut from a larger protein is scored as if it stood alone.
- Effects of single mutations were not measured apart: do not rank point mutants of one design by it. The test
  to pass first: on measured saturation mutagenesis of proteins held out by cluster, the Spearman correlation of
  predicted and measured stability within each protein's point mutants; its median must exceed, by a bootstrap over
  proteins, that of BLOSUM62 and that of the change in hydropathy. Until then there is no mutational scan.
- Predictions are pulled to the mean: few reach the stability that the most stable proteins were measured to have. The
  gate's zero allows for it; it was fitted on proteins that the networks had not seen, and not on those of the table.
- The intervals hold the chance of the proteins drawn, not that of the training; the folds above hold both.
- Stability against one protease can be an artefact of its cleavage sites; that is why gate and score use two.

Licence of the weights: Apache-2.0.
"""
