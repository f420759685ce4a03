"""Which models are published, as the loader reads their manifests, and what serving protocols ask of them."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import partial
from itertools import islice
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote

from assay.aws.s3 import Bucket
from assay.errors import AssayError, BundleInvalid, NotFound, ObjectMissing
from assay.http import inference_protocols
from assay.http.inference_protocols import TENSORS
from assay.models.manifest import Manifest, Pointer, Target, require_model_name
from assay.models.published import read_pointer, read_published, read_published_reference
from assay.options import bound_integer, require_known
from assay.settings import Settings
from assay.telemetry import logger


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


Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Memo(Generic[Key, Value]):
    """Remembers up to `most` values for `seconds` each, the oldest let go first. Safe to share between threads."""

    def __init__(self, seconds: float, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, tuple[float, Value]] = OrderedDict()

    def get(self, key: Key, find: Callable[[], Value]) -> Value:
        """Return what is remembered, or else what `find` returns; what it raises is not remembered."""
        now = self._clock()
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and now < kept[0]:
            return kept[1]
        value = find()
        with self._lock:
            self._kept[key] = (now + self._seconds, value)
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return value


MOST_MODELS: Final = 100
MOST_VERSIONS: Final = 50
ROLES: Final = ("gate", "score", "classifier")
OPTIONS: Final = ("limit", "after")
SHOWN: Final = ("name", "version", "task", "format", "metrics", "provenance", "licence")
_REMEMBERED: Final = 1000


class Catalogue:
    """The models of one bucket. What it lists is looked at again after the settings' `model_refresh_seconds`.

    So a page of models costs S3 a call for each model once in that time, however often and by whomever it is asked.
    """

    def __init__(self, bucket: Bucket, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._bucket = bucket
        self._roles = roles(settings)
        seconds = settings.model_refresh_seconds
        self._names: Memo[str, list[str]] = Memo(seconds, 1, clock)
        self._summaries: Memo[str, dict[str, Any] | None] = Memo(seconds, _REMEMBERED, clock)

    def page(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Return the models after a name, and where the next ones are if there are more. Raises InvalidOption.

        A model whose current version the loader would refuse is left out.
        """
        require_known(query, OPTIONS)
        limit = bound_integer(MOST_MODELS).read(query.get("limit", MOST_MODELS), "limit")
        names = [name for name in self._names.get("", self._list_names) if name > query.get("after", "")]
        more = {"next": f"models?limit={limit}&after={quote(names[limit - 1])}"} if len(names) > limit else {}
        found = (self._summaries.get(name, partial(self._summary, name)) for name in names[:limit])
        return {"models": [summary for summary in found if summary], **more}

    def list_first(self) -> list[dict[str, Any]]:
        """Return what is listed of the first models, a page of them."""
        found: list[dict[str, Any]] = self.page({})["models"]
        return found

    def health(self) -> dict[str, Any]:
        """Return the current version of each model that the functions need, None if there is none."""
        versions = {role: {"name": name, "version": self._version(name)} for role, name in self._roles.items()}
        complete = all(each["version"] for each in versions.values())
        return {"status": "ok" if complete else "models missing", "models": versions}

    def manifest(self, name: str, version: str | None = None) -> Manifest | None:
        """Return the manifest of a model's version, the current one by default; None where the loader has none."""
        try:
            pointer = Pointer(version) if version else read_pointer(self._bucket, name)
            return read_published(self._bucket, name, pointer.version, pointer.sha256)
        except AssayError as error:
            if not (version and isinstance(error, ObjectMissing)):  # a version that somebody made up is no fault
                logger.warning("a manifest cannot be read", model=name, reason=error.message)
            return None

    def _list_names(self) -> list[str]:
        return [name for name in self._bucket.folders("models/") if _possible(name)]

    def _summary(self, name: str) -> dict[str, Any] | None:
        manifest = self.manifest(name)
        if manifest is None:
            return None
        default_for = [role for role, serves in self._roles.items() if serves == name]
        versions = list(islice(self._bucket.folders(f"models/{name}/"), MOST_VERSIONS))
        return _summarize(manifest) | self._reference(manifest) | {"default_for": default_for, "versions": versions}

    def _reference(self, manifest: Manifest) -> dict[str, Any]:
        """Return what a model's scores mean, nothing where it does not say or that cannot be read."""
        try:
            found = read_published_reference(self._bucket, manifest)
        except AssayError as error:
            logger.warning("a reference cannot be read", model=manifest.name, reason=error.message)
            return {}
        return {"reference": found.summarize()} if found else {}

    def _version(self, name: str) -> str | None:
        try:
            return read_pointer(self._bucket, name).version
        except AssayError:
            return None


