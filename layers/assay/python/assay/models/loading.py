"""From a verified folder to a model that answers: the runtime that its format needs, and a first run before it serves.

TensorFlow Lite models run in LiteRT, TensorFlow's own inference runtime; `assay.models.tensorflow` runs the others.
"""

import math
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from assay.errors import AssayError, BundleInvalid, ModelUnavailable, RuntimeMissing
from assay.models.manifest import Manifest, TensorSpec, TextSpec, read_manifest
from assay.models.published import verify_files
from assay.models.reference import Reference, read_reference
from assay.sequences.contract import Contract
from assay.telemetry import logger, phase

if TYPE_CHECKING:
    from assay.abstracts.classification import UsualTexts
    from assay.abstracts.tokens import TextTokenizer
    from assay.models.parallel_runs import ParallelRuns, Run
    from assay.models.wide_part import WidePart
    from assay.models.window_scan import WindowScan
    from assay.ranking.distributions import ReferenceScale
    from assay.sequences.measured import MeasuredSequences


_FREE_AXIS = 16
MANY: Final = 8
"""From so many inputs on it pays to run them side by side."""
Inputs = Mapping[str, NDArray[Any]]


class Runner(Protocol):
    """A loaded network."""

    def run(self, inputs: Inputs) -> NDArray[np.float32]:
        """Return the first output for inputs named as in the manifest."""
        ...


@dataclass(frozen=True)
class LoadedModel:
    """A model that has answered its probe, and the folder where its other files lie."""

    manifest: Manifest
    folder: Path
    runner: Runner
    threads: int = 1

    def run(self, inputs: Inputs) -> NDArray[np.float32]:
        """Return the first output; ModelUnavailable, which names the model, whatever its runtime raises."""
        with self._failures_named():
            return self.runner.run(inputs)

    def run_all(self, several: Sequence[Inputs]) -> list[NDArray[np.float32]]:
        """Return the first output of each, in order, as `run` does: many run side by side. Put long ones first."""
        side_by_side = self.parallel_runs if len(several) >= MANY else None
        if side_by_side is None or not side_by_side.expect(len(several)):
            return [self.run(each) for each in several]
        with self._failures_named():
            return side_by_side.run(several)

    @contextmanager
    def _failures_named(self) -> Iterator[None]:
        try:
            yield
        except AssayError:
            raise
        except Exception as error:
            name, version = self.manifest.name, self.manifest.version
            message = f"{name} {version} failed while it ran ({type(error).__name__}): {error}"
            raise ModelUnavailable(message, model=name, version=version) from error

    @cached_property
    def parallel_runs(self) -> "ParallelRuns | None":
        """What runs the same network once for each thread; None where one thread or TensorFlow runs it."""
        if self.threads == 1 or self.manifest.format != "tflite":
            return None
        from assay.models.parallel_runs import ParallelRuns

        return ParallelRuns(self._load_singles, self.threads, processors(self.threads))

    def _load_singles(self) -> "list[Run]":
        """Return the network with one thread, once for each thread; none where its file cannot be read again."""
        try:
            return [load_litert(self.folder, self.manifest, 1).run for _ in range(self.threads)]
        except (AssayError, MemoryError) as error:
            logger.warning("texts run one by one", model=self.manifest.name, reason=str(error))
            return []

    @cached_property
    def window_scan(self) -> "WindowScan | None":
        """What scores the windows of long sequences at once, loaded when first asked for; None without that file."""
        if self.manifest.scan is None or self.manifest.sequence is None:
            return None
        from assay.models.window_scan import WindowScan

        name, spec = self.manifest.inputs[0].name, self.manifest.scan
        runner = load_scan(self.folder / spec.path, name, self.threads)

        def run(text: NDArray[Any]) -> NDArray[np.float32]:
            with self._failures_named():
                return runner.run({name: text})

        return WindowScan(run, self.manifest.sequence.length, spec.length)

    @property
    def text(self) -> TextSpec:
        """What the manifest says of texts; BundleInvalid where the model is for something else."""
        if self.manifest.text is None:
            raise BundleInvalid(f"{self.manifest.name} is for {self.manifest.task}, not for text-classification")
        return self.manifest.text

    @property
    def longest(self) -> int:
        """The most tokens that a classifier reads of a text."""
        return min(self.text.max_tokens, self.manifest.inputs[0].shape[-1] or self.text.max_tokens)

    @cached_property
    def tokenizer(self) -> "TextTokenizer":
        """A classifier's tokenizer, read once; BundleInvalid where its file is none."""
        from assay.abstracts.tokens import TextTokenizer

        try:
            return TextTokenizer(self.folder / self.text.tokenizer, self.longest, self.text.overlap)
        except ImportError as error:
            raise RuntimeMissing("tokenizers is not installed here, and classifiers need it") from error

    @cached_property
    def usual_texts(self) -> "UsualTexts | None":
        """What a classifier's training texts were like, None where the bundle does not say. Raises BundleInvalid."""
        from assay.models.text_reference import read_usual_texts, require_vocabulary

        found = read_usual_texts(self.folder, self.manifest)
        if found:
            require_vocabulary(found, self.tokenizer.size)
        return found

    @cached_property
    def wide_part(self) -> "WidePart | None":
        """A classifier's exact weights of tokens, None where its bundle has none; read when somebody asks why."""
        from assay.models.wide_part import read_wide_part

        return read_wide_part(self.folder, self.manifest, self.tokenizer.size, open_interpreter)

    @cached_property
    def reference_file(self) -> Reference | None:
        """The bundle's `reference.json`, read once, None where it has none; BundleInvalid where it is wrong."""
        return read_reference(self.folder, self.manifest)

    @cached_property
    def scorer(self) -> "SequenceScorer":
        """The model as a scorer of sequences; BundleInvalid where it is for something else."""
        return SequenceScorer(self)

    @cached_property
    def reference(self) -> "ReferenceScale | None":
        """What the scores mean, None where the bundle does not say. Raises BundleInvalid."""
        known = self.reference_file
        return known.scale() if known and known.knows_scores else None

    @cached_property
    def measured(self) -> "MeasuredSequences | None":
        """The measured sequences of the bundle, read once, None where it has none. Raises BundleInvalid."""
        known = self.reference_file
        if known is None or known.measured is None:
            return None
        from assay.models.measured_file import read_measured

        return read_measured(self.folder, self.manifest, known.measured)


