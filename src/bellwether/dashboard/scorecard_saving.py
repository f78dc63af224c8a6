"""Saving a draft as a version and bringing versions into force: what the page of the health score asks for."""

from datetime import datetime
from uuid import UUID

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.dashboard.scorecard_state import State
from bellwether.health.config_scopes import scope_of
from bellwether.health.models import HealthScoreConfig
from bellwether.health.simulations import Draft
from bellwether.staff.models import StaffUser


def save_draft(draft: Draft, state: State, *, actor: StaffUser, reason: str, now: datetime) -> HealthScoreConfig:
    """Return the draft saved as a new version that is not in force; the version that it starts from if it is that."""
    raise NotImplementedError
