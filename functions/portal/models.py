"""Which models are published, as the loader reads their manifests, and what serving protocols ask of them."""

from assay.http.inference_protocols import TENSORS
from assay.models.manifest import Manifest


def describe_tensors(manifest: Manifest) -> dict[str, object]:
    """Return the Open Inference Protocol's metadata of a model, from its manifest.

    The labels of a classifier stand beside its output, whose columns they name.
    """
    given, answered = TENSORS[manifest.task]
    labels = list(manifest.text.labels) if manifest.text else []
    output: dict[str, object] = {"name": answered, "datatype": "FP32", "shape": [-1, len(labels)] if labels else [-1]}
    return {
        "name": manifest.name,
        "versions": [manifest.version],
        "platform": f"assay_{manifest.format}",
        "inputs": [{"name": given, "datatype": "BYTES", "shape": [-1]}],
        "outputs": [output | ({"parameters": {"labels": labels}} if labels else {})],
    }
