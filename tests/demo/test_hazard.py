from dataclasses import replace
from datetime import date
from math import exp

import numpy as np
import pytest

from bellwether.demo.hazard import (
    ABRUPT,
    ACQUIRED,
    BASE,
    LEAD_DAYS,
    TERM_END,
    Drivers,
    came,
    cause_on,
    foretold,
    hazard,
    last_days_of_terms,
    leaving_days,
    yearly_terms,
)
from bellwether.demo.leaving import true_hazard, with_leavings
from bellwether.demo.paths import latent_health
from bellwether.demo.plan import DemoPlan
from bellwether.demo.stories import make_stories

DAYS = 120
OLD = 1e6
"""An age at which nothing is left of youth."""


def flat(health: float, *, ends: int | None = None, age: float = OLD) -> Drivers:
    """One client whose latent health never changes; `ends`: the last day of its term."""
    whole, days = np.full((1, LEAD_DAYS + DAYS), health), np.zeros((1, DAYS))
    term_ends = np.zeros((1, DAYS + 90), bool)
    if ends is not None:
        term_ends[0, ends] = True
    return Drivers(
        health=whole,
        lost_to_champion=np.zeros_like(whole),
        lost_to_support=np.zeros_like(whole),
        champion_gone=days,
        wave=days,
        term_ends=term_ends,
        age=age + np.arange(DAYS + 90)[None, :],
    )


class TestHazard:
    def test_is_small_and_even_for_a_sound_client(self) -> None:
        assert hazard(flat(0.9)).rate == pytest.approx(np.full((1, DAYS), ACQUIRED + BASE))

    def test_rises_steeply_as_health_falls(self) -> None:
        # 8 · (0.85 - 0.45) = 3.2 on the exponent
        assert hazard(flat(0.45)).rate[0, 50] == pytest.approx(ACQUIRED + BASE * exp(3.2))

    def test_is_concentrated_on_the_last_day_of_a_term(self) -> None:
        rate = hazard(flat(0.45, ends=60)).rate[0]
        assert rate[60] - ACQUIRED == pytest.approx(TERM_END * (rate[59] - ACQUIRED))

    def test_counts_the_mean_of_four_weeks_and_what_it_lost_in_sixty_days(self) -> None:
        one = flat(0.85)
        one.health[0, LEAD_DAYS + 40 :] = 0.57  # 14 of the 28 days up to day 53: mean 0.71, 0.14 below and lost
        assert hazard(one).rate[0, 53] == pytest.approx(ACQUIRED + BASE * exp(8 * 0.14 + 2.5 * 0.14))
        assert hazard(one).rate[0, 39] == pytest.approx(ACQUIRED + BASE)

    def test_is_higher_without_a_champion_in_a_wave_of_tickets_and_for_the_young(self) -> None:
        gone = replace(flat(0.9), champion_gone=np.ones((1, DAYS)))
        wave = replace(flat(0.9), wave=np.full((1, DAYS), 0.5))
        assert hazard(gone).rate[0, 5] == pytest.approx(ACQUIRED + BASE * exp(1.2))
        assert hazard(wave).rate[0, 5] == pytest.approx(ACQUIRED + BASE * exp(0.8))
        # a year old: 0.7 / e
        assert hazard(flat(0.9, age=365)).rate[0, 0] == pytest.approx(ACQUIRED + BASE * exp(0.7 * exp(-1)))

    def test_is_nothing_before_the_contract(self) -> None:
        rate = hazard(flat(0.3, age=-50.0)).rate[0]
        assert not rate[:51].any()
        assert rate[51:].all()


class TestForetold:
    def test_sums_the_days_ahead_and_knows_the_terms(self) -> None:
        found = hazard(flat(0.45, ends=60))
        usual = BASE * exp(3.2)
        # From day 20 the next 30 days hold no end of a term, the next 60 the one on day 60.
        assert foretold(found, 30)[0, 20] == pytest.approx(1 - exp(-30 * (ACQUIRED + usual)))
        assert foretold(found, 60)[0, 20] == pytest.approx(1 - exp(-60 * ACQUIRED - (59 + TERM_END) * usual))
        assert foretold(found, 30)[0, 60] == pytest.approx(1 - exp(-30 * (ACQUIRED + usual)))

    def test_agrees_with_what_came_when_nothing_changes(self) -> None:
        found = hazard(flat(0.45, ends=60))
        assert came(found, 90)[0, :30] == pytest.approx(foretold(found, 90)[0, :30])
        assert np.isnan(came(found, 90)[0, 30:]).all()

    def test_holds_the_state_of_the_day(self) -> None:
        one = flat(0.85)
        one.health[0, LEAD_DAYS + 40 :] = 0.5
        found = hazard(one)
        assert foretold(found, 60)[0, 30] == pytest.approx(1 - exp(-60 * (ACQUIRED + BASE)))
        assert came(found, 60)[0, 30] > foretold(found, 60)[0, 30]


