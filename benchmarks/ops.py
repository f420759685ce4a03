"""Where LiteRT spends the time of a text model, by its own profiler: `python -m benchmarks.ops [BUNDLE]`.

The Python package exposes no profiler, but the library it carries does, through its C interface (litert/c/*.h, used
here by ctypes). Each op's time is the median over runs, which a busy machine disturbs least.
"""

import ctypes
import re
import statistics
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import Structure, byref, c_bool, c_char_p, c_int, c_int32, c_size_t, c_uint32, c_void_p
from pathlib import Path
from typing import Any, Final

import numpy as np

from assay.models.manifest import read_manifest
from benchmarks.measuring import arguments, report
from tools.models.shipped import newest

SHIPPED: Final = newest(Path(__file__).parent.parent / "models", "arxiv-archives")
_ROW: Final = re.compile(
    r"^\s*(?P<kind>.+?)\s+[\d.]+\s+[\d.]+\s+(?P<ms>[\d.]+)\s+[\d.]+%\s.*\[(?P<part>\w+)\]:(?P<at>\d+)"
)
_FREE: Final = ctypes.CFUNCTYPE(None, c_void_p)
_CPU: Final = 1
_INT32: Final = 2
_FLOAT32: Final = 1
_WRITE: Final = 1


class _Layout(Structure):
    _fields_ = (("rank", c_uint32), ("dimensions", c_int32 * 8), ("strides", c_uint32 * 8))


class _Type(Structure):
    _fields_ = (("element", c_int), ("layout", _Layout))


class Profiled:
    """A .tflite of input_ids, attention_mask [1, T], compiled with the profiler on."""

    def __init__(self, path: Path, tokens: int, threads: int) -> None:
        import ai_edge_litert

        self._library = ctypes.CDLL(str(Path(ai_edge_litert.__file__).parent / "libLiteRt.so"))
        self._kept: list[Any] = []
        self._environment = self._made("LiteRtCreateEnvironment", 0, None)
        model = self._made("LiteRtCreateModelFromFile", self._environment, str(path).encode())
        self._model = self._made("LiteRtCreateCompiledModel", self._environment, model, self._options(threads))
        self._profiler = self._made("LiteRtCompiledModelGetProfiler", self._model)
        self._sized(tokens)

    def run(self) -> list[tuple[str, str, float]]:
        """Run once; return kind, place and milliseconds of each op, in order."""
        self._do("LiteRtResetProfiler", self._profiler)
        self._do("LiteRtStartProfiler", self._profiler)
        ends = (c_size_t(2), self._inputs, c_size_t(1), self._outputs)
        self._do("LiteRtRunCompiledModel", self._model, c_size_t(0), *ends)
        self._do("LiteRtStopProfiler", self._profiler)
        summary = c_char_p()
        self._do("LiteRtGetProfileSummary", self._profiler, self._model, byref(summary))
        return list(_rows((summary.value or b"").decode()))

    def _do(self, name: str, *given: Any) -> None:
        status = getattr(self._library, name)(*given)
        if status:
            raise RuntimeError(f"{name} answers {status}: this version of LiteRT differs from that of the profile")

    def _made(self, name: str, *given: Any) -> c_void_p:
        handle = c_void_p()
        self._do(name, *given, byref(handle))
        return handle

    def _options(self, threads: int) -> c_void_p:
        options = self._made("LiteRtCreateOptions")
        self._do("LiteRtSetOptionsHardwareAccelerators", options, _CPU)
        for name, text in (
            ("runtime_options_string", "enable_profiling = true"),
            ("xnnpack", f"num_threads = {threads}"),
        ):
            payload, release = ctypes.create_string_buffer(text.encode()), _FREE(lambda _: None)
            self._kept += [payload, release]
            made = self._made("LiteRtCreateOpaqueOptions", name.encode(), payload, release)
            self._do("LiteRtAddOpaqueOptions", options, made)
        return options

    def _sized(self, tokens: int) -> None:
        """Give the inputs their length and fill them with ones: token 1, nothing masked."""
        shape = (c_int * 2)(1, tokens)
        for at in (0, 1):
            where = (c_size_t(0), c_size_t(at))
            self._do("LiteRtCompiledModelResizeInputTensorNonStrict", self._model, *where, shape, c_size_t(2))
        layout = (_Layout * 1)()
        given = (self._model, c_size_t(0), c_size_t(1), layout, c_bool(True))
        self._do("LiteRtGetCompiledModelOutputTensorLayouts", *given)
        inputs = [self._buffer("Input", at, _INT32, (1, tokens)) for at in (0, 1)]
        self._inputs = (c_void_p * 2)(*(each.value for each in inputs))
        output = self._buffer("Output", 0, _FLOAT32, tuple(layout[0].dimensions[: layout[0].rank]))
        self._outputs = (c_void_p * 1)(output.value)
        for each in inputs:
            with self._locked(each) as memory:
                ctypes.memmove(memory, np.ones(tokens, np.int32).ctypes.data, 4 * tokens)

    def _buffer(self, side: str, at: int, element: int, shape: tuple[int, ...]) -> c_void_p:
        where = (self._model, c_size_t(0), c_size_t(at))
        needs = self._made(f"LiteRtGetCompiledModel{side}BufferRequirements", *where)
        kind = _Type(element, _Layout(len(shape), (c_int32 * 8)(*shape)))
        return self._made("LiteRtCreateManagedTensorBufferFromRequirements", self._environment, byref(kind), needs)

    @contextmanager
    def _locked(self, buffer: c_void_p) -> Iterator[c_void_p]:
        memory = c_void_p()
        self._do("LiteRtLockTensorBuffer", buffer, byref(memory), _WRITE)
        yield memory
        self._do("LiteRtUnlockTensorBuffer", buffer)


