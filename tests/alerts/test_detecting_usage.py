"""USAGE_DECLINE, CONTRACT_UTILIZATION_LOW and FEATURE_ABANDONED, worked by hand from formulas.md, section 6."""

from datetime import date

import polars as pl
import pytest

from bellwether.alerts.detecting import detect
from bellwether.alerts.frames import FEATURE_GAPS, SEATS, SILENT, USAGE, Facts
from bellwether.alerts.silence import silent_days
from tests.alerts.facts import A, B, clients, day, found, only, told

pytestmark = pytest.mark.one_database


def usage(changes: list[float | None]) -> pl.DataFrame:
    rows = [(A, day(on), change, 7.0, 10.0) for on, change in enumerate(changes)]
    return pl.DataFrame(rows, schema=USAGE, orient="row")


def declines(changes: list[float | None], **more: pl.DataFrame) -> list[tuple[int, int | None]]:
    facts = Facts(clients=clients(), usage=usage(changes), **more)  # type: ignore[arg-type]
    return told(found(facts, "USAGE_DECLINE", last=len(changes) - 1))


def test_a_decline_of_thirty_percent_fires_and_one_of_twenty_nine_does_not() -> None:
    assert declines([0.0, -0.30]) == [(1, None)]
    assert declines([0.0, -0.29, -0.2999]) == []
    assert declines([0.0, 0.7 - 1]) == [(1, None)]  # binary noise does not decide


def test_it_clears_above_minus_fifteen_percent() -> None:
    assert declines([-0.3, -0.2, -0.15, -0.31]) == [(0, None)]
    assert declines([-0.3, -0.2, -0.149, -0.31]) == [(0, 2), (3, None)]


def test_a_decline_twice_as_deep_is_one_severity_higher() -> None:
    facts = Facts(clients=clients(), usage=usage([-0.35, -0.69, -0.70]))
    row = found(facts, "USAGE_DECLINE", last=2).row(0, named=True)
    assert (row["severity"], row["escalated_on"], row["value"]) == ("HIGH", day(2), "-70 %")
    assert found(facts, "USAGE_DECLINE", last=1)["severity"].to_list() == ["MEDIUM"]


def test_missing_values_neither_open_nor_clear() -> None:
    assert declines([None, None]) == []
    assert declines([-0.4, None, None, -0.2]) == [(0, None)]


def test_silence_of_the_whole_source_is_no_decline() -> None:
    silent = pl.DataFrame({"date": [day(2), day(3), day(4)]}, schema=SILENT)
    fallen = [0.0, 0.0, -0.4, -0.6, -0.8, -0.8, -0.7, -0.7, -0.6, -0.5, -0.4]
    assert declines(fallen, silent=silent) == []
    assert declines(fallen) == [(2, None)]
    assert declines([*fallen, -0.4], silent=silent) == [(11, None)]  # seven days with events, and still down


def test_silence_is_three_days_without_anybody_where_many_were_at_work() -> None:
    def days(names: list[str], *on: int) -> pl.DataFrame:
        return pl.DataFrame(
            [(name, day(one)) for name in names for one in on], ["organization_id", "date"], orient="row"
        )

    many = [f"client-{number}" for number in range(5)]
    assert silent_days(days(many, 0, 1, 5), day(0), day(6))["date"].to_list() == [day(2), day(3), day(4)]
    assert silent_days(days(many, 0, 1, 4), day(0), day(5)).is_empty()  # a weekend
    assert silent_days(days(many, 0, 1), day(0), day(4))["date"].to_list() == [day(2), day(3), day(4)]
    assert silent_days(days(many[:4], 0, 1), day(0), day(9)).is_empty()  # four clients may well all stop


def seats(active: list[int], licensed: int = 100) -> pl.DataFrame:
    return pl.DataFrame([(A, day(on), count, licensed) for on, count in enumerate(active)], schema=SEATS, orient="row")


def low(active: list[int], **thresholds: float) -> list[tuple[int, int | None]]:
    facts = Facts(clients=clients(), seats=seats(active))
    return told(found(facts, "CONTRACT_UTILIZATION_LOW", last=len(active) - 1, **thresholds))


def test_contract_use_is_low_on_the_thirtieth_day_under_half() -> None:
    assert low([49] * 29) == []
    assert low([49] * 30) == [(29, None)]
    assert low([50] * 60) == []
    assert low([49] * 20 + [50] + [49] * 29) == []  # not in a row


def test_contract_use_clears_at_fifty_five_percent() -> None:
    assert low([40] * 30 + [54, 54, 55]) == [(29, 32)]
    assert low([40] * 3 + [54, 55], days=3) == [(2, 4)]


def test_a_client_without_seats_is_never_low() -> None:
    facts = Facts(clients=clients(), seats=seats([1] * 40, licensed=0))
    assert found(facts, "CONTRACT_UTILIZATION_LOW", last=39).is_empty()


def gap(last_used: int, next_used: int | None, *, level: int = 4, period: int = 30) -> pl.DataFrame:
    following = None if next_used is None else day(next_used)
    row = (A, "reports", "Reports", level, day(last_used), following, period)
    return pl.DataFrame([row], schema=FEATURE_GAPS, orient="row")


def abandoned(gaps: pl.DataFrame, last: int) -> list[tuple[int, int | None]]:
    return told(found(Facts(clients=clients(A, B), feature_gaps=gaps), "FEATURE_ABANDONED", last=last))


def test_a_feature_is_abandoned_thirty_days_after_its_last_use_until_it_is_used() -> None:
    assert abandoned(gap(2, None), 31) == []
    assert abandoned(gap(2, None), 32) == [(32, None)]
    assert abandoned(gap(2, 40), 60) == [(32, 40)]
    assert abandoned(gap(2, 32), 60) == []


def test_light_use_is_nothing_to_abandon_and_a_quarterly_feature_has_its_quarter() -> None:
    assert abandoned(gap(2, None, level=3), 60) == []
    assert abandoned(gap(2, None, period=91), 92) == []
    assert abandoned(gap(2, None, period=91), 93) == [(93, None)]


def test_one_that_is_open_goes_on_though_its_last_use_is_no_longer_read() -> None:
    standing = found(Facts(clients=clients(A, B), feature_gaps=gap(2, None)), "FEATURE_ABANDONED", last=40)

    def later(following: date | None) -> list[tuple[int, int | None]]:
        row = (A, "reports", "Reports", 4, None, following, 30)
        gaps = pl.DataFrame([row], schema=FEATURE_GAPS, orient="row")
        facts = Facts(clients=clients(A, B), feature_gaps=gaps)
        rules = only("FEATURE_ABANDONED", A, B)
        return told(detect(facts, rules, first=day(41), last=day(60), standing=standing))

    assert later(None) == [(32, None)]
    assert later(day(50)) == [(32, 50)]
    assert later(day(30)) == [(32, 41)]
