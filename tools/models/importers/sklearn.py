"""scikit-learn's linear estimators and scalers, as the exact linear function that their pickle says."""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np

from assay.errors import InvalidOption, UnreadableInput
from assay.sequences.contract import Contract
from tools.models.importers.inert_pickle import InertRecord, Pending, Unread
from tools.models.importers.joblib_files import unpickle
from tools.models.importers.linear import Linear, linear_to_tflite
from tools.models.importers.result import (
    FLOAT_TOLERANCE,
    ImportRequest,
    ImportResult,
    provenance,
    refuse_unused,
    sequence_header,
    sequence_probes,
)

_MODULES: Final[Mapping[str, str]] = {
    "sklearn.linear_model._base": "LinearRegression",
    "sklearn.linear_model._ridge": "Ridge RidgeCV",
    "sklearn.linear_model._coordinate_descent": "Lasso LassoCV ElasticNet ElasticNetCV",
    "sklearn.linear_model._least_angle": "Lars LassoLars",
    "sklearn.linear_model._bayes": "BayesianRidge ARDRegression",
    "sklearn.linear_model._huber": "HuberRegressor",
    "sklearn.linear_model._stochastic_gradient": "SGDRegressor",
    "sklearn.svm._classes": "LinearSVR",
}
_HELPERS: Final[Mapping[str, str]] = {  # what an estimator's attributes may hold besides numbers
    "sklearn.linear_model._sgd_fast": "SquaredLoss Huber EpsilonInsensitive SquaredEpsilonInsensitive",
    "sklearn._loss._loss": "CyHalfSquaredError CyHuberLoss",
    "sklearn.pipeline": "Pipeline",
}
SCALERS: Final = ("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler")
ESTIMATORS: Final = frozenset(name for names in _MODULES.values() for name in names.split())
SEARCHES: Final = ("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV")
_SEARCHES: Final[Mapping[str, str]] = {
    "sklearn.model_selection._search": "GridSearchCV RandomizedSearchCV",
    "sklearn.model_selection._search_successive_halving": "HalvingGridSearchCV HalvingRandomSearchCV",
}
_CLASSES: Final[Mapping[tuple[str, str], str]] = {
    (module, name): name
    for module, names in {**_MODULES, **_HELPERS, **_SEARCHES, "sklearn.preprocessing._data": " ".join(SCALERS)}.items()
    for name in names.split()
}
_MOST_STEPS: Final = 32

Scaling = tuple[list[Fraction], list[Fraction]]
"""x becomes x * factor + shift, feature by feature."""


def read_estimator(path: Path, symbols: int) -> Linear:
    """Return the linear function that a pickle or joblib file holds, of one-hot positions x `symbols`.

    Exact: the rational value of the numbers in the file. UnreadableInput where the file is no such estimator.
    """
    found = unpickle(path, _CLASSES)
    if not isinstance(found, InertRecord):
        kind = found.name if isinstance(found, Unread) else type(found).__name__
        raise UnreadableInput(f"{path.name} holds a {kind}, not a scikit-learn estimator")
    *scalers, last = _steps(found)
    weights, intercept = _function(last)
    for scaler in reversed(scalers):
        factors, shifts = _read_scaling(scaler, len(weights))
        intercept += sum((weight * shift for weight, shift in zip(weights, shifts, strict=True)), Fraction())
        weights = [weight * factor for weight, factor in zip(weights, factors, strict=True)]
    if len(weights) % symbols:
        raise UnreadableInput(f"{last.name} reads {len(weights)} features, which is no multiple of {symbols} residues")
    return Linear(tuple(weights), intercept, symbols)


def convert_sklearn(wish: ImportRequest, folder: Path) -> ImportResult:
    """Write model.tflite for a pickle or joblib file; UnreadableInput where it is no linear estimator."""
    refuse_unused(wish, ("length", "alphabet", "encoding"), "a linear model")
    linear = read_estimator(wish.path, len(wish.contract.alphabet)).centre()
    _check_said(wish, linear)
    contract = Contract(wish.contract.alphabet, linear.length)
    (folder / "model.tflite").write_bytes(linear_to_tflite(linear, wish.batch))
    tolerance = wish.tolerance or FLOAT_TOLERANCE
    probes = sequence_probes(contract, lambda codes: [float(value) for value in linear.exact(codes)], tolerance)
    origin = provenance(wish, "scikit-learn", version=_version(wish.path))
    largest = float(max(map(abs, linear.weights), default=Fraction()))
    report = [
        f"{linear.length} positions x {linear.symbols} residues; centred, weights are at most {largest:.4g} "
        f"and the intercept is {float(linear.intercept):.6g}",
    ]
    header = sequence_header(contract, "index", wish.batch, "tflite", provenance=origin, quantization="none")
    return ImportResult(header, probes, report)


def _check_said(wish: ImportRequest, linear: Linear) -> None:
    """Raise InvalidOption where the file has other sizes than the user said, or is asked for what it can't be."""
    if "length" in wish.said and wish.contract.length != linear.length:
        raise InvalidOption(
            f"the model reads {linear.length * linear.symbols:,} numbers, which are {linear.length} positions of "
            f"{linear.symbols} residues, and --length says {wish.contract.length}: leave it out, or say --alphabet"
        )
    if wish.encoding not in (None, "one_hot_flat"):
        raise InvalidOption(f"a linear model reads flat one-hot, and --encoding says {wish.encoding}: leave it out")
    if wish.quantize in ("int8", "static") or wish.representative is not None:
        raise InvalidOption(
            "a linear model has no int8 form, and needs none: leave --quantize and --representative out"
        )


