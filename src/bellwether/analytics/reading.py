"""Reads the records behind the executive view: a fixed number of queries, whatever the number of clients."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
from django.conf import settings
from django.db.models import CharField, Count, FloatField, Max, OuterRef, Q, Subquery, Value
from django.db.models.functions import Cast, Replace

from bellwether.analytics.book import CLIENTS, OUTCOMES, PERIODS, SCORES, Limits, Records, first_terms
from bellwether.analytics.keeping import kept
from bellwether.analytics.renewals import LOOKED_BACK
from bellwether.analytics.scorecard import Nps
from bellwether.common.time import day_of, end_of, start_of
from bellwether.health.models import HealthScore
from bellwether.portfolio.choices import OutcomeKind, SurveyKind
from bellwether.portfolio.models import Activity, Change, Client, ClientOutcome, ContractPeriod, SurveyResponse
from bellwether.portfolio.querysets import visible_clients
from bellwether.staff.models import Role, StaffUser

KEPT_SECONDS = 60
PAST_SECONDS = 1_800
FALLBACK_DAYS = 7
RATE_YEARS = 2
CSM_ROLES = (Role.CSM, Role.SENIOR_CSM)


@dataclass(frozen=True)
class Scope:
    """Whose clients are read: those that `user` sees, or with None all of them (for sums about CSMs alone)."""

    user: StaffUser | None

    @property
    def key(self) -> str:
        """The same for everybody who sees the same."""
        if self.user is None or (self.user.is_active and self.user.sees_all_clients):
            return "all"
        return f"{self.user.pk.hex}:{self.user.role}:{self.user.team_id}:{self.user.is_active}"

    def condition(self, prefix: str = "") -> Q:
        """Return the condition for the clients; `prefix` is the path to the client."""
        return Q() if self.key == "all" or self.user is None else visible_clients(self.user, prefix)


def key_of(field: str) -> Replace:
    """Return an id as 32 hex digits in both databases, without making an object of each."""
    return Replace(Cast(field, CharField()), Value("-"), Value(""))


def last_change(user: StaffUser) -> datetime | None:
    """Return when `user` last changed a record or took a change back; None for never."""
    own = Change.objects.filter(made_by=user).aggregate(made=Max("made_at"), undone=Max("undone_at"))
    return max((moment for moment in own.values() if moment is not None), default=None)


def records(
    scope: Scope, scorecard: str, limits: Limits, days: Collection[date], *, today: date, since: datetime | None
) -> Records:
    """Return what is known of the scope's clients, with the scores of the past `days`; at most KEPT_SECONDS old, the
    scores PAST_SECONDS."""
    found = kept(("records", scope.key, today), lambda: _read_records(scope, today), seconds=KEPT_SECONDS, since=since)
    past = sorted(day for day in set(days) if day < today)
    scores = kept(
        ("scores", scope.key, scorecard, tuple(past)),
        lambda: _read_scores(scope, scorecard, past),
        seconds=PAST_SECONDS,
    )
    return replace(found, scores=scores, limits=limits)


def _read_records(scope: Scope, today: date) -> Records:
    clients = _read_clients(scope)
    arr = Cast("annual_recurring_revenue", FloatField())
    periods = ContractPeriod.objects.filter(scope.condition("client__"))
    terms = list(periods.order_by().values_list(key_of("client_id"), "start_date", arr))
    ended = ClientOutcome.objects.filter(scope.condition("client__"))
    before, after = Cast("arr_before", FloatField()), Cast("arr_after", FloatField())
    outcomes = list(ended.order_by().values_list(key_of("client_id"), "date", "outcome", before, after))
    frames = _frame(clients, CLIENTS), _frame(terms, PERIODS), _frame(outcomes, OUTCOMES)
    return Records(first_terms(*frames), frames[1], frames[2], _frame([], SCORES), today)


def _read_clients(scope: Scope) -> list[tuple[Any, ...]]:
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    rows = Client.objects.filter(scope.condition()).order_by("name", "pk").values_list(
        key_of("id"), "name", "contract_tier", "industry", "segment", "region", key_of("csm_user_id"),
        Cast("annual_recurring_revenue", FloatField()), "current_health_score", "health_status", "next_renewal_date",
        "renewal_probability", "contract_start_date", "archived_at",
    )  # fmt: skip
    return [
        (*row[:6], row[6] or "", *row[7:12], row[13] is None, row[12], day_of(row[13], zone) if row[13] else None, None)
        for row in rows
    ]


def _read_scores(scope: Scope, scorecard: str, days: Sequence[date]) -> pl.DataFrame:
    if not days:
        return _frame([], SCORES)
    found = HealthScore.objects.filter(scorecard=scorecard, date__in=days, overall_score__isnull=False)
    if scope.key != "all":
        found = found.filter(client__in=Client.objects.filter(scope.condition()).values("id"))
    rows = list(found.order_by().values_list(key_of("client_id"), Cast("date", CharField()), "overall_score"))
    return _frame(rows, SCORES | {"date": pl.String}).with_columns(pl.col("date").str.to_date())


def _frame(rows: list[tuple[Any, ...]], schema: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row")


def scored_day(scorecard: str, day: date) -> date:
    """Return the newest day with scores up to `day`, at most FALLBACK_DAYS older; else `day` itself."""
    near = HealthScore.objects.filter(
        scorecard=scorecard, date__lte=day, date__gt=day - timedelta(days=FALLBACK_DAYS)
    ).order_by("-date")
    return near.values_list("date", flat=True).first() or day


def ended_terms(scorecard: str, limits: Limits, *, today: date) -> list[tuple[str | None, bool]]:
    """Return the outcomes of RATE_YEARS years as (status LOOKED_BACK days before, whether the client renewed).

    They are those of the whole workspace: a rate of a few clients would say nothing. Outcomes of clients that had no
    score then are left out. Kept PAST_SECONDS.
    """
    key = ("ended", scorecard, limits, today)
    return kept(key, lambda: _read_ended(scorecard, limits, today), seconds=PAST_SECONDS)


def _read_ended(scorecard: str, limits: Limits, today: date) -> list[tuple[str | None, bool]]:
    since = today - timedelta(days=365 * RATE_YEARS)
    then = HealthScore.objects.filter(
        client=OuterRef("client"),
        scorecard=scorecard,
        date__lte=OuterRef("date") - timedelta(days=LOOKED_BACK),
        date__gt=OuterRef("date") - timedelta(days=LOOKED_BACK + FALLBACK_DAYS),
        overall_score__isnull=False,
    ).order_by("-date")
    rows = ClientOutcome.objects.filter(date__gt=since, date__lte=today).order_by()
    found = rows.annotate(then=Subquery(then.values("overall_score")[:1])).values_list("outcome", "then")
    return [(_band(score, limits), outcome != OutcomeKind.CHURNED) for outcome, score in found if score is not None]


def _band(score: int, limits: Limits) -> str:
    if score >= limits.healthy:
        return "HEALTHY"
    return "MONITOR" if score >= limits.monitor else "AT_RISK" if score >= limits.at_risk else "CRITICAL"


def csms(*, since: datetime | None) -> list[StaffUser]:
    """Return the active CSMs of the workspace with their teams, by name; kept KEPT_SECONDS."""
    found = StaffUser.objects.filter(is_active=True, role__in=CSM_ROLES).select_related("team")
    return kept(("csms",), lambda: list(found), seconds=KEPT_SECONDS, since=since)


def holder_names(*, since: datetime | None) -> dict[str, str]:
    """Return the names of everybody who looks after clients, by id as 32 hex digits."""
    found = StaffUser.objects.filter(Q(role__in=CSM_ROLES) | Q(csm_clients__isnull=False)).distinct()
    return kept(("names",), lambda: {user.pk.hex: user.name for user in found}, seconds=KEPT_SECONDS, since=since)


def activity_counts(first: date, last: date, *, since: datetime | None) -> dict[str, dict[str, int]]:
    """Return how many activities each member of staff completed on the days `first` to `last`, by type."""
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    found = Activity.objects.filter(
        completed_at__gte=start_of(first, zone), completed_at__lt=end_of(last, zone), archived_at__isnull=True,
        performed_by__isnull=False,
    )  # fmt: skip

    def read() -> dict[str, dict[str, int]]:
        counts: dict[str, dict[str, int]] = {}
        rows = found.order_by().values_list(key_of("performed_by_id"), "activity_type").annotate(n=Count("pk"))
        for key, kind, count in rows:
            counts.setdefault(key, {})[kind] = count
        return counts

    return kept(("activities", first, last), read, seconds=KEPT_SECONDS, since=since)


def overdue_counts(*, today: date, since: datetime | None) -> dict[str, int]:
    """Return how many follow-ups are overdue at each CSM's clients; archived clients and activities do not count."""
    found = Activity.objects.filter(overdue(today), client__archived_at__isnull=True)
    rows = found.order_by().values_list(key_of("client__csm_user_id")).annotate(n=Count("pk"))
    return kept(
        ("overdue", today), lambda: {key: count for key, count in rows if key}, seconds=KEPT_SECONDS, since=since
    )