def load_model(folder: Path, manifest: Manifest, threads: int) -> LoadedModel:
    """Load the verified bundle in a folder and run it once; BundleInvalid where it does not answer as it says."""
    with phase("load", model=manifest.name):
        model = LoadedModel(manifest, folder, _runner(folder, manifest, threads), threads)
    with phase("warm", model=manifest.name), _read_tokenizer_meanwhile(model):
        run_once(model)
        model.reference, model.measured  # noqa: B018 - raise where a file is wrong, before the model serves
    return model


@contextmanager
def _read_tokenizer_meanwhile(model: LoadedModel) -> Iterator[None]:
    """Read a classifier's tokenizer while the network runs for the first time; what is wrong with it its users meet."""
    reading = Thread(target=_read_tokenizer, args=(model,), name="tokenizer", daemon=True)
    if model.manifest.text is not None:
        reading.start()
    try:
        yield
    finally:
        if reading.ident is not None:
            reading.join()


def _read_tokenizer(model: LoadedModel) -> None:
    with suppress(AssayError, OSError):
        model.tokenizer  # noqa: B018 - reads it, once


def import_runtime(manifest: Manifest) -> None:
    """Import what a model runs on, while its files arrive. What is not installed is told of where it is needed."""
    with suppress(ImportError):
        if manifest.format == "tflite":
            import ai_edge_litert.interpreter  # noqa: F401
        if manifest.text is not None:
            import tokenizers  # noqa: F401


def load_folder(folder: Path, threads: int) -> LoadedModel:
    """Verify and load a bundle that lies on this machine."""
    manifest = read_manifest(folder)
    with phase("verify", model=manifest.name):
        verify_files(folder, manifest, threads)
    return load_model(folder, manifest, threads)


def run_once(model: LoadedModel) -> None:
    """Run a model on zeros, its mask on ones; BundleInvalid unless finite numbers of the promised shape come out."""
    manifest = model.manifest
    inputs = {tensor.name: _probe_input(tensor) for tensor in manifest.inputs}
    try:
        result = model.runner.run(inputs)
    except (ValueError, RuntimeError) as error:
        raise BundleInvalid(f"{manifest.name} {manifest.version} does not run: {error}") from error
    if not np.isfinite(result).all():
        raise BundleInvalid(f"{manifest.name} {manifest.version} answers with numbers that are not finite")
    rows = next(iter(inputs.values())).shape[0]
    expected = rows if manifest.text is None else rows * len(manifest.text.labels)
    if result.size != expected:
        raise BundleInvalid(f"{manifest.name} {manifest.version} answers with {result.size} numbers, not {expected}")


