from datetime import UTC, datetime, time, timedelta

import numpy as np
import polars as pl
import pytest

from bellwether.demo.behaviour import IDENTIFY, make_events
from bellwether.demo.people import outage_day
from bellwether.demo.portfolio import Portfolio


def daily(portfolio: Portfolio, events: pl.DataFrame) -> pl.DataFrame:
    """Daily users by client and day of UTC, people only."""
    service = pl.Series(portfolio.world.users.is_service)
    people = events.filter((pl.col("kind") != IDENTIFY) & ~service.gather(events["user"]))
    first = datetime.combine(portfolio.world.plan.first, time(), tzinfo=UTC).timestamp()
    day = ((pl.col("ts") - first) // 86_400).cast(pl.Int64).alias("day")
    return people.group_by("client", day).agg(pl.col("user").n_unique().alias("dau"))


class TestMakeEvents:
    def test_is_the_same_for_the_same_plan(self, portfolio: Portfolio, events: pl.DataFrame) -> None:
        assert make_events(portfolio.world).equals(events)

    def test_sees_few_people_on_weekends(self, portfolio: Portfolio, events: pl.DataFrame) -> None:
        plan = portfolio.world.plan
        by_day = daily(portfolio, events).filter(pl.col("day") < 200).group_by("day").agg(pl.col("dau").sum())
        weekend = pl.Series([plan.day(d).isoweekday() > 5 for d in by_day["day"]])
        ratio = by_day.filter(weekend)["dau"].mean() / by_day.filter(~weekend)["dau"].mean()  # type: ignore[operator]
        assert 0.03 < ratio < 0.16

    def test_stops_when_a_client_has_churned(self, portfolio: Portfolio, events: pl.DataFrame) -> None:
        world = portfolio.world
        last = events.group_by("client").agg(pl.col("ts").max())
        for client, ts in last.iter_rows():
            churned = world.companies[client].churned_on
            if churned:
                # The client's own day ends up to 8 hours after the day of UTC, and a session may run on.
                end = datetime.combine(churned, time(), tzinfo=UTC).timestamp() + 86_400 + 9 * 3600
                assert ts < end

    def test_falls_with_the_latent_health(self, portfolio: Portfolio, events: pl.DataFrame) -> None:
        usage = daily(portfolio, events)
        falls = []
        for company in portfolio.world.companies:
            for fall in company.story.lived:
                low = fall.turn + fall.days
                end = portfolio.world.plan.days if company.story.churn is None else company.story.churn
                if fall.turn >= 20 and fall.depth > 0.3 and low + 10 <= end and company.story.starts < -60:
                    of_client = usage.filter(pl.col("client") == company.number)
                    before = of_client.filter(pl.col("day").is_between(fall.turn - 20, fall.turn))["dau"].sum()
                    after = of_client.filter(pl.col("day").is_between(low - 10, low + 10))["dau"].sum()
                    falls.append(after / before)
        assert len(falls) > 3
        assert np.mean(falls) < 0.6

    def test_leaves_newborns_without_events(self, portfolio: Portfolio, events: pl.DataFrame) -> None:
        newborn = [c.number for c in portfolio.world.companies if c.story.kind == "newborn"]
        assert newborn
        assert events.filter(pl.col("client").is_in(newborn)).is_empty()

    def test_keeps_champions_silent_after_they_left(self, portfolio: Portfolio, events: pl.DataFrame) -> None:
        world = portfolio.world
        for company in world.companies:
            leaves = company.story.champion_leaves
            if leaves is not None:
                champion = int(world.users.first_of_client[company.number])
                last = events.filter(pl.col("user") == champion)["ts"].max()
                left = datetime.combine(world.plan.day(leaves), time(), tzinfo=UTC).timestamp() + 12 * 3600
                assert last is None or last < left  # type: ignore[operator]

    def test_uses_only_licensed_features(self, portfolio: Portfolio, events: pl.DataFrame) -> None:
        world = portfolio.world
        tracked = events.filter(pl.col("kind") != IDENTIFY)
        feature = world.catalogue.feature_of_kind[tracked["kind"].to_numpy()]
        client = tracked["client"].to_numpy()
        named = feature >= 0
        assert world.features.licensed[client[named], feature[named]].all()

    def test_closes_more_cases_on_time_at_healthy_clients(self, portfolio: Portfolio, events: pl.DataFrame) -> None:
        world = portfolio.world
        closed = events.filter(pl.col("kind") == world.catalogue.index["Case Closed"])
        by_client = closed.group_by("client").agg((pl.col("label") <= 1).mean().alias("on_time"), pl.len())
        steady = by_client.filter(pl.col("len") > 60)
        health = world.health[steady["client"].to_numpy()].mean(axis=1)
        assert np.corrcoef(health, steady["on_time"].to_numpy())[0, 1] > 0.6
        assert steady["on_time"].to_numpy()[health > 0.8].mean() == pytest.approx(0.94, abs=0.04)

    def test_leaves_hardly_anybody_on_the_day_of_an_outage(self, portfolio: Portfolio, events: pl.DataFrame) -> None:
        world = portfolio.world
        acting = events.filter(pl.col("kind") >= 0, ~pl.Series(world.users.is_service).gather(events["user"]))
        acting = acting.with_columns(date=pl.from_epoch(pl.col("ts").cast(pl.Int64)).dt.date())
        people = acting.group_by("client", "date").agg(pl.col("user").n_unique()).rows()
        users = {(client, day): count for client, day, count in people}
        down, before = 0, 0
        for company in world.companies:
            index = outage_day(world.plan, company)
            if index is not None:
                day = world.plan.day(index)
                assert day.isoweekday() <= 5
                down += users.get((company.number, day), 0)
                before += sum(users.get((company.number, day - timedelta(days=7 * week)), 0) for week in (1, 2)) // 2
        assert before >= 20
        assert down < 0.3 * before
