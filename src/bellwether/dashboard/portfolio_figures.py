"""The figures above the list and beside it: one query for the clients, one for their stored score history."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.core.cache import caches
from django.db.models import Avg, Count, Max, Q, Sum

from bellwether.dashboard.portfolio_rows import ROW_FIELDS
from bellwether.health.models import HealthScore
from bellwether.health.scorecard import Scorecard
from bellwether.portfolio.choices import HealthStatus, HealthTrend
from bellwether.portfolio.listing import AT_RISK, VIEWS
from bellwether.portfolio.models import Client
from bellwether.portfolio.querysets import visible_clients
from bellwether.portfolio.ranking import by_priority
from bellwether.staff.models import StaffUser

WEEK, MONTH = 7, 30
WEEKS_SHOWN = 13
HISTORY_KEPT_SECONDS = 60
MOST_SUGGESTED = 5


@dataclass(frozen=True)
class Portfolio:
    """The clients that one user sees, as counts. `by_status` has the key None for clients without a score.

    `views` counts each saved view; `arr` sums what is known; `average` is the mean of the scores there are.
    `attention` and `attention_arr` are those of `needs_attention`. `scored_on` is the newest scored day,
    `last_usage_at` the newest event of any of them.
    """

    total: int
    new_this_month: int
    by_status: dict[str | None, int]
    views: dict[str, int]
    average: float | None
    arr: Decimal
    typical_arr: float
    arr_at_risk: Decimal
    attention: int
    attention_arr: Decimal
    any_churn: bool
    scored_on: date | None
    last_usage_at: datetime | None

    @property
    def at_risk(self) -> int:
        """How many clients are at risk or critical."""
        return sum(self.by_status[status] for status in AT_RISK)


@dataclass(frozen=True)
class Day:
    """The same clients on an earlier day. `arr_at_risk` uses today's ARR: what a contract was worth then is not it."""

    day: date
    at_risk: int
    average: float | None
    arr_at_risk: Decimal


def needs_attention() -> Q:
    """Return the condition for clients that belong into the panel: at risk, critical, falling, or without a score."""
    return Q(health_status__in=AT_RISK) | Q(health_trend=HealthTrend.DOWN) | Q(current_health_score__isnull=True)


def portfolio_figures(user: StaffUser, today: date) -> Portfolio:
    """Return the figures of the clients that `user` sees on the workspace day `today`, in one query."""
    arr = "annual_recurring_revenue"
    first = today.replace(day=1)
    counts = (
        Client.objects.visible_to(user)
        .active()
        .aggregate(
            total=Count("pk"),
            new=Count("pk", filter=Q(contract_start_date__gte=first, contract_start_date__lte=today)),
            average=Avg("current_health_score"),
            arr=Sum(arr),
            typical=Avg(arr),
            arr_at_risk=Sum(arr, filter=Q(health_status__in=AT_RISK)),
            attention=Count("pk", filter=needs_attention()),
            attention_arr=Sum(arr, filter=needs_attention()),
            churn=Count("churn_risk_score"),
            scored_on=Max("scored_on"),
            last_usage_at=Max("last_activity_at"),
            **{f"is_{status}": Count("pk", filter=Q(health_status=status)) for status in HealthStatus.values},
            **{f"view_{name}": Count("pk", filter=view(user, today)) for name, view in VIEWS.items() if name != "all"},
        )
    )
    by_status: dict[str | None, int] = {status: counts[f"is_{status}"] for status in HealthStatus.values}
    by_status[None] = counts["total"] - sum(by_status.values())
    return Portfolio(
        total=counts["total"],
        new_this_month=counts["new"],
        by_status=by_status,
        views={name: counts["total"] if name == "all" else counts[f"view_{name}"] for name in VIEWS},
        average=counts["average"],
        arr=counts["arr"] or Decimal(0),
        typical_arr=float(counts["typical"] or 1),
        arr_at_risk=counts["arr_at_risk"] or Decimal(0),
        attention=counts["attention"],
        attention_arr=counts["attention_arr"] or Decimal(0),
        any_churn=counts["churn"] > 0,
        scored_on=counts["scored_on"],
        last_usage_at=counts["last_usage_at"],
    )


def history_days(latest: date) -> list[date]:
    """Return the days to read, oldest first: every week back from `latest`, and the day a month before it."""
    weekly = {latest - timedelta(days=WEEK * week) for week in range(WEEKS_SHOWN)}
    return sorted(weekly | {latest - timedelta(days=MONTH)})


def score_history(user: StaffUser, latest: date, scorecard: Scorecard) -> dict[date, Day]:
    """Return the stored scores of the clients that `user` sees, summed up per day of `history_days(latest)`.

    Days without scores are left out. One query over the index of scorecard and day; because it reads as many rows as
    there are clients times days, and the past hardly changes, each process keeps the sums for HISTORY_KEPT_SECONDS.
    """
    scope = "all" if user.sees_all_clients and user.is_active else str(user.pk)
    key = f"portfolio-history:{scope}:{scorecard.name}:{latest.isoformat()}"
    kept: dict[date, Day] | None = caches["memory"].get(key)
    if kept is None:
        kept = _read_history(user, latest, scorecard)
        caches["memory"].set(key, kept, HISTORY_KEPT_SECONDS)
    return kept


def _read_history(user: StaffUser, latest: date, scorecard: Scorecard) -> dict[date, Day]:
    low = Q(overall_score__lt=scorecard.thresholds.monitor)
    found = (
        HealthScore.objects.filter(scorecard=scorecard.name, date__in=history_days(latest))
        .filter(visible_clients(user, "client__"), client__archived_at__isnull=True)
        .values("date")
        .annotate(
            average=Avg("overall_score"),
            low=Count("pk", filter=low),
            low_arr=Sum("client__annual_recurring_revenue", filter=low),
        )
        .order_by("date")
    )
    return {
        row["date"]: Day(row["date"], row["low"], row["average"], row["low_arr"] or Decimal(0))
        for row in found
        if row["average"] is not None
    }


def most_urgent(user: StaffUser, today: date, typical_arr: float) -> list[Client]:
    """Return the clients for the panel: those that need attention, the most urgent first, at most MOST_SUGGESTED."""
    clients = Client.objects.visible_to(user).active().filter(needs_attention())
    clients = clients.only(*ROW_FIELDS).select_related("csm_user", "ae_user")
    return list(by_priority(clients, today=today, typical_arr=typical_arr)[:MOST_SUGGESTED])
