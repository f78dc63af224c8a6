"""The timeline tab of a client: everything that happened, filtered, searched, shown a page at a time, and as files."""

from contextlib import suppress
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET

from bellwether.common.errors import InvalidInputError
from bellwether.dashboard import client_timeline_view as view
from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_access import answer, client_or_404, head_of, list_address, target_of
from bellwether.dashboard.client_timeline_files import csv_text, pdf_file
from bellwether.portfolio.models import Client
from bellwether.portfolio.timeline_reading import asked_of, people_of, to_come, with_silences
from bellwether.portfolio.timeline_stream import Asked, count_kinds, read_all, read_page
from bellwether.staff import audit
from bellwether.staff.models import StaffUser

PAGE = 50
MOST_ROWS, MOST_PRINTED = 50_000, 1_000
NAMES = {"kinds": "kinds", "person": "person", "first": "since", "last": "until", "cursor": "after"}
FILTERS = ("q", "kinds", "person", "since", "until")


@require_GET
@login_required
def timeline(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show the stream of a client that the reader may see; for a swap, the stream or its next page alone."""
    user, now = cast(StaffUser, request.user), timezone.now()
    client = client_or_404(user, client_id)
    asked, wrong = _asked(request.GET, client, user, now)
    page = read_page(asked)
    target = target_of(request)
    counts = {} if target == "more" else count_kinds(asked)
    address = _address(request, client)
    total = sum(count for kind, count in counts.items() if not asked.kinds or kind in asked.kinds)
    values: dict[str, Any] = {
        "months": view.months(with_silences(asked, page.items), asked, asked.before),
        "more": address.with_(after=str(page.next)) if page.next else "",
        "newest": address.with_(after=None) if asked.before else "",
        "summary": view.summary(len(page.items), total, asked),
        "nothing": view.nothing(asked),
        "address": str(address),
        "total": total,
    }
    if target != "more":
        zone = settings.BELLWETHER_WORKSPACE_ZONE
        plain = asked.is_whole and not asked.before
        ahead = to_come(client, now=now, zone=zone) if plain else []
        values |= {
            "choices": view.kind_choices(counts, asked, address),
            "query": {name: request.GET.get(name, "") for name in (*FILTERS, "from")},
            "people": people_of(client, user),
            "wrong": wrong,
            "to_come": view.to_come_lines(ahead, client.pk),
            "narrowed": not asked.is_whole or bool(asked.kinds),
            "clear": address.with_(**dict.fromkeys(FILTERS), after=None),
            "files": [
                (text, address.with_(after=None).replace("/timeline/", f"/timeline.{kind}", 1))
                for kind, text in (("csv", "Table (CSV)"), ("pdf", "Document (PDF)"))
            ],
        }
    _note(user, client, "client.timeline", now, asked, count=len(page.items))
    if target in {"more", "stream"}:
        return answer(request, f"dashboard/client_timeline_{target}.html", values)
    head = head_of(request, client, user=user, tab="client_timeline", now=now)
    return answer(request, "dashboard/client_timeline_tab.html", values | {"head": head, "client_id": client.pk})


@require_GET
@login_required
def export(request: HttpRequest, client_id: UUID, kind: str) -> HttpResponse:
    """Return the entries that the filters leave as CSV (at most 50,000) or as a document to print (at most 1,000)."""
    user, now = cast(StaffUser, request.user), timezone.now()
    client = client_or_404(user, client_id)
    if kind not in {"csv", "pdf"}:
        raise Http404
    asked, _ = _asked(request.GET, client, user, now)
    items, cut = read_all(asked, at_most=MOST_ROWS if kind == "csv" else MOST_PRINTED)
    if kind == "csv":
        response = HttpResponse(csv_text(items, asked), content_type="text/csv; charset=utf-8")
    else:
        shown = with_silences(asked, items)
        chosen = request.GET.get("person", "")
        person = next((name for value, name, _ in people_of(client, user) if value == chosen), "")
        document = pdf_file(client, shown, asked, search=request.GET.get("q", ""), person=person, cut=cut)
        response = HttpResponse(document, content_type="application/pdf")
    _note(user, client, "client.timeline_export", now, asked, count=len(items), format=kind)
    name = f"timeline-{client.pk}-{asked.today.isoformat()}.{kind}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    patch_cache_control(response, private=True, no_store=True)
    return response


def _asked(values: QueryDict, client: Client, user: StaffUser, now: datetime) -> tuple[Asked, str]:
    """Return what the address asks for, and what of it could not be used, as a sentence; the rest holds."""
    fields = {
        "kinds": [kind for kind in values.get("kinds", "").split(",") if kind],
        "search": values.get("q", ""),
        "person": values.get("person", ""),
        "first": values.get("since", ""),
        "last": values.get("until", ""),
        "cursor": values.get("after", ""),
    }
    common: dict[str, Any] = {"now": now, "zone": settings.BELLWETHER_WORKSPACE_ZONE, "limit": PAGE, "names": NAMES}
    wrong = ""
    with suppress(InvalidInputError):
        return asked_of(client, user, **common, **fields), wrong  # type: ignore[arg-type]
    kept: dict[str, Any] = {}
    sentences: list[str] = []
    for name, value in fields.items():
        try:
            asked_of(client, user, **common, **{**kept, name: value})
        except InvalidInputError as error:
            sentences += error.errors.values()
        else:
            kept[name] = value
    return asked_of(client, user, **common, **kept), " ".join(sentences)


def _address(request: HttpRequest, client: Client) -> Address:
    kept = {name: request.GET.get(name, "") for name in FILTERS}
    return Address(reverse("client_timeline", args=[client.pk]), {**kept, "from": list_address(request)})


def _note(user: StaffUser, client: Client, action: str, now: datetime, asked: Asked, **detail: object) -> None:
    narrowed: dict[str, object] = {"kinds": sorted(asked.kinds), "words": list(asked.words)}
    narrowed |= {"since": str(asked.first or ""), "until": str(asked.last or "")}
    narrowed["person"] = f"{asked.person.who}:{asked.person.id}" if asked.person else ""
    audit.record(
        actor=user,
        action=action,
        object_type="client",
        object_id=client.pk,
        client_id=client.pk,
        detail={name: value for name, value in narrowed.items() if value} | detail,
        now=now,
    )
