"""Model bundles: import, conversion, publishing."""

from contextlib import suppress

# The compiler that comes with PyTorch: it and TensorFlow carry an LLVM each, and it crashes when it comes second.
with suppress(ImportError):
    import triton  # noqa: F401
