"""All versions of the churn model, and two of them side by side."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from bellwether.churn import model_reading as read
from bellwether.churn.card import Card, Coefficient
from bellwether.churn.choices import ModelKind, ModelState
from bellwether.churn.factors import HORIZONS
from bellwether.churn.models import ChurnModel
from bellwether.common.models import JobState
from bellwether.common.time import day_of
from bellwether.dashboard.churn_model_page import head_values, training_values
from bellwether.dashboard.churn_model_view import between
from bellwether.dashboard.client_access import answer
from bellwether.health.backtest_result import Interval
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import DASH, MINUS, day, number, plural

MOST_SHOWN = 50
LOOKS = {ModelState.ACTIVE: "healthy", ModelState.RETIRED: "na", ModelState.REJECTED: "monitor"}
LAST = str(HORIZONS[-1])


@dataclass(frozen=True)
class VersionRow:
    """A version in the list."""

    number: int
    kind: str
    state: str
    look: str
    trained: str
    who: str
    rows: str
    auc: str
    brier: str
    ece: str
    reason: str
    href: str
    compare_href: str
    use_href: str


@require_GET
@login_required
def versions(request: HttpRequest) -> HttpResponse:
    """List the versions with their figures, the newest first; `a` and `b` are set side by side."""
    user, now = cast(StaffUser, request.user), timezone.now()
    in_use = read.version_in_use(now=now)
    found = read.all_versions()
    pair, shown = _pair(request, found, in_use), found[:MOST_SHOWN]
    cards = read.cards_of(shown)
    audit.record(
        actor=user, action="churn_model.list", object_type="churn_model", detail={"count": len(found)}, now=now
    )
    run = read.newest_training()
    over = training_values(run, user, now) if run is not None and run.state == JobState.DONE else None
    values = head_values(user, "versions", now) | {
        "last_training": over if over and over["said"] else None,
        "rows": [_row(row, cards[row.pk], in_use, user, now) for row in shown],
        "total": len(found),
        "most": MOST_SHOWN,
        "choices": [(row.version, f"Version {row.version}, {row.get_kind_display().lower()}") for row in found],
        "pair": pair,
        "in_use": in_use,
        "lines": _lines(*pair) if pair else [],
    }
    return answer(request, "dashboard/churn_model_versions.html", values)


def _row(row: ChurnModel, card: Card, in_use: ChurnModel, user: StaffUser, now: datetime) -> VersionRow:
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    auc, brier, ece = _figures(card)
    other = row.version != in_use.version
    return VersionRow(
        number=row.version,
        kind=str(ModelKind(row.kind).label),
        state=str(ModelState(row.state).label),
        look=LOOKS[ModelState(row.state)],
        trained=day(day_of(row.trained_at, zone), day_of(now, zone)),
        who=row.trained_by.name if row.trained_by else "Bellwether",
        rows=plural(row.churned_clients, "client") + " left" if row.kind != ModelKind.PRIOR else DASH,
        auc=_text(auc, 2),
        brier=_text(brier, 3),
        ece=_text(ece, 3),
        reason=row.reason,
        href=f"{reverse('churn_model')}?version={row.version}",
        compare_href=f"{reverse('churn_model_versions')}?a={in_use.version}&b={row.version}#compare" if other else "",
        use_href=reverse("churn_model_use", args=[row.version]) if other and read.may_manage(user) else "",
    )


def _figures(card: Card) -> tuple[Interval, Interval, Interval]:
    shown = card.shown
    found = shown.horizons.get(LAST) if shown else None
    return (found.auc, found.brier, found.ece) if found else (Interval(), Interval(), Interval())


def _text(value: Interval, places: int) -> str:
    return DASH if value.value is None else f"{value.value:.{places}f}"


def _pair(request: HttpRequest, found: list[ChurnModel], in_use: ChurnModel) -> tuple[ChurnModel, ChurnModel] | None:
    by_number = {str(row.version): row for row in found}
    one, other = by_number.get(request.GET.get("a", "")), by_number.get(request.GET.get("b", ""))
    if one is None and other is None:
        return None
    return one or in_use, other or in_use


def _lines(one: ChurnModel, other: ChurnModel) -> list[tuple[str, str, str, bool]]:
    """Return what two versions say of the same thing: (name, first, second, whether they differ)."""
    cards = [read.card_of(row) for row in (one, other)]
    columns = []
    for row, card in zip((one, other), cards, strict=True):
        shown = card.shown
        found = shown.horizons.get(LAST) if shown else None
        columns.append(
            {
                "Kind": str(ModelKind(row.kind).label),
                "Client-weeks": number(row.rows) if row.rows else DASH,
                "Clients that left": number(row.churned_clients) if row.rows else DASH,
                "As-of days": f"{row.first_as_of} to {row.last_as_of}" if row.first_as_of else DASH,
                **{
                    f"{name}, 90 days": _full(getattr(found, key) if found else Interval(), places)
                    for name, key, places in (
                        ("AUC", "auc", 2), ("PR-AUC", "pr_auc", 2), ("Brier", "brier", 3), ("Log loss", "log_loss", 3),
                        ("ECE", "ece", 3), ("Lift at 10%", "lift", 1),
                    )
                },
                **{
                    f"Weight of {weight.label.lower()}": _weight(weight) for weight in card.coefficients
                },
            }
        )  # fmt: skip
    names = dict.fromkeys([*columns[0], *columns[1]])
    return [
        (name, columns[0].get(name, DASH), columns[1].get(name, DASH), columns[0].get(name) != columns[1].get(name))
        for name in names
    ]


def _weight(row: Coefficient) -> str:
    """Return the weight in the first interval, or the range of a model of steps."""
    if row.weights[0] is not None:
        return f"{row.weights[0]:+.2f}".replace("-", MINUS)
    return DASH if row.swing[0] is None else f"range {row.swing[0]:.2f}"


def _full(value: Interval, places: int) -> str:
    if value.value is None:
        return DASH
    span = between(value, places)
    return _text(value, places) + (f" ({span})" if span else "")