def _runner(folder: Path, manifest: Manifest, threads: int) -> Runner:
    if manifest.format == "saved_model":
        from assay.models import tensorflow

        return tensorflow.load_saved_model(folder, manifest, threads)
    return load_litert(folder, manifest, threads)


def _probe_input(tensor: TensorSpec) -> NDArray[Any]:
    # The first axis of a free batch is one row; any other free axis is the length of a text.
    shape = [axis or (1 if at == 0 else _FREE_AXIS) for at, axis in enumerate(tensor.shape)]
    filled = np.ones if "mask" in tensor.name else np.zeros
    return filled(shape, tensor.dtype)


_FREE_BATCH: Final = 512


class SequenceScorer:
    """A `sequence-score` model over alphabet indices."""

    def __init__(self, model: LoadedModel) -> None:
        spec = model.manifest.sequence
        if spec is None:
            raise BundleInvalid(f"{model.manifest.name} is for {model.manifest.task}, not for sequence-score")
        tensor = model.manifest.inputs[0]
        self.model = model
        self.contract = Contract(spec.alphabet, spec.length)
        self.alphabet = spec.alphabet
        self.length = spec.length
        self.batch = tensor.shape[0] or _FREE_BATCH
        self._name = tensor.name
        self._dtype = np.dtype(tensor.dtype)
        self._encoding = spec.encoding
        self.reference = model.reference
        """What the scores mean, where the bundle says it."""

    def score(self, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the scores [N] of codes [N, length]. Those of windows that overlap are the same bits, but sooner."""
        if self.model.manifest.scan is None:
            return self.score_singly(codes)
        from assay.models.window_scan import find_overlap

        scan, overlap = self.model.window_scan, find_overlap(codes)
        if scan is None or overlap is None:
            return self.score_singly(codes)
        scores, others = np.empty(len(codes), np.float32), np.ones(len(codes), np.bool_)
        scores[overlap.rows] = scan.score(overlap.text)[overlap.places]
        others[overlap.rows] = False
        scores[others] = self.score_singly(codes[others])
        return scores

    def score_singly(self, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the scores [N] of codes [N, length], each computed by itself."""
        scores = np.empty(len(codes), np.float32)
        for start in range(0, len(codes), self.batch):
            rows = codes[start : start + self.batch]
            scores[start : start + len(rows)] = self._run(rows)[: len(rows)]
        return scores

    def _run(self, rows: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the scores [batch] of at most `batch` rows, the missing ones zeros."""
        if len(rows) < self.batch:
            rows = np.concatenate([rows, np.zeros((self.batch - len(rows), self.length), np.uint8)])
        return self.model.run({self._name: self._encode(rows)}).reshape(-1)

    def _encode(self, rows: NDArray[np.uint8]) -> NDArray[Any]:
        if self._encoding == "index":
            return rows.astype(self._dtype, copy=False)
        one_hot = np.eye(len(self.alphabet), dtype=self._dtype)[rows]
        return one_hot if self._encoding == "one_hot" else one_hot.reshape(len(rows), -1)


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

    def keep_to_others(self) -> None:
        """Keep this thread to the other processors, for good."""
        if self.usable:
            _keep_to(self.usable[1:])

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


class LiteRTRunner:
    """One interpreter, one run at a time; inputs are resized when their shape differs from that of the last run."""

    def __init__(self, interpreter: Any, inputs: Mapping[str, Any], output: int, places: Processors) -> None:
        self._interpreter = interpreter
        self._places = places
        self._indices = {name: int(detail["index"]) for name, detail in inputs.items()}
        self._dtypes = {name: detail["dtype"] for name, detail in inputs.items()}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._output = output
        self._begun = False
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
        self._allocate()
        self._shapes = shapes

    def _allocate(self) -> None:
        """Make room for the shapes. The first time LiteRT begins its threads, and the caller is moved beside them."""
        if self._begun:
            self._interpreter.allocate_tensors()
            return
        with self._places.others():
            self._interpreter.allocate_tensors()
        self._begun, _last.ended = True, -math.inf


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
    """Return the details of inputs and outputs by name: by the signature's names if there is a signature."""
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
