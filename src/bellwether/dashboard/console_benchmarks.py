"""The benchmarks page of the operations console: one client against a group of others, by rank."""

from dataclasses import dataclass
from typing import cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from bellwether.benchmarks.percentiles import AT_LEAST, Spread
from bellwether.benchmarks.portal import LOWER_IS_BETTER, METRIC_OF, SIZES, portal_benchmarks
from bellwether.common.time import day_of
from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_access import answer
from bellwether.dashboard.console_page import need
from bellwether.health.scored_clients import OPERATIONS
from bellwether.portfolio.models import Client
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import day, number

METRICS = {
    "attestationCompletion": ("Attestation completion", "of all assignments", "%"),
    "caseResolutionDays": ("Average case resolution time", "days, fewer is better", " d"),
    "loginRate": ("Login rate, weekly", "users of 7 days, of all users", "%"),
    "featureAdoption": ("Feature adoption", "of the features", "%"),
}
SIZE_NAMES = {"enterprise": "Enterprise", "midmarket": "Midmarket", "smb": "SMB"}
BEYOND = 0.5
"""How far the scale reaches beyond the quartiles, in widths of the range between them (seed 003)."""


@dataclass(frozen=True)
class Mark:
    """A labelled place of the strip, 0-100."""

    at: float
    text: str


@dataclass(frozen=True)
class StripRow:
    """A metric of the group: places 0-100 on the strip, `me` None where no client is chosen or its value is unknown.

    `reason` says why there is no strip, `unknown` whether that is because nobody's value is known.
    """

    label: str
    note: str
    marks: list[Mark]
    me: Mark | None
    percentile: str
    peers: int
    sentence: str
    reason: str
    unknown: bool = False


@require_GET
@login_required
def benchmarks(request: HttpRequest) -> HttpResponse:
    """Show the quartiles of a group, and where the chosen client stands. What may not be shown says why."""
    need(OPERATIONS)
    user = cast(StaffUser, request.user)
    now = timezone.now()
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    visible = list(Client.objects.visible_to(user).active().order_by("name").only("name", "industry"))
    industries = sorted({client.industry for client in visible} - {""})
    size, industry = request.GET.get("size", ""), request.GET.get("industry", "")
    size = size if size in SIZES else ""
    industry = industry if industry in industries else ""
    by_id = {str(client.pk): client for client in visible}
    chosen = by_id.get(request.GET.get("client", ""))
    found = portal_benchmarks(user, size=size, industry=industry)
    own = found.client_metrics.get(chosen.pk, {}) if chosen else {}
    ranks = found.client_percentiles.get(chosen.pk, {}) if chosen else {}
    address = Address(
        reverse("console_benchmarks"),
        {"size": size, "industry": industry, "client": str(chosen.pk) if chosen else ""},
    )
    values = {
        "address": address,
        "sizes": [("All sizes", address.with_(size=None), not size)]
        + [(name, address.with_(size=word), word == size) for word, name in SIZE_NAMES.items()],
        "industries": industries,
        "industry": industry,
        "size": size,
        "clients": visible,
        "chosen": chosen,
        "hidden": found.hidden,
        "peers": found.peer_count,
        "needed": AT_LEAST,
        "of": day(found.day, today) if found.day else "",
        "rows": [
            strip_row(key, found.benchmarks[key], own.get(key), ranks.get(key), chosen.name if chosen else "")
            for key in METRICS
        ],
    }
    detail = {"console": True, "size": size, "industry": industry}
    audit.record(
        actor=user, action="benchmark.read", object_type="benchmark", client_id=chosen.pk if chosen else None,
        detail=detail, now=now,
    )  # fmt: skip
    return answer(request, "dashboard/console_benchmarks.html", values)


def strip_row(key: str, spread: Spread | None, value: float | None, rank: float | None, name: str) -> StripRow:
    """Return the strip of a metric. The scale reaches half the inner range beyond the quartiles; better is right."""
    label, note, unit = METRICS[key]
    if spread is None:
        unknown = METRIC_OF[key] is None
        reason = f"Hidden: {AT_LEAST} peers that report it are needed, and no single client may be told apart."
        if unknown:
            reason = "Not known: how long a case took does not follow from what is kept."
        return StripRow(label, note, [], None, "", 0, "", reason, unknown)
    inner = spread.p75 - spread.p25 or 1.0
    low = max(0.0, spread.p25 - BEYOND * inner)
    high = spread.p75 + BEYOND * inner

    def place(at: float) -> float:
        share = min(1.0, max(0.0, (at - low) / (high - low)))
        return round(100 * (1 - share if key in LOWER_IS_BETTER else share), 1)

    marks = [Mark(place(at), f"{number(round(at, 1))}{unit}") for at in (spread.p25, spread.median, spread.p75)]
    me = Mark(place(value), f"{number(round(value, 1))}{unit}") if value is not None else None
    told = f"25th percentile {marks[0].text}, median {marks[1].text}, 75th percentile {marks[2].text}"
    stands = f"; {name} {me.text}" if me else ""
    return StripRow(
        label, note, marks, me, "" if rank is None else ordinal(rank), spread.peers, f"{label}: {told}{stands}.", ""
    )


def ordinal(rank: float) -> str:
    """Return a percentile as "15th"."""
    whole = int(rank + 0.5)
    ending = "th" if whole % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(whole % 10, "th")
    return f"{whole}{ending}"
