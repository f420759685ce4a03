"""The bits that shipped models answer with on this processor: `python -m tests.score_bits FILE.tflite...`.

A line of hexadecimal digits for each file. No more than NumPy and LiteRT is imported, for emulators are slow.
"""

import sys
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

TOKENS = 12


def score_bits(path: str) -> str:
    """Return the bits of the first output, for one run on inputs drawn by chance."""
    interpreter = Interpreter(model_path=path, num_threads=1)
    inputs = interpreter.get_input_details()
    for each in inputs:
        if -1 in each["shape_signature"]:
            interpreter.resize_tensor_input(each["index"], [1, TOKENS])
    interpreter.allocate_tensors()
    for each in interpreter.get_input_details():
        interpreter.set_tensor(each["index"], _draw(each))
    interpreter.invoke()
    return bytes(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).tobytes()).hex()


def _draw(details: Any) -> Any:
    """Return residues where bytes are read, tokens where numbers are, ones for a mask."""
    if "mask" in details["name"]:
        return np.ones(details["shape"], details["dtype"])
    top = 20 if details["dtype"] is np.uint8 else 20_000
    return np.random.default_rng(50).integers(0, top, details["shape"]).astype(details["dtype"])


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(score_bits(name))
