"""The two locks of a lake: who may land, replace and remove events, and who may count them."""

from collections.abc import Iterator
from contextlib import contextmanager

from bellwether.common.errors import BellwetherError
from bellwether.usage.lake import Lake


class RollupBusyError(BellwetherError):
    """Another process is rolling up this lake."""


@contextmanager
def landing_lock(lake: Lake) -> Iterator[None]:
    """Hold the landing of `lake`, waiting for it: no message slips past another's check, no part is replaced twice.

    Whoever needs the rollup's lock too takes that one first.
    """
    with lake.lock("landing", wait_seconds=None):
        yield


@contextmanager
def rollup_lock(lake: Lake, *, wait_seconds: float) -> Iterator[None]:
    """Hold the rollup of `lake`; RollupBusyError when another still has it after `wait_seconds`.

    One at a time: two of them would each replace a month's file without the other's days.
    """
    with lake.lock("rollup", wait_seconds=wait_seconds) as held:
        if not held:
            raise RollupBusyError(
                f"Another process is rolling up the lake {lake.name}. Wait until it is done, then try again."
            )
        yield
