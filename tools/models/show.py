"""A manifest for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from assay.models.manifest import Manifest, Tensor


def shown(manifest: Manifest) -> str:
    """Return a manifest as lines of text."""
    return "\n".join(_lines(manifest))


def _lines(manifest: Manifest) -> Iterator[str]:
    yield f"{manifest.name} {manifest.version}: {manifest.task}, {manifest.format}, {manifest.size:,} bytes"
    yield _row("licence", manifest.licence or "not said")
    yield _row("inputs", "; ".join(map(_tensor, manifest.inputs)))
    yield _row("outputs", "; ".join(map(_tensor, manifest.outputs)))
    yield from _meaning(manifest)
    for part, values in (("metrics", manifest.metrics), ("provenance", manifest.provenance)):
        for name, value in _flat(values):
            yield _row(f"{part}.{name}", value)
    for file in manifest.files:
        yield _row("file", f"{file.path}  {file.bytes:,} bytes  sha256 {file.sha256[:16]}…")


def _meaning(manifest: Manifest) -> Iterator[str]:
    if manifest.sequence:
        spec = manifest.sequence
        yield _row("sequences", f"{spec.length} residues of {spec.alphabet} as {spec.encoding}")
    if manifest.text:
        text = manifest.text
        yield _row("texts", f"at most {text.max_tokens} tokens by {text.tokenizer}; {text.activation} of the outputs")
        for label in text.labels:
            yield _row("label", f"{label}  from {text.thresholds.get(label, 0.5):g}")


def _tensor(tensor: Tensor) -> str:
    return f"{tensor.name} {tensor.dtype} [{', '.join('any' if axis is None else str(axis) for axis in tensor.shape)}]"


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, str(value)


def _row(name: str, value: str) -> str:
    return f"  {name:24} {value}"
