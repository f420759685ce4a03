"""The default pair's networks in other runtimes, ranking a file as `benchmarks.peers.sequences` has it."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.peers.sequences import LENGTH, Act, Codes, Model, Scores, one_hot, rank_scores


def _in_runs(run: Callable[[Codes], Any]) -> Model:
    def model(codes: Codes, rows: int) -> Scores:
        parts = [np.asarray(run(codes[start : start + rows])) for start in range(0, len(codes), rows)]
        return np.concatenate(parts) if parts else np.empty(0, np.float32)

    return model


def _networks(folder: Path) -> list[Any]:
    from benchmarks.peers.layers import read

    return [read(folder / name / "1/model.tflite") for name in ("gate", "score")]


def keras_predict(folder: Path, threads: int) -> Act:
    """Keras' `model.predict` on one-hot rows, `rows` as its batch size."""
    import tensorflow as tf

    from benchmarks.peers.frameworks import in_keras

    tf.config.threading.set_intra_op_parallelism_threads(threads)

    def load(network: Any) -> Model:
        model = in_keras(network)
        return lambda codes, rows: model.predict(one_hot(codes), batch_size=rows, verbose=0).reshape(-1)

    return rank_scores(*(load(each) for each in _networks(folder)))


def rank_by_pytorch(folder: Path, threads: int) -> Act:
    """PyTorch, traced and frozen, over residue indices."""
    import torch

    from benchmarks.peers.frameworks import in_torch

    torch.set_num_threads(threads)

    def trace(network: Any) -> Model:
        example = torch.zeros((2, network.length), dtype=torch.int64)
        with torch.inference_mode():
            module = torch.jit.freeze(torch.jit.trace(in_torch(network), example, check_trace=False))

        def run(codes: Codes) -> Any:
            with torch.inference_mode():
                return module(torch.from_numpy(codes.astype(np.int64))).numpy()

        return _in_runs(run)

    return rank_scores(*(trace(each) for each in _networks(folder)))


def rank_by_onnxruntime(folder: Path, threads: int) -> Act:
    """ONNX Runtime over residue indices."""
    import onnxruntime as ort

    from benchmarks.peers.frameworks import to_onnx

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads

    def session(network: Any) -> Model:
        made = ort.InferenceSession(to_onnx(network), options, providers=["CPUExecutionProvider"])
        return _in_runs(lambda codes: made.run(None, {"codes": codes.astype(np.int64)})[0])

    return rank_scores(*(session(each) for each in _networks(folder)))


def rank_by_openvino(precision: str | None, folder: Path, threads: int) -> Act:
    """OpenVINO over residue indices, in its default precision (bfloat16 if the processor has it) or in float32."""
    import openvino as ov

    from benchmarks.peers.frameworks import to_onnx

    hints = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_NUM_THREADS": str(threads), "NUM_STREAMS": "1"}
    if precision:
        hints["INFERENCE_PRECISION_HINT"] = precision

    def compile_one(network: Any) -> Model:
        core = ov.Core()
        made = core.compile_model(core.read_model(to_onnx(network)), "CPU", hints)
        return _in_runs(lambda codes: made([codes.astype(np.int64)])[0])

    return rank_scores(*(compile_one(each) for each in _networks(folder)))


def rank_by_litert(int8: bool, folder: Path, threads: int) -> Act:
    """LiteRT, Assay's runtime, on the same networks in float32 or with int8 weights (dynamic range)."""
    import tensorflow  # noqa: F401  it converts
    from ai_edge_litert.interpreter import Interpreter

    from benchmarks.peers.frameworks import to_tflite

    def model(network: Any) -> Model:
        @cache
        def interpreter(rows: int) -> Any:
            made = Interpreter(model_content=to_tflite(network, rows, int8=int8), num_threads=threads)
            made.allocate_tensors()
            return made

        def scores(codes: Codes, rows: int) -> Scores:
            made = interpreter(rows)
            source, target = made.get_input_details()[0]["index"], made.get_output_details()[0]["index"]

            def run(part: Codes) -> Scores:
                made.set_tensor(source, np.resize(part, (rows, LENGTH)))
                made.invoke()
                found: Scores = made.get_tensor(target)[: len(part)]
                return found

            return _in_runs(run)(codes, rows)

        return scores

    return rank_scores(*(model(each) for each in _networks(folder)))


WAYS: Final[Mapping[str, Callable[[Path, int], Act]]] = {
    "keras-predict": keras_predict,
    "rank-pytorch": rank_by_pytorch,
    "rank-onnxruntime": rank_by_onnxruntime,
    "rank-litert-int8": partial(rank_by_litert, True),
    "rank-litert-float32": partial(rank_by_litert, False),
    "rank-openvino": partial(rank_by_openvino, None),
    "rank-openvino-float32": partial(rank_by_openvino, "f32"),
}
