"""Changes of a client's own record as entries: who changed which field from what to what (django-auditlog)."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet

from bellwether.common.time import day_of
from bellwether.portfolio.models import Client
from bellwether.portfolio.search_words import found_in
from bellwether.portfolio.timeline import Entry, Group
from bellwether.portfolio.timeline_stream import Asked, Made, ManyRows
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import DASH, moment, money

LABELS = {
    "name": "Name",
    "csm_user": "CSM",
    "ae_user": "Account executive",
    "contract_tier": "Tier",
    "annual_recurring_revenue": "ARR",
    "tags": "Tags",
    "segment": "Segment",
    "industry": "Industry",
    "region": "Region",
    "next_renewal_date": "Renewal date",
    "contract_start_date": "Contract start",
    "contract_end_date": "Contract end",
    "licensed_user_count": "Seats",
    "licensed_modules": "Modules",
    "payment_status": "Payment",
    "renewal_probability": "Renewal probability",
    "auto_renew": "Automatic renewal",
    "alert_level": "Alerts",
    "go_live_date": "Go-live",
    "employee_count": "Employees",
    "archived_at": "Archived",
}
MOST_READ = 500
"""How many of the newest changes of a record a search looks in."""
PEOPLE = frozenset({"csm_user", "ae_user"})
CHOICES = ("contract_tier", "alert_level", "payment_status")


def _changes(asked: Asked) -> QuerySet[Any] | None:
    if asked.person is not None and asked.person.who == "contact":
        return None
    kind = ContentType.objects.get_for_model(Client)
    rows: QuerySet[Any] = LogEntry.objects.filter(
        content_type=kind, object_pk=str(asked.client.pk), action=LogEntry.Action.UPDATE
    ).select_related("actor")
    if asked.person is not None:
        rows = rows.filter(actor_id=asked.person.id)
    if asked.words:
        # What is shown is made of names and words that the log does not hold: read and put into words, then looked in.
        made = _show(list(rows.order_by("-timestamp")[:MOST_READ]), asked)
        fitting = [one.object_id for one in made if found_in(_said(one), asked.words)]
        rows = rows.filter(pk__in=fitting)
    return rows


def _said(made: Made) -> str:
    return " ".join((made.entry.title, made.entry.detail, made.by, *(text for _, text in made.details)))


def _show(rows: list[Any], asked: Asked) -> list[Made]:
    people = _people(rows)
    return [_made(row, people, asked) for row in rows]


def _made(row: Any, people: Mapping[str, str], asked: Asked) -> Made:
    lines = [line for name, change in (row.changes or {}).items() if (line := _line(name, change, people))]
    by = row.actor.name if row.actor else ""
    first = lines[0] if lines else ("Record", "changed")
    title = f"{first[0]} changed" if len(lines) <= 1 else f"{len(lines)} fields of the record changed"
    shown = first[1] if len(lines) <= 1 else "; ".join(f"{label}: {text}" for label, text in lines[:3])
    entry = Entry(
        key=f"change-{row.pk}",
        on=day_of(row.timestamp, asked.zone),
        group=Group.OTHER,
        icon="user-round-pen" if first[0] in {"CSM", "Account executive"} else "pencil",
        title=title,
        detail=shown,
    )
    when = ("When", moment(row.timestamp, asked.now, asked.zone))
    return Made(entry, (when, ("By", by or "The product"), *lines), object_id=str(row.pk), by=by)


def _line(name: str, change: Any, people: Mapping[str, str]) -> tuple[str, str] | None:
    """Return (label, "before to after") of a changed field; a field of the product's own gets its name in words."""
    label = LABELS.get(name) or name.replace("_", " ").capitalize()
    if isinstance(change, Mapping):
        objects = ", ".join(str(one) for one in change.get("objects", ()))
        return (label, f"{'added' if change.get('operation') == 'add' else 'removed'} {objects}") if objects else None
    if not isinstance(change, list) or len(change) != 2:
        return None
    before, after = (_value(name, value, people) for value in change)
    return None if before == after else (label, f"{before} to {after}")


def _value(name: str, value: Any, people: Mapping[str, str]) -> str:
    if value in (None, "", "None"):
        return DASH
    if name in PEOPLE:
        return people.get(str(value), "somebody who is gone")
    if name == "annual_recurring_revenue":
        return money(float(value))
    if name in CHOICES:
        field: Any = Client._meta.get_field(name)
        return str(dict(field.flatchoices).get(value, value))
    return {"True": "yes", "False": "no"}.get(str(value), str(value))


def _people(rows: Iterable[Any]) -> dict[str, str]:
    """Return the names of the staff that changes name by id, in at most one query."""
    ids = set()
    for row in rows:
        for name in PEOPLE:
            for value in (row.changes or {}).get(name, ()):
                try:
                    ids.add(UUID(str(value)))
                except ValueError:
                    continue
    found = StaffUser.objects.filter(pk__in=ids) if ids else StaffUser.objects.none()
    return {str(user.pk): user.name for user in found}


CHANGES = ManyRows("change", "change", "timestamp", _changes, _show, pk_of=int, pk_text=lambda pk: f"{pk:020d}")
