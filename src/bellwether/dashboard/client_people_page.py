"""The pages of a client's people: all of them, one of them, which contact each is, and all as CSV."""

from datetime import datetime
from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.cache import caches
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from bellwether.common.errors import ConflictError
from bellwether.common.time import day_of
from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_access import answer, client_or_404, head_of, list_address
from bellwether.dashboard.client_people import PeopleCard, people_card
from bellwether.dashboard.client_people_export import csv_text
from bellwether.dashboard.client_person import links_card, person_card
from bellwether.portfolio.masking import short_pseudonym
from bellwether.portfolio.models import Client
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.usage.people import People, last_day_of, people_of
from bellwether.usage.people_activities import Activities, activities_of
from bellwether.usage.people_links import (
    Done,
    NoSuchContactError,
    link_contact,
    read_token,
    token_of,
    undo,
    unlink_contact,
)
from bellwether.usage.workspace import workspace_lake

OWN = ("people", "people_sort", "people_search", "people_page", "people_does", "people_undo")
BACK_TO = ("client_people", "client_usage", "client_people_links")
MOST_USERS = 200


@require_GET
@login_required
def people(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show all people of the client; for a swap of the table, only the table, that of the usage tab with `card`."""
    user, now, shown = _opened(request, client_id)
    whole = "card" not in request.GET
    card = _card(request, shown, user, now, whole=whole)
    _note(user, shown, "client.people", now, count=len(card.rows))
    if getattr(request, "htmx", None) and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        return answer(request, "dashboard/client_people_card.html", {"people": card})
    if not whole:
        return HttpResponseRedirect(card.here + "#people")
    head = head_of(request, shown, user=user, tab="client_usage", now=now)
    return answer(request, "dashboard/client_people_page.html", {"head": head, "people": card})


@require_GET
@login_required
def activities(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Return what the users named in the address mainly do, as parts that take the places of the skeletons."""
    _, now, shown = _opened(request, client_id)
    keys = list(dict.fromkeys(request.GET.getlist("user")))[:MOST_USERS]
    found = _activities(shown, now)
    does = [(key, found.text(key)) for key in keys if key.isalnum()]
    reason = found.reason if does else ""
    return answer(request, "dashboard/client_people_does.html", {"does": does, "reason": reason})


@require_GET
@login_required
def person(request: HttpRequest, client_id: UUID, user_key: str) -> HttpResponse:
    """Show one person: 90 days, weeks, linked contact; for the drawer, only that."""
    user, now, shown = _opened(request, client_id)
    everybody = _people(shown, now)
    card = person_card(
        shown,
        everybody,
        user_key,
        activities=_activities(shown, now),
        back=_back(request, shown),
        zone=settings.BELLWETHER_WORKSPACE_ZONE,
    )
    if card is None:
        raise Http404
    _note(user, shown, "client.person", now, pseudonym=short_pseudonym(user_key))
    if getattr(request, "htmx", None) and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        return answer(request, "dashboard/client_person.html", {"person": card, "drawer": True})
    head = head_of(request, shown, user=user, tab="client_usage", now=now)
    return answer(request, "dashboard/client_person_page.html", {"head": head, "person": card, "drawer": False})


@require_GET
@login_required
def links(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show which contact is which user, and who the others might be."""
    user, now, shown = _opened(request, client_id)
    card = links_card(
        shown,
        _people(shown, now),
        values=request.GET,
        back=_back(request, shown),
        zone=settings.BELLWETHER_WORKSPACE_ZONE,
    )
    _note(user, shown, "client.people_links", now)
    head = head_of(request, shown, user=user, tab="client_usage", now=now)
    return answer(request, "dashboard/client_people_links.html", {"head": head, "links": card})


@require_POST
@login_required
def link(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Link a user to a contact, or to none; what was done, and a way back, is told on the page that follows."""
    user, now, shown = _opened(request, client_id)
    somebody = _people(shown, now).one(request.POST.get("user", ""))
    if somebody is None:
        raise Http404
    wanted = request.POST.get("contact", "")
    try:
        if not wanted:
            done = unlink_contact(shown, somebody, actor=user, now=now)
        else:
            done = link_contact(shown, somebody, _uuid(wanted), actor=user, now=now)
    except NoSuchContactError:
        raise Http404 from None
    except ConflictError:
        done = Done("archived")
    return _told(request, shown, done)


@require_POST
@login_required
def undo_link(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Take back what the token in the form names."""
    user, now, shown = _opened(request, client_id)
    before = read_token(request.POST.get("token", ""), shown)
    if before is None:
        done = Done("late")
    else:
        try:
            done = undo(shown, before.changes, actor=user, now=now)
        except ConflictError:
            done = Done("archived" if shown.archived_at else "changed")
    return _told(request, shown, done)


@require_GET
@login_required
def export(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Return all people of the client as CSV: pseudonyms, roles, figures, names of linked contacts."""
    user, now, shown = _opened(request, client_id)
    everybody = _people(shown, now)
    text, count = csv_text(everybody)
    _note(user, shown, "client.people_export", now, count=count)
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    name = f"users-{shown.pk}-{everybody.today.isoformat()}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    patch_cache_control(response, private=True, no_store=True)
    return response


def _opened(request: HttpRequest, client_id: UUID) -> tuple[StaffUser, datetime, Client]:
    user = cast(StaffUser, request.user)
    return user, timezone.now(), client_or_404(user, client_id)


def _people(client: Client, now: datetime) -> People:
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    return people_of(client, lake=workspace_lake(), today=day_of(now, zone), zone=zone, cache=caches["memory"])


def _activities(client: Client, now: datetime) -> Activities:
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    today = last_day_of(client, day_of(now, zone), zone)
    return activities_of(client, lake=workspace_lake(), today=today, cache=caches["memory"])


def _card(request: HttpRequest, client: Client, user: StaffUser, now: datetime, *, whole: bool) -> PeopleCard:
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    values = request.GET
    others = {name: value for name, value in values.dict().items() if name not in {*OWN, "card", "from"}}
    listed = list_address(request)
    where = "client_people" if whole else "client_usage"
    query = {"from": listed} if whole else others | {"from": listed}
    return people_card(
        client,
        user=user,
        values=values,
        today=day_of(now, zone),
        now=now,
        zone=zone,
        address=Address(reverse(where, args=[client.pk]), query),  # type: ignore[arg-type]
        whole=whole,
        activities=_activities(client, now) if values.get("people_does") else None,
    )


def _back(request: HttpRequest, client: Client) -> str:
    """Return where the reader came from and goes back to: a page of this client, else that of all its people."""
    given = request.POST.get("back") or request.GET.get("back") or request.headers.get("HX-Current-URL", "")
    own = {request.get_host()}
    fallback = reverse("client_people", args=[client.pk])
    if not url_has_allowed_host_and_scheme(given, own, require_https=request.is_secure()):
        return fallback
    path, _, query = given.partition("#")[0].partition("?")
    path = "/" + path.split("://", 1)[-1].partition("/")[2] if "://" in path else path
    if path not in {
        reverse(name, args=[client.pk]) for name in ("client_people", "client_usage", "client_people_links")
    }:
        return fallback
    kept = QueryDict(query, mutable=True)
    for name in ("people_undo", "people_does", "card"):
        kept.pop(name, None)
    return f"{path}?{kept.urlencode()}" if kept else path


def _told(request: HttpRequest, client: Client, done: Done) -> HttpResponse:
    back = _back(request, client)
    told = QueryDict(mutable=True)
    told["people_undo"] = token_of(client, done)
    return HttpResponseRedirect(f"{back}{'&' if '?' in back else '?'}{told.urlencode()}#people")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def _note(user: StaffUser, client: Client, action: str, now: datetime, **detail: object) -> None:
    audit.record(
        actor=user,
        action=action,
        object_type="client",
        object_id=client.pk,
        client_id=client.pk,
        detail=detail,
        now=now,
    )
