"""Adoption of a client among its tier, and room to grow, worked by hand."""

from typing import Any

import polars as pl
import pytest

from bellwether.health.adoption import Adoption, TierUse, adoption_of, percentile_of, portfolio_of
from bellwether.health.feature_use import Level, feature_levels
from bellwether.health.reading_use import SPANS
from bellwether.health.room_to_grow import Rule, opportunities
from bellwether.usage.licence import Licence
from tests.health.builders import D, at, back, feature, inputs, settings

REPORTS = feature("reports", events=frozenset({"Used"}))
EXPORTS = feature("exports", events=frozenset({"Exported"}))
YES = Licence(is_licensed=True, licensed_at=None, is_configured=True, configured_at=None)
STARTED = [{"organization_id": o, "date": back(300)} for o in ("o", *(f"o{n}" for n in range(9)))]


def adoption(rows: list[dict[str, Any]], tier: TierUse | None = None, **kinds: Any) -> Adoption:
    given = inputs(
        **({"clients": [{"licensed_modules": ["Analytics"]}], "client_days": STARTED[:1]} | kinds), event_days=rows
    )
    specs = settings(features=(REPORTS, EXPORTS))
    spans = pl.DataFrame(
        [{"organization_id": "o", "event": "Used", "is_service": False, "first_ts": at(200), "last_ts": at(3)}],
        schema=SPANS,
    )
    return adoption_of(
        "c",
        feature_levels(given, [back(30), D], specs),
        spans,
        day=D,
        before=back(30),
        features=[(REPORTS, "Core"), (EXPORTS, "")],
        licences={"reports": YES, "exports": YES},
        tier=tier,
    )


class TestAdoption:
    def test_scores_used_over_licensed_features(self) -> None:
        """Reports used 4 of 10 expected: active. Exports unused now; 30 days ago it was used, reports was not."""
        found = adoption([{"date": back(3), "event": "Used", "events": 4}, {"date": back(40), "event": "Exported"}])
        reports, exports = found.lines
        assert (found.score, found.used, found.licensed) == (50, 1, 2)
        assert (found.unused, found.unused_before) == (1, 1)
        assert (reports.level, reports.use, reports.expected, reports.share) == (Level.ACTIVE, 4, 10.0, 0.4)
        assert (reports.first_used, reports.last_used, reports.adopted) == (at(200), at(3), True)
        assert (exports.level, exports.level_before, exports.adopted) == (Level.NOT_USED, Level.LIGHT, False)
        assert (exports.change, exports.trend, reports.change) == (-1.0, "DECREASING", None)

    def test_says_nothing_before_the_first_event(self) -> None:
        found = adoption([], client_days=[])
        assert (found.score, found.has_events, found.lines[0].level, found.percentile) == (None, False, None, None)

    def test_compares_with_five_peers_or_more_and_never_with_itself(self) -> None:
        """Peers' uses 0 0 2 4 9; the client's 4: three below, one tie: 70. Two of five use no reports: 60 %."""
        tier = TierUse(
            client_ids=["p1", "p2", "p3", "c", "p4", "p5"],
            use={"reports": [0, 0, 2, 4, 4, 9], "exports": [0, 0, 0, 0, 0, 0]},
            share={"reports": [0, 0, 0.2, 0.4, 0.4, 0.9], "exports": [0] * 6},
            scores=[0.0, 50.0, 100.0, 50.0, 100.0, 0.0],
        )
        found = adoption([{"date": back(3), "event": "Used", "events": 4}], tier)
        reports, exports = (line.peers for line in found.lines)
        assert (reports.peers, reports.using, reports.percentile) == (5, 0.6, 70)
        assert (exports.using, exports.percentile) == (0.0, 50)
        assert (found.peers, found.median, found.percentile) == (5, 50, 50)  # 2 below, 1 tie of 5

    def test_says_nothing_about_four_peers(self) -> None:
        tier = TierUse(["p1", "p2", "p3", "p4", "c"], {"reports": [1] * 5, "exports": [1] * 5},
                       {"reports": [1.0] * 5, "exports": [1.0] * 5}, [100.0] * 5)  # fmt: skip
        found = adoption([{"date": back(3), "event": "Used", "events": 4}], tier)
        assert (found.lines[0].peers.peers, found.lines[0].peers.using, found.lines[0].peers.percentile) == (
            4,
            None,
            None,
        )
        assert (found.peers, found.median, found.percentile) == (4, None, None)


