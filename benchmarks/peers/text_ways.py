"""Ways to turn token ids into logits, all from the weights of `benchmarks.scibert`, each as its users run it.

A task is {"ids": [[...], ...], "rows": N}: texts of any lengths, at most N of them at once; the answer is their logits.
Peers pad a run to its longest text; the replaced system padded every text to 512 tokens.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Ids = Sequence[Sequence[int]]
Logits = list[list[float]]
Act = Callable[[Mapping[str, Any]], Logits]
Network = Callable[[npt.NDArray[np.int32], npt.NDArray[np.int32]], Any]
LONGEST: Final = 512
_FIRST: Final = {"ids": [[2, *[100] * 190, 3]], "rows": 1}


def pad(texts: Ids, width: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return ids and mask int32 [texts, width], padded with zeros."""
    ids, mask = np.zeros((len(texts), width), np.int32), np.zeros((len(texts), width), np.int32)
    for row, text in enumerate(texts):
        ids[row, : len(text)], mask[row, : len(text)] = text, 1
    return ids, mask


def runs(texts: Ids, rows: int) -> Iterator[Ids]:
    """Yield the texts in their own order, at most `rows` at once."""
    for start in range(0, len(texts), rows):
        yield texts[start : start + rows]


def through(network: Network, width: int | None = None) -> Act:
    """Return what answers tasks with a network, padding each run to `width` or else its longest text."""

    def act(task: Mapping[str, Any]) -> Logits:
        found: Logits = []
        for texts in runs(task["ids"], task["rows"]):
            found += np.asarray(network(*pad(texts, width or max(map(len, texts))))).tolist()
        return found

    act(_FIRST)
    return act


def classify_by_assay(kind: str, folder: Path, threads: int) -> Act:
    """Assay's own classifier over a bundle, its batches and its padding, without tokenizer and activation."""
    from assay.models.loading import load_folder
    from assay.models.text_classifier import TextClassifier

    if not (folder / kind).is_dir():
        raise FileNotFoundError(2, "missing", str(folder / kind))
    classifier = TextClassifier(load_folder(folder / kind / "1", threads))
    classifier._activate = lambda logits: logits

    def act(task: Mapping[str, Any]) -> Logits:
        scores: Logits = classifier._windows([np.array(text, np.int32) for text in task["ids"]]).tolist()
        return scores

    act(_FIRST)
    return act


def tensorflow_padded(folder: Path, threads: int) -> Act:
    """What Assay replaces: transformers' Keras model through `model.predict`, every text padded to 512 tokens."""
    from benchmarks.peers.transformers_models import keras_model

    model = keras_model(folder, threads)

    def network(ids: Any, mask: Any) -> Any:
        return model.predict({"input_ids": ids, "attention_mask": mask}, verbose=0)["logits"]

    return through(network, LONGEST)


def tensorflow_unpadded(folder: Path, threads: int) -> Act:
    """The same Keras model as a compiled function of any length."""
    from benchmarks.peers.transformers_models import keras_model

    model = keras_model(folder, threads)
    import tensorflow as tf

    spec = tf.TensorSpec([None, None], tf.int32)
    serve = tf.function(
        lambda ids, mask: model({"input_ids": ids, "attention_mask": mask}, training=False).logits, [spec, spec]
    )
    return through(lambda ids, mask: serve(tf.constant(ids), tf.constant(mask)))


def classify_by_pytorch(folder: Path, threads: int) -> Act:
    """Transformers on PyTorch, float32, its default attention."""
    import torch

    from benchmarks.peers.transformers_models import torch_model

    torch.set_num_threads(threads)
    model = torch_model(folder)

    def network(ids: Any, mask: Any) -> Any:
        with torch.inference_mode():
            return model(torch.from_numpy(ids).long(), attention_mask=torch.from_numpy(mask).long()).logits

    return through(network)


def classify_by_onnxruntime(kind: str, folder: Path, threads: int) -> Act:
    """ONNX Runtime on the graph that its own optimiser for BERT fused."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    path = folder / f"onnx/{kind}.onnx"
    if not path.exists():
        raise FileNotFoundError(2, "missing", str(path))
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def network(ids: Any, mask: Any) -> Any:
        return session.run(None, {"input_ids": ids.astype(np.int64), "attention_mask": mask.astype(np.int64)})[0]

    return through(network)


def classify_by_openvino(precision: str | None, folder: Path, threads: int) -> Act:
    """OpenVINO on the plain ONNX file, as it is by default (bfloat16 where the processor has it) or in float32."""
    import openvino as ov

    path = folder / "onnx/plain.onnx"
    if not path.exists():
        raise FileNotFoundError(2, "missing", str(path))
    hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": str(threads)}
    if precision:
        hints["INFERENCE_PRECISION_HINT"] = precision
    compiled = ov.Core().compile_model(str(path), "CPU", hints)

    def network(ids: Any, mask: Any) -> Any:
        return compiled({"input_ids": ids.astype(np.int64), "attention_mask": mask.astype(np.int64)})[0]

    return through(network)


WAYS: Final[Mapping[str, Callable[[Path, int], Act]]] = {
    "assay-int8": partial(classify_by_assay, "scibert-litert"),
    "assay-float32": partial(classify_by_assay, "scibert-float32"),
    "tensorflow-512": tensorflow_padded,
    "tensorflow": tensorflow_unpadded,
    "pytorch": classify_by_pytorch,
    "onnxruntime-float32": partial(classify_by_onnxruntime, "fused"),
    "onnxruntime-int8": partial(classify_by_onnxruntime, "int8"),
    "openvino": partial(classify_by_openvino, None),
    "openvino-float32": partial(classify_by_openvino, "f32"),
}
