"""Saved groups: made, changed, shared, archived and had back by their owner; shared ones are read by everybody."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404

from bellwether.benchmarks.cohorts import read_filters
from bellwether.benchmarks.models import Cohort
from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.text import storable_text
from bellwether.staff.audit import record
from bellwether.staff.models import StaffUser

LONGEST_NAME = 80


def visible_cohorts(user: StaffUser, *, archived: bool = False) -> QuerySet[Cohort]:
    """Return the groups of `user` and those that others share, by name; with `archived` also the own archived ones."""
    found = Cohort.objects.select_related("owner").filter(Q(owner=user) | Q(is_shared=True, archived_at__isnull=True))
    return found if archived else found.filter(archived_at__isnull=True)


def visible_cohort(user: StaffUser, cohort_id: UUID) -> Cohort:
    """Return the group if `user` may see it; Http404 otherwise."""
    found = visible_cohorts(user, archived=True).filter(pk=cohort_id).first()
    if found is None:
        raise Http404
    return found


def own_cohort(user: StaffUser, cohort_id: UUID) -> Cohort:
    """Return the group if it belongs to `user`; Http404 otherwise."""
    found = Cohort.objects.select_related("owner").filter(pk=cohort_id, owner=user).first()
    if found is None:
        raise Http404
    return found


def save_cohort(
    user: StaffUser, name: str, filters: Mapping[str, Any], *, shared: bool, now: datetime, row: Cohort | None = None
) -> Cohort:
    """Make a group, or change `row`, and return it.

    Raises InvalidInputError that names the field, ConflictError where the owner has another group of the name.
    """
    words = " ".join(storable_text(name, 500).split())
    if not words or len(words) > LONGEST_NAME:
        sentence = f"Give the group a name of at most {LONGEST_NAME} characters."
        raise InvalidInputError(sentence, {"name": sentence})
    stored = read_filters(filters).as_json()
    if row is not None and row.archived_at is not None:
        raise ConflictError(f"The group {row.name} is archived; restore it first.")
    _name_is_free(user, words, row)
    with transaction.atomic():
        action = "cohort.create" if row is None else "cohort.change"
        row = row or Cohort(owner=user, created_at=now)
        row.name, row.filters, row.is_shared, row.updated_at = words, stored, shared, now
        row.save()
        _note(user, action, row, now, name=words, filters=stored, shared=shared)
    return row


def archive_cohort(user: StaffUser, row: Cohort, *, archived: bool, now: datetime) -> Cohort:
    """Archive the group or have it back, and return it; doing it again changes nothing."""
    if (row.archived_at is not None) == archived:
        return row
    if not archived:
        _name_is_free(user, row.name, row)
    with transaction.atomic():
        row.archived_at, row.updated_at = (now if archived else None), now
        row.save(update_fields=["archived_at", "updated_at"])
        _note(user, "cohort.archive" if archived else "cohort.restore", row, now)
    return row


def _name_is_free(user: StaffUser, name: str, row: Cohort | None) -> None:
    same = Cohort.objects.filter(owner=user, name=name, archived_at__isnull=True)
    if row is not None:
        same = same.exclude(pk=row.pk)
    if same.exists():
        raise ConflictError(f"You have a group named {name} already; choose another name.")


def _note(user: StaffUser, action: str, row: Cohort, now: datetime, **detail: object) -> None:
    record(actor=user, action=action, object_type="cohort", object_id=row.pk, detail=detail, now=now)
