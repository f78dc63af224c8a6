"""A running server for the tests of outside contracts."""

from tests.usage.workspace import workspace

__all__ = ["workspace"]
