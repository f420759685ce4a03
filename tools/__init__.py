"""Assay's tools: the local service, model tools and training. Not part of any function."""
