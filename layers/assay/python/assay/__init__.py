"""Assay: serverless inference for the life sciences and the literature."""
