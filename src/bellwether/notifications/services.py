"""Telling people: once each, in batches.

    notify([user], kind="milestone", key=f"{client.pk}:first_login", title="…", href="…", client=client, now=now)

Whom to tell is the caller's matter; what is about a client is only shown to people who see it when they look.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from bellwether.common.text import storable_text
from bellwether.notifications.kinds import KINDS, turned_off, with_off
from bellwether.notifications.models import Notification
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser

BATCH = 500


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One notification to be. `kind` is a key of KINDS, `key` its natural key among that person's of the kind (at most
    200 characters), `href` an address of this site or empty."""

    user_id: UUID
    kind: str
    key: str
    title: str
    text: str = ""
    href: str = ""
    client_id: UUID | None = None


def notify(
    users: Iterable[StaffUser],
    *,
    kind: str,
    key: str,
    title: str,
    text: str = "",
    href: str = "",
    client: Client | None = None,
    now: datetime,
) -> int:
    """Tell `users` the same thing and return how many were told; see `notify_all`."""
    client_id = client.pk if client else None
    drafts = [
        Draft(user_id=user.pk, kind=kind, key=key, title=title, text=text, href=href, client_id=client_id)
        for user in users
    ]
    return notify_all(drafts, now=now)


def notify_all(drafts: Sequence[Draft], *, now: datetime) -> int:
    """Store what is new of `drafts` and return how much that is; a fixed number of queries for each 500.

    Nobody is told the same kind and key twice, even after reading or archiving it. Inactive people and those who turned
    the kind off are told nothing. Raises ValueError for an unknown kind, a key that is empty or too long, and an
    address elsewhere.
    """
    for draft in drafts:
        _check(draft)
    different = list({(draft.user_id, draft.kind, draft.key): draft for draft in drafts}.values())
    starts = range(0, len(different), BATCH)
    return sum(_store(different[start : start + BATCH], now) for start in starts)


def _store(drafts: Sequence[Draft], now: datetime) -> int:
    ids = {draft.user_id for draft in drafts}
    people = StaffUser.objects.filter(pk__in=ids, is_active=True).values_list("pk", "preferences")
    off = {pk: turned_off(preferences) for pk, preferences in people}
    wanted = [draft for draft in drafts if draft.user_id in off and draft.kind not in off[draft.user_id]]
    if not wanted:
        return 0
    with transaction.atomic():
        told = Notification.objects.filter(
            user_id__in=off, kind__in={draft.kind for draft in drafts}, key__in={draft.key for draft in drafts}
        )
        known = set(told.values_list("user_id", "kind", "key"))
        new = [_row(draft, now) for draft in wanted if (draft.user_id, draft.kind, draft.key) not in known]
        Notification.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def _row(draft: Draft, now: datetime) -> Notification:
    return Notification(
        user_id=draft.user_id,
        kind=draft.kind,
        key=draft.key,
        title=storable_text(draft.title, 200),
        text=storable_text(draft.text, 500),
        href=draft.href,
        client_id=draft.client_id,
        created_at=now,
    )


def _check(draft: Draft) -> None:
    if draft.kind not in KINDS:
        raise ValueError(f"There is no kind of notification {draft.kind!r}; there are {', '.join(KINDS)}.")
    if not draft.key or len(draft.key) > 200:
        raise ValueError(f"The key of a notification has 1 to 200 characters, not {len(draft.key)}.")
    if draft.href and (not draft.href.startswith("/") or draft.href.startswith("//") or len(draft.href) > 500):
        raise ValueError(f"{draft.href!r} is no address of this site.")


def mark_read(user: StaffUser, notification: Notification, *, read: bool, now: datetime) -> None:
    """Mark one as read or unread; doing it again changes nothing, the first reading counts."""
    mine = Notification.objects.filter(pk=notification.pk, user=user)
    if read:
        mine.filter(read_at__isnull=True).update(read_at=now)
    else:
        mine.update(read_at=None)


def mark_all_read(user: StaffUser, *, kind: str = "", now: datetime) -> int:
    """Mark all that wait for `user`, of one kind or of all, as read and return how many that were."""
    waiting = Notification.objects.visible_to(user).unread()
    return Notification.objects.filter(
        pk__in=(waiting.filter(kind=kind) if kind else waiting).order_by().values("pk")
    ).update(read_at=now)


def archive(user: StaffUser, notification: Notification, *, archived: bool, now: datetime) -> None:
    """Put one away, or back; what is put away counts as read."""
    mine = Notification.objects.filter(pk=notification.pk, user=user)
    if archived:
        mine.filter(read_at__isnull=True).update(read_at=now)
        mine.filter(archived_at__isnull=True).update(archived_at=now)
    else:
        mine.update(archived_at=None)


def save_choice(user: StaffUser, wanted: Iterable[str]) -> bool:
    """Keep which kinds `user` wants to be told about and return whether that changed; other preferences stay."""
    with transaction.atomic():
        locked = StaffUser.objects.select_for_update().get(pk=user.pk)
        before = turned_off(locked.preferences)
        kept = with_off(locked.preferences, KINDS.keys() - set(wanted))
        if turned_off(kept) == before:
            return False
        locked.preferences = kept
        locked.save(update_fields=["preferences", "updated_at"])
    return True
