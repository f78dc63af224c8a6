"""A workspace in processes of its own, which the tests kill."""

from tests.usage.workspace import workspace

__all__ = ["workspace"]
