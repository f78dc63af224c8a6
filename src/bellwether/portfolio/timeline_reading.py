"""The stream of a client as page, API and files read it: what was asked, silences in between, what is still to come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from bellwether.common.errors import InvalidInputError
from bellwether.common.time import day_of
from bellwether.portfolio.choices import ActivityType
from bellwether.portfolio.contacting import activity_label
from bellwether.portfolio.models import Activity, Client, Contact, Note
from bellwether.portfolio.search_words import words_of
from bellwether.portfolio.timeline import Entry, Group, silences
from bellwether.portfolio.timeline_stream import KINDS, Asked, Item, Person, Place, place_of
from bellwether.portfolio.timeline_words import ICONS
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import day, days_ago, moment

SILENCE = "silence"
WITHOUT_TIME = frozenset({"score", "configuration", "contract", "milestone", SILENCE})
"""Kinds whose entries are about a day, not an instant of it."""
MOST_TO_COME = 8


def asked_of(
    client: Client,
    user: StaffUser,
    *,
    now: datetime,
    zone: ZoneInfo,
    kinds: Sequence[str] = (),
    search: str = "",
    person: str = "",
    first: str = "",
    last: str = "",
    cursor: str = "",
    limit: int = 50,
    names: Mapping[str, str] | None = None,
) -> Asked:
    """Return what texts ask of the stream. `names` are what the caller calls the fields, for errors.

    Raises InvalidInputError that names every field that cannot be used.
    """
    called = {"kinds": "type", "person": "person", "first": "from", "last": "to", "cursor": "cursor", **(names or {})}
    errors: dict[str, str] = {}
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        errors[called["kinds"]] = f"{unknown[0]!r} is not known. Use any of {', '.join(KINDS)}."
    days: dict[str, date | None] = {"first": None, "last": None}
    for field, text in (("first", first), ("last", last)):
        try:
            days[field] = date.fromisoformat(text) if text else None
        except ValueError:
            errors[called[field]] = "Write a day as 2026-02-28."
    if days["first"] and days["last"] and days["first"] > days["last"]:
        errors[called["first"]] = "The first day is after the last one."
    who, before = None, None
    if person:
        try:
            who = _person(person)
        except ValueError:
            errors[called["person"]] = "Write staff: or contact: and an id."
    if cursor:
        try:
            before = place_of(cursor)
        except InvalidInputError as error:
            errors[called["cursor"]] = next(iter(error.errors.values()))
    if errors:
        raise InvalidInputError("The timeline cannot be shown: " + " ".join(errors.values()), errors)
    return Asked(
        client,
        user,
        now,
        zone,
        kinds=frozenset(kinds),
        words=words_of(search),
        person=who,
        first=days["first"],
        last=days["last"],
        before=before,
        limit=limit,
    )


def _person(text: str) -> Person:
    who, _, identity = text.partition(":")
    if who not in {"staff", "contact"}:
        raise ValueError(text)
    return Person(who, UUID(identity))


def with_silences(asked: Asked, items: Sequence[Item]) -> list[Item]:
    """Return the items with the silences between contacts, each below the contact that ended it; the current one comes
    first on the first page. At most two queries.

    They stand only where all contacts do: not in what was searched for or narrowed to a person or to other kinds.
    """
    if asked.words or asked.person or (asked.kinds and "activity" not in asked.kinds):
        return list(items)
    contacts = [item for item in items if item.entry.is_contact]
    on_top: list[Item] = []
    if asked.before is None and asked.last is None:
        on_top = _current(asked, contacts)
    if not contacts:
        return [*on_top, *items]
    before = _last_contact(asked, contacts[-1].place.at)
    entries = [item.entry for item in contacts] + ([_contact(before, asked.zone)] if before else [])
    below = {entry.on: entry for entry in silences(entries, today=asked.today) if not entry.status}
    found: list[Item] = []
    oldest_of_day = {item.entry.on: item.place for item in contacts}
    for item in items:
        found.append(item)
        on = item.entry.on
        if on in below and oldest_of_day.get(on) == item.place:
            found.append(_silence(below.pop(on), item.place))
    return [*on_top, *found]


def _current(asked: Asked, contacts: Sequence[Item]) -> list[Item]:
    """Return how long there has been no contact, up to today or the day on which the client was archived."""
    until = asked.today
    if asked.client.archived_at is not None:
        until = min(until, day_of(asked.client.archived_at, asked.zone))
    newest = contacts[0].place.at if contacts else _last_contact(asked, asked.now)
    if newest is None:
        return []
    found = [one for one in silences([_contact(newest, asked.zone)], today=until) if one.status]
    return [_silence(found[0], Place(asked.now, SILENCE, "now"))] if found else []


def silence_days(asked: Asked) -> int | None:
    """Return for how many days there has been no contact with the client, None where there never was one."""
    newest = _last_contact(asked, asked.now)
    return None if newest is None else (asked.today - day_of(newest, asked.zone)).days


def _last_contact(asked: Asked, before: datetime) -> datetime | None:
    """Return when the newest contact before `before` was."""
    held = Activity.objects.filter(
        client=asked.client, archived_at__isnull=True, completed_at__isnull=False, occurred_at__lt=before
    ).exclude(activity_type=ActivityType.INTERNAL_DISCUSSION)
    found: datetime | None = held.order_by("-occurred_at").values_list("occurred_at", flat=True).first()
    return found


def _contact(at: datetime, zone: ZoneInfo) -> Entry:
    on = day_of(at, zone)
    return Entry(key="", on=on, group=Group.ACTIVITIES, icon="", title="", is_contact=True)


def _silence(entry: Entry, place: Place) -> Item:
    return Item(Place(place.at, SILENCE, entry.key), SILENCE, entry)


@dataclass(frozen=True)
class ToCome:
    """Something that is planned or due: `what` and when, `late` where that is past. `activity_id` where it is one."""

    icon: str
    what: str
    when: str
    on: date
    late: bool = False
    activity_id: UUID | None = None


def to_come(client: Client, *, now: datetime, zone: ZoneInfo) -> list[ToCome]:
    """Return planned activities, open follow-ups and the renewal, soonest first, at most MOST_TO_COME; two queries."""
    today = day_of(now, zone)
    own = Activity.objects.filter(client=client, archived_at__isnull=True)
    planned = own.filter(completed_at__isnull=True, occurred_at__gt=now).order_by("occurred_at")
    found = [
        ToCome(
            ICONS.get(one.activity_type, "circle-dot"),
            _about(one),
            moment(one.occurred_at, now, zone),
            day_of(one.occurred_at, zone),
            activity_id=one.pk,
        )
        for one in planned[:MOST_TO_COME]
    ]
    due = own.filter(follow_up_required=True, follow_up_completed_at__isnull=True, follow_up_date__isnull=False)
    for one in due.order_by("follow_up_date")[:MOST_TO_COME]:
        on = one.follow_up_date or today
        what = f"Follow-up: {one.follow_up_text or one.subject}"
        found.append(ToCome("bell-ring", what, _due(on, today), on, on < today, one.pk))
    renewal = client.next_renewal_date
    if renewal and renewal >= today and client.archived_at is None:
        found.append(ToCome("file-text", "Renewal", _due(renewal, today), renewal))
    return sorted(found, key=lambda one: (one.on, one.what))[:MOST_TO_COME]


def _about(activity: Activity) -> str:
    label = activity_label(activity)
    return label if activity.subject.strip().lower() in {"", label.lower()} else f"{label}: {activity.subject}"


def _due(on: date, today: date) -> str:
    return f"{day(on, today)}, {days_ago((today - on).days)}"


def people_of(client: Client, user: StaffUser) -> list[tuple[str, str, str]]:
    """Return (value, name, group) of whom the stream can be narrowed to: staff who did something, and contacts."""
    done = Activity.objects.filter(client=client, archived_at__isnull=True, performed_by__isnull=False)
    notes = Note.objects.visible_to(user).filter(client=client, archived_at__isnull=True)
    ids = set(done.order_by().values_list("performed_by", flat=True).distinct())
    ids |= set(notes.order_by().values_list("created_by", flat=True).distinct())
    staff = StaffUser.objects.filter(pk__in=ids).order_by("first_name", "last_name")
    contacts = Contact.objects.filter(client=client, archived_at__isnull=True).order_by("name")[:200]
    return [(f"staff:{one.pk}", one.name, "Staff") for one in staff] + [
        (f"contact:{one.pk}", one.name, "Contacts") for one in contacts
    ]