def _version(path: Path) -> str:
    """Return the scikit-learn version that wrote a file, as the file says."""
    found = unpickle(path, _CLASSES)
    said = found.attributes.get("_sklearn_version") if isinstance(found, InertRecord) else None
    return said[:40] if isinstance(said, str) else "unknown"


def _steps(record: InertRecord) -> list[InertRecord]:
    """Return the scalers and the estimator of a pipeline, nested ones unrolled."""
    waiting, found = [record], []
    for _ in range(4 * _MOST_STEPS):
        if not waiting:
            break
        first = waiting.pop(0)
        if first.name == "Pipeline":
            waiting = [*_parts(first), *waiting]
        elif first.name in SEARCHES:
            waiting = [_best(first), *waiting]
        else:
            found.append(first)
    if waiting or len(found) > _MOST_STEPS:
        raise UnreadableInput(f"the pipeline has more than {_MOST_STEPS} steps")
    for at, step in enumerate(found):
        _check_place(step, last=at == len(found) - 1)
    return found


def _best(search: InertRecord) -> InertRecord:
    """Return the estimator that a search found and fitted again."""
    found = search.attributes.get("best_estimator_")
    if not isinstance(found, InertRecord):
        raise UnreadableInput(f"the {search.name} holds no best estimator: fit it with refit=True")
    return found


def _check_place(step: InertRecord, *, last: bool) -> None:
    if last and step.name not in ESTIMATORS:
        raise UnreadableInput(f"the file ends in a {step.name}, not in one of {', '.join(sorted(ESTIMATORS))}")
    if not last and step.name not in SCALERS:
        raise UnreadableInput(f"a {step.name} stands before the end; only {', '.join(SCALERS)} can be folded in")


def _parts(pipeline: InertRecord) -> Iterator[InertRecord]:
    steps = pipeline.attributes.get("steps")
    if not isinstance(steps, list) or not 0 < len(steps) <= _MOST_STEPS:
        raise UnreadableInput(f"the pipeline has no steps, or more than {_MOST_STEPS}")
    for step in steps:
        if not isinstance(step, tuple) or len(step) != 2:
            raise UnreadableInput("the pipeline's steps are not pairs of a name and an estimator")
        if isinstance(step[1], InertRecord):
            yield step[1]
        elif step[1] is not None and not (isinstance(step[1], str) and step[1] == "passthrough"):
            name = repr(step[0][:40]) if isinstance(step[0], str) else "without a name"
            raise UnreadableInput(f"the step {name} of the pipeline is no estimator")


def _function(estimator: InertRecord) -> tuple[list[Fraction], Fraction]:
    coefficients = _numbers(estimator, "coef_")
    intercept = _numbers(estimator, "intercept_")
    if len(intercept) != 1:
        raise UnreadableInput(f"{estimator.name} predicts {len(intercept)} values, a score model one")
    return coefficients, intercept[0]


def _read_scaling(scaler: InertRecord, size: int) -> Scaling:
    factors, shifts = _SCALINGS[scaler.name](scaler, size)
    if not len(factors) == len(shifts) == size:
        raise UnreadableInput(f"{scaler.name} scales {len(factors)} features, the step after it reads {size}")
    return factors, shifts


def _centred_scaling(centre: str, scale: str) -> Callable[[InertRecord, int], Scaling]:
    """Return the reading of a scaler that gives (x - centre) / scale, either of which may be absent."""

    def read_one(scaler: InertRecord, size: int) -> Scaling:
        means = _numbers(scaler, centre) if _has(scaler, centre) else [Fraction()] * size
        scales = _numbers(scaler, scale) if _has(scaler, scale) else [Fraction(1)] * size
        if 0 in scales:
            raise UnreadableInput(f"{scaler.name} divides by zero")
        return [1 / each for each in scales], [-mean / each for mean, each in zip(means, scales, strict=False)]

    return read_one


def _minimum_maximum(scaler: InertRecord, _: int) -> Scaling:
    if scaler.attributes.get("clip"):
        raise UnreadableInput("the MinMaxScaler clips, which is not linear")
    return _numbers(scaler, "scale_"), _numbers(scaler, "min_")


_SCALINGS: Final[Mapping[str, Callable[[InertRecord, int], Scaling]]] = {
    "StandardScaler": _centred_scaling("mean_", "scale_"),
    "RobustScaler": _centred_scaling("center_", "scale_"),
    "MaxAbsScaler": _centred_scaling("", "scale_"),
    "MinMaxScaler": _minimum_maximum,
}


def _has(record: InertRecord, name: str) -> bool:
    # StandardScaler(with_mean=False) keeps a mean_ that it does not use.
    switch = {"mean_": "with_mean", "center_": "with_centering"}.get(name)
    used = record.attributes.get(switch, True) if switch else True
    return bool(used) and record.attributes.get(name) is not None


def _numbers(record: InertRecord, name: str) -> list[Fraction]:
    """Return an attribute's numbers, exactly; UnreadableInput unless they are finite numbers."""
    value = record.attributes.get(name)
    if isinstance(value, Pending):
        value = value.value
    if value is None or isinstance(value, str | InertRecord | list | dict | tuple):
        raise UnreadableInput(f"{record.name} has no {name} of numbers: was it fitted, and is it not sparse?")
    array = np.asarray(value)
    if array.dtype.kind not in "iuf" or array.size != max(array.shape, default=1) or not np.isfinite(array).all():
        raise UnreadableInput(f"{record.name}.{name} is not a row of finite numbers but {array.dtype} {array.shape}")
    return [Fraction(number) for number in array.ravel().tolist()]
