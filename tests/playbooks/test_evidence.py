"""What is said of playbooks: when, and how seldom wrongly."""

import numpy as np
import pytest

from bellwether.playbooks.evidence import evidence, last_look

pytestmark = pytest.mark.one_database


def arms(treated: tuple[int, int], held_out: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return outcomes and arms, mixed so that every part holds about the same shares."""
    values = [1] * treated[0] + [0] * (treated[1] - treated[0]) + [1] * held_out[0] + [0] * (held_out[1] - held_out[0])
    held = [False] * treated[1] + [True] * held_out[1]
    order = np.random.default_rng(5).permutation(len(values))
    return np.array(values, float)[order], np.array(held)[order]


def test_nineteen_in_an_arm_are_too_few():
    found = evidence(*arms((80, 100), (2, 19)), binary=True)

    assert (found.word, found.shown, found.look, found.next_look) == ("too_early", None, 0, 20)
    assert found.reason == "19 held out with a known outcome, 20 are needed"


def test_nothing_known_yet_is_too_early():
    assert evidence([], [], binary=True).word == "too_early"


def test_a_large_difference_works_and_its_opposite_does_harm():
    works = evidence(*arms((160, 200), (20, 50)), binary=True)
    harms = evidence(*arms((80, 200), (40, 50)), binary=True)

    assert (works.word, works.look, works.next_look) == ("works", 40, 80)
    assert harms.word == "harmful"
    assert works.shown is not None
    assert works.shown.value == pytest.approx(0.4)


def test_an_interval_that_holds_zero_is_unclear():
    found = evidence(*arms((110, 200), (26, 50)), binary=True)

    assert found.word == "unclear"
    assert "decided again when each arm has 80" in found.reason


def test_above_zero_at_95_percent_alone_is_not_enough():
    """192 of 330 against 34 of 82: 17 points, 4.6 to 28, and at 99.5 % from below zero."""
    found = evidence(*arms((192, 330), (34, 82)), binary=True)

    assert found.shown is not None
    assert found.shown.low == pytest.approx(0.0464, abs=0.0001)
    assert found.word == "unclear"
    assert found.reason.endswith("decided when each arm has 160")


def test_the_word_stays_between_looks():
    """What comes after the look at 20 changes what is shown, not what is said, until the look at 40."""
    values, held = arms((90, 100), (4, 20))
    later_values, later_held = np.append(values, np.ones(19)), np.append(held, np.ones(19, bool))

    first = evidence(values, held, binary=True)
    then = evidence(later_values, later_held, binary=True)

    assert first.word == then.word == "works"
    assert then.decided == first.decided
    assert then.shown != first.shown


def test_means_are_judged_the_same_way():
    rng = np.random.default_rng(8)
    held = rng.random(400) < 0.3
    better = evidence(rng.normal(0, 10, 400) + np.where(held, 0, 8), held, binary=False)
    same = evidence(rng.normal(0, 10, 400), held, binary=False)

    assert (better.word, same.word) == ("works", "unclear")


@pytest.mark.parametrize(("reached", "look"), [(0, 0), (19, 0), (20, 20), (39, 20), (40, 40), (500, 320)])
def test_looks_double(reached, look):
    assert last_look(reached) == look


@pytest.mark.parametrize(("share", "rate"), [(0.1, 0.4), (0.2, 0.1), (0.2, 0.8), (0.5, 0.5)])
def test_repeated_looks_at_nothing_find_something_in_at_most_five_of_a_hundred(share, rate):
    """A/A: both arms alike, every look from 20 to 640 counts, and one wrong word among them is an error."""
    rng = np.random.default_rng(33)
    trials, wrong = 300, 0
    for _ in range(trials):
        held = rng.random(int(700 / share)) < share
        values = (rng.random(held.size) < rate).astype(float)
        smaller = np.minimum(np.cumsum(held), np.cumsum(~held))
        ends = [int(np.searchsorted(smaller, 20 * 2**look)) + 1 for look in range(6)]
        wrong += any(evidence(values[:end], held[:end], binary=True).word != "unclear" for end in ends)

    assert wrong / trials <= 0.05


def test_relabelled_arms_find_something_in_at_most_five_of_a_hundred():
    """A/A by permutation: the outcomes of a playbook that works, under arms drawn anew."""
    values, held = arms((192, 330), (34, 82))
    rng = np.random.default_rng(34)
    trials = 1000
    wrong = sum(evidence(values, rng.permutation(held), binary=True).word != "unclear" for _ in range(trials))

    assert wrong / trials <= 0.05
