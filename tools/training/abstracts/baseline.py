"""The reference point: TF-IDF of words and pairs, one logistic regression a label, on the same splits.

python -m tools.training.abstracts.baseline DATA
"""

import argparse
import json
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from tools.models import metrics
from tools.training.abstracts.labelled_abstracts import LabelledAbstract, load_splits


def score_baseline(train: list[LabelledAbstract], *others: list[LabelledAbstract]) -> list[metrics.Array]:
    """Return probabilities [N, labels] of each list of rows by a model of `train`."""
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=3, max_df=0.5, sublinear_tf=True)
    model = OneVsRestClassifier(LogisticRegression(C=10, max_iter=200, solver="liblinear"))
    model.fit(words.fit_transform([row.text for row in train]), np.stack([row.target for row in train]))
    return [model.predict_proba(words.transform([row.text for row in rows])) for rows in others]


def measure_baseline(folder: Path, per_primary: int) -> dict[str, float]:
    """Train on the same rows, choose thresholds on the validation rows, return the metrics of the test rows."""
    splits = load_splits(folder, per_primary)
    on_validation, on_test = score_baseline(splits.train, splits.validation, splits.test)
    validation, test = (np.stack([row.target for row in rows]) for rows in (splits.validation, splits.test))
    thresholds = metrics.best_thresholds(validation, on_validation)
    return {"rows": len(splits.train), **metrics.report_labels(test, on_test, thresholds)}


def main() -> None:
    """Print the metrics."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with abstracts.jsonl.gz and pool.jsonl.gz")
    parser.add_argument("--per-primary", type=int, default=1800, help="most pool rows of one primary archive")
    arguments = parser.parse_args()
    print(json.dumps(measure_baseline(arguments.data, arguments.per_primary)))


if __name__ == "__main__":
    main()
