"""A pair of linear models as the replaced pipeline had them: `python -m benchmarks.peers.linear_pair FOLDER`."""

import pickle
import sys
from pathlib import Path

import numpy as np

from benchmarks.peers.sequences import LENGTH, one_hot

NAMES = ("gate", "score")
_ROWS = 4000


def main(folder: Path) -> None:
    """Fit and write gate.pkl and score.pkl."""
    from sklearn.linear_model import LinearRegression

    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(6)
    # One-hot rows are collinear as the real ones are: any constant may go from a position's twenty weights to the
    # intercept.
    features = one_hot(random.integers(0, 20, (_ROWS, LENGTH)).astype(np.uint8)).reshape(_ROWS, -1).astype(np.float64)
    for name in NAMES:
        target = features @ random.normal(size=features.shape[1]) + random.normal(size=_ROWS)
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(LinearRegression().fit(features, target)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
