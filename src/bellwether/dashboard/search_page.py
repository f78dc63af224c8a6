"""Search over clients, contacts, records, pages and actions: the palette's answers and a page with the same."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Any, cast
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET

from bellwether.common.time import day_of
from bellwether.dashboard.client_access import answer
from bellwether.dashboard.search_places import ACTIONS, OF_CLIENT, PAGES, Found, in_use, places
from bellwether.portfolio.contacting import activity_label
from bellwether.portfolio.models import Activity, Client, Contact, Note, SupportTicket, SurveyResponse
from bellwether.portfolio.search import KINDS, MOST_COUNTED, Hits, search
from bellwether.portfolio.search_words import Part, extract, marked, words_of
from bellwether.staff import audit
from bellwether.staff.models import AuditEvent, StaffUser
from bellwether.web.dialogs import in_dialog
from bellwether.web.formatting import day, plural, status_of

TITLES = {
    "client": "Clients",
    "contact": "Contacts",
    "note": "Notes",
    "activity": "Activities",
    "ticket": "Tickets",
    "answer": "Survey answers",
}
ICONS = {
    "client": "building-2",
    "contact": "contact-round",
    "note": "sticky-note",
    "activity": "message-circle",
    "ticket": "life-buoy",
    "answer": "star",
}
QUICK, FEW, PER_PAGE = ("client", "contact", "note", "activity"), 5, 25
RECENT, LOOKED_BACK = 5, 80
LAST_PAGE = 400


@dataclass(frozen=True)
class Hit:
    """Something found: where it leads, its name in pieces, what stands beside it, its key. `dialog`: opens a form."""

    href: str
    icon: str
    title: list[Part]
    note: str = ""
    text: list[Part] = field(default_factory=list)
    status: str = ""
    keys: str = ""
    dialog: bool = False


@dataclass(frozen=True)
class Group:
    """Hits of one kind. `total` is how many there are; `more` leads to all of them."""

    key: str
    title: str
    hits: list[Hit]
    total: int = 0
    more: str = ""


@require_GET
@login_required
def suggest(request: HttpRequest) -> HttpResponse:
    """Return the palette's answers to what was typed so far; without words, recent clients, actions and pages."""
    user, now = cast(StaffUser, request.user), timezone.now()
    text = request.GET.get("q", "")[:1000]
    words = words_of(text)
    at = _client_at(request, user)
    groups = [_group(hits, words, now) for hits in search(user, text, kinds=QUICK, limit=FEW, count=False)]
    if not words:
        groups += _recent(user, at, now)
    groups += _places(request, user, words, at)
    if words:
        _note(user, text, {group.key: len(group.hits) for group in groups if group.key in KINDS}, now, "palette")
    all_href = f"{reverse('search')}?{urlencode({'q': text})}" if words else ""
    values = {"groups": groups, "query": text, "all_href": all_href, "count": sum(len(one.hits) for one in groups)}
    response = render(request, "dashboard/palette_hits.html", values)
    patch_cache_control(response, private=True, no_store=True)
    return response


@require_GET
@login_required
def search_page(request: HttpRequest) -> HttpResponse:
    """Show everything that was found, a few of each kind, or one kind a page at a time."""
    user, now = cast(StaffUser, request.user), timezone.now()
    text, kind = request.GET.get("q", "")[:1000], request.GET.get("kind", "")
    words = words_of(text)
    page = _page_number(request.GET.get("page", ""))
    values: dict[str, Any] = {
        "query": text,
        "kind": kind if kind in KINDS else "",
        "words": words,
        "most": MOST_COUNTED,
    }
    if kind in KINDS:
        found = search(user, text, kinds=[kind], limit=PER_PAGE, offset=(page - 1) * PER_PAGE)
        groups = [_group(hits, words, now) for hits in found]
        pages = max(1, ceil(groups[0].total / PER_PAGE)) if groups else 1

        def turn(to: int) -> str:
            return f"?{urlencode({'q': text, 'kind': kind, 'page': to})}"

        values |= {
            "previous": turn(page - 1) if page > 1 else "",
            "next": turn(page + 1) if page < pages else "",
            "place": f"Page {page:,} of {pages:,}" if pages > 1 else "",
            "all_kinds": f"?{urlencode({'q': text})}",
        }
    else:
        groups = [_group(hits, words, now, query=text) for hits in search(user, text, limit=FEW)]
        if not words:
            groups += _recent(user, None, now)
        groups += _places(request, user, words, None)
    if words:
        _note(user, text, {group.key: group.total for group in groups if group.key in KINDS}, now, "page")
    total = sum(group.total for group in groups if group.key in KINDS)
    values |= {"groups": groups, "summary": f"{plural(total, 'record')} found" if words else ""}
    return answer(request, "dashboard/search.html", values)


@require_GET
@login_required
def shortcuts(request: HttpRequest) -> HttpResponse:
    """Show the keys that pages understand."""
    user = cast(StaffUser, request.user)
    goes = [one for one in places(PAGES, user, shown=in_use(request)) if one.place.key]
    template = "dashboard/shortcuts_dialog.html" if in_dialog(request) else "dashboard/shortcuts.html"
    return answer(request, template, {"keys": goes})


