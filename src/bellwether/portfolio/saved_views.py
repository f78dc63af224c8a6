"""Saved views of the portfolio: filters, order and columns under a name, of one's own or shared with everybody.

A shared view shows each reader only the clients that this reader may see. Every write is a change that can be undone.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from django.core.cache import caches
from django.db.models import Count, Q
from django.shortcuts import get_object_or_404

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.text import storable_text
from bellwether.portfolio.changes import changing
from bellwether.portfolio.client_changes import NotAllowedError
from bellwether.portfolio.list_words import query_of
from bellwether.portfolio.listing import ClientQuery, check, condition
from bellwether.portfolio.models import Change, Client, SavedView
from bellwether.portfolio.preferences import Kept, preferences_of, remember
from bellwether.staff.models import Role, StaffUser

SHARERS = frozenset({Role.SENIOR_CSM, Role.VP_CLIENT_SUCCESS, Role.VP_SALES, Role.ADMIN})
MOST_OWN = 50
MOST_COUNTED = 20
LONGEST_NAME = 80
COUNTS_KEPT_SECONDS = 30


def views_of(user: StaffUser) -> list[SavedView]:
    """Return the reader's own views and those shared with everybody, in the reader's order; one query.

    Views that the reader has not ordered come last: own ones first, then by name.
    """
    found = SavedView.objects.filter(Q(owner=user) | Q(is_shared=True), archived_at__isnull=True)
    places = {str(pk): place for place, pk in enumerate(preferences_of(user).get("views", []))}

    def place(view: SavedView) -> tuple[int, bool, str]:
        return places.get(str(view.pk), len(places)), view.owner_id != user.pk, view.name.casefold()

    return sorted(found, key=place)


def find_view(user: StaffUser, view_id: UUID) -> SavedView:
    """Return a view that `user` may use; Http404 for another's own, an archived or an unknown one."""
    found: SavedView = get_object_or_404(
        SavedView, Q(owner=user) | Q(is_shared=True), pk=view_id, archived_at__isnull=True
    )
    return found


def may_share(user: StaffUser) -> bool:
    """Return whether the user's views may be shared with everybody."""
    return user.role in SHARERS


def may_change(user: StaffUser, view: SavedView) -> bool:
    """Return whether `user` may rename, share or delete the view: its owner, and administrators a shared one."""
    return view.owner_id == user.pk or (view.is_shared and user.role == Role.ADMIN)


def query_of_view(view: SavedView) -> ClientQuery:
    """Return what the view asks for; filters that can no longer be used are left out."""
    query = query_of(view.query)
    try:
        check(query)
    except InvalidInputError:
        return ClientQuery()
    return query


def view_counts(user: StaffUser, views: Sequence[SavedView], today: date) -> dict[UUID, int]:
    """Return how many of the reader's clients each view holds, all in one query kept for COUNTS_KEPT_SECONDS.

    Of many views only the first MOST_COUNTED are counted.
    """
    counted = list(views)[:MOST_COUNTED]
    if not counted:
        return {}
    stamps = ",".join(f"{view.pk}{view.updated_at.timestamp():.3f}" for view in counted)
    key = f"view-counts:{user.pk}:{user.role}:{user.team_id}:{today}:{hash(stamps)}"
    kept: dict[UUID, int] | None = caches["memory"].get(key)
    if kept is None:
        conditions = {f"view_{n}": condition(user, query_of_view(view), today) for n, view in enumerate(counted)}
        aggregates = {name: Count("pk", filter=found) if found else Count("pk") for name, found in conditions.items()}
        counts = Client.objects.visible_to(user).active().aggregate(**aggregates)
        kept = {view.pk: counts[f"view_{n}"] for n, view in enumerate(counted)}
        caches["memory"].set(key, kept, COUNTS_KEPT_SECONDS)
    return kept


