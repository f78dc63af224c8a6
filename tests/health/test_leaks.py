"""Nothing that came after a day changes what a replay says of it: neither later events, nor late ones, nor records."""

import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from bellwether.health.configs import check_definition
from bellwether.health.engine import score_measures, with_expected_dau
from bellwether.health.models import HealthScore
from bellwether.health.replay import replay_measures, score_frames
from bellwether.health.scorecard import SCORECARDS, Scorecard, load_scorecard, shipped_definition
from bellwether.portfolio.models import (
    SupportTicket,
)
from bellwether.usage import jobs as _declares_the_jobs  # noqa: F401
from bellwether.usage.lake import Lake
from tests.conftest import NOW, Clients
from tests.health.leak_world import AS_OF, BEFORE, LATER, OUR_OWN, base_events, deliver, later_events, make_world, typed
from tests.usage.rollup_twin import event

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def world(clients: Clients, lake: Lake) -> Lake:
    return make_world(clients, lake)


def cards() -> list[Scorecard]:
    """Return the shipped scorecards, and one with a measure of our own in each component."""
    definition = shipped_definition("prd-015")
    slugs = [*OUR_OWN, *OUR_OWN]
    parts = [
        part | {"formula": {"kind": "scale", "measure": slug, "factor": 3}}
        for part, slug in zip(definition["components"], slugs, strict=False)
    ]
    return [*map(load_scorecard, SCORECARDS), check_definition(definition | {"components": parts})]


def replayed(days: list[date] = AS_OF) -> list[pl.DataFrame]:
    """Return every measure of the replayed `days`, then every score of each scorecard."""
    every = cards()
    measures = pl.concat(list(replay_measures(days, now=NOW, scorecards=every, as_known=True)))
    return [measures, *(score_measures(with_expected_dau(measures, card), card) for card in every)]


def same(before: list[pl.DataFrame], after: list[pl.DataFrame]) -> None:
    for one, other in zip(before, after, strict=True):
        assert_frame_equal(one, other, check_exact=True)


DRAWN = st.tuples(  # days and minutes from the end of the day, hours until it arrives, who, where, what
    st.integers(-200, 20),
    st.integers(0, 1439),
    st.integers(0, 300),
    st.sampled_from(["ann", "fay", "zoe"]),
    st.sampled_from(["sturdy", "fading", "newborn"]),
    st.sampled_from(["Case Created", "Case Closed"]),
)


class TestNothingLaterChangesAReplay:
    def test_neither_events_nor_records_of_any_kind(self, world: Lake, clients: Clients) -> None:
        before = replayed()
        today = pl.concat(list(replay_measures(AS_OF, now=NOW, scorecards=cards())))
        deliver(world, later_events(), "late")
        same(before, replayed())
        for name, arrive in LATER.items():
            arrive(clients)
            assert replayed()[0].equals(before[0]), f"{name} of later leak into measures"
        same(before, replayed())
        # In hindsight all of it shows: what was added could have been seen.
        hindsight = pl.concat(list(replay_measures(AS_OF, now=NOW, scorecards=cards())))
        keys = ["client_id", "date"]
        both = today.join(hindsight, on=keys, suffix="_now")
        changed = {n for n in today.columns if n not in keys and not both[n].equals(both[f"{n}_now"].alias(n))}
        assert changed >= {
            "dau", "mau", "total_users", "session_minutes", "dau_avg_30d", "tickets_30d", "ticket_points_30d",
            "tickets_norm", "csat_90d", "nps_latest", "days_since_contact", "stakeholder_coverage_90d", "tier",
            "licensed_user_count", "features_licensed", *OUR_OWN,
        }  # fmt: skip

    @given(st.lists(DRAWN, min_size=1, max_size=8))
    @settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
    @pytest.mark.one_database
    def test_nor_any_events(self, world: Lake, settings: Any, drawn: list[tuple[int, int, int, str, str, str]]) -> None:
        day = AS_OF[1]
        ends = datetime(2026, 5, 1, tzinfo=UTC)
        late = [
            event(ts, user, organization, event=name, received_at=max(ts, ends + timedelta(hours=delay)))
            for days, minutes, delay, user, organization, name in drawn
            for ts in [ends + timedelta(days=days, minutes=minutes)]
        ]
        with tempfile.TemporaryDirectory() as folder:
            settings.BELLWETHER_LAKE = folder
            deliver(Lake(Path(folder)), base_events(), "base")
            before = replayed([day])
            deliver(Lake(Path(folder)), late, "late")
            same(before, replayed([day]))


class TestWhatIsKnown:
    def test_equals_hindsight_where_nothing_was_late(self, world: Lake) -> None:
        """10 May is the last day of everything: what `bellwether recompute` stores of it is what was known on it."""
        card = load_scorecard("prd-015")
        (_, known), (_, hindsight) = (
            next(score_frames(AS_OF[2:], now=NOW, scorecard=card, as_known=flag)) for flag in (True, False)
        )
        assert_frame_equal(known, hindsight, check_exact=True)
        stored = {(row.client_id.hex, row.overall_score) for row in HealthScore.objects.filter(date=AS_OF[2])}
        assert {(row["client_id"], row["score"]) for row in known.iter_rows(named=True)} == stored

    def test_imported_records_count_from_their_own_date(self, world: Lake, clients: Clients) -> None:
        before = replayed(AS_OF[2:])[0]
        SupportTicket.objects.create(client=clients.sturdy, external_id="i", priority="high", opened_at=BEFORE)
        after = replayed(AS_OF[2:])[0]
        mine = pl.col("client_id") == clients.sturdy.pk.hex
        assert before.filter(mine)["tickets_30d"].to_list() == [0]
        assert after.filter(mine)["tickets_30d"].to_list() == [1]

    def test_typed_records_count_from_the_day_they_were_typed(self, world: Lake, clients: Clients) -> None:
        mine = pl.col("client_id") == clients.sturdy.pk.hex
        typed(SupportTicket, datetime(2026, 5, 3, tzinfo=UTC), client=clients.sturdy, opened_at=BEFORE)
        counts = replayed([date(2026, 5, 2), date(2026, 5, 3)])[0].filter(mine)["tickets_30d"].to_list()
        assert counts == [0, 1]

    def test_nothing_is_replayed_without_dates(self, world: Lake) -> None:
        assert list(replay_measures([], now=NOW, scorecards=cards(), as_known=True)) == []