def overdue(today: date) -> Q:
    """Return the condition for activities whose follow-up was due before `today` and is not done."""
    return Q(
        follow_up_required=True, follow_up_date__lt=today, follow_up_completed_at__isnull=True, archived_at__isnull=True
    )


def nps_by_csm(until: date, *, since: datetime | None) -> dict[str, Nps]:
    """Return the NPS answers of each CSM's active clients: the last of each respondent in the year to `until`."""
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    found = SurveyResponse.objects.filter(
        kind=SurveyKind.NPS, answered_at__lt=end_of(until, zone),
        answered_at__gte=start_of(until - timedelta(days=364), zone), client__archived_at__isnull=True,
    )  # fmt: skip

    def read() -> dict[str, Nps]:
        rows = found.order_by("answered_at", "pk").values_list(
            key_of("client__csm_user_id"),
            key_of("client_id"),
            "respondent",
            key_of("contact_id"),
            key_of("id"),
            "score",
        )
        last: dict[tuple[str, str, str], float] = {}
        for csm, client, respondent, contact, own, score in rows:
            last[csm or "", client, respondent or contact or own] = score
        counts: dict[str, list[int]] = {}
        for (csm, _, _), score in last.items():
            one = counts.setdefault(csm, [0, 0, 0])
            one[0] += score >= 9
            one[1] += score <= 6
            one[2] += 1
        return {csm: Nps(*one) for csm, one in counts.items()}

    return kept(("nps", until), read, seconds=KEPT_SECONDS * 5, since=since)
