"""The executive summary: the page, its exports, and handing a client over."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from bellwether.analytics import alert_response
from bellwether.analytics.csms import csm_sight, may_see_scorecard
from bellwether.analytics.executive import Executive, Workspace, executive_view, workspace
from bellwether.analytics.moving import hand_over, suggested_moves
from bellwether.analytics.periods import KINDS
from bellwether.analytics.renewals import FEWEST, LOOKED_BACK
from bellwether.analytics.scorecard import Sight
from bellwether.analytics.values import LABELS
from bellwether.analytics.workload import FORMULA
from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.time import day_of
from bellwether.dashboard.churn_page import page_address
from bellwether.dashboard.client_access import answer
from bellwether.dashboard.executive_charts import histogram_of, median_trend, renewal_bars
from bellwether.dashboard.executive_churn import far_text, quarter_bars, quarter_rows
from bellwether.dashboard.executive_csms import COUNTED, move_lines, scorecard_of
from bellwether.dashboard.executive_query import Address, read_address
from bellwether.dashboard.executive_renewals import rate_rows, renewal_rows
from bellwether.dashboard.executive_view import (
    MOST_ROWS,
    breakdown_rows,
    key_figures,
    moved_rows,
    sentences,
    status_words,
)
from bellwether.portfolio.client_changes import NotAllowedError
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.web.dialogs import done
from bellwether.web.formatting import STATUSES, clock, full_day, plural


@require_GET
@login_required
def executive(request: HttpRequest) -> HttpResponse:
    """Show the executive summary of the clients that the reader sees."""
    user, now = cast(StaffUser, request.user), timezone.now()
    view, address, space = read_view(user, request.GET.dict(), now)  # type: ignore[arg-type]
    audit.record(actor=user, action="executive.read", detail={"filters": address.given}, now=now)
    values = page_values(user, view, address, now) | csm_values(user, view, address, space)
    return answer(request, "dashboard/executive.html", values)


def read_view(user: StaffUser, values: Mapping[str, str], now: datetime) -> tuple[Executive, Address, Workspace]:
    """Return the view that an address asks for; a CSM who looks after none of the reader's clients is left out and
    said."""
    address = read_address(values, today=day_of(now, settings.BELLWETHER_WORKSPACE_ZONE))
    space = workspace(user, now)
    try:
        return executive_view(user, address.asked, space), address, space
    except InvalidInputError as error:
        given = {name: value for name, value in address.given.items() if name != "csm_id"}
        asked = replace(address.asked, csm=None)
        address = replace(address, asked=asked, given=given, ignored=(*address.ignored, *error.errors.values()))
        return executive_view(user, asked, space), address, space


def page_values(user: StaffUser, view: Executive, address: Address, now: datetime) -> dict[str, Any]:
    """Return what the template shows of the clients themselves."""
    rows, total = breakdown_rows(view)
    chosen = view.asked.csm.hex if view.asked.csm else ""
    whose = "All clients" if user.sees_all_clients else "Clients you see"
    if chosen:
        whose = f"Clients of {view.names.get(chosen, 'one CSM')}"
    counts = {look.key: view.now.by_status[status] for status, look in STATUSES.items()}
    unscored = view.now.clients - view.now.scored
    return {
        "view": view,
        "address": address,
        "subtitle": f"{whose}. {view.asked.period.in_words}.",
        "made_at": clock(now, settings.BELLWETHER_WORKSPACE_ZONE),
        "periods": [(kind, label, kind == view.asked.period.kind) for kind, label in KINDS.items()],
        "first": view.asked.period.first.isoformat(),
        "last": view.asked.period.last.isoformat(),
        "csms": _csm_choices(view, chosen),
        "figures": key_figures(view),
        "sentences": sentences(view),
        "histogram": histogram_of(view.bins, view.bins_before, counts, view.limits) if view.now.scored else None,
        "scored_text": f"{view.now.scored:,} scored{f', {unscored:,} not' if unscored else ''}",
        "before_text": full_day(view.asked.period.before),
        "trend": median_trend(view.trend),
        "dimensions": [(key, label, address.link(by=key), key == view.asked.by)
                       for key, label in LABELS.items()],
        "dimension": LABELS[view.asked.by],
        "rows": rows,
        "total": total,
        "more_rows": max(0, len(view.groups) - MOST_ROWS),
        "total_label": status_words(view.now),
        "moved": moved_rows(view),
        "renewals": renewal_bars(view.months),
        "renewal_rows": renewal_rows(view),
        "rates": rate_rows(view),
        "quarters": quarter_bars(view.churn.quarters) if view.churn else None,
        "quarter_rows": quarter_rows(view.churn.quarters) if view.churn else [],
        "far_text": far_text(view.churn.quarters) if view.churn else "",
        "model_card": page_address("churn_model"),
        "looked_back": LOOKED_BACK,
        "fewest": FEWEST,
        "overdue_renewals": plural(view.overdue_renewals.clients, "client") if view.overdue_renewals.clients else "",
        "export_csv": reverse("executive_export", args=["csv"]) + address.link(),
        "export_xlsx": reverse("executive_export", args=["xlsx"]) + address.link(),
    }  # fmt: skip


def _csm_choices(view: Executive, chosen: str) -> list[tuple[str, str, bool]]:
    named = [(str(UUID(hex=key)), view.names.get(key, "Somebody who left"), key == chosen) for key in view.csms]
    return sorted(named, key=lambda one: one[1].casefold()) if len(named) > 1 or chosen else []


def sight_of(user: StaffUser, view: Executive, address: Address, space: Workspace) -> Sight | None:
    """Return the scorecard that the reader may see, for page and exports."""
    team_view = address.team_view and user.sees_all_clients
    return csm_sight(user, view.asked, space, team_view=team_view)


def csm_values(user: StaffUser, view: Executive, address: Address, space: Workspace) -> dict[str, Any]:
    """Return what the template shows of the CSMs; nothing for roles without a scorecard."""
    sight = sight_of(user, view, address, space)
    if sight is None or not may_see_scorecard(user):
        return {"scorecard": None, "moves": None}
    moves = None if address.team_view else suggested_moves(user, space)
    return {
        "scorecard": scorecard_of(
            sight, user, view.asked.period, address, any_alerts=alert_response.alert_responses([], space.today,
                                                                                               space.today) is not None
        ),
        "counted": [label for _, label in COUNTED],
        "moves": moves,
        "move_lines": move_lines(moves) if moves else [],
        "still_high": [moves.names[key] for key in moves.plan.still_high] if moves else [],
        "workload_formula": FORMULA,
        "may_hide": user.sees_all_clients,
        "here": reverse("executive") + address.link(),
    }  # fmt: skip


@require_POST
@login_required
def reassign(request: HttpRequest) -> HttpResponse:
    """Hand a client over as suggested, with an Undo button; what stands in the way is said."""
    user, now = cast(StaffUser, request.user), timezone.now()
    back = reverse("executive")
    try:
        client, giver, taker = (UUID(request.POST.get(name, "")) for name in ("client", "giver", "taker"))
    except ValueError:
        raise Http404 from None
    try:
        _, change = hand_over(user, client, giver, taker, now=now)
    except (NotAllowedError, ConflictError, InvalidInputError) as error:
        return done(request, back, str(error), failed=True)
    return done(request, back, f"{change.summary}.", undo=change.pk)
