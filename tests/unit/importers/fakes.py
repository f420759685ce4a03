"""scikit-learn's classes without scikit-learn: instances pickle under the real names with the attributes given."""

import pickle
import sys
from types import ModuleType
from typing import Any

import pytest


def estimator(monkeypatch: pytest.MonkeyPatch, path: str, **attributes: Any) -> Any:
    """Return an object that pickles as `path` with attributes, in the layout of scikit-learn 1.0."""
    module, _, name = path.rpartition(".")
    for at in range(1, module.count(".") + 2):
        _holder(monkeypatch, ".".join(module.split(".")[:at]))
    holder = sys.modules[module]
    made = getattr(holder, name, None) or type(name, (), {"__module__": module})
    setattr(holder, name, made)
    instance = made()
    instance.__dict__.update(attributes, _sklearn_version="1.0.2")
    return instance


def _holder(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    """Put an empty module where the pickler looks; the real one comes back after the test."""
    if getattr(sys.modules.get(module), "__file__", None) is not None or module not in sys.modules:
        made = ModuleType(module)
        made.__path__ = []
        monkeypatch.setitem(sys.modules, module, made)


def linear(monkeypatch: pytest.MonkeyPatch, coefficients: Any, intercept: Any, **attributes: Any) -> Any:
    """Return a LinearRegression of scikit-learn 1.0."""
    fitted = {"fit_intercept": True, "normalize": "deprecated", "n_jobs": None, "positive": False}
    known = {"coef_": coefficients, "intercept_": intercept, **fitted, **attributes}
    return estimator(monkeypatch, "sklearn.linear_model._base.LinearRegression", **known)


def dumped(value: Any, protocol: int = 4) -> bytes:
    """Return a pickle."""
    return pickle.dumps(value, protocol)