def _group(hits: Hits, words: Sequence[str], now: datetime, *, query: str = "") -> Group:
    shown = [_hit(hits.kind, row, words, now) for row in hits.rows]
    more = f"?{urlencode({'q': query, 'kind': hits.kind})}" if query and hits.total > len(shown) else ""
    return Group(hits.kind, TITLES[hits.kind], shown, hits.total, more)


def _hit(kind: str, row: Any, words: Sequence[str], now: datetime) -> Hit:
    """Return a found record in words: for records what of it was found, for all whose they are."""
    if isinstance(row, Client):
        return _client_hit(row, words)
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    title, note, text, name = str(row), row.client.name, "", ""
    if isinstance(row, Contact):
        name, title = "client_contact", row.name
        note = ", ".join(part for part in (row.title, "left" if row.left_company_at else "", row.client.name) if part)
    elif isinstance(row, Note):
        name, title = "client_note", row.title or extract(row.content, words, at_most=70)
        text = extract(row.content, words) if row.title else ""
        note = f"{row.client.name}, {day(_day(row.created_at), today)}{', private' if row.is_private else ''}"
    elif isinstance(row, Activity):
        label = activity_label(row)
        name, title = "client_activity", label if row.subject.lower() == label.lower() else f"{label}: {row.subject}"
        text = extract(_first_found(words, row.description, row.outcome_notes, row.next_steps), words)
        note = f"{row.client.name}, {day(_day(row.occurred_at), today)}"
    elif isinstance(row, SupportTicket):
        name, title = "ticket", " ".join(part for part in (row.external_id, row.subject) if part) or "Ticket"
        note = f"{row.client.name}, {day(_day(row.opened_at), today)}"
    elif isinstance(row, SurveyResponse):
        name, text = "survey", extract(row.comment, words)
        note = f"{row.client.name}, {day(_day(row.answered_at), today)}"
    href = reverse(name, args=[row.client_id, row.pk])
    return Hit(href, ICONS[kind], marked(title, words), note, marked(text, words))


def _client_hit(client: Client, words: Sequence[str]) -> Hit:
    score, status = client.current_health_score, status_of(client.health_status)
    note = "not scored" if score is None else f"{score}, {status.label.lower()}"
    return Hit(
        reverse("client", args=[client.pk]), ICONS["client"], marked(client.name, words), note, status=status.key
    )


def _first_found(words: Sequence[str], *texts: str) -> str:
    return next((text for text in texts if any(part.hit for part in marked(text, words))), "")


def _day(instant: datetime) -> Any:
    return day_of(instant, settings.BELLWETHER_WORKSPACE_ZONE)


def _recent(user: StaffUser, at: Client | None, now: datetime) -> list[Group]:
    """Return the clients that the user opened last, as the access log says, without the one that is open."""
    seen = AuditEvent.objects.filter(actor_id=user.pk, client_id__isnull=False).order_by("-at")
    ids = dict.fromkeys(seen.values_list("client_id", flat=True)[:LOOKED_BACK])
    by_id = Client.objects.visible_to(user).active().in_bulk(list(ids))
    rows = [by_id[pk] for pk in ids if pk in by_id and (at is None or pk != at.pk)][:RECENT]
    return [Group("recent", "Recent clients", [_client_hit(row, ()) for row in rows])] if rows else []


def _places(request: HttpRequest, user: StaffUser, words: Sequence[str], at: Client | None) -> list[Group]:
    shown = in_use(request)
    found = []
    if at is not None and at.archived_at is None:
        own = places(OF_CLIENT, user, words=words, client=at)[: None if words else 2]
        found.append(Group("of_client", at.name, [_place_hit(one, words) for one in own]))
    acts = [_place_hit(one, words) for one in places(ACTIONS, user, words=words)]
    if not words or any("theme".startswith(word) or "switch".startswith(word) for word in words):
        acts.append(Hit("#theme", "sun-moon", marked("Switch theme", words)))
    found.append(Group("actions", "Actions", acts))
    pages = places(PAGES, user, words=words, shown=shown)
    found.append(Group("pages", "Pages", [_place_hit(one, words) for one in pages[: None if words else 6]]))
    return [group for group in found if group.hits]


def _place_hit(one: Found, words: Sequence[str]) -> Hit:
    place = one.place
    own = {"shortcuts": "?", "client_activity_new": "L"}.get(place.name, "")
    keys = f"G then {place.key.upper()}" if place.key else own
    return Hit(one.href, place.icon, marked(place.text, words), keys=keys, dialog=place.dialog)


def _client_at(request: HttpRequest, user: StaffUser) -> Client | None:
    """Return the client whose page is open, if the palette was opened there."""
    try:
        match = resolve(urlsplit(request.headers.get("HX-Current-URL", "")).path)
    except Resolver404:
        return None
    client_id = match.kwargs.get("client_id")
    if not isinstance(client_id, UUID):
        return None
    found: Client | None = Client.objects.visible_to(user).filter(pk=client_id).first()
    return found


def _page_number(text: str) -> int:
    return min(max(int(text), 1), LAST_PAGE) if text.isdigit() and len(text) < 6 else 1


def _note(user: StaffUser, text: str, counts: dict[str, int], now: datetime, where: str) -> None:
    detail = {"query": text.strip()[:200], "counts": counts, "where": where}
    audit.record(actor=user, action="search", object_type="client", detail=detail, now=now)
