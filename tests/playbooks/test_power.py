"""Numbers needed and effects that can be found, against published values and by trial."""

from math import inf

import numpy as np
import pytest

from bellwether.playbooks.power import detectable_effect, held_out_for, plan
from bellwether.playbooks.uplift import difference_of_proportions

pytestmark = pytest.mark.one_database


def test_proportions_as_published():
    """R's documentation of power.prop.test: p1 = 0.50, p2 = 0.75, power = 0.90 needs 76.7 a group."""
    assert held_out_for(0.25, 1, baseline=0.5, confidence=0.95, power=0.9) == 77


def test_means_as_published():
    """J. Cohen, Statistical Power Analysis (1988), table 2.4.1: d = 0.5 at 5 % and 80 % needs 64 a group with t's
    quantiles, one less with the normal ones; d = 0.2 needs 393."""
    assert held_out_for(0.5, 1, spread=1.0, confidence=0.95) == 63
    assert held_out_for(0.2, 1, spread=1.0, confidence=0.95) == 393


def test_the_detectable_effect_is_the_other_way_round():
    assert detectable_effect(77, 77, baseline=0.5, confidence=0.95, power=0.9) == pytest.approx(0.25, abs=0.002)
    assert detectable_effect(393, 393, spread=1.0, confidence=0.95) == pytest.approx(0.2, abs=0.0005)


def test_no_effect_can_be_found_where_all_reach_the_outcome_anyway():
    assert detectable_effect(300, 40, baseline=0.99) is None


def test_eighty_of_a_hundred_trials_of_the_needed_size_find_the_effect():
    held = held_out_for(0.15, 4, baseline=0.4, confidence=0.95)
    rng = np.random.default_rng(9)
    trials = 2000
    pairs = zip(rng.binomial(4 * held, 0.55, trials).tolist(), rng.binomial(held, 0.4, trials).tolist(), strict=True)

    found = sum(difference_of_proportions((one, 4 * held), (other, held)).above for one, other in pairs)

    assert 0.77 <= found / trials <= 0.85


def test_a_plan_says_clients_and_weeks():
    """14 days of window are two weeks more; ten a week with a fifth held out."""
    made = plan(hold_out=20, per_week=10, window_days=14, baseline=0.4)

    row = next(row for row in made.needed if row.effect == 0.15)
    assert row.treated == 4 * row.held_out
    assert row.weeks == pytest.approx(row.clients / 10 + 2)
    assert [row.weeks for row in made.detectable] == [13, 26, 52]
    assert made.detectable[0].clients == 110
    assert [made.detectable[0].effect is None, made.detectable[2].effect is None] == [False, False]


def test_without_a_hold_out_or_enrolments_nothing_is_ever_told():
    for made in (plan(hold_out=0, per_week=10, window_days=14), plan(hold_out=20, per_week=0, window_days=14)):
        assert {row.weeks for row in made.needed} == {inf}
        assert {row.effect for row in made.detectable} == {None}


def test_effects_beyond_certainty_are_not_offered():
    assert [row.effect for row in plan(hold_out=20, per_week=1, window_days=7, baseline=0.88).needed] == [0.05, 0.1]
