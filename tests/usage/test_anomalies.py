"""Unusual days: what is found, what is left alone, and how often it is wrong (docs/adr/0017)."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.usage import anomalies
from bellwether.usage.anomalies import HISTORY_DAYS, common_season, expectations, people, stable
from bellwether.usage.unusual_days import judge

BEGINS = date(2026, 1, 5)  # a Monday
WEEK = np.array([1.05, 1.1, 1.05, 1.0, 0.8, 0.1, 0.08])
JUDGED = 140
DAYS = HISTORY_DAYS + JUDGED
NO_SEASON = np.ones(DAYS)


def usual(level: float, days: int = DAYS) -> np.ndarray:
    """Return what is to be expected of a client with a working week."""
    return level * WEEK[np.arange(days) % 7]


def poisson(seed: int, level: float, clients: int) -> np.ndarray:
    return np.random.default_rng(seed).poisson(usual(level), (clients, DAYS)).astype(float)


def group(seed: int, level: float, clients: int) -> np.ndarray:
    """Return the days of a fixed group of users, each of whom comes on six working days of ten."""
    size = int(level / 0.6)
    rng = np.random.default_rng(seed)
    return rng.binomial(size, np.clip(usual(level) / size, 0, 1), (clients, DAYS)).astype(float)


class TestFalseAlarms:
    @pytest.mark.parametrize("level", [3, 8, 20, 60, 200])
    @pytest.mark.parametrize("made", [poisson, group], ids=["poisson", "group"])
    def test_are_under_one_in_a_thousand_days_of_a_steady_client(self, made, level: int) -> None:  # type: ignore[no-untyped-def]
        found = expectations(made(level, level, 300), season=NO_SEASON)
        assert found.unusual[:, HISTORY_DAYS:].mean() < 0.001

    def test_weekends_and_slow_growth_are_none(self) -> None:
        growth = 1.0 + np.arange(DAYS) / 250
        counts = np.random.default_rng(1).poisson(usual(40) * growth, (200, DAYS)).astype(float)
        found = expectations(counts, season=NO_SEASON)
        assert found.unusual[:, HISTORY_DAYS:].mean() < 0.002


class TestHits:
    @pytest.mark.parametrize(("level", "share", "least"), [(10, 0.0, 0.95), (20, 0.2, 0.9), (60, 0.5, 0.9)])
    def test_planted_drops_are_found(self, level: int, share: float, least: float) -> None:
        counts = group(level, level, 400)
        day = HISTORY_DAYS + 58  # a Wednesday
        assert (BEGINS + timedelta(days=day)).isoweekday() == 3
        counts[:, day] = np.floor(counts[:, day] * share)
        assert expectations(counts, season=NO_SEASON).unusual[:, day].mean() >= least

    def test_a_spike_on_a_sunday_is_found_although_it_would_be_a_quiet_monday(self) -> None:
        counts = group(5, 40, 50)
        counts[:, HISTORY_DAYS + 6] = 30
        found = expectations(counts, season=NO_SEASON)
        assert found.unusual[:, HISTORY_DAYS + 6].all()
        assert (found.high[:, HISTORY_DAYS + 6] < 30).all()

    def test_the_new_level_is_the_usual_one_after_a_while(self) -> None:
        counts = group(6, 60, 100)
        counts[:, HISTORY_DAYS + 14 :] = np.floor(counts[:, HISTORY_DAYS + 14 :] * 0.4)
        found = expectations(counts, season=NO_SEASON)
        assert found.unusual[:, HISTORY_DAYS + 14].mean() > 0.95
        assert found.unusual[:, HISTORY_DAYS + 35 :].mean() < 0.01


class TestSeason:
    def test_what_happens_to_everybody_is_no_anomaly_of_one(self) -> None:
        counts = poisson(7, 20, 60)
        shut = slice(HISTORY_DAYS + 28, HISTORY_DAYS + 35)
        counts[:, shut] = np.floor(counts[:, shut] * 0.3)
        season = common_season(counts)
        assert season[HISTORY_DAYS + 28 : HISTORY_DAYS + 33] == pytest.approx(0.3, abs=0.12)
        assert expectations(counts).unusual[:, HISTORY_DAYS:].mean() < 0.002
        assert expectations(counts, season=NO_SEASON).unusual[:, shut].mean() > 0.1

    def test_is_not_told_from_a_few_clients(self) -> None:
        assert (common_season(poisson(8, 20, 29)) == 1.0).all()


class TestWhatIsLeftOut:
    def test_a_day_left_out_is_neither_judged_nor_used(self) -> None:
        counts = group(9, 30, 20)
        left_out = np.zeros(counts.shape, bool)
        left_out[:, HISTORY_DAYS + 7 :: 7] = True  # every Monday from then on
        changed = np.where(left_out, 0.0, counts)
        found = expectations(changed, left_out=left_out, season=NO_SEASON)
        assert not found.unusual[left_out].any()
        other = expectations(np.where(left_out, 500.0, counts), left_out=left_out, season=NO_SEASON)
        np.testing.assert_array_equal(found.expected, other.expected)

    def test_a_client_that_has_just_begun_is_not_judged(self) -> None:
        counts = group(10, 30, 5)
        counts[:, : HISTORY_DAYS + 40] = np.nan
        found = expectations(counts, season=NO_SEASON)
        known = np.isfinite(found.expected)
        assert not known[:, : HISTORY_DAYS + 40 + 28].any()
        assert known[:, HISTORY_DAYS + 40 + 35 :].all()

    def test_no_days_and_no_clients_are_fine(self) -> None:
        assert expectations(np.zeros((0, 10))).unusual.shape == (0, 10)
        assert expectations(np.zeros((2, 0))).unusual.shape == (2, 0)


class TestProperties:
    @settings(max_examples=30, deadline=None)
    @given(st.integers(0, 10_000), st.integers(1, 60))
    def test_a_verdict_does_not_change_when_days_are_added(self, seed: int, more: int) -> None:
        counts = poisson(seed, 15, 3)
        whole = expectations(counts, season=NO_SEASON)
        earlier = expectations(counts[:, :-more], season=NO_SEASON[:-more])
        np.testing.assert_array_equal(whole.unusual[:, :-more], earlier.unusual)
        np.testing.assert_array_equal(whole.expected[:, :-more], earlier.expected)

    @settings(max_examples=30, deadline=None)
    @given(st.integers(0, 10_000))
    def test_clients_are_judged_each_for_itself(self, seed: int) -> None:
        counts = poisson(seed, 12, 6)
        order = np.random.default_rng(seed).permutation(6)
        together = expectations(counts, season=NO_SEASON)
        np.testing.assert_array_equal(expectations(counts[order], season=NO_SEASON).unusual, together.unusual[order])
        alone = expectations(counts[2:3], season=NO_SEASON)
        np.testing.assert_array_equal(alone.low[0], together.low[2])

    @settings(max_examples=60, deadline=None)
    @given(st.floats(0, 1e6))
    def test_the_stable_scale_leads_back(self, count: float) -> None:
        assert people(stable(np.array([count])))[0] == pytest.approx(count, rel=1e-9, abs=1e-9)

    @settings(max_examples=30, deadline=None)
    @given(st.integers(0, 10_000))
    def test_the_interval_holds_what_is_expected(self, seed: int) -> None:
        found = expectations(poisson(seed, 9, 4), season=NO_SEASON)
        known = np.isfinite(found.expected)
        assert (found.low[known] <= found.expected[known] + 1e-9).all()
        assert (found.high[known] >= found.expected[known] - 1e-9).all()
        assert (found.low[known] >= 0).all()

    def test_threshold_and_history_are_those_of_the_decision(self) -> None:
        assert (anomalies.THRESHOLD, anomalies.HISTORY_DAYS) == (4.0, 112)


class TestWords:
    def setup_method(self) -> None:
        self.counts = usual(20, DAYS).round()
        self.first = BEGINS + timedelta(days=HISTORY_DAYS)

    def judged(self, holidays: dict[date, str] | None = None, unfinished: list[date] | None = None, **given):  # type: ignore[no-untyped-def]
        return judge(
            self.counts,
            begins=BEGINS,
            first=self.first,
            last=BEGINS + timedelta(days=DAYS - 1),
            holidays=holidays or {},
            unfinished=unfinished or [],
            season=given.get("season", NO_SEASON),
        )

    def test_a_drop_says_what_came_and_what_was_expected(self) -> None:
        self.counts[HISTORY_DAYS + 1] = 3
        (found,) = self.judged().unusual
        assert (found.day, found.kind, found.people) == (self.first + timedelta(days=1), "low", 3)
        assert found.expected == pytest.approx(22)
        # 2·sqrt(22.375) is 9.46; a steady group varies by sqrt(0.5): four of those make 6.63 and 12.29, 10.6 and 37.4.
        assert (found.low, found.high) == (11, 37)
        assert found.reason == (
            "3 people came; 11 to 37 were expected, from the Tuesdays of the eight weeks before and the level of the "
            "last two."
        )

    def test_a_holiday_is_named_and_is_no_anomaly(self) -> None:
        self.counts[HISTORY_DAYS + 1] = 0
        (found,) = self.judged({self.first + timedelta(days=1): "Midsummer"}).unusual
        assert found.kind == "holiday"
        assert found.reason == (
            "Midsummer, a public holiday of the client's country. Nobody came; not counted as unusual."
        )

    def test_a_holiday_on_which_people_came_as_usual_is_not_told(self) -> None:
        assert self.judged({self.first + timedelta(days=1): "Midsummer"}).unusual == []

    def test_the_day_that_is_not_over_is_not_judged(self) -> None:
        self.counts[-1] = 0
        self.counts[-3] = 0
        found = self.judged(unfinished=[BEGINS + timedelta(days=DAYS - 1)]).unusual
        assert [item.day for item in found] == [BEGINS + timedelta(days=DAYS - 3)]

    def test_a_common_season_is_told(self) -> None:
        season = NO_SEASON.copy()
        season[HISTORY_DAYS + 1] = 0.75
        self.counts[HISTORY_DAYS + 1] = 1
        (found,) = self.judged(season=season).unusual
        assert "All clients had 25% fewer people than usual that day" in found.reason

    def test_every_day_of_the_range_has_its_interval(self) -> None:
        assert len(self.judged().intervals) == JUDGED
        assert all(self.judged().intervals)
