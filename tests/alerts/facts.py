"""Small frames of facts for tests of detectors: a client is a letter, a day a number from START on."""

from datetime import date, timedelta

import polars as pl

from bellwether.alerts.defaults import KIND
from bellwether.alerts.detecting import detect
from bellwether.alerts.frames import CLIENTS, SCORES, Facts, Rules, default_rules, typed

START = date(2026, 1, 1)
A, B = "a" * 32, "b" * 32


def day(number: int) -> date:
    return START + timedelta(days=number)


def clients(*names: str, first: date | None = None, last: date | None = None) -> pl.DataFrame:
    rows = [(name, first, last, None) for name in names or (A,)]
    return pl.DataFrame(rows, schema=CLIENTS, orient="row")


def scores(values: list[int | None], client: str = A, coverage: list[float] | None = None) -> pl.DataFrame:
    rows = [
        (client, day(place), value, "", 40, coverage[place] if coverage else 1.0)
        for place, value in enumerate(values)
        if value is not None
    ]
    return typed(pl.DataFrame(rows, schema=SCORES, orient="row"), SCORES)


def only(alert_type: str, *names: str, **thresholds: float) -> Rules:
    rules = default_rules(names or (A,)).only([alert_type])
    return rules.with_thresholds(alert_type, thresholds) if thresholds else rules


def found(facts: Facts, alert_type: str, *, last: int, first: int = 0, **thresholds: float) -> pl.DataFrame:
    assert alert_type in KIND
    names = facts.clients["client_id"].to_list()
    return detect(facts, only(alert_type, *names, **thresholds), first=day(first), last=day(last))


def told(episodes: pl.DataFrame) -> list[tuple[int, int | None]]:
    """Return when episodes opened and cleared, as numbers of days."""
    return [
        ((opened - START).days, (cleared - START).days if cleared else None)
        for opened, cleared in episodes.select("opened_on", "cleared_on").iter_rows()
    ]
