"""The intervals against published examples, and how often they hold the truth."""

import numpy as np
import pytest

from bellwether.playbooks.uplift import difference_of_means, difference_of_proportions, t_quantile, wilson

pytestmark = pytest.mark.one_database

# Newcombe, Statistics in Medicine 17 (1998) 873-890, table II, method 10.
NEWCOMBE = {
    "a": ((56, 70), (48, 80), 0.0524, 0.3339),
    "b": ((9, 10), (3, 10), 0.1705, 0.8090),
    "c": ((6, 7), (2, 7), 0.0582, 0.8062),
    "d": ((5, 56), (0, 29), -0.0381, 0.1926),
    "e": ((0, 10), (0, 20), -0.1611, 0.2775),
    "f": ((0, 10), (0, 10), -0.2775, 0.2775),
    "g": ((10, 10), (0, 20), 0.6791, 1.0),
    "h": ((10, 10), (0, 10), 0.6075, 1.0),
}


@pytest.mark.parametrize("example", list(NEWCOMBE))
def test_proportions_as_newcombe_published_them(example):
    treated, held_out, low, high = NEWCOMBE[example]

    found = difference_of_proportions(treated, held_out)

    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert found.value == pytest.approx(treated[0] / treated[1] - held_out[0] / held_out[1])


def test_wilson_as_newcombe_published_it():
    """Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3."""
    assert [(round(found.low, 4), round(found.high, 4)) for found in (wilson(81, 263), wilson(15, 148))] == [
        (0.2553, 0.3662),
        (0.0624, 0.1605),
    ]
    assert round(wilson(0, 20).high, 4) == 0.1611
    assert round(wilson(1, 29).low, 4) == 0.0061


def test_swapping_the_arms_turns_the_sign():
    there, back = difference_of_proportions((30, 70), (10, 40)), difference_of_proportions((10, 40), (30, 70))

    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))


def test_means_as_students_sleep_data_are_published():
    """Student, Biometrika 6 (1908) 1-25: Welch's interval of R's documentation of t.test, -3.3654832 to 0.2054832."""
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]

    found = difference_of_means(first, second)

    assert found.value == pytest.approx(-1.58)
    assert (found.low, found.high) == pytest.approx((-3.3654832, 0.2054832), abs=2e-6)


def test_means_of_arms_of_unequal_size():
    """Published output of R: df = 9.48, -1.935420 to 3.093754."""
    found = difference_of_means([5.1, 2.0, 4.1, 6.2, 7.1, 8.3], [1.5, 6.4, 3.3, 5.8, 4.8, 7.2, 5.6, 4.5])

    assert (found.low, found.high) == pytest.approx((-1.935420, 3.093754), abs=2e-5)


@pytest.mark.parametrize(
    ("degrees", "at_975", "at_995"),
    [(5, 2.571, 4.032), (10, 2.228, 3.169), (19, 2.093, 2.861), (30, 2.042, 2.750), (120, 1.980, 2.617)],
)
def test_quantiles_of_t_as_tabled(degrees, at_975, at_995):
    assert t_quantile(0.975, degrees) == pytest.approx(at_975, abs=0.001)
    assert t_quantile(0.995, degrees) == pytest.approx(at_995, abs=0.004)


def test_too_few_degrees_of_freedom_are_refused():
    with pytest.raises(ValueError, match="degrees of freedom"):
        difference_of_means([1.0, 2.0], [1.0, 3.0])


def test_outcomes_that_are_all_alike_have_an_interval_of_no_width():
    found = difference_of_means(np.full(20, 3.0), np.full(20, 1.0))

    assert (found.value, found.low, found.high) == (2, 2, 2)


@pytest.mark.parametrize(
    ("treated", "held_out", "sizes"),
    [(0.58, 0.41, (330, 82)), (0.5, 0.5, (80, 20)), (0.9, 0.8, (200, 40)), (0.1, 0.1, (400, 100))],
)
def test_ninety_five_of_a_hundred_intervals_hold_the_true_difference(treated, held_out, sizes):
    rng = np.random.default_rng(20)
    trials = 3000
    ones, others = rng.binomial(sizes[0], treated, trials), rng.binomial(sizes[1], held_out, trials)

    held = 0
    for one, other in zip(ones.tolist(), others.tolist(), strict=True):
        found = difference_of_proportions((one, sizes[0]), (other, sizes[1]))
        held += found.low <= treated - held_out <= found.high

    assert 0.94 <= held / trials <= 0.975


def test_ninety_five_of_a_hundred_intervals_of_means_hold_the_true_difference():
    rng = np.random.default_rng(21)
    trials = 3000

    held = 0
    for _ in range(trials):
        found = difference_of_means(rng.normal(3, 12, 90), rng.normal(1, 6, 20))
        held += found.low <= 2 <= found.high

    assert 0.94 <= held / trials <= 0.96
