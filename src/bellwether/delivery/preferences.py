"""Keeping how people want to be told: each person's own choice, and what holds for who made none."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from bellwether.delivery.models import DeliveryDefaults
from bellwether.delivery.planning import PREFERENCE, Preferences, with_preferences
from bellwether.staff import audit
from bellwether.staff.models import StaffUser


def save_preferences(user: StaffUser, wanted: Preferences | None, *, now: datetime) -> bool:
    """Keep what `user` wants, None for "as the workspace", and return whether that changed; other preferences stay."""
    with transaction.atomic():
        locked = StaffUser.objects.select_for_update().get(pk=user.pk)
        kept = _with(locked.preferences, wanted)
        if kept == locked.preferences:
            return False
        locked.preferences = kept
        locked.save(update_fields=["preferences", "updated_at"])
        audit.record(actor=user, action="staff.delivery", object_type="staff", object_id=user.pk, now=now)
    user.preferences = kept
    return True


def save_workspace_preferences(wanted: Preferences | None, *, actor: StaffUser, now: datetime) -> bool:
    """Keep what holds for who said nothing, None for what the product comes with; return whether that changed."""
    with transaction.atomic():
        row = DeliveryDefaults.objects.select_for_update().filter(pk=1).first()
        before = row.preferences if row else {}
        kept = _with(before, wanted)
        if kept == before:
            return False
        values = {"preferences": kept, "updated_at": now, "updated_by": actor}
        DeliveryDefaults.objects.update_or_create(pk=1, defaults=values)
        audit.record(actor=actor, action="delivery.defaults", object_type="workspace", detail=kept, now=now)
    return True


def has_own(user: StaffUser) -> bool:
    """Return whether a person has said anything about delivery."""
    return PREFERENCE in user.preferences


def _with(kept: Mapping[str, Any], wanted: Preferences | None) -> dict[str, Any]:
    if wanted is None:
        return {name: value for name, value in kept.items() if name != PREFERENCE}
    return with_preferences(kept, wanted)
