"""What a replay counts, worked by hand on a handful of alerts."""

import polars as pl
import pytest

from bellwether.alerts.frames import CLIENTS, EPISODES, OUTCOMES, Facts, typed
from bellwether.alerts.replaying import replay, summed, wilson
from tests.alerts.facts import A, B, clients, day, only, scores

pytestmark = pytest.mark.one_database
C = "c" * 32


def episodes(*rows: tuple[str, str, int]) -> pl.DataFrame:
    """Return episodes from client, type and the day on which they opened."""
    frame = pl.DataFrame(
        [(client, kind, day(opened)) for client, kind, opened in rows],
        schema={"client_id": pl.String, "alert_type": pl.String, "opened_on": pl.Date},
        orient="row",
    )
    return typed(frame, EPISODES)


def facts() -> Facts:
    people = pl.DataFrame(
        [(A, day(0), day(50), "one"), (B, day(0), None, "one"), (C, day(0), None, "two")], schema=CLIENTS, orient="row"
    )
    lost = pl.DataFrame([(A, "CHURNED", day(50), 100.0)], schema=OUTCOMES, orient="row")
    return Facts(clients=people, outcomes=lost)


def test_a_replay_counts_by_week_csm_and_client() -> None:
    found = episodes((A, "HEALTH_DROP", 10), (A, "NPS_DETRACTOR", 30), (B, "HEALTH_DROP", 40), (C, "HEALTH_DROP", 200))
    done = summed(found, facts(), first=day(0), last=day(139), types=["HEALTH_DROP", "NPS_DETRACTOR"])
    assert (done.weeks, done.csms) == (20, 2)
    assert (done.total.alerts, done.total.clients, done.total.per_week) == (3, 2, 0.15)
    assert done.total.per_csm_week == pytest.approx(3 / 20 / 2)
    assert done.by_week.rows() == [
        (day(7), "HEALTH_DROP", 1),
        (day(28), "NPS_DETRACTOR", 1),
        (day(35), "HEALTH_DROP", 1),
    ]
    assert done.by_csm.select("csm", "alert_type", "alerts").rows() == [
        ("one", "HEALTH_DROP", 2),
        ("one", "NPS_DETRACTOR", 1),
    ]
    assert done.by_client.select("client_id", "alerts", "churned_on").rows() == [(A, 2, day(50)), (B, 1, None)]


def test_precision_counts_alerts_whose_horizon_is_over() -> None:
    found = episodes((A, "HEALTH_DROP", 10), (A, "HEALTH_DROP", 25), (B, "HEALTH_DROP", 40), (B, "HEALTH_DROP", 120))
    load = summed(found, facts(), first=day(0), last=day(139), types=["HEALTH_DROP"]).types[0]
    thirty, sixty, ninety = load.precision
    assert (thirty.decided, thirty.followed) == (3, 1)  # the churn of day 50 is 25 days after the second alert
    assert (sixty.decided, sixty.followed) == (3, 2)
    assert (ninety.decided, ninety.followed, ninety.share) == (3, 2, 2 / 3)
    assert (load.churns, load.warned, load.lead_days) == (1, 1, 40.0)
    # 90 days: decided are days 0 to 49. A lives all of them, each at most 90 days before its churn; B and C 50 as well.
    assert ninety.base == pytest.approx(50 / 150)


def test_an_alert_on_the_day_of_the_churn_came_too_late() -> None:
    found = episodes((A, "HEALTH_DROP", 50))
    load = summed(found, facts(), first=day(0), last=day(139), types=["HEALTH_DROP"]).types[0]
    assert (load.precision[2].followed, load.warned, load.lead_days) == (0, 0, None)


def test_wilson_agrees_with_the_published_example() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263 gives 0.2553 to 0.3662.
    assert wilson(81, 263) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))
    assert wilson(0, 20)[0] == 0


def test_what_held_before_the_first_day_is_no_news() -> None:
    given = Facts(clients=clients(), scores=scores([70, 60, 60, 60, 60, 80, 80, 80, 80, 80, 80, 80, 60]))
    done = replay(given, only("HEALTH_DROP"), first=day(2), last=day(12), warm_up=2)
    assert done.total.alerts == 1
    assert done.episodes["opened_on"].to_list() == [day(12)]
    assert replay(given, only("HEALTH_DROP", points=30), first=day(2), last=day(12), warm_up=2).total.alerts == 0
