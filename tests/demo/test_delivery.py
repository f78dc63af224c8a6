from datetime import timedelta

import polars as pl
import pytest

from bellwether.demo.behaviour import make_events
from bellwether.demo.delivery import DUPLICATE_SHARE, LATE_SHARE, deliver, seen_between, tables
from bellwether.demo.portfolio import Portfolio, truth
from bellwether.usage.lake import EVENT_SCHEMA


class TestDeliver:
    def test_repeats_and_delays_the_planned_shares(self, messages: pl.DataFrame) -> None:
        unique = messages["message"].n_unique()
        assert 0.5 * DUPLICATE_SHARE < messages.height / unique - 1 < 1.5 * DUPLICATE_SHARE
        late = messages.filter(pl.col("received") - pl.col("ts") > 0.3 * 86_400).height
        assert 0.5 * LATE_SHARE < late / messages.height < 2 * LATE_SHARE

    def test_receives_nothing_before_it_happened_or_after_the_end(
        self, portfolio: Portfolio, messages: pl.DataFrame
    ) -> None:
        assert messages.filter(pl.col("received") < pl.col("ts")).is_empty()
        assert messages["received"].max() <= portfolio.until.timestamp()  # type: ignore[operator]

    def test_changes_nothing_before_the_end_when_it_ends_earlier(
        self, portfolio: Portfolio, messages: pl.DataFrame
    ) -> None:
        earlier = portfolio.until - timedelta(days=3)
        shorter = deliver(portfolio.world, make_events(portfolio.world), until=earlier)
        assert shorter.equals(messages.filter(pl.col("received") <= earlier.timestamp()))


class TestTables:
    def test_fits_the_lake_month_by_month(self, portfolio: Portfolio, messages: pl.DataFrame) -> None:
        keys = [f"key-{n}" for n in range(len(portfolio.world.users.ids))]
        made = dict(tables(portfolio.world, messages, keys))
        assert list(made) == ["demo-2025-12", *(f"demo-2026-0{month}" for month in range(1, 7))]
        assert all(table.schema == EVENT_SCHEMA for table in made.values())
        assert sum(table.num_rows for table in made.values()) == messages.height

    def test_tells_service_users_roles_and_labels(self, portfolio: Portfolio, messages: pl.DataFrame) -> None:
        keys = list(portfolio.world.users.ids)
        _, table = next(tables(portfolio.world, messages, keys))
        frame = pl.DataFrame(pl.from_arrow(table))
        assert frame.filter(pl.col("is_service"))["user_key"].str.contains("-service-").all()
        identify = frame.filter(pl.col("type") == "identify")
        assert identify["role"].is_not_null().all()
        assert frame.filter(pl.col("type") != "identify")["role"].is_null().all()
        closed = frame.filter(pl.col("event") == "Case Closed")["properties"].str.json_path_match("$.sla_status")
        assert set(closed) <= {"on_track", "warning", "breached", "critical"}
        launched = frame.filter(pl.col("event") == "Dashboard Viewed").row(0, named=True)
        assert (launched["module"], launched["feature"]) == ("Analytics", "dashboard_views")


class TestSeenBetween:
    def test_gives_first_and_last_instants(self, messages: pl.DataFrame) -> None:
        seen = seen_between(messages)
        user = messages["user"][0]
        first, last = seen[user]
        assert first <= last
        assert first.timestamp() == pytest.approx(messages.filter(pl.col("user") == user)["ts"].min(), abs=1e-5)


class TestTruth:
    def test_has_a_row_for_each_client_and_day_under_contract(self, portfolio: Portfolio) -> None:
        frame = truth(portfolio.world)
        assert frame["latent_health"].is_between(0, 100).all()
        assert frame.select("organization_id", "date").is_unique().all()
        churned = frame.filter(pl.col("churn_date").is_not_null())
        assert (churned["date"] <= churned["churn_date"]).all()
        assert churned["churn_cause"].is_not_null().all()
