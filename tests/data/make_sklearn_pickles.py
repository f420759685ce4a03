"""Make tests/data/sklearn/VERSION: pickles of scikit-learn's linear estimators, each version in its own environment.

python tests/data/make_sklearn_pickles.py   (needs scikit-learn and joblib, of the version to be written)
"""

import json
import pickle
import warnings
from pathlib import Path

import joblib
import numpy as np
import sklearn
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from sklearn.svm import LinearSVR

FOLDER = Path(__file__).parent / "sklearn" / sklearn.__version__
POSITIONS, SYMBOLS = 2, 20


def main() -> None:
    """Write the files of this version, and expected.json with what they predict."""
    warnings.filterwarnings("ignore")
    random = np.random.default_rng(11)
    codes = random.integers(0, SYMBOLS, (90, POSITIONS))
    features = np.eye(SYMBOLS)[codes].reshape(len(codes), -1)
    target = features @ random.normal(size=POSITIONS * SYMBOLS) + random.normal(size=len(codes))
    models = {
        "linear": LinearRegression(),
        "ridge": Ridge(),
        "lasso": Lasso(0.01),
        "elastic": ElasticNet(0.01),
        "svr": LinearSVR(random_state=1),
        "standard": make_pipeline(StandardScaler(), Ridge()),
        "minmax": make_pipeline(MinMaxScaler((-1, 2)), LinearRegression()),
        "robust": make_pipeline(MaxAbsScaler(), RobustScaler(with_scaling=False), Ridge()),
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    for protocol, (name, model) in enumerate(models.items()):
        model.fit(features, target)
        (FOLDER / f"{name}.pkl").write_bytes(pickle.dumps(model, protocol=protocol % 6))
    joblib.dump(models["standard"], FOLDER / "standard.joblib")
    joblib.dump(models["ridge"], FOLDER / "ridge.joblib", compress=3)
    predicted = {name: model.predict(features[:9]).tolist() for name, model in models.items()}
    (FOLDER / "expected.json").write_text(json.dumps({"codes": codes[:9].tolist(), "predicted": predicted}) + "\n")


if __name__ == "__main__":
    main()