class TestPortfolioOf:
    def test_groups_by_tier_and_counts_levels(self) -> None:
        clients = [
            {"client_id": f"c{n}", "organization_id": f"o{n}", "licensed_modules": ["Analytics"] if n else []}
            for n in range(3)
        ]
        rows = [{"organization_id": "o1", "date": back(1), "event": "Used", "events": 9},
                {"organization_id": "o0", "date": back(1), "event": "Used", "events": 1}]  # fmt: skip
        given = inputs(clients=clients, client_days=STARTED[1:4], event_days=rows)
        levels = feature_levels(given, [D], settings(features=(REPORTS,)))
        found = portfolio_of(levels, {"c0": "A", "c1": "A", "c2": "B", "left": "A"})
        assert found.levels == {"reports": {"NOT_LICENSED": 1, "POWER": 1, "NOT_USED": 1}}
        assert found.using == {"reports": 2}
        assert (found.tiers["A"].use["reports"], found.tiers["A"].scores) == ([1, 9], [None, 100.0])
        assert found.tiers["B"].scores == [0.0]


@pytest.mark.parametrize(
    ("value", "peers", "expected"),
    [(5.0, [1, 2, 3, 4], None), (5.0, [1, 2, 3, 4, 5], 90), (0.0, [1, 1, 1, 1, 1], 0), (1.0, [0, 0, 1, 1, 2, 2], 50)],
    ids=["four peers", "four below, one tie", "below all", "in the middle"],
)
def test_percentile_counts_half_of_the_ties(value: float, peers: list[float], expected: int | None) -> None:
    assert percentile_of(value, peers) == expected


class TestRoomToGrow:
    PEERS = TierUse(
        [f"p{n}" for n in range(6)],
        {"reports": [1, 1, 1, 0, 0, 0], "exports": [1, 1, 1, 1, 1, 0]},
        {"reports": [0.1] * 6, "exports": [0.1] * 6},
        [None] * 6,
    )

    def rules(self, found: Adoption, **seats: Any) -> list[tuple[Rule, str]]:
        given = {"seats": None, "users": None} | seats
        return [(one.rule, one.feature_key) for one in opportunities(found.lines, **given)]

    def test_finds_what_peers_use_and_the_client_has_not(self) -> None:
        found = adoption([{"date": back(3), "event": "Used"}], self.PEERS, clients=[{"licensed_modules": []}])
        assert self.rules(found) == [(Rule.NOT_LICENSED, "exports"), (Rule.NOT_LICENSED, "reports")]
        assert "Used once in 30 days all the same" in opportunities(found.lines, seats=None, users=None)[1].text

    def test_finds_light_use_of_what_peers_use(self) -> None:
        """One of ten expected is light; half of the peers use reports. Exports is set up, so it is no case."""
        assert self.rules(adoption([{"date": back(3), "event": "Used"}], self.PEERS)) == [(Rule.LIGHT_USE, "reports")]

    def test_finds_what_was_never_set_up(self) -> None:
        said = [{"feature_key": key, "is_configured": False} for key in ("reports", "exports")]
        found = adoption([{"date": back(3), "event": "Used", "events": 9}], adoption=said)
        assert self.rules(found) == [(Rule.NEVER_CONFIGURED, "exports")]

    @pytest.mark.parametrize(("users", "fires"), [(8, False), (9, True), (12, True), (None, False)])
    def test_finds_seats_that_are_nearly_full(self, users: int | None, fires: bool) -> None:
        found = adoption([{"date": back(3), "event": "Used", "events": 9}])
        assert ((Rule.SEATS, "") in self.rules(found, seats=10, users=users)) is fires
