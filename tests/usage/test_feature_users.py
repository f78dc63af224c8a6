"""Who uses a feature, from raw events: each message once, and honest about what was not read."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from bellwether.usage import recent_parts
from bellwether.usage.event_match import EventMatch
from bellwether.usage.feature_users import feature_users
from bellwether.usage.lake import Lake
from tests.usage.people_cast import put_events

TODAY = date(2026, 6, 30)
YESTERDAY = TODAY - timedelta(days=1)
OPENED = [EventMatch("Case Created")]


class TestFeatureUsers:
    def test_counts_the_users_of_one_client_and_their_uses(self, tmp_path: Path) -> None:
        lake = Lake(tmp_path)
        put_events(lake, [("acme", "u", TODAY, "Case Created", "Cases")] * 2)
        put_events(
            lake, [("acme", "v", YESTERDAY, "Case Created", "Cases"), ("other", "w", TODAY, "Case Created", None)]
        )
        found = feature_users(lake, "acme", TODAY, OPENED, services=False)
        assert (found.users, [(user.user_key, user.uses) for user in found.first]) == (2, [("u", 2), ("v", 1)])
        assert (found.days, found.since) == (2, None)

    def test_says_since_when_it_counts_where_not_all_is_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lake = Lake(tmp_path)
        put_events(lake, [("acme", "u", TODAY, "Case Created", None)])
        put_events(lake, [("acme", "v", TODAY - timedelta(days=3), "Case Created", None)])
        monkeypatch.setattr(recent_parts, "MOST_BYTES", 1)
        found = feature_users(lake, "acme", TODAY, OPENED, services=False)
        assert (found.users, found.days, found.since) == (1, 1, TODAY - timedelta(days=2))
