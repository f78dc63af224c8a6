"""The suppliers with their health: counts by risk, cards with what to do, and the export."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET

from bellwether.common.time import day_of
from bellwether.dashboard.client_access import answer, target_of
from bellwether.dashboard.console_cards import TIERS, ConsolePart, Look, console_parts, older_text, thin_text, trend_of
from bellwether.dashboard.console_page import LIST, need
from bellwether.dashboard.scored_list import NONE, ListAsked, Tile, narrowed, ordered, paged, read_list, sort_links
from bellwether.health.scorecard import Scorecard, load_scorecard
from bellwether.health.scored_clients import SUPPLIERS, cards_of, score_lines
from bellwether.health.suppliers_export import suppliers_csv
from bellwether.health.suppliers_reading import RISKS, Supplier, risk_counts, suppliers_of
from bellwether.playbooks.models import Intervention
from bellwether.playbooks.services import may_act
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import Delta, Spark, day, days_ago, plural, spark

LOOKS: dict[str | None, Look] = {
    "healthy": Look("healthy", "Healthy", "circle-check"),
    "at_risk": Look("monitor", "At risk", "triangle-alert"),
    "critical": Look("critical", "Critical", "octagon-alert"),
    None: Look("na", "N/A", "circle-dashed"),
}
"""Green, yellow and red, as the suppliers' team calls them."""
ACTS = (("email", "E-mail", "mail"), ("call", "Call", "phone"), ("in_app", "Message", "message-square"))
NOTHING_DONE = ("OBSERVED", "CANCELLED", "SKIPPED")
NOTES = {"healthy": "70 and more", "at_risk": "40 to 70", "critical": "under 40"}


@dataclass(frozen=True)
class SupplierCard:
    """One supplier, ready to be placed."""

    href: str
    name: str
    sub: str
    score: int | None
    look: Look
    trend: Delta | None
    spark: Spark | None
    last_login: str
    days_active: int
    advice: tuple[str, ...]
    thin: str
    parts: list[ConsolePart]
    why_not: str
    acts: tuple[tuple[str, str, str], ...]
    last: str


@require_GET
@login_required
def suppliers(request: HttpRequest) -> HttpResponse:
    """Show the suppliers that the reader may see; for a swap of the list, only the list."""
    need(SUPPLIERS)
    user = cast(StaffUser, request.user)
    now, zone = timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(now, zone)
    every = suppliers_of(user)
    asked = _asked(request)
    page = paged(_found(every, asked), asked, one="supplier", many="suppliers")
    shown = cast(list[Supplier], page.rows)
    scored_on = max((one.scored.row.date for one in every if one.scored.row), default=None)
    ids = [one.scored.client.pk for one in shown]
    lines = score_lines(ids, SUPPLIERS, last=scored_on, days=90) if scored_on else {}
    last = last_interventions(ids, today)
    cards, shipped = cards_of([one.scored for one in shown]), load_scorecard(SUPPLIERS)
    count = plural(len(every), "supplier")
    values = {
        "asked": asked,
        "tiles": _tiles(every, asked),
        "sorts": sort_links(asked),
        "page": page,
        "cards": [
            _card(
                one,
                cards[one.scored.row.weights_version] if one.scored.row else shipped,
                lines.get(one.scored.client.pk, []),
                today,
                scored_on,
                last.get(one.scored.client.pk, ""),
            )
            for one in shown
        ],
        "subtitle": f"{count}. Scores of {day(scored_on, today)}." if scored_on else f"{count}. Not scored yet.",
        "export": asked.link().replace(asked.path, reverse("suppliers_export"), 1),
        "empty": not every,
        "unscored": bool(every) and scored_on is None,
        "may_import": user.sees_all_clients,
        "may_act": may_act(user),
        "back": request.get_full_path(),
    }
    detail = {"suppliers": True, "count": len(shown), "filters": {"risk": asked.chosen, "search": asked.search}}
    audit.record(actor=user, action="client.list", object_type="client", detail=detail, now=now)
    swap = target_of(request) == LIST
    return answer(request, "dashboard/suppliers_listing.html" if swap else "dashboard/suppliers.html", values)


