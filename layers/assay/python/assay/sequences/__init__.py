"""Sequences: formats, validation and encoding, vectorised over bytes. Pure: no I/O, no AWS."""
