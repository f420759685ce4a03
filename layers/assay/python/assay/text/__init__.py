"""Bytes to lines, rows and values: packing, limits, rejects. Pure: no AWS, no models."""
