"""What the serving protocols ask of models before they are used: are they there, and what do they take and answer.

Sources: Triton's extensions of the Open Inference Protocol (triton-inference-server/server, docs/protocol), TensorFlow
Serving's REST API.
"""

from collections.abc import Iterable
from typing import Any, Final

from assay.errors import BundleInvalid, NotFound
from assay.http import inference_protocols
from assay.models.bucket_layout import Target
from assay.models.manifest import Manifest
from portal import models
from portal.catalogue import Catalogue


def manifest(models: Catalogue, name: str, version: str | None = None) -> Manifest:
    """Return the manifest of a model's current version, or of the `version` wanted. Raises NotFound."""
    text = inference_protocols.named(name, version)
    try:
        wanted = Target.parse(text)
    except BundleInvalid:
        wanted = None
    found = models.manifest(wanted.name, wanted.version) if wanted else None
    if found is None:
        raise NotFound(f"there is no model {text[:80]!r}; GET /models lists those there are")
    return found


def ready(models: Catalogue) -> bool:
    """Say whether every model that the functions need is published."""
    return bool(models.health()["status"] == "ok")


SERVER: Final = "assay"
EXTENSIONS: Final = ("binary_tensor_data", "model_configuration", "model_repository", "statistics")


def server(version: str) -> dict[str, Any]:
    """Return the Open Inference Protocol's metadata of the service; `version` is that of the description."""
    return {"name": SERVER, "version": version, "extensions": list(EXTENSIONS)}


def configuration(manifest: Manifest) -> dict[str, Any]:
    """Return Triton's configuration of a model: a batch is an axis of the tensors, of any length."""
    said: Any = models.describe_tensors(manifest)
    given, answered = said["inputs"][0], said["outputs"][0]
    return {
        "name": manifest.name,
        "platform": said["platform"],
        "max_batch_size": 0,
        "input": [{"name": given["name"], "data_type": "TYPE_STRING", "dims": given["shape"]}],
        "output": [{"name": answered["name"], "data_type": "TYPE_FP32", "dims": answered["shape"]}],
    }


def statistics(manifests: Iterable[Manifest]) -> dict[str, Any]:
    """Return Triton's statistics of models, without a count: environments share none, CloudWatch sums them up."""
    return {"model_stats": [{"name": each.name, "version": each.version} for each in manifests]}


def index(models: Catalogue) -> list[dict[str, str]]:
    """Return Triton's index of the repository: every model that is listed, which serves."""
    return [
        {"name": each["name"], "version": each["version"], "state": "READY", "reason": ""} for each in models.listed()
    ]


def signature(manifest: Manifest) -> dict[str, Any]:
    """Return TensorFlow Serving's metadata of a model: its one signature."""
    said: Any = models.describe_tensors(manifest)
    inputs = {each["name"]: _tensor(each, "DT_STRING") for each in said["inputs"]}
    outputs = {each["name"]: _tensor(each, "DT_FLOAT") for each in said["outputs"]}
    method = "tensorflow/serving/predict"
    signed = {inference_protocols.SIGNATURE: {"inputs": inputs, "outputs": outputs, "method_name": method}}
    spec = {"name": manifest.name, "signature_name": "", "version": manifest.version}
    return {"model_spec": spec, "metadata": {"signature_def": {"signature_def": signed}}}


def _tensor(said: dict[str, Any], kind: str) -> dict[str, Any]:
    shape = {"dim": [{"size": str(axis), "name": ""} for axis in said["shape"]], "unknown_rank": False}
    return {"dtype": kind, "tensor_shape": shape, "name": said["name"]}