class TestLeavingDays:
    def test_leaves_when_the_hazard_has_used_up_the_luck(self) -> None:
        rate = np.full((3, 10), 0.1)
        # 1 - exp(-0.1 n) passes 0.25 with n = 3 (0.259), 0.6 with n = 10 (0.632), and never 0.7
        assert leaving_days(rate, np.array([0.25, 0.6, 0.7])).tolist() == [2, 9, 10]

    def test_comes_as_often_as_the_hazard_says(self) -> None:
        luck = np.random.default_rng(1).random(20_000)
        gone = leaving_days(np.full((20_000, 5), 0.02), luck) < 5
        assert gone.mean() == pytest.approx(1 - exp(-0.1), abs=0.006)  # three standard errors


class TestCauseOn:
    def test_names_the_largest_part(self) -> None:
        unwell, gone = flat(0.45), replace(flat(0.6), champion_gone=np.ones((1, DAYS)))
        gone.lost_to_champion[:] = 0.25
        assert cause_on(hazard(unwell), 0, 5) == "low adoption"
        # 1.2 and 8 · 0.25 for the champion, 0 for the rest of the level, 2 for the price
        assert cause_on(hazard(gone), 0, 5) == "champion left"
        assert cause_on(hazard(flat(0.8, ends=60)), 0, 60) == "price"
        assert cause_on(hazard(flat(0.8)), 0, 60) == ABRUPT


class TestTerms:
    def test_ends_the_day_before_each_anniversary(self) -> None:
        start = date(2024, 2, 29)
        assert yearly_terms(start, date(2025, 2, 28)) == [
            (date(2024, 2, 29), date(2025, 2, 27)),
            (date(2025, 2, 28), date(2026, 2, 27)),
        ]
        first = date(2025, 2, 1)
        assert list(last_days_of_terms(start, first, 400)) == [26, 391]
        assert list(last_days_of_terms(start, first, 391)) == [26]


class TestWithLeavings:
    PLAN = DemoPlan(clients=2000, days=400, seed=3, today=date(2026, 6, 30))

    def test_lets_about_a_tenth_leave_in_a_year_mostly_in_poor_health_and_at_the_end_of_a_term(self) -> None:
        stories = with_leavings(self.PLAN, make_stories(self.PLAN))
        left = [(number, story) for number, story in enumerate(stories) if story.churn is not None]
        assert 0.07 < len(left) / 2000 * 365 / 400 < 0.11
        health = latent_health(self.PLAN, stories)
        poor = [health[number, max(0, story.churn - 28) : story.churn + 1].mean() < 0.7 for number, story in left]
        assert np.mean(poor) > 0.75
        ends = {n: last_days_of_terms(self.PLAN.day(story.starts), self.PLAN.first, 400) for n, story in left}
        at_end = [story.churn in ends[number] for number, story in left]
        assert 0.65 < np.mean(at_end) < 0.9
        shares = {cause: np.mean([story.cause == cause for _, story in left]) for cause in {s.cause for _, s in left}}
        assert shares.keys() == {"low adoption", "champion left", "support", "price", "acquired"}
        assert min(shares.values()) > 0.03

    def test_leaves_as_the_hazard_says(self) -> None:
        stories = make_stories(self.PLAN)
        found = true_hazard(self.PLAN, stories)
        chance = -np.expm1(-found.rate[:, :-1].sum(axis=1))
        left = np.array([story.churn is not None for story in with_leavings(self.PLAN, stories)])
        likely = chance > np.quantile(chance, 0.8)
        for group in (likely, ~likely):
            error = np.sqrt((chance[group] * (1 - chance[group])).sum())
            assert abs(left[group].sum() - chance[group].sum()) < 3.5 * error

    def test_has_the_same_chances_early_and_late(self) -> None:
        found = true_hazard(self.PLAN, make_stories(self.PLAN))
        p90 = foretold(found, 90)
        old = found.known[:, 0] > 0
        assert p90[old, :130].mean() == pytest.approx(p90[old, 270:].mean(), rel=0.2)

    def test_leaves_nobody_on_the_last_day_and_keeps_stories_of_those_who_stay(self) -> None:
        stories = make_stories(self.PLAN)
        after = with_leavings(self.PLAN, stories)
        assert max(story.churn for story in after if story.churn is not None) <= 398
        assert all(one == other for one, other in zip(stories, after, strict=True) if other.churn is None)
