from datetime import date
from zoneinfo import ZoneInfo

import polars as pl

from bellwether.demo.delivery import SERVICE_SOURCE, SOURCE
from bellwether.demo.portfolio import Portfolio
from bellwether.demo.sources import RELEASE_DAYS, refused_events, source_days
from tests.demo.conftest import PLAN, UNTIL

UTC = ZoneInfo("UTC")


class TestSourceDays:
    def test_count_every_message_once(self, portfolio: Portfolio, messages: pl.DataFrame) -> None:
        days = source_days(portfolio.world, messages, zone=UTC)
        events = sum(one.events for one in days.values())
        assert events == messages["message"].n_unique()
        assert sum(one.duplicates for one in days.values()) == messages.height - events
        assert all(sum(one.lags.values()) == one.events for one in days.values())
        assert {source for source, _ in days} == {SOURCE, SERVICE_SOURCE}

    def test_are_days_of_receipt_in_the_zone(self, portfolio: Portfolio, messages: pl.DataFrame) -> None:
        zone = ZoneInfo("Asia/Tokyo")
        for (_, day), one in source_days(portfolio.world, messages, zone=zone).items():
            assert one.last_received_at is not None
            assert one.last_received_at.astimezone(zone).date() == day


class TestRefusedEvents:
    def test_are_the_same_for_the_same_plan_and_counted(self, portfolio: Portfolio, messages: pl.DataFrame) -> None:
        days = source_days(portfolio.world, messages, zone=UTC)
        found = refused_events(portfolio.world, days, until=UNTIL)
        again = source_days(portfolio.world, messages, zone=UTC)
        assert refused_events(portfolio.world, again, until=UNTIL) == found
        assert sum(one.rejected for one in days.values()) == len(found) > 0

    def test_tell_of_a_release_with_bad_times(self, portfolio: Portfolio, messages: pl.DataFrame) -> None:
        days = source_days(portfolio.world, messages, zone=UTC)
        found = refused_events(portfolio.world, days, until=UNTIL)
        bad: list[date] = [one.received_at.date() for one in found if one.reason.startswith("timestamp:")]
        assert bad
        assert all(0 <= (PLAN.today - day).days <= RELEASE_DAYS for day in bad)
        assert all(
            "userId" not in one.sample and "userId" in one.sample["fields"]
            for one in found
            if one.reason.startswith("event:")
        )
