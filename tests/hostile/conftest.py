"""Attacks, and what holds against each; the stand-ins of AWS are those of the integration tests."""

from tests.integration.conftest import call, clock, cut, drop, metrics, registry, traffic

__all__ = ["call", "clock", "cut", "drop", "metrics", "registry", "traffic"]
