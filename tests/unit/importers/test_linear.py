from fractions import Fraction

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from tools.models.importers.linear import Codes, Linear, linear_to_tflite

RANDOM = np.random.default_rng(7)


def model(positions: int = 50, symbols: int = 20, offset: float = 0.0) -> Linear:
    shifts = np.repeat(RANDOM.normal(size=positions) * offset, symbols)
    weights = RANDOM.normal(size=positions * symbols) + shifts
    intercept = -float(weights.reshape(positions, symbols).mean(1).sum()) if offset else 0.5
    return Linear(tuple(map(Fraction, weights.tolist())), Fraction(intercept), symbols)


def run(content: bytes, codes: Codes) -> np.ndarray:
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], codes)
    interpreter.invoke()
    return np.asarray(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))


def test_centring_changes_no_value_and_leaves_every_position_with_mean_zero() -> None:
    given = model(offset=1e14)
    centred = given.centre()
    codes = RANDOM.integers(0, 20, (20, 50)).astype(np.uint8)
    assert centred.exact(codes) == given.exact(codes)
    assert all(sum(centred.weights[at : at + 20]) == 0 for at in range(0, 1000, 20))
    assert max(map(abs, given.weights)) > 1e13
    assert max(map(abs, centred.weights)) < 10


@pytest.mark.parametrize(("positions", "symbols", "batch"), [(50, 20, 512), (43, 4, 7), (1, 1, 1)])
def test_the_file_gives_the_exact_values(positions: int, symbols: int, batch: int) -> None:
    centred = model(positions, symbols, offset=1e14).centre()
    codes = RANDOM.integers(0, symbols, (batch, positions)).astype(np.uint8)
    expected = [float(value) for value in centred.exact(codes)]
    np.testing.assert_allclose(run(linear_to_tflite(centred, batch), codes), expected, atol=1e-4)


def test_the_order_of_residues_and_positions_is_kept() -> None:
    weights = tuple(Fraction(10 * position + symbol) for position in range(3) for symbol in range(4))
    found = run(linear_to_tflite(Linear(weights, Fraction(1000), 4), 2), np.array([[0, 1, 2], [3, 3, 3]], np.uint8))
    assert found.tolist() == [1000 + 0 + 11 + 22, 1000 + 3 + 13 + 23]
