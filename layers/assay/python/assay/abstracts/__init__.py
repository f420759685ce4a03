"""Abstracts: cleaning, limits, tokenizing and batching. Pure: no I/O, no AWS."""
