"""Reads of scores for pages, the API and commands. Callers have checked that the reader may see the client."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from uuid import UUID

import polars as pl
from django.db.models import Q

from bellwether.common.errors import BellwetherError
from bellwether.health.configs import config_of, main_scorecard
from bellwether.health.explain import Change, Explanation, StoredScore, change, explain
from bellwether.health.models import HealthScore
from bellwether.health.scorecard import Scorecard, load_scorecard
from bellwether.portfolio.models import Client

FEWEST_PEERS = 5
CHANGE_DAYS, CHANGE_AT_LEAST_DAYS = 30, 7


class NoScoreError(BellwetherError):
    """There is no score on the day that was asked for."""


class UnknownClientError(BellwetherError):
    """No client, or more than one, fits what was given."""


@dataclass(frozen=True)
class CohortDay:
    """The middle score of a cohort on a day, and of how many clients."""

    date: date
    median: float
    clients: int


def score_on(client_id: UUID, day: date, *, scorecard: str | None = None) -> HealthScore | None:
    """Return the newest score row of the client on or before `day`, None if there is none."""
    rows = HealthScore.objects.filter(client_id=client_id, scorecard=scorecard or main_scorecard(), date__lte=day)
    newest: HealthScore | None = rows.order_by("-date").first()
    return newest


def history(client_id: UUID, first: date, last: date, *, scorecard: str | None = None) -> list[HealthScore]:
    """Return the score rows from `first` to `last`, both included, oldest first."""
    name = scorecard or main_scorecard()
    rows = HealthScore.objects.filter(client_id=client_id, scorecard=name, date__gte=first, date__lte=last)
    return list(rows.order_by("date"))


def tier_trend(
    tier: str, first: date, last: date, *, without: UUID | None = None, scorecard: str | None = None
) -> list[CohortDay]:
    """Return the median score a day of the clients of `tier` but `without`; days with fewer than 5 are left out."""
    rows = HealthScore.objects.filter(
        scorecard=scorecard or main_scorecard(),
        date__gte=first,
        date__lte=last,
        client__contract_tier=tier,
        overall_score__isnull=False,
    )
    if without is not None:
        rows = rows.exclude(client_id=without)
    frame = pl.DataFrame(
        list(rows.values_list("date", "overall_score")), schema={"date": pl.Date, "score": pl.Int64}, orient="row"
    )
    days = frame.group_by("date").agg(pl.col("score").median(), pl.len().alias("n")).filter(pl.col("n") >= FEWEST_PEERS)
    return [CohortDay(day, middle, count) for day, middle, count in days.sort("date").iter_rows()]


def component_changes(client_id: UUID, day: date, *, scorecard: str | None = None) -> dict[str, float]:
    """Return by component the change against the oldest score of the 30 days before `day`, at least 7 days back.

    Components that lack a value on either date are left out; empty without an earlier score.
    """
    rows = history(client_id, day - timedelta(days=CHANGE_DAYS), day, scorecard=scorecard)
    if not rows or rows[-1].date != day or (day - rows[0].date).days < CHANGE_AT_LEAST_DAYS:
        return {}
    before, now = rows[0].components, rows[-1].components
    return {
        key: float(value) - float(before[key])
        for key, value in now.items()
        if value is not None and before.get(key) is not None
    }


def tier_component_medians(
    tier: str, day: date, *, without: UUID | None = None, scorecard: str | None = None
) -> dict[str, float]:
    """Return the median of each component over the clients of `tier` but `without`, where at least 5 have a value."""
    rows = HealthScore.objects.filter(scorecard=scorecard or main_scorecard(), date=day, client__contract_tier=tier)
    if without is not None:
        rows = rows.exclude(client_id=without)
    values: dict[str, list[float]] = {}
    for components in rows.values_list("components", flat=True):
        for key, value in components.items():
            if value is not None:
                values.setdefault(key, []).append(value)
    return {key: median(numbers) for key, numbers in values.items() if len(numbers) >= FEWEST_PEERS}


def tier_percentile(client: Client) -> float | None:
    """Return the percentile rank (0-100) of the client's current score in its tier, itself left out; None under 5."""
    peers = (
        Client.objects.active()
        .filter(contract_tier=client.contract_tier, current_health_score__isnull=False)
        .exclude(pk=client.pk)
        .values_list("current_health_score", flat=True)
    )
    scores, own = [score for score in peers if score is not None], client.current_health_score
    if own is None or len(scores) < FEWEST_PEERS:
        return None
    return 100 * (sum(score < own for score in scores) + sum(score == own for score in scores) / 2) / len(scores)


def find_client(text: str) -> Client:
    """Return the client with this organization id or id, or the only one whose name contains `text`.

    Raises UnknownClientError, with the candidates, when none or several fit.
    """
    exact = Q(organization_id=text)
    with suppress(ValueError):
        exact |= Q(pk=UUID(text))
    found = list(Client.objects.filter(exact)[:2]) or list(Client.objects.filter(name__iexact=text)[:2])
    found = found or list(Client.objects.filter(name__icontains=text).order_by("name")[:6])
    if not found:
        raise UnknownClientError(f"No client has the id or a name with {text!r}.")
    if len(found) > 1:
        names = ", ".join(f"{client.name} ({client.organization_id})" for client in found[:5])
        raise UnknownClientError(f"{text!r} fits several clients: {names}. Give the organization id.")
    client: Client = found[0]
    return client


def explain_client(
    client: Client, day: date, *, since: date | None = None, scorecard: str | None = None
) -> tuple[Explanation, Change | None]:
    """Return the explanation of the client's score of `day`, made again from its inputs, and the change since `since`.

    Raises NoScoreError when there is no score row on one of the dates. The change is None without `since`, and when one
    of the two rows has no score.
    """
    name = scorecard or main_scorecard()
    stored = _stored(client, day, name)
    card = _card(stored.weights_version, name)
    explanation = explain(stored, card)
    if since is None:
        return explanation, None
    before = _stored(client, since, name)
    return explanation, change(before, _card(before.weights_version, name), stored, card)


def _card(version: str, scorecard: str) -> Scorecard:
    config = config_of(version)
    return config.scorecard if config else load_scorecard(scorecard)


def _stored(client: Client, day: date, scorecard: str) -> StoredScore:
    rows = HealthScore.objects.filter(client=client, scorecard=scorecard)
    row = rows.filter(date=day).first()
    if row is None:
        nearest = rows.filter(date__lt=day).order_by("-date").first() or rows.order_by("date").first()
        hint = f"the nearest is of {nearest.date}" if nearest else "there is none at all"
        raise NoScoreError(
            f"{client.name} has no {scorecard} score of {day}; {hint}. "
            f"`bellwether recompute --from {day} --to {day}` makes it."
        )
    return StoredScore(
        row.date, row.overall_score, row.status, row.trend, row.previous_score, row.coverage, row.no_score_reason,
        row.components, row.inputs, row.weights_version,
    )  # fmt: skip
