"""TensorFlow Lite models through LiteRT, TensorFlow's own inference runtime."""

import math
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from assay.errors import BundleInvalid, RuntimeMissing
from assay.models.manifest import Manifest
from assay.telemetry import logger

_set: Callable[[int, Collection[int]], None] | None = getattr(os, "sched_setaffinity", None)  # Linux's alone
_THIS_THREAD: Final = 0


@dataclass(frozen=True)
class Processors:
    """Those that this process may use, in order; none where threads are left alone."""

    usable: tuple[int, ...] = ()

    def step_to_first(self) -> None:
        """Move this thread to the first processor. It may leave again: what it begins must inherit no bound."""
        if self.usable and _keep_to(self.usable[:1]):
            _keep_to(self.usable)

    @contextmanager
    def others(self) -> Iterator[None]:
        """Let threads that are begun meanwhile keep to the other processors: they inherit it."""
        bound = bool(self.usable) and _keep_to(self.usable[1:])
        try:
            yield
        finally:
            if bound:
                _keep_to(self.usable)


def processors(threads: int) -> Processors:
    """Return the processors for a network's threads: none in particular unless there are as many, and at least two."""
    usable = _usable()
    return Processors(usable if len(usable) == threads > 1 else ())


def _usable() -> tuple[int, ...]:
    try:
        return tuple(sorted(os.sched_getaffinity(_THIS_THREAD))) if _set else ()
    except OSError as error:
        _leave_alone(error)
        return ()


def _keep_to(places: Collection[int]) -> bool:
    """Keep this thread to some processors and say whether it is: where the system refuses, never ask it again."""
    keep = _set
    if keep is None:
        return False
    try:
        keep(_THIS_THREAD, places)
    except OSError as error:
        _leave_alone(error)
        return False
    return True


def _leave_alone(error: OSError) -> None:
    global _set  # what the system refuses one thread it refuses all
    _set = None
    logger.warning("threads are not pinned: the system refuses it", reason=str(error))


_PAUSE: Final = 0.002
"""Seconds after which a thread may have moved; between batches and models it has not, and to step takes 0.1 ms."""
_last = threading.local()
"""When this thread last ran a network whose threads are pinned, whichever network that was: `ended`."""
Inputs = Mapping[str, NDArray[Any]]


class LiteRTRunner:
    """One interpreter, one run at a time; inputs are resized when their shape differs from that of the last run."""

    def __init__(self, interpreter: Any, inputs: Mapping[str, Any], output: int, places: Processors) -> None:
        self._interpreter = interpreter
        self._places = places
        self._indices = {name: int(detail["index"]) for name, detail in inputs.items()}
        self._dtypes = {name: detail["dtype"] for name, detail in inputs.items()}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._output = output
        self._lock = threading.Lock()

    def run(self, inputs: Inputs) -> NDArray[np.float32]:
        """Return the first output for one set of inputs, named as the manifest names them."""
        with self._lock:
            self._resize({name: array.shape for name, array in inputs.items()})
            for name, array in inputs.items():
                self._interpreter.set_tensor(self._indices[name], np.ascontiguousarray(array, self._dtypes[name]))
            if time.perf_counter() - getattr(_last, "ended", -math.inf) > _PAUSE:
                self._places.step_to_first()
            self._interpreter.invoke()
            if self._places.usable:
                _last.ended = time.perf_counter()
            return np.asarray(self._interpreter.get_tensor(self._output), np.float32)

    def _resize(self, shapes: dict[str, tuple[int, ...]]) -> None:
        if shapes == self._shapes:
            return
        self._shapes = {}
        for name, shape in shapes.items():
            self._interpreter.resize_tensor_input(self._indices[name], shape)
        with self._places.others():  # LiteRT begins its threads here, the first time
            self._interpreter.allocate_tensors()
        self._shapes = shapes


def load_litert(folder: Path, manifest: Manifest, threads: int) -> LiteRTRunner:
    """Map a bundle's .tflite file; BundleInvalid where it is none, or has not the inputs that the manifest says."""
    places = processors(threads)
    try:
        interpreter = open_interpreter(folder / manifest.model_path, threads)
        inputs, outputs = _tensors(interpreter)
    except (ValueError, RuntimeError) as error:
        raise BundleInvalid(f"{manifest.model_path} does not load: {error}") from error
    return LiteRTRunner(interpreter, _match_inputs(manifest, inputs), _output(manifest, outputs), places)


def load_scan(path: Path, name: str, threads: int) -> LiteRTRunner:
    """Map a bundle's file that reads one long sequence, its input named `name`; BundleInvalid where it is none."""
    places = processors(threads)
    try:
        interpreter = open_interpreter(path, threads)
        (source,), (target,) = (interpreter.get_input_details(), interpreter.get_output_details())
    except (ValueError, RuntimeError) as error:
        raise BundleInvalid(f"{path.name} does not load: {error}") from error
    return LiteRTRunner(interpreter, {name: source}, int(target["index"]), places)


def open_interpreter(path: Path, threads: int) -> Any:
    """Return an interpreter that maps a .tflite file. Raises RuntimeMissing, ValueError, RuntimeError."""
    try:
        from ai_edge_litert.interpreter import Interpreter  # 0.2 s, so only where a model is loaded
    except ImportError as error:
        raise RuntimeMissing("ai-edge-litert is not installed here, and format tflite needs it") from error
    return Interpreter(model_path=str(path), num_threads=threads)


def _tensors(interpreter: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the details of inputs and outputs by name: by the signature's names where there is a signature."""
    signatures = list(interpreter.get_signature_list())
    if signatures:
        runner = interpreter.get_signature_runner(signatures[0])
        return dict(runner.get_input_details()), dict(runner.get_output_details())
    details = (interpreter.get_input_details(), interpreter.get_output_details())
    inputs, outputs = ({_plain(each["name"]): each for each in side} for side in details)
    return inputs, outputs


def _plain(name: str) -> str:
    return name.removeprefix("serving_default_").partition(":")[0]


def _match_inputs(manifest: Manifest, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the file's inputs under the manifest's names; a single input need not have the same name."""
    names = [tensor.name for tensor in manifest.inputs]
    by_name = dict(zip(names, found.values(), strict=False)) if len(names) == len(found) == 1 else dict(found)
    if set(by_name) != set(names):
        raise BundleInvalid(f"the file's inputs are {sorted(found)}, the manifest's {sorted(names)}")
    for tensor in manifest.inputs:
        dtype = np.dtype(by_name[tensor.name]["dtype"]).name
        if dtype != tensor.dtype or len(by_name[tensor.name]["shape"]) != len(tensor.shape):
            raise BundleInvalid(f"input {tensor.name} is {dtype} in the file, {tensor.dtype} in the manifest")
    return by_name


def _output(manifest: Manifest, found: Mapping[str, Any]) -> int:
    wanted = found.get(manifest.outputs[0].name) or next(iter(found.values()))
    return int(wanted["index"])
