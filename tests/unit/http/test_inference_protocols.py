"""The serving protocols, read: whatever comes is a list of texts or the caller's error; nothing is lost on the way."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InputError
from assay.http import inference_protocols
from assay.http.inference_protocols import Infer, Predict, Scores, infer, predict, unpack_binary

TEXTS = st.lists(st.text(), min_size=1, max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["b64", "x"]), inner, max_size=2),
    max_leaves=5,
)
TENSOR = st.fixed_dictionaries({}, optional={"name": JSON, "datatype": JSON, "shape": JSON, "data": JSON})


def tensor(texts: list[str], **changes: Any) -> dict[str, Any]:
    return {"name": "x", "datatype": "BYTES", "shape": [len(texts)], "data": texts} | changes


@given(texts=TEXTS)
def test_every_form_of_the_same_texts_is_the_same(texts: list[str]) -> None:
    encodable = [text.encode("utf-8", "replace").decode() for text in texts]
    packed = [{"b64": base64.b64encode(text.encode()).decode()} for text in encodable]
    assert predict({"instances": packed}).instances == encodable
    for body in ({"instances": texts}, {"inputs": texts}, {"inputs": {"any": texts}}):
        assert predict(body).instances == texts
    assert infer({"inputs": [tensor(texts)]}).instances == texts
    assert infer({"inputs": [tensor(texts, shape=[len(texts), 1])]}).instances == texts


@given(texts=TEXTS.map(lambda texts: [text.encode("utf-8", "replace").decode() for text in texts]))
def test_a_binary_tensor_holds_what_its_json_would(texts: list[str]) -> None:
    tail = b"".join(len(text.encode()).to_bytes(4, "little") + text.encode() for text in texts)
    [plain] = [tensor(texts, parameters={"binary_data_size": len(tail)})]
    head = json.dumps({"inputs": [{name: plain[name] for name in plain if name != "data"}]}).encode()
    found = unpack_binary(head + tail, {"inference-header-content-length": str(len(head))})
    assert infer(found) == infer({"inputs": [plain]})


@given(tail=st.binary(max_size=40), length=st.integers(-5, 200) | st.text(max_size=5))
def test_any_binary_tensor_is_texts_or_the_callers_error(tail: bytes, length: object) -> None:
    head = json.dumps({"inputs": [tensor([], parameters={"binary_data_size": len(tail)})]}).encode()
    for said in (str(length), str(len(head))):
        try:
            found = infer(unpack_binary(head + tail, {"inference-header-content-length": said}))
        except InputError:
            continue
        assert all(isinstance(text, str) for text in found.instances)


@given(rows=JSON, signature=JSON, given_tensor=TENSOR | JSON, name=JSON, outputs=JSON)
def test_any_json_is_texts_or_the_callers_error(
    rows: Any, signature: Any, given_tensor: Any, name: Any, outputs: Any
) -> None:
    bodies: list[tuple[Any, dict[str, Any]]] = [
        (predict, {"instances": rows}),
        (predict, {"inputs": rows, "signature_name": signature}),
        (infer, {"inputs": [given_tensor], "id": name, "outputs": outputs}),
        (infer, {"inputs": given_tensor}),
    ]
    for read, body in bodies:
        try:
            found: Predict | Infer = read(body)
        except InputError:
            continue
        assert found.instances
        assert all(isinstance(text, str) for text in found.instances)


def test_an_instance_that_is_wrapped_again_and_again_is_the_callers_error() -> None:
    for body in ('{"instances": [' + "[" * 900 + '"x"' + "]" * 900 + "]}", '{"instances": [[[["x"]]]]}'):
        with pytest.raises(InputError):
            predict(json.loads(body))
    assert predict({"instances": [{"x": ["text"]}]}).instances == ["text"]


def test_rows_of_a_reply_are_those_of_its_shape() -> None:
    flat = Scores("m", "1", "scores", (2, 3), [1, 2, 3, 4, 5, 6])
    assert flat.rows() == [[1, 2, 3], [4, 5, 6]]
    assert Scores("m", "1", "score", (2,), [1, 2]).rows() == [1, 2]
    assert Infer(["a", "b"], [], None).reply(flat)["outputs"] == [
        {"name": "scores", "datatype": "FP32", "shape": [2, 3], "data": [1, 2, 3, 4, 5, 6]}
    ]


@pytest.mark.parametrize("target", ["m:predict", "m%3Apredict"])
def test_the_model_of_a_target(target: str) -> None:
    assert inference_protocols.parse_predict_target(target) == "m"


@pytest.mark.parametrize("target", ["m", "m:", "m:predict:predict", "m:classify", ":"])
def test_targets_that_name_no_model(target: str) -> None:
    with pytest.raises(InputError, match=":predict"):
        inference_protocols.parse_predict_target(target)