def roles(settings: Settings) -> dict[str, str]:
    """Return the name of the deployment's model in each role."""
    names = (settings.gate_model, settings.score_model, settings.classifier)
    return dict(zip(ROLES, names, strict=True))


def _possible(name: str) -> bool:
    """Say whether a folder's name can be a model's."""
    try:
        return bool(require_model_name(name))
    except BundleInvalid:
        return False


def _summarize(manifest: Manifest) -> dict[str, Any]:
    shown = {name: getattr(manifest, name) for name in SHOWN}
    if manifest.sequence is not None:
        return shown | {"alphabet": manifest.sequence.alphabet, "length": manifest.sequence.length}
    if manifest.text is not None:
        text = manifest.text
        parts = {name: getattr(text, name) for name in ("labels", "titles", "thresholds", "max_tokens")}
        return shown | {name: value for name, value in parts.items() if value}
    return shown


def require_manifest(models: Catalogue, name: str, version: str | None = None) -> Manifest:
    """Return the manifest of a model's current version, or of the `version` wanted. Raises NotFound."""
    text = inference_protocols.join_version(name, version)
    try:
        wanted = Target.parse(text)
    except BundleInvalid:
        wanted = None
    found = models.manifest(wanted.name, wanted.version) if wanted else None
    if found is None:
        raise NotFound(f"there is no model {text[:80]!r}; GET /models lists the published models")
    return found


SERVER: Final = "assay"
EXTENSIONS: Final = ("binary_tensor_data", "model_configuration", "model_repository", "statistics")


def server_metadata(version: str) -> dict[str, Any]:
    """Return the Open Inference Protocol's metadata of the service; `version` is that of the description."""
    return {"name": SERVER, "version": version, "extensions": list(EXTENSIONS)}


def triton_configuration(manifest: Manifest) -> dict[str, Any]:
    """Return Triton's configuration of a model: a batch is an axis of the tensors, of any length."""
    said: Any = describe_tensors(manifest)
    given, answered = said["inputs"][0], said["outputs"][0]
    return {
        "name": manifest.name,
        "platform": said["platform"],
        "max_batch_size": 0,
        "input": [{"name": given["name"], "data_type": "TYPE_STRING", "dims": given["shape"]}],
        "output": [{"name": answered["name"], "data_type": "TYPE_FP32", "dims": answered["shape"]}],
    }


def triton_statistics(manifests: Iterable[Manifest]) -> dict[str, Any]:
    """Return Triton's statistics of models, without a count: environments share none, CloudWatch sums them up."""
    return {"model_stats": [{"name": each.name, "version": each.version} for each in manifests]}


def repository_index(models: Catalogue) -> list[dict[str, str]]:
    """Return Triton's index of the repository: every model that is listed, which serves."""
    return [
        {"name": each["name"], "version": each["version"], "state": "READY", "reason": ""}
        for each in models.list_first()
    ]


def serving_signature(manifest: Manifest) -> dict[str, Any]:
    """Return TensorFlow Serving's metadata of a model: its one signature."""
    said: Any = describe_tensors(manifest)
    inputs = {each["name"]: _tensor(each, "DT_STRING") for each in said["inputs"]}
    outputs = {each["name"]: _tensor(each, "DT_FLOAT") for each in said["outputs"]}
    method = "tensorflow/serving/predict"
    signed = {inference_protocols.SIGNATURE: {"inputs": inputs, "outputs": outputs, "method_name": method}}
    spec = {"name": manifest.name, "signature_name": "", "version": manifest.version}
    return {"model_spec": spec, "metadata": {"signature_def": {"signature_def": signed}}}


def _tensor(said: dict[str, Any], kind: str) -> dict[str, Any]:
    shape = {"dim": [{"size": str(axis), "name": ""} for axis in said["shape"]], "unknown_rank": False}
    return {"dtype": kind, "tensor_shape": shape, "name": said["name"]}
