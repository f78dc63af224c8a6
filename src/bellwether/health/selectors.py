"""Reads of scores for pages, the API and commands. Callers have checked that the reader may see the client."""

from contextlib import suppress
from datetime import date
from uuid import UUID

from django.db.models import Q

from bellwether.common.errors import BellwetherError
from bellwether.health.configs import config_of, main_scorecard
from bellwether.health.custom_scoring import customs_of
from bellwether.health.explain import Change, Explanation, StoredScore, change, explain
from bellwether.health.models import HealthScore, ScoreAsSeen
from bellwether.health.scorecard import Scorecard, load_scorecard
from bellwether.portfolio.models import Client


class NoScoreError(BellwetherError):
    """There is no score on the day that was asked for."""


class UnknownClientError(BellwetherError):
    """No client, or more than one, fits what was given."""


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

    The change counts from what was seen on `since` (ScoreAsSeen). Raises NoScoreError when there is no score row on one
    of the dates. The change is None without `since`, and when one
    of the two rows has no score.
    """
    name = scorecard or main_scorecard()
    stored = _stored(client, day, name)
    card = _card(stored.weights_version, name)
    names = {custom.slug: custom.name for custom in customs_of([card])}
    explanation = explain(stored, card, labels=names)
    if since is None:
        return explanation, None
    before = _stored(client, since, name)
    seen = _seen(client, since, name)
    moved = change(
        before,
        _card(before.weights_version, name),
        stored,
        card,
        seen=(seen, _card(seen.weights_version, name)) if seen else None,
    )
    return explanation, moved


def _seen(client: Client, day: date, scorecard: str) -> StoredScore | None:
    """Return the score as it stood when its day was over, where it was changed since."""
    row = ScoreAsSeen.objects.filter(client=client, scorecard=scorecard, date=day).first()
    if row is None:
        return None
    return StoredScore(
        row.date, row.overall_score, "", "", row.previous_score, row.coverage, "", row.components, row.inputs,
        row.weights_version,
    )  # fmt: skip


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