def _rows(summary: str) -> Iterator[tuple[str, str, float]]:
    """Yield the ops of the summary's section in order of running."""
    for line in summary.split("Top by Computation Time")[0].splitlines():
        if found := _ROW.match(line):
            yield found["kind"], f"{found['part']}:{found['at']}", float(found["ms"])


def by_kind(runs: list[list[tuple[str, str, float]]]) -> list[tuple[str, int, float, float]]:
    """Return kind, ops, milliseconds by the ops' medians and by their fastest runs, the most expensive first."""
    ops: dict[tuple[str, str], list[float]] = defaultdict(list)
    for run in runs:
        for kind, place, milliseconds in run:
            ops[kind, place].append(milliseconds)
    kinds: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for (kind, _), taken in ops.items():
        kinds[kind].append((statistics.median(taken), min(taken)))
    found = [(kind, len(each), sum(x for x, _ in each), sum(x for _, x in each)) for kind, each in kinds.items()]
    return sorted(found, key=lambda row: -row[2])


def main() -> None:
    """Read the options, profile, print the tables."""
    parser = arguments(__doc__, "ops")
    parser.add_argument("bundle", type=Path, nargs="?", default=SHIPPED)
    options = parser.parse_args()
    said = report("ops", "Where LiteRT spends its time", options)
    lengths, runs = {"smoke": ((16,), 2), "quick": ((192,), 10), "full": ((64, 128, 192), 30)}[options.size]
    longest = read_manifest(options.bundle).text.max_tokens  # type: ignore[union-attr]
    said.add(f"{options.bundle.parent.name}, {options.threads} threads, {runs} runs at each length.")
    for tokens in [each for each in lengths if each <= longest]:
        profiled = Profiled(options.bundle / "model.tflite", tokens, options.threads)
        profiled.run()
        rows = by_kind([profiled.run() for _ in range(runs)])
        whole, fastest = sum(row[2] for row in rows), sum(row[3] for row in rows)
        said.add(f"## {tokens} tokens: {whole:.1f} ms by the ops' medians, {fastest:.1f} by their fastest")
        shown = [(kind, str(ops), f"{ms:.2f}", f"{least:.2f}", f"{ms / whole:.1%}") for kind, ops, ms, least in rows]
        said.table(("op", "ops", "ms", "ms, fastest", "share"), shown)
    said.finish()


if __name__ == "__main__":
    main()
