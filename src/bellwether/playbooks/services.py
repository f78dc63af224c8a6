"""What staff do with playbooks: define, start, pause, resume, archive; enrol and cancel clients by hand.

Administrators and VPs define; whoever looks after clients enrols own ones. Every function leaves a line in the access
log. What waits for people (approving, completing, skipping) is in playbooks.handling.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Max, QuerySet
from django.http import Http404
from django.utils.text import slugify

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.playbooks.choices import EnrolmentState, PlaybookState
from bellwether.playbooks.definition import Definition
from bellwether.playbooks.definition_reading import definition_from_data
from bellwether.playbooks.models import Enrolment, Playbook, PlaybookVersion
from bellwether.portfolio.models import Client
from bellwether.staff.audit import record
from bellwether.staff.models import Role, StaffUser

DEFINERS = frozenset({Role.ADMIN, Role.VP_CLIENT_SUCCESS, Role.VP_SALES})
ACTORS = DEFINERS | {Role.CSM, Role.SENIOR_CSM}
RESERVED = frozenset({"new", "tasks", "templates"})
"""Words that stand in the addresses of pages where keys of playbooks do."""
WHY_NOT = "Only administrators and VPs define, start and stop playbooks."
WHY_NOT_ACT = "Account executives read what playbooks do; those who look after the client act."


def may_define(user: StaffUser) -> bool:
    """Return whether `user` may define, start, pause and archive playbooks and edit templates."""
    return user.is_active and user.role in DEFINERS


def may_act(user: StaffUser) -> bool:
    """Return whether `user` may enrol clients that it sees, approve messages to them and complete steps."""
    return user.is_active and user.role in ACTORS


def check_may_define(user: StaffUser | None) -> None:
    """Raise PermissionDenied unless `user` may define; None is the product itself (the command line)."""
    if user is not None and not may_define(user):
        raise PermissionDenied(WHY_NOT)


def check_may_act(user: StaffUser | None) -> None:
    """Raise PermissionDenied unless `user` may act for the clients that it sees; None is the product itself."""
    if user is not None and not may_act(user):
        raise PermissionDenied(WHY_NOT_ACT)


def find_playbook(key: str | UUID) -> Playbook:
    """Return the playbook with the key or id `key`, with its version and owner; Http404 if there is none."""
    rows = Playbook.objects.select_related("version", "owner")
    found = rows.filter(key=str(key)).first()
    as_id = _as_id(key)
    if found is None and as_id is not None:
        found = rows.filter(pk=as_id).first()
    if found is None:
        raise Http404("There is no such playbook.")
    return found


def _as_id(key: str | UUID) -> UUID | None:
    try:
        return key if isinstance(key, UUID) else UUID(key)
    except ValueError:
        return None


def definition_of(version: PlaybookVersion) -> Definition:
    """Return the checked definition of a stored version."""
    return definition_from_data(version.definition)


def create(
    *,
    name: str,
    definition: Definition,
    description: str = "",
    key: str = "",
    owner: StaffUser | None = None,
    note: str = "",
    from_preset: str = "",
    actor: StaffUser | None,
    now: datetime,
) -> Playbook:
    """Store a new playbook as a draft with its first version and return it. Nothing is sent before it is started.

    PermissionDenied for people who may not define; InvalidInputError for a name or key that is empty or taken.
    """
    check_may_define(actor)
    with transaction.atomic():
        _check_texts(name, description, None)
        taken = key and Playbook.objects.filter(key=key).exists()
        if taken:
            raise InvalidInputError(f"There is a playbook {key!r} already.", {"key": "Another playbook has this key."})
        playbook = Playbook.objects.create(
            key=key or _free_key(name),
            name=name.strip(),
            description=description.strip(),
            owner=owner if owner is not None else actor,
            from_preset=from_preset,
            created_by=actor,
            created_at=now,
            updated_at=now,
        )
        _add_version(playbook, definition, note=note, actor=actor, now=now)
        _log(actor, "playbook.created", playbook, now, {"name": playbook.name})
    return playbook


def save_version(
    playbook: Playbook, definition: Definition, *, note: str = "", actor: StaffUser | None, now: datetime
) -> tuple[PlaybookVersion, bool]:
    """Put a definition in force and return its version with whether it is new; the same as before makes none.

    Versions are never changed. Clients that are enrolled finish on the version that they were enrolled with. An older
    version comes back by saving its definition again.
    """
    check_may_define(actor)
    with transaction.atomic():
        locked = _locked(playbook)
        if locked.state == PlaybookState.ARCHIVED:
            raise ConflictError(f"{locked.name} is archived. Bring it back first.")
        if locked.version is not None and locked.version.digest == definition.digest:
            return locked.version, False
        version = _add_version(locked, definition, note=note, actor=actor, now=now)
        _log(actor, "playbook.version_saved", locked, now, {"number": version.number, "note": note})
    playbook.version = version
    return version, True


def describe(
    playbook: Playbook,
    *,
    name: str,
    description: str,
    owner: StaffUser | None,
    actor: StaffUser | None,
    now: datetime,
) -> Playbook:
    """Change name, description and owner, and return the playbook. These are no part of a version."""
    check_may_define(actor)
    with transaction.atomic():
        locked = _locked(playbook)
        _check_texts(name, description, locked)
        before = {"name": locked.name, "description": locked.description, "owner": str(locked.owner_id or "")}
        locked.name, locked.description, locked.owner = name.strip(), description.strip(), owner
        after = {"name": locked.name, "description": locked.description, "owner": str(locked.owner_id or "")}
        changed = {one: [before[one], after[one]] for one in before if before[one] != after[one]}
        if changed:
            locked.updated_at = now
            locked.save()
            _log(actor, "playbook.described", locked, now, changed)
    return locked


def start(playbook: Playbook, *, actor: StaffUser | None, now: datetime) -> Playbook:
    """Let a draft enrol and act from now on, and return it. A paused one goes on (`resume`).

    ConflictError for an archived one; InvalidInputError where its templates are missing.
    """
    check_may_define(actor)
    if playbook.state == PlaybookState.PAUSED:
        return resume(playbook, actor=actor, now=now)
    with transaction.atomic():
        locked = _locked(playbook)
        if locked.state == PlaybookState.RUNNING:
            return locked
        if locked.state == PlaybookState.ARCHIVED or locked.version is None:
            raise ConflictError(f"{locked.name} is archived. Bring it back first.")
        _check_templates(definition_of(locked.version))
        locked.started_at = locked.started_at or now
        return _to_state(locked, PlaybookState.RUNNING, "playbook.started", actor, now)


def pause(playbook: Playbook, *, actor: StaffUser | None, now: datetime) -> Playbook:
    """Stop enrolling and acting, and return the playbook. Clients stay enrolled; their waits stand still."""
    check_may_define(actor)
    with transaction.atomic():
        locked = _locked(playbook)
        if locked.state == PlaybookState.PAUSED:
            return locked
        if locked.state != PlaybookState.RUNNING:
            raise ConflictError(f"{locked.name} is not running.")
        locked.paused_at = now
        return _to_state(locked, PlaybookState.PAUSED, "playbook.paused", actor, now)


def resume(playbook: Playbook, *, actor: StaffUser | None, now: datetime) -> Playbook:
    """Let a paused playbook go on and return it: what was due in five days is due in five days from now."""
    check_may_define(actor)
    with transaction.atomic():
        locked = _locked(playbook)
        if locked.state == PlaybookState.RUNNING:
            return locked
        if locked.state != PlaybookState.PAUSED:
            raise ConflictError(f"{locked.name} is not paused.")
        if locked.paused_at is not None:
            stood_still = now - locked.paused_at
            under_way = locked.enrolments.filter(state=EnrolmentState.ACTIVE, next_at__isnull=False)
            under_way.filter(enrolled_at__lte=locked.paused_at).update(next_at=F("next_at") + stood_still)
        locked.paused_at = None
        return _to_state(locked, PlaybookState.RUNNING, "playbook.resumed", actor, now)


def archive(playbook: Playbook, *, actor: StaffUser | None, now: datetime) -> Playbook:
    """Put a playbook away and return it. Clients under way leave; what was done stays in the history."""
    from bellwether.playbooks.leaving import leave

    check_may_define(actor)
    with transaction.atomic():
        locked = _locked(playbook)
        if locked.state == PlaybookState.ARCHIVED:
            return locked
        for enrolment in locked.enrolments.filter(state=EnrolmentState.ACTIVE).select_related("client"):
            leave(enrolment, EnrolmentState.CANCELLED, "The playbook was archived.", now=now)
        locked.paused_at = None
        return _to_state(locked, PlaybookState.ARCHIVED, "playbook.archived", actor, now)


def restore(playbook: Playbook, *, actor: StaffUser | None, now: datetime) -> Playbook:
    """Bring an archived playbook back as a draft and return it; it does nothing before it is started."""
    check_may_define(actor)
    with transaction.atomic():
        locked = _locked(playbook)
        if locked.state != PlaybookState.ARCHIVED:
            return locked
        return _to_state(locked, PlaybookState.DRAFT, "playbook.restored", actor, now)


@dataclass(frozen=True)
class Enrolled:
    """What enrolling one client by hand did: the enrolment, or a sentence about why there is none."""

    client: Client
    enrolment: Enrolment | None
    reason: str = ""


def enrol_by_hand(
    playbook: Playbook, clients: Sequence[Client], *, actor: StaffUser | None, now: datetime
) -> list[Enrolled]:
    """Enrol `clients` (that `actor` may see) in a running playbook and return what came of each, in their order.

    The trigger need not be met and conditions are not asked; caps hold. Whoever somebody chose is treated, not drawn,
    and left out of the comparison of the arms. Twice on one day is once. ConflictError unless it runs.
    """
    from bellwether.playbooks.enrolling import enrol_clients

    check_may_act(actor)
    fresh = find_playbook(playbook.pk)
    if fresh.state != PlaybookState.RUNNING:
        raise ConflictError(f"{fresh.name} is not running; only running playbooks enrol.")
    made = [Enrolled(*found) for found in enrol_clients(fresh, clients, actor=actor, now=now)]
    detail = {"count": sum(one.enrolment is not None for one in made), "asked": len(made)}
    _log(actor, "playbook.enrolled", fresh, now, detail)
    return made


def cancel_enrolment(enrolment: Enrolment, *, actor: StaffUser | None, reason: str = "", now: datetime) -> Enrolment:
    """Take a client out of a playbook and return the enrolment; nothing more happens. It stays in its arm (intention to
    treat). One that has ended stays as it is."""
    from bellwether.playbooks.leaving import leave

    check_may_act(actor)
    with transaction.atomic():
        locked: Enrolment = Enrolment.objects.select_for_update().select_related("client").get(pk=enrolment.pk)
        if locked.state != EnrolmentState.ACTIVE:
            return locked
        leave(locked, EnrolmentState.CANCELLED, reason.strip()[:200] or "Taken out by hand.", now=now)
        record(
            actor=actor, action="enrolment.cancelled", object_type="enrolment", object_id=locked.pk,
            client_id=locked.client_id, detail={"reason": locked.end_reason}, now=now,
        )  # fmt: skip
    return locked


def _add_version(
    playbook: Playbook, definition: Definition, *, note: str, actor: StaffUser | None, now: datetime
) -> PlaybookVersion:
    last = playbook.versions.aggregate(last=Max("number"))["last"] or 0
    version = PlaybookVersion.objects.create(
        playbook=playbook,
        number=last + 1,
        definition=definition.as_data(),
        digest=definition.digest,
        note=" ".join(note.split())[:300],
        created_by=actor,
        created_at=now,
    )
    playbook.version, playbook.updated_at = version, now
    playbook.save(update_fields=["version", "updated_at"])
    return version


def _check_texts(name: str, description: str, playbook: Playbook | None) -> None:
    errors: dict[str, str] = {}
    if not 1 <= len(name.strip()) <= 120:
        errors["name"] = "Give 1 to 120 characters."
    elif _others(playbook).filter(name__iexact=name.strip()).exists():
        errors["name"] = "Another playbook has this name."
    if len(description) > 500:
        errors["description"] = "Give at most 500 characters."
    if errors:
        raise InvalidInputError("The playbook cannot be saved. " + " ".join(errors.values()), errors)


def _others(playbook: Playbook | None) -> QuerySet[Playbook]:
    rows = Playbook.objects.all()
    return rows.exclude(pk=playbook.pk) if playbook else rows


def _check_templates(definition: Definition) -> None:
    from bellwether.playbooks.templates import missing_templates

    wrong = missing_templates(definition)
    if wrong:
        errors = {f"steps[{place}].template": f"There is no template {key!r}." for place, key in wrong.items()}
        raise InvalidInputError("The playbook cannot start. " + " ".join(errors.values()), errors)


def _to_state(
    playbook: Playbook, state: PlaybookState, action: str, actor: StaffUser | None, now: datetime
) -> Playbook:
    before, playbook.state, playbook.updated_at = playbook.state, state, now
    playbook.save(update_fields=["state", "updated_at", "started_at", "paused_at"])
    _log(actor, action, playbook, now, {"state": [str(before), str(state)]})
    return playbook


def _locked(playbook: Playbook) -> Playbook:
    found: Playbook = Playbook.objects.select_for_update(of=("self",)).select_related("version").get(pk=playbook.pk)
    return found


def _free_key(name: str) -> str:
    base = slugify(name)[:50] or "playbook"
    taken = {*RESERVED, *Playbook.objects.filter(key__startswith=base).values_list("key", flat=True)}
    return next(key for key in (base, *(f"{base}-{n}" for n in range(2, 10_000))) if key not in taken)


def _log(actor: StaffUser | None, action: str, playbook: Playbook, now: datetime, detail: dict[str, Any]) -> None:
    record(actor=actor, action=action, object_type="playbook", object_id=playbook.pk, detail=detail, now=now)
