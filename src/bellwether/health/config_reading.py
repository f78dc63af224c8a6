"""The versions of a scorecard for those who may see them."""

from dataclasses import dataclass
from datetime import datetime

from bellwether.health.config_scopes import Scope, scope_of
from bellwether.health.configs import timeline
from bellwether.health.models import HealthScoreConfig
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser


@dataclass(frozen=True)
class ConfigVersion:
    """A version. `active`: in force now; `draft`: never was; `activated_at`: when it last came into force."""

    row: HealthScoreConfig
    scope: Scope
    active: bool
    draft: bool
    activated_at: datetime | None


def versions(scorecard: str, *, user: StaffUser | None = None, now: datetime) -> list[ConfigVersion]:
    """Return the versions of `scorecard`, newest first, in four queries.

    Versions for one client only where `user` sees that client; without a user all of them. Raises InvalidInputError for
    an unknown scorecard.
    """
    line = timeline(scorecard, now=now)
    rows = list(
        HealthScoreConfig.objects.filter(scorecard=scorecard)
        .select_related("applies_to_client", "created_by", "previous_version")
        .order_by("-version")
    )
    own = {row.applies_to_client_id for row in rows if row.applies_to_client_id}
    if own and user is not None:
        seen = set(Client.objects.visible_to(user).filter(pk__in=own).values_list("pk", flat=True))
        rows = [row for row in rows if row.applies_to_client_id is None or row.applies_to_client_id in seen]
    active = {config.config_id for config in line.now().by_version.values()}
    activated = {given.config_id: given.activated_at for activations in line.by_scope.values() for given in activations}
    return [
        ConfigVersion(row, scope_of(row), row.pk in active, row.pk not in activated, activated.get(row.pk))
        for row in rows
    ]
