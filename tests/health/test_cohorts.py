"""Medians and percentile of the peers."""

from collections import Counter
from datetime import date
from uuid import UUID, uuid4

from bellwether.health.cohorts import (
    Standing,
    average,
    component_medians,
    counter_median,
    daily_medians,
    peers_of,
    percentile,
    standing,
)

DAY = date(2026, 6, 30)


def member(score: int, **parts: float | None) -> tuple[UUID, int, dict[str, float | None]]:
    return uuid4(), score, parts


class TestCounterMedian:
    def test_is_the_middle_of_an_odd_number(self) -> None:
        assert counter_median(Counter({50: 2, 60: 1, 90: 2})) == 60

    def test_is_the_mean_of_the_two_middles_of_an_even_number(self) -> None:
        assert counter_median(Counter({50: 3, 61: 3})) == 55.5

    def test_says_nothing_about_four(self) -> None:
        assert counter_median(Counter({50: 4})) is None

    def test_ignores_values_counted_zero_times(self) -> None:
        assert counter_median(Counter({10: 0, 50: 5})) == 50


class TestDailyMedians:
    def test_leaves_the_client_itself_out(self) -> None:
        """With the client's own 10 the median of six is 55; of its five peers it is 60."""
        scores = {DAY: Counter({10: 1, 50: 2, 60: 1, 90: 2})}
        assert daily_medians(scores, {DAY: 10}, counted=True) == {DAY: 60}

    def test_says_nothing_when_the_client_is_one_of_five(self) -> None:
        assert daily_medians({DAY: Counter({50: 5})}, {DAY: 50}, counted=True) == {}

    def test_says_nothing_of_a_day_with_one_to_four_that_the_reader_does_not_see(self) -> None:
        scores = {DAY: Counter({50: 8})}
        assert daily_medians(scores, {}, counted=True, seen={DAY: 4}) == {}
        assert daily_medians(scores, {}, counted=True, seen={DAY: 3}) == {DAY: 50}
        assert daily_medians(scores, {}, counted=True, seen={DAY: 8}) == {DAY: 50}
        assert daily_medians(scores, {}, counted=True, seen={}) == {DAY: 50}

    def test_keeps_the_shared_counts_as_they_were(self) -> None:
        scores = {DAY: Counter({50: 6})}
        daily_medians(scores, {DAY: 50}, counted=True)
        assert scores[DAY][50] == 6


class TestComponentMedians:
    def test_is_taken_over_the_peers_that_have_the_component(self) -> None:
        peers = [member(50, usage=value) for value in (10, 20, 30, 40, 50)] + [member(50, usage=None)]
        assert component_medians(peers, tops={"usage": 100}) == {"usage": 30}

    def test_reads_points_as_a_share_of_their_top(self) -> None:
        peers = [member(50, login=15.0)] * 5
        assert component_medians(peers, tops={"login": 30}) == {"login": 50}

    def test_says_nothing_about_fewer_than_five(self) -> None:
        assert component_medians([member(50, usage=10)] * 4, tops={"usage": 100}) == {}


class TestPercentile:
    def test_counts_those_below_and_half_of_the_ties(self) -> None:
        peers = [member(score) for score in (10, 20, 30, 30, 40)]
        assert percentile(30, peers) == 60  # (2 + 2/2) of 5

    def test_says_nothing_about_four_peers(self) -> None:
        assert percentile(30, [member(1)] * 4) is None


class TestPeersOf:
    def test_leaves_the_client_out(self) -> None:
        first, second = member(1), member(2)
        assert peers_of(first[0], [first, second]) == [second]


class TestStanding:
    def test_gives_mean_and_rank_of_both_groups(self) -> None:
        tier = [member(score) for score in (10, 20, 30, 40, 51)]
        industry = [member(90) for _ in range(12)]
        assert standing(30, tier, industry) == Standing(30, 50, 90, 0)

    def test_gives_no_rank_without_a_score(self) -> None:
        tier = [member(50)] * 5
        assert standing(None, tier, []) == Standing(tier_average=50)


class TestAverage:
    def test_is_half_up_and_silent_about_four(self) -> None:
        assert average([member(score) for score in (1, 1, 1, 1, 1, 2, 2, 2, 2, 2)]) == 2
        assert average([member(1)] * 4) is None
