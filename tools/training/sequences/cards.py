"""The model cards, models/{name}/README.md, from the numbers in the manifests."""

from typing import Any

from tools.training.sequences.metrics import Report

_ABOUT = {
    "chymotrypsin": (
        "The default gate of `POST /rank` and of dropped files: the predicted stability of a 50-residue mini-protein\n"
        "against chymotrypsin, minus 1.0. Above zero means predicted stable (ten times more so than unfolded)."
    ),
    "trypsin": (
        "The default score of `POST /rank` and of dropped files: the predicted stability of a 50-residue mini-protein\n"
        "against trypsin, log10 of the measured EC50 over the one predicted for the unfolded state."
    ),
}
_LABELS = {
    "spearman_all": "Spearman, all kinds",
    "spearman_design": "Spearman, designs",
    "spearman_natural": "Spearman, natural proteins",
    "precision_at_zero": "precision at gate > 0",
    "recall_at_zero": "recall at gate > 0",
    "top100_stable_after_gate": "truly stable among the top 100 after the gate",
}


def card(name: str, protease: str, metrics: Report, provenance: dict[str, Any]) -> str:
    """Return the card of one model."""
    return _CARD.format(
        name=name, about=_ABOUT[protease], table=table(metrics), **{**provenance, "rows": metrics["rows_all"]}
    )


def table(metrics: Report) -> str:
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

Input: indices of `ACDEFGHIKLMNPQRSTVWY`, uint8 [batch, 50]. Output: float32 [batch]. Format: LiteRT, float32 weights.

## Quality

Measured on the shipped file, on the {rows} proteins of {held_out}, whose clusters neither this model nor what it
was distilled from has seen. Intervals are 95%, by bootstrap over proteins.

| | | 95% |
|---|---|---|
{table}

Truly stable means measured above 1.0 against both proteases.

## Training

Data: {data}; {trained_on}.

{method}
Gate and score are the two heads of one network.

    python -m tools.training.sequences stability50.csv.gz models --windows windows50.txt.gz

`windows50.txt.gz` holds natural 50-residue windows, one a line; any set of them will do, and it runs without.

## Use and limits

- For ranking designed mini-proteins of the kinds that were assayed: helical and mixed bundles of 43 residues, padded
  with `LESSGGS`, and of 50 residues. It says nothing of function, solubility or expression.
- Natural proteins are out of distribution: fewer than 3% of the training proteins are natural, small domains all of
  them. A window cut from a larger protein is scored as if it stood alone.
- Effects of single mutations were not measured apart: do not rank point mutants of one design by it.
- Predictions are pulled to the mean: the gate passes far fewer proteins than are stable (see the gate's recall).
- One fold is held out and one set of weights was trained: the intervals hold the chance of the proteins drawn, not
  that of the training.
- Stability against one protease can be an artefact of its cleavage sites; that is why gate and score use two.

Licence of the weights: Apache-2.0.
"""
