"""A score and its change since an earlier day, explained: what the page, the API and the command all show."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Max, Min

from bellwether.common.errors import BellwetherError
from bellwether.health.change_parts import ChangePart, change_parts
from bellwether.health.config_words import difference_in_words
from bellwether.health.configs import config_of, main_scorecard
from bellwether.health.custom_registry import as_measure, custom_measures
from bellwether.health.custom_scoring import customs_of
from bellwether.health.driver_reading import as_first_seen, score_as_seen, stored_score
from bellwether.health.drivers import Driver, drivers
from bellwether.health.explain import Change, Explanation, change, explain
from bellwether.health.models import HealthScore, HealthScoreConfig
from bellwether.health.scorecard import Scorecard, load_scorecard
from bellwether.portfolio.models import Client


class NoScoreError(BellwetherError):
    """There is no score on the day that was asked for."""


@dataclass(frozen=True)
class Explained:
    """A score explained. `change`, its `parts` and its `drivers` in words: None and empty without an earlier day, and
    where one of the two days has no score."""

    explanation: Explanation
    change: Change | None = None
    parts: list[ChangePart] = field(default_factory=list)
    drivers: list[Driver] = field(default_factory=list)


@dataclass(frozen=True)
class StoredDays:
    """The first and the last day with a stored row, None where there is none; `before` and `after` are the days with a
    score nearest to a day."""

    first: date | None
    last: date | None
    before: date | None
    after: date | None


def explained(client: Client, day: date, *, since: date | None = None, scorecard: str | None = None) -> Explained:
    """Return the explanation of the client's score of `day`, made again from its inputs, and the change since `since`.

    The change counts from what was seen on `since` (ScoreAsSeen). Raises NoScoreError when there is no score row on
    one of the dates.
    """
    name = scorecard or main_scorecard()
    row = _row(client, day, name)
    after, card = stored_score(row), _card(row.weights_version, name)
    customs = customs_of([card])
    explanation = explain(after, card, labels={custom.slug: custom.name for custom in customs})
    if since is None:
        return Explained(explanation)
    earlier = _row(client, since, name)
    before, seen = stored_score(earlier), as_first_seen(earlier)
    split = change(
        before,
        _card(before.weights_version, name),
        after,
        card,
        seen=(score_as_seen(seen), _card(seen.weights_version, name)) if seen else None,
    )
    if split is None:
        return Explained(explanation)
    measures = {custom.slug: as_measure(custom) for custom in customs}
    versions = [*([seen.weights_version] if seen else []), before.weights_version, after.weights_version]
    old = _card(before.weights_version, name)
    parts = change_parts(
        split,
        labels={component.key: component.label for component in (*old.components, *card.components)},
        configuration=_differences(name, versions),
        customs=measures,
    )
    return Explained(explanation, split, parts, drivers(split, before, after, card, customs=measures))


def stored_days(client: Client, scorecard: str, day: date) -> StoredDays:
    """Return which days have a stored row of the client, and those with a score nearest to `day`, in three queries."""
    rows = HealthScore.objects.filter(client=client, scorecard=scorecard)
    ends = rows.aggregate(first=Min("date"), last=Max("date"))
    dates = rows.exclude(overall_score=None).values_list("date", flat=True)
    before = dates.filter(date__lt=day).order_by("-date").first()
    after = dates.filter(date__gt=day).order_by("date").first()
    return StoredDays(ends["first"], ends["last"], before, after)


def _differences(scorecard: str, versions: Sequence[str]) -> list[str]:
    """Return what the versions, in the order of time, change from one to the next, in words; empty where nothing."""
    steps = [(old, new) for old, new in itertools.pairwise(versions) if old != new]
    if not steps:
        return []
    numbers = {int(number) for version in versions if (number := version.rpartition(" v")[2]).isdigit()}
    rows = HealthScoreConfig.objects.filter(scorecard=scorecard, version__in=numbers)
    known = {f"{row.scorecard} v{row.version}": row.definition for row in rows}
    labels = {custom.slug: custom.name for custom in custom_measures(archived=True)}
    found = []
    for old, new in steps:
        found.append(f"{new} in place of {old}")
        if old in known and new in known:
            found += difference_in_words(known[old], known[new], labels=labels) or ["The two versions say the same"]
    return found


def _card(version: str, scorecard: str) -> Scorecard:
    config = config_of(version)
    return config.scorecard if config else load_scorecard(scorecard)


def _row(client: Client, day: date, scorecard: str) -> HealthScore:
    rows = HealthScore.objects.filter(client=client, scorecard=scorecard)
    row: HealthScore | None = rows.filter(date=day).first()
    if row is None:
        nearest = rows.filter(date__lt=day).order_by("-date").first() or rows.order_by("date").first()
        hint = f"the nearest is of {nearest.date}" if nearest else "there is none at all"
        raise NoScoreError(
            f"{client.name} has no {scorecard} score of {day}; {hint}. "
            f"`bellwether recompute --from {day} --to {day}` makes it."
        )
    return row
