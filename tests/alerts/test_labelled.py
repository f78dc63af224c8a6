"""What labels say of alerts, worked by hand; and alerts of real activity, found a second time by plain loops."""

import os
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from bellwether.alerts.detecting import detect
from bellwether.alerts.frames import EPISODES, USAGE, default_rules, typed
from bellwether.alerts.labelled import USAGE_RULE, labelled
from bellwether.alerts.reading import read_facts
from bellwether.health.backtest_outcomes import read_labels
from bellwether.portfolio.models import Client
from bellwether.usage.lake import Lake
from tests.alerts.facts import A, B
from tests.usage.daily_facts import keep

pytestmark = pytest.mark.one_database
PROJECT = Path(__file__).parents[2]
DATA = Path(os.environ.get("TEST_DATA", PROJECT.parent / "shared" / "data")) / "oss-usage"
MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)


def episodes(*rows: tuple[str, date, date | None]) -> pl.DataFrame:
    frame = pl.DataFrame(
        rows, schema={"client_id": pl.String, "opened_on": pl.Date, "cleared_on": pl.Date}, orient="row"
    )
    return typed(frame.with_columns(alert_type=pl.lit("USAGE_DECLINE")), EPISODES)


def test_alerts_are_judged_by_the_next_month_start() -> None:
    labels = pl.DataFrame(
        [(A, MARCH, 0), (A, APRIL, 1), (A, MAY, 1), (B, MARCH, 0), (B, APRIL, -1)],
        schema={"client_id": pl.String, "as_of": pl.Date, "label": pl.Int8}, orient="row",
    )  # fmt: skip
    found = episodes(
        (A, date(2026, 2, 10), date(2026, 3, 5)),  # March: not followed; open on the day before it
        (A, date(2026, 3, 20), None),  # April: followed; open before April and May
        (B, date(2026, 3, 10), None),  # April is not known
        (B, date(2026, 4, 10), None),  # no labelled month start after it
    )
    usage = pl.DataFrame(
        [(A, date(2026, 2, 28), -0.4, 1.0, 1.0), (A, date(2026, 3, 31), -0.29, 1.0, 1.0)], schema=USAGE, orient="row"
    )
    everything, one, rule = labelled(found, labels, types=["USAGE_DECLINE"], usage=usage, percent=30)
    assert (one.alerts, one.decided, one.followed, one.share) == (3, 2, 1, 0.5)
    assert one.per_client_year == pytest.approx(3 / (5 / 12))
    assert one.base == 0.5  # of four known month starts two are positive
    assert (one.months, one.positive_months) == (3, 2)
    assert (one.losses, one.warned, one.lead_days) == (1, 1, 50.0)  # 10 February to 1 April
    assert everything.alerts == one.alerts
    assert (rule.alert_type, rule.alerts, rule.followed) == (USAGE_RULE, 1, 0)


FIRST, LAST = date(2018, 1, 1), date(2018, 12, 31)


def people_by_day(client: str) -> dict[date, int]:
    """Return how many people were active, by UTC day of the time of the event or of its receipt, the earlier."""
    table = pq.read_table(
        DATA / "events.parquet",
        columns=["ts", "received_at", "user_id", "is_bot"],
        filters=[("client_id", "=", client)],
    )
    days: dict[date, set[str]] = {}
    for row in table.to_pylist():
        if not row["is_bot"]:
            days.setdefault(min(row["ts"], row["received_at"]).date(), set()).add(row["user_id"])
    return {day: len(users) for day, users in days.items()}


def declines(people: dict[date, int]) -> list[tuple[date, date | None]]:
    """Return the episodes of a decline from FIRST to LAST: formulas.md, sections 1 and 6, day by day."""
    begin, found, opened = min(people), [], None
    day = FIRST
    while day <= LAST:
        means = {}
        for window in (7, 30):
            span = [day - timedelta(days=n) for n in range(window)]
            counted = [people.get(one, 0) for one in span if one.isoweekday() <= 5 and one >= begin]
            means[window] = sum(counted) / len(counted) if counted else 0.0
        if means[30] > 0 and (day - begin).days >= 13:
            change = means[7] / means[30] - 1
            if opened is None and change <= -0.3 + 1e-9:
                opened = day
            elif opened is not None and change > -0.15 + 1e-9:
                found.append((opened, day))
                opened = None
        day += timedelta(days=1)
    return [*found, *([(opened, None)] if opened else [])]


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not there; TEST_DATA names its folder's parent")
def test_declines_of_real_activity_are_those_that_plain_loops_find(lake: Lake) -> None:
    client = "camdavidsonpilon-lifelines"
    people = people_by_day(client)
    days = [FIRST - timedelta(days=400) + timedelta(days=n) for n in range(765)]
    rows = [
        {"organization_id": client, "date": day, "dau": people.get(day, 0), "mau": 1, "actions": people.get(day, 0)}
        for day in [min(people), *days]
    ]
    keep(lake, "client_days", rows)
    one = Client.objects.create(organization_id=client, name=client)
    facts = read_facts(FIRST, LAST, types=["USAGE_DECLINE"])
    rules = default_rules([one.pk.hex]).only(["USAGE_DECLINE"])
    found = detect(facts, rules, first=FIRST, last=LAST).select("opened_on", "cleared_on").rows()
    assert found == declines(people)
    assert len(found) > 10


@pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not there; TEST_DATA names its folder's parent")
def test_the_labels_of_real_activity_are_read() -> None:
    labels = read_labels((DATA / "labels_monthly.csv").read_bytes(), "churn_next_90d")
    rows = labels.rename({"organization_id": "client_id"})
    nothing = episodes()
    (everything, _, _) = labelled(nothing, rows, types=["USAGE_DECLINE"], usage=pl.DataFrame(schema=USAGE), percent=30)
    assert everything.base == pytest.approx(135 / 5788)  # its README
    assert (everything.alerts, everything.share) == (0, None)