@require_GET
@login_required
def export(request: HttpRequest) -> HttpResponse:
    """Return the suppliers that the filter and the search let through as CSV, in the order shown."""
    need(SUPPLIERS)
    user = cast(StaffUser, request.user)
    now = timezone.now()
    asked = _asked(request)
    found = _found(suppliers_of(user), asked)
    detail = {"suppliers": True, "count": len(found), "filters": {"risk": asked.chosen, "search": asked.search}}
    audit.record(actor=user, action="client.export", object_type="client", detail=detail, now=now)
    response = HttpResponse(suppliers_csv(found), content_type="text/csv; charset=utf-8")
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    response["Content-Disposition"] = f'attachment; filename="suppliers-{today.isoformat()}.csv"'
    patch_cache_control(response, private=True, no_store=True)
    return response


def _asked(request: HttpRequest) -> ListAsked:
    return read_list(request.GET.dict(), path=reverse("suppliers"), of="risk", words=RISKS)  # type: ignore[arg-type]


def _found(every: list[Supplier], asked: ListAsked) -> list[Supplier]:
    wanted = narrowed(every, asked, word=lambda one: one.risk, name=lambda one: one.scored.client.name)
    return ordered(
        wanted,
        asked,
        {
            "score": lambda one: one.scored.score,
            "name": lambda one: one.scored.client.name.casefold(),
            "trend": lambda one: one.scored.row.trend_change if one.scored.row else None,
        },
    )


def _tiles(every: list[Supplier], asked: ListAsked) -> list[Tile]:
    counts = risk_counts(every)
    by_risk = {"healthy": counts.healthy, "at_risk": counts.at_risk, "critical": counts.critical}
    found = [Tile("All suppliers", "", counts.total, "", asked.link(risk=None), not asked.chosen)]
    found += [
        Tile(
            LOOKS[risk].label,
            NOTES[risk],
            by_risk[risk],
            LOOKS[risk].status,
            asked.link(risk=risk),
            asked.chosen == risk,
        )
        for risk in RISKS
    ]
    if counts.unscored or asked.chosen == NONE:
        current = asked.chosen == NONE
        found.append(Tile("No score", "nothing is known yet", counts.unscored, "na", asked.link(risk=NONE), current))
    return found


def last_interventions(client_ids: Sequence[UUID], today: date) -> dict[UUID, str]:
    """Return what was last done for each client, and when, in words; what was only observed is nothing done. One
    query."""
    newest = Intervention.objects.filter(client=OuterRef("client")).exclude(state__in=NOTHING_DONE)
    rows = Intervention.objects.filter(
        client__in=client_ids, pk=Subquery(newest.order_by("-created_at", "pk").values("pk")[:1])
    )
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    return {
        row.client_id: f"{row.get_kind_display()}, {row.get_state_display().lower()}, "
        f"{days_ago((today - day_of(row.created_at, zone)).days)}"
        for row in rows
    }


def _card(
    one: Supplier, card: Scorecard, line: list[int | None], today: date, scored_on: date | None, last: str
) -> SupplierCard:
    client = one.scored.client
    return SupplierCard(
        href=reverse("client", args=[client.pk]),
        name=client.name,
        sub=TIERS.get(client.contract_tier, client.contract_tier) + older_text(one.scored, scored_on, today),
        score=one.scored.score,
        look=LOOKS[one.risk],
        trend=trend_of(one.scored),
        spark=spark(line[::3]),
        last_login=days_ago((today - one.last_login).days) if one.last_login else "never",
        days_active=one.days_active,
        advice=one.recommendations,
        thin=thin_text(one.scored),
        parts=console_parts(one.scored, card),
        why_not=one.scored.reason,
        acts=tuple((reverse("client_intervention", args=[client.pk, kind]), text, icon) for kind, text, icon in ACTS),
        last=last,
    )
