"""Training of the default models from public data."""
