"""Changes that staff make to a client: tags, segment, who looks after it, and how it is watched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from django.db import transaction

from bellwether.common.errors import BellwetherError, ConflictError, InvalidInputError
from bellwether.portfolio.choices import AlertLevel
from bellwether.portfolio.models import Client, Tag
from bellwether.portfolio.telling import tell_changed
from bellwether.staff.audit import record
from bellwether.staff.models import Role, StaffUser

ASSIGN_CSM = frozenset({Role.SENIOR_CSM, Role.VP_CLIENT_SUCCESS, Role.ADMIN})
ASSIGN_AE = frozenset({Role.VP_CLIENT_SUCCESS, Role.VP_SALES, Role.ADMIN})
CSM_ROLES = frozenset({Role.CSM, Role.SENIOR_CSM})


class Unset(Enum):
    """Says that a field is left as it is."""

    UNSET = 0


UNSET = Unset.UNSET


class NotAllowedError(BellwetherError):
    """The role of the user does not allow this change."""


@dataclass(frozen=True, kw_only=True)
class ClientChange:
    """What to change; None takes a person away, UNSET leaves the field alone."""

    tags: Sequence[str] | Unset = UNSET
    segment: str | Unset = UNSET
    csm_id: UUID | Unset | None = UNSET
    ae_id: UUID | Unset | None = UNSET
    alert_level: AlertLevel | Unset = UNSET


def change_client(client: Client, change: ClientChange, *, actor: StaffUser, now: datetime) -> Client:
    """Return the client, changed in one transaction with its line in the access log (old and new values).

    `client` is one that `actor` may see. Tags, segment and alert level may be changed by everybody who sees
    it; the CSM by senior CSMs (within their team), VP client success and administrators; the AE by the VPs and
    administrators.
    Raises NotAllowedError, InvalidInputError naming the field, or ConflictError for an archived client.
    """
    with transaction.atomic():
        locked: Client = Client.objects.select_for_update().get(pk=client.pk)
        if locked.archived_at is not None:
            raise ConflictError(f"{locked.name} is archived; archived clients are not changed.")
        changed: dict[str, Any] = {}
        if change.csm_id is not UNSET and change.csm_id != locked.csm_user_id:
            check_csm(actor, change.csm_id)
            changed["csm_id"] = [locked.csm_user_id, change.csm_id]
            locked.csm_user_id = change.csm_id
        if change.ae_id is not UNSET and change.ae_id != locked.ae_user_id:
            check_ae(actor, change.ae_id)
            changed["ae_id"] = [locked.ae_user_id, change.ae_id]
            locked.ae_user_id = change.ae_id
        if change.alert_level is not UNSET and change.alert_level != locked.alert_level:
            changed["alert_level"] = [locked.alert_level, str(change.alert_level)]
            locked.alert_level = change.alert_level
        if change.segment is not UNSET and change.segment != locked.segment:
            changed["segment"] = [locked.segment, change.segment]
            locked.segment = change.segment
        if change.tags is not UNSET:
            before, after = sorted(tag.name for tag in locked.tags.all()), sorted(set(change.tags))
            if before != after:
                changed["tags"] = [before, after]
                Tag.objects.bulk_create([Tag(name=name) for name in after], ignore_conflicts=True)
                locked.tags.set(Tag.objects.filter(name__in=after))
        if changed:
            locked.save()
            tell_changed(locked, changed, now=now)
            record(
                actor=actor,
                action="client.changed",
                object_type="client",
                object_id=locked.pk,
                client_id=locked.pk,
                detail=changed,
                now=now,
            )
    return locked


def check_csm(actor: StaffUser, csm_id: UUID | None) -> None:
    """Raise NotAllowedError or InvalidInputError unless `actor` may make this person the CSM of clients."""
    if actor.role not in ASSIGN_CSM:
        raise NotAllowedError("Only senior CSMs, the VP client success and administrators assign a CSM.")
    person = _person("csm_id", csm_id, CSM_ROLES, "a CSM")
    if actor.role != Role.SENIOR_CSM or person is None or person == actor:
        return
    if actor.team_id is None or person.team_id != actor.team_id:
        raise NotAllowedError("A senior CSM assigns clients within the own team.")


def check_ae(actor: StaffUser, ae_id: UUID | None) -> None:
    """Raise NotAllowedError or InvalidInputError unless `actor` may make this person the account executive."""
    if actor.role not in ASSIGN_AE:
        raise NotAllowedError("Only the VPs and administrators assign an account executive.")
    _person("ae_id", ae_id, frozenset({Role.AE}), "an account executive")


def _person(field: str, user_id: UUID | None, roles: frozenset[Role], what: str) -> StaffUser | None:
    if user_id is None:
        return None
    person = StaffUser.objects.filter(pk=user_id, is_active=True, role__in=roles).first()
    if person is None:
        sentence = f"Nobody active with this id is {what}."
        raise InvalidInputError(f"The client cannot be assigned. {sentence}", {field: sentence})
    return person