def save_view(
    user: StaffUser,
    *,
    name: str,
    query: Mapping[str, str],
    columns: Sequence[str] = (),
    shared: bool = False,
    today: date,
    now: datetime,
) -> tuple[SavedView, Change | None]:
    """Store a new view of `user` and return it with the change that undoes it.

    Raises InvalidInputError naming the field, or NotAllowedError for a role that may not share.
    """
    wanted = _checked_name(user, name, None)
    _check_sharing(user, shared)
    if SavedView.objects.filter(owner=user, archived_at__isnull=True).count() >= MOST_OWN:
        sentence = f"Nobody keeps more than {MOST_OWN} views. Delete one that you no longer use."
        raise InvalidInputError(sentence, {"name": sentence})
    view = SavedView(owner=user, name=wanted, query=dict(query), columns=list(columns), is_shared=shared)
    with changing(user, kind="view.saved", summary=f"View {wanted} saved", today=today, now=now) as work:
        work.make(view)
    return view, work.change


def change_view(
    user: StaffUser,
    view: SavedView,
    *,
    name: str | None = None,
    shared: bool | None = None,
    query: Mapping[str, str] | None = None,
    columns: Sequence[str] | None = None,
    today: date,
    now: datetime,
) -> Change | None:
    """Change what is given and return the change, None where nothing changed. Raises as `save_view` does."""
    _check_owner(user, view)
    if shared is not None and shared != view.is_shared:
        _check_sharing(user, shared)
    wanted = view.name if name is None else _checked_name(view.owner, name, view)
    with changing(user, kind="view.changed", summary=f"View {wanted} changed", today=today, now=now) as work:
        work.keep(view)
        view.name = wanted
        view.is_shared = view.is_shared if shared is None else shared
        view.query = view.query if query is None else dict(query)
        view.columns = view.columns if columns is None else list(columns)
        work.save(view)
    return work.change


def delete_view(user: StaffUser, view: SavedView, *, today: date, now: datetime) -> Change | None:
    """Archive the view and return the change that brings it back. Raises NotAllowedError for another's view."""
    _check_owner(user, view)
    with changing(user, kind="view.deleted", summary=f"View {view.name} deleted", today=today, now=now) as work:
        work.keep(view)
        view.archived_at = now
        work.save(view)
    return work.change


def move_view(user: StaffUser, view: SavedView, places: int) -> None:
    """Move the view by `places` (negative: to the front) in the reader's own order."""
    order = [str(found.pk) for found in views_of(user)]
    place = order.index(str(view.pk))
    order.insert(max(0, min(len(order) - 1, place + places)), order.pop(place))

    def change(kept: Kept) -> None:
        kept["views"] = order

    remember(user, change)


def open_with(user: StaffUser, view: str) -> None:
    """Let the reader's portfolio open with `view`: the id of a saved view, or the name of one of VIEWS."""

    def change(kept: Kept) -> None:
        if view == "all":
            kept.pop("view", None)
        else:
            kept["view"] = view

    remember(user, change)


def _checked_name(owner: StaffUser, name: str, view: SavedView | None) -> str:
    text = storable_text(name).strip()
    if not text or len(text) > LONGEST_NAME:
        raise InvalidInputError(
            "The view needs a name.", {"name": f"Give the view a name of 1 to {LONGEST_NAME} characters."}
        )
    others = SavedView.objects.filter(owner=owner, archived_at__isnull=True)
    others = others.exclude(pk=view.pk) if view else others
    if text.casefold() in {other.casefold() for other in others.values_list("name", flat=True)}:
        sentence = f"There is a view named {text} already. Choose another name."
        raise InvalidInputError(sentence, {"name": sentence})
    return text


def _check_sharing(user: StaffUser, shared: bool) -> None:
    if shared and not may_share(user):
        raise NotAllowedError("Only senior CSMs, the VPs and administrators share views.")


def _check_owner(user: StaffUser, view: SavedView) -> None:
    if not may_change(user, view):
        raise NotAllowedError("Only its owner changes this view.")
    if view.archived_at is not None:
        raise ConflictError("This view was deleted.")
