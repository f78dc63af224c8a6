"""Which groups of clients a reader may be compared with: one decision for every page and endpoint.

Roles that see all clients are compared with every group. For others it is decided for all groups together, so that no
arithmetic over what is shown gives a client away; bellwether.benchmarks makes that decision and registers it here when
it is loaded (docs/adr/0025). Without it nothing is shown to them.
"""

from collections.abc import Collection
from typing import Literal, Protocol
from uuid import UUID

from bellwether.health.cohorts import AT_LEAST
from bellwether.staff.models import StaffUser

Kind = Literal["all", "tier", "industry"]
HELD_BACK = f"Not shown: beside other groups it would tell about fewer than {AT_LEAST} clients that you do not see."


class Decision(Protocol):
    """Decides for a reader who does not see all clients; see counted_members."""

    def __call__(
        self,
        user: StaffUser,
        kind: Kind,
        value: str,
        *,
        members: frozenset[UUID],
        reporting: frozenset[UUID] | None,
        metric: str,
    ) -> frozenset[UUID] | None:
        """Return what counted_members returns."""
        ...


_decisions: list[Decision] = []


def decide_with(decision: Decision) -> None:
    """Let `decision` decide from now on; it takes the place of an earlier one."""
    _decisions[:] = [decision]


def counted_members(
    user: StaffUser,
    kind: Kind,
    value: str,
    *,
    members: Collection[UUID],
    reporting: Collection[UUID] | None = None,
    metric: str = "",
) -> frozenset[UUID] | None:
    """Return which of `members` count in what `user` is shown of a group; None where the group is held back.

    The group is that of `kind` and `value` (tier or industry; "" for all clients). `reporting` are the clients of all
    groups that have the figure; where `metric` is one that benchmarks publish ("health"), it is those that have it
    there. Whoever joined the group this month does not count yet.
    """
    found = frozenset(members)
    if user.sees_all_clients:
        return found
    if not _decisions:
        return None
    of = None if reporting is None else frozenset(reporting)
    return _decisions[0](user, kind, value, members=found, reporting=of, metric=metric)
