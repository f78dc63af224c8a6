"""The scoreboard page: what stored predictions foretold, and what came."""

from dataclasses import dataclass
from datetime import date
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from bellwether.churn import model_reading as read
from bellwether.churn.choices import Category
from bellwether.churn.factors import HORIZONS
from bellwether.churn.scoreboard import Board, Scoreboard, Sum
from bellwether.dashboard.churn_model_chart import reliability_plot
from bellwether.dashboard.churn_model_page import head_values
from bellwether.dashboard.churn_model_view import Figure, between
from bellwether.dashboard.client_access import answer
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import DASH, MONTHS, full_day, number, percent, plural

MOST_LOSSES = 25


@dataclass(frozen=True)
class Line:
    """A month, version or category: predictions, foretold, came, and how good they were."""

    name: str
    href: str
    predictions: str
    foretold: str
    came: str
    brier: str
    auc: str
    ece: str


@dataclass(frozen=True)
class Named:
    """A client that left, or that was held for likely to leave and stayed."""

    name: str
    href: str
    on: str
    told: str
    p90: str
    rank: str
    is_hit: bool


@require_GET
@login_required
def scoreboard(request: HttpRequest) -> HttpResponse:
    """Show the scoreboard at the horizon `days`; of clients only those that the reader sees are named."""
    user, now = cast(StaffUser, request.user), timezone.now()
    found = read.scoreboard_of(now=now, cache=caches["memory"])
    given = request.GET.get("days", "")
    days = int(given) if given in {str(one) for one in HORIZONS} else HORIZONS[-1]
    board = next(one for one in found.boards if one.days == days)
    losses, hidden_losses = _losses(found, user)
    alarms, hidden_alarms = _alarms(found, user)
    audit.record(
        actor=user, action="churn_scoreboard.read", object_type="churn_prediction",
        detail={"predictions": board.predictions, "named": len(losses) + len(alarms)}, now=now,
    )  # fmt: skip
    values: dict[str, Any] = head_values(user, "scoreboard", now) | {
        "board": board,
        "horizons": [(one, one == days) for one in HORIZONS],
        "first": full_day(found.first),
        "any": found.first is not None,
        "open_text": plural(board.waiting, "prediction"),
        "next_on": full_day(date.fromisoformat(board.next_on)) if board.next_on else "",
        "late": plural(found.late, "prediction") if found.late else "",
        "figures": _figures(board),
        "plot": reliability_plot(board.points),
        "months": [_line(one, _month(one.name)) for one in reversed(board.months)],
        "versions": [_line(one, f"Version {one.name}", one.name) for one in reversed(board.versions)],
        "bands": [_line(one, str(Category(one.name).label)) for one in reversed(board.bands)],
        "losses": losses,
        "hidden_losses": hidden_losses,
        "alarms": alarms,
        "hidden_alarms": hidden_alarms,
    }
    return answer(request, "dashboard/churn_scoreboard.html", values)


def _figures(board: Board) -> list[Figure]:
    return [
        Figure("Foretold", number(round(board.foretold, 1)), "", f"of {plural(board.predictions, 'prediction')}"),
        Figure("Came", number(board.came), "", plural(board.churned, "client")),
        Figure("Brier score", _number(board.brier.value, 3), between(board.brier, 3), "0 is perfect"),
        Figure("AUC", _number(board.auc.value, 2), between(board.auc, 2), "0.50 is a coin"),
        Figure("ECE", _number(board.ece.value, 3), between(board.ece, 3), "Mean gap to what came"),
    ]


def _line(one: Sum, name: str, version: str = "") -> Line:
    return Line(
        name,
        f"{reverse('churn_model')}?version={version}" if version else "",
        number(one.predictions),
        number(round(one.foretold, 1)),
        number(one.came),
        _number(one.brier, 3),
        _number(one.auc, 2),
        _number(one.ece, 3),
    )


def _losses(found: Scoreboard, user: StaffUser) -> tuple[list[Named], int]:
    names = read.names_of(user, [one.client_id for one in found.losses])
    seen = [one for one in found.losses if one.client_id in names]
    rows = [
        Named(
            names[one.client_id],
            reverse("client", args=[UUID(one.client_id)]),
            full_day(one.left_on),
            f"High {one.days_before} days before" if one.high_on else "Never high",
            percent(one.p90),
            f"{number(one.rank)} of {number(one.ranked)}",
            one.high_on is not None,
        )
        for one in seen[:MOST_LOSSES]
    ]
    return rows, len(found.losses) - len(rows)


def _alarms(found: Scoreboard, user: StaffUser) -> tuple[list[Named], int]:
    names = read.names_of(user, [one.client_id for one in found.alarms])
    seen = [one for one in found.alarms if one.client_id in names]
    rows = [
        Named(
            names[one.client_id], reverse("client", args=[UUID(one.client_id)]), full_day(one.as_of),
            "Still there 90 days later", percent(one.p90), "", False,
        )
        for one in seen[:MOST_LOSSES]
    ]  # fmt: skip
    return rows, len(found.alarms) - len(rows)


def _month(name: str) -> str:
    year, month = name.split("-")
    return f"{MONTHS[int(month) - 1]} {year}"


def _number(value: float | None, places: int) -> str:
    return DASH if value is None else f"{value:.{places}f}"
