"""Training of the default models from public data."""

import tools.models  # noqa: F401  what must be imported before TensorFlow
