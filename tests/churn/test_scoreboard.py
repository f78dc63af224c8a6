"""The scoreboard by hand: what counts, what came, hits and misses."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from bellwether.churn.scoreboard import PREDICTIONS, Board, Scoreboard, as_data, scoreboard, weekly

pytestmark = pytest.mark.one_database

UNTIL = date(2026, 6, 30)
NOBODY = pl.DataFrame(schema={"client_id": pl.String, "left_on": pl.Date})
MONDAY = date(2026, 1, 5)


def _told(client: str, as_of: date, p90: float, **given: Any) -> dict[str, Any]:
    category = "HIGH" if p90 > 0.5 else "MEDIUM" if p90 >= 0.2 else "LOW"
    row = {
        "client_id": client, "as_of": as_of, "made_on": as_of, "version": 1,
        "p30": p90 / 3, "p60": p90 / 2, "p90": p90, "category": category,
    }  # fmt: skip
    return row | given


def _frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=PREDICTIONS)


def _left(**days: date) -> pl.DataFrame:
    return pl.DataFrame({"client_id": list(days), "left_on": list(days.values())}, schema=NOBODY.schema)


def _board(predictions: pl.DataFrame, left: pl.DataFrame, until: date = UNTIL) -> Scoreboard:
    return scoreboard(predictions, left, left.rename({"left_on": "last_day"}), until)


def _at(found: Scoreboard, days: int) -> Board:
    return next(board for board in found.boards if board.days == days)


def test_one_prediction_a_client_and_iso_week_and_none_stored_afterwards() -> None:
    sunday, monday = date(2026, 1, 4), MONDAY
    predictions = _frame(
        _told("a", sunday, 0.1),
        _told("a", monday, 0.2),
        _told("a", monday, 0.9, version=2),  # a version put into use the same day comes after
        _told("a", monday + timedelta(days=2), 0.3),
        _told("b", monday, 0.4, made_on=monday + timedelta(days=2)),
        _told("b", monday + timedelta(days=7), 0.4, made_on=monday + timedelta(days=10)),
    )
    rows, late = weekly(predictions)
    assert rows.select("client_id", "as_of", "p90").rows() == [
        ("a", sunday, 0.1),
        ("a", monday, 0.2),
        ("b", monday, 0.4),
    ]
    assert late == 1


def test_foretold_and_came_by_hand() -> None:
    later = MONDAY + timedelta(days=7)
    predictions = _frame(
        _told("a", MONDAY, 0.6), _told("a", later, 0.6), _told("b", MONDAY, 0.3), _told("c", MONDAY, 0.03)
    )
    found = _board(predictions, _left(a=MONDAY + timedelta(days=40)))
    at30, at90 = _at(found, 30), _at(found, 90)
    assert (at30.predictions, at30.came, at30.churned) == (4, 0, 0)  # 40 and 33 days ahead
    assert (at90.predictions, at90.clients, at90.churned, at90.came) == (4, 3, 1, 2)
    assert at90.foretold == pytest.approx(1.53)
    assert at90.brier.value == pytest.approx((0.4**2 + 0.4**2 + 0.3**2 + 0.03**2) / 4)
    assert at90.auc.value is None  # one client that left is too few
    assert [(band.name, band.predictions, band.came) for band in at90.bands] == [
        ("LOW", 1, 0),
        ("MEDIUM", 1, 0),
        ("HIGH", 2, 2),
    ]
    # A month counts each client once, by its first prediction.
    assert [(month.name, month.predictions, month.came) for month in at90.months] == [("2026-01", 3, 1)]
    assert at90.months[0].foretold == pytest.approx(0.93)


def test_what_is_not_over_waits() -> None:
    as_of = UNTIL - timedelta(days=40)
    # It left within 10 days, but who stayed is not known before day 60: it does not count for 60 and 90 days yet.
    found = _board(_frame(_told("a", as_of, 0.6), _told("b", as_of, 0.1)), _left(a=as_of + timedelta(days=10)))
    assert (_at(found, 30).predictions, _at(found, 30).came, _at(found, 30).waiting) == (2, 1, 0)
    assert (_at(found, 60).predictions, _at(found, 60).waiting) == (0, 2)
    assert _at(found, 60).next_on == str(as_of + timedelta(days=60))


def test_hits_misses_and_false_alarms() -> None:
    weeks = [MONDAY + timedelta(days=7 * n) for n in range(6)]
    leaves = weeks[5] + timedelta(days=3)
    predictions = _frame(
        *(_told("hit", day, 0.1 if n < 2 else 0.7) for n, day in enumerate(weeks)),
        *(_told("miss", day, 0.05 + 0.01 * n) for n, day in enumerate(weeks)),
        *(_told("alarm", day, 0.8 if n == 1 else 0.1) for n, day in enumerate(weeks)),
    )
    found = _board(predictions, _left(hit=leaves, miss=leaves))
    losses = {loss.client_id: loss for loss in found.losses}
    assert losses["hit"].high_on == weeks[2]
    assert losses["hit"].days_before == 24
    assert losses["miss"].high_on is None
    assert losses["miss"].p90 == pytest.approx(0.10)
    # 0.7 is the highest from the third week on; 0.10 in the last week ties with the client that stayed.
    assert (losses["hit"].rank, losses["hit"].ranked) == (1, 3)
    assert (losses["miss"].rank, losses["miss"].ranked) == (2, 3)
    assert [(alarm.client_id, alarm.as_of, alarm.p90) for alarm in found.alarms] == [("alarm", weeks[1], 0.8)]


def test_versions_are_told_apart_and_ranking_needs_five_losses() -> None:
    names = [f"c{n}" for n in range(20)]
    predictions = _frame(
        *(_told(name, MONDAY, 0.9 if n < 5 else 0.05, version=9) for n, name in enumerate(names)),
        *(_told(name, MONDAY + timedelta(days=7), 0.05, version=10) for name in names),
    )
    left = _left(**{name: MONDAY + timedelta(days=50) for name in names[:5]})
    at90 = _at(_board(predictions, left), 90)
    assert [one.name for one in at90.versions] == ["9", "10"]
    assert (at90.versions[0].auc, at90.versions[1].auc) == (1.0, 0.5)
    assert at90.versions[0].foretold == pytest.approx(5 * 0.9 + 15 * 0.05)
    assert at90.auc.value == pytest.approx(0.75)


def test_nothing_stored_yet() -> None:
    found = _board(_frame(), _left())
    assert [board.predictions for board in found.boards] == [0, 0, 0]
    assert found.losses == []
    assert as_data(found)["first"] is None


def test_the_data_of_the_board_name_no_client() -> None:
    predictions = _frame(_told("secret-client", MONDAY, 0.6))
    data = as_data(_board(predictions, _left(**{"secret-client": MONDAY + timedelta(days=3)})))
    assert "secret-client" not in str(data)
    assert data["horizons"][0]["came"] == 1
