"""What the people table shows in the demo: key contacts are users with a role, some of whom stay away."""

from datetime import timedelta

import polars as pl

from bellwether.demo.catalogue import PAGE_VIEWED
from bellwether.demo.contacts import KEY_ROLES
from bellwether.demo.portfolio import Portfolio
from tests.demo.conftest import UNTIL


def last_seen(events: pl.DataFrame) -> dict[int, float]:
    """Return the instant (Unix seconds) of the last event of each user who acted."""
    acted = events.filter(pl.col("kind") >= 0).group_by("user").agg(pl.col("ts").max())
    return {int(user): float(ts) for user, ts in acted.iter_rows()}


class TestKeyContacts:
    def test_champions_and_admins_are_users_with_a_role(self, portfolio: Portfolio) -> None:
        users = portfolio.world.users
        linked = [contact for contact in portfolio.contacts if contact.role in {"CHAMPION", "ADMIN"}]
        assert all(contact.user is not None and users.role[contact.user] for contact in linked)

    def test_a_champion_who_left_is_not_seen_again(self, portfolio: Portfolio, events: pl.DataFrame) -> None:
        seen = last_seen(events)
        left = [c for c in portfolio.contacts if c.left_at and c.left_at <= UNTIL and c.user in seen]
        assert left
        assert all(seen[c.user] < c.left_at.timestamp() for c in left if c.user is not None and c.left_at)

    def test_some_stay_away_for_14_days_and_most_do_not(self, portfolio: Portfolio, events: pl.DataFrame) -> None:
        seen, since = last_seen(events), (UNTIL - timedelta(days=14)).timestamp()
        gone = {c.number for c in portfolio.world.companies if c.story.churn is not None}
        here = [c for c in portfolio.contacts if c.role in KEY_ROLES and c.left_at is None and c.client not in gone]
        known = [c.user for c in here if c.user in seen]
        quiet = [user for user in known if user is not None and seen[user] < since]
        assert 0.02 < len(quiet) / len(known) < 0.4

    def test_users_do_more_than_look_at_pages(self, portfolio: Portfolio, events: pl.DataFrame) -> None:
        kinds = portfolio.world.catalogue.kinds
        acted = events.filter((pl.col("kind") >= 0) & (pl.col("kind") != PAGE_VIEWED))
        named = [kinds[kind].module for kind in acted["kind"].unique().to_list()]
        assert len({module for module in named if module}) >= 4
