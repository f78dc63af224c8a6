"""The figures of a playbook from its enrolments: who counts where, and what readers see."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from bellwether.playbooks.figures import Enrolled, figures, shown_to_some
from bellwether.playbooks.outcome_kinds import COUNTING
from bellwether.playbooks.vocabulary import OUTCOMES

pytestmark = pytest.mark.one_database

START = date(2026, 1, 5)


def enrolled(number: int, *, held_out: bool, value: float | None = None, **fields: object) -> Enrolled:
    values: dict[str, object] = {
        "client_id": UUID(int=number),
        "held_out": held_out,
        "enrolled_on": START + timedelta(days=number % 50),
        "state": "waiting" if value is None else "known",
        "value": value,
        "arr": 1000.0,
    }
    return Enrolled(**(values | fields))  # type: ignore[arg-type]


def many(treated: tuple[int, int], held_out: tuple[int, int]) -> list[Enrolled]:
    """Return (reached, number) of each arm, the arms alternating as far as they reach."""
    one = [enrolled(n, held_out=False, value=float(n < treated[0])) for n in range(treated[1])]
    other = [enrolled(1000 + n, held_out=True, value=float(n < held_out[0])) for n in range(held_out[1])]
    return sorted([*one, *other], key=lambda row: (row.enrolled_on, row.client_id))


def test_every_outcome_of_the_grammar_can_be_counted():
    assert set(COUNTING) == set(OUTCOMES)


def test_both_arms_with_who_is_known_waiting_and_unknown():
    rows = [
        *many((6, 30), (2, 22)),
        enrolled(5000, held_out=False),
        enrolled(5001, held_out=True, state="unknown"),
        enrolled(5002, held_out=False, value=1.0, by_hand=True),
    ]

    found = figures(rows, COUNTING["login"], hold_out=40, window_days=14)

    assert (found.treated.enrolled, found.treated.known, found.treated.waiting, found.treated.unknown) == (31, 30, 1, 0)
    assert (found.held_out.enrolled, found.held_out.known, found.held_out.unknown) == (23, 22, 1)
    assert (found.treated.reached, found.held_out.reached, found.by_hand) == (6, 2, 1)
    assert found.uplift is not None
    assert found.uplift.value == pytest.approx(6 / 30 - 2 / 22)


def test_fewer_who_leave_is_better():
    """2 of 100 treated left, 10 of 50 held out: 18 points better, and 18 % of the treated ARR is saved."""
    found = figures(many((2, 100), (10, 50)), COUNTING["churn"], hold_out=33, window_days=90)

    assert found.treated.value == 0.02
    assert found.uplift is not None
    assert found.uplift.value == pytest.approx(0.18)
    assert found.saved is not None
    assert found.saved.value == pytest.approx(0.18 * 100 * 1000)
    assert found.exposure is not None
    assert found.exposure.arr == 100_000


def test_a_login_saves_no_arr():
    assert figures(many((60, 100), (10, 50)), COUNTING["login"], hold_out=33, window_days=14).saved is None


def test_nobody_enrolled_is_not_started_and_nobody_held_out_is_never_told():
    assert figures([], COUNTING["login"], hold_out=10, window_days=14).evidence.word == "not_started"
    alone = figures(many((9, 40), (0, 0)), COUNTING["login"], hold_out=0, window_days=14)

    assert (alone.evidence.word, alone.uplift) == ("too_early", None)
    assert "Nobody is held out" in alone.evidence.reason


def test_arms_of_another_size_than_drawn_are_pointed_out():
    fair = figures(many((50, 180), (6, 20)), COUNTING["login"], hold_out=10, window_days=14)
    skewed = figures(many((50, 180), (20, 80)), COUNTING["login"], hold_out=10, window_days=14)

    assert fair.warnings == ()
    assert skewed.warnings == ("80 of 260 are held out, but 10% should be: not the draw alone decides.",)


def test_outcomes_lost_unevenly_are_pointed_out():
    lost = [enrolled(9000 + n, held_out=True, state="unknown") for n in range(25)]

    found = figures([*many((50, 100), (10, 25)), *lost], COUNTING["csat"], hold_out=33, window_days=30)

    assert found.warnings == (
        "The outcome is not known of 0 of 100 treated and of 25 of 50 held out: those that are known may not stand for "
        "the others.",
    )


def test_readers_of_some_clients_see_no_outcomes_of_fewer_than_five():
    few = figures(many((3, 4), (4, 9)), COUNTING["renewed"], hold_out=50, window_days=90)
    shown = shown_to_some(few)

    assert (few.treated.reached, shown.treated.reached, shown.treated.value) == (3, None, None)
    assert shown.treated.enrolled == 4
    assert shown.held_out.reached == 4


def test_readers_of_some_clients_see_no_effect_that_rests_on_few_clients():
    """Sixty enrolments of three clients."""
    rows = [
        enrolled(n, held_out=n % 2 == 0, value=float(n % 3 == 0), client_id=UUID(int=n % 3)) for n in range(60)
    ]  # fmt: skip
    found = figures(rows, COUNTING["renewed"], hold_out=50, window_days=90)

    assert found.uplift is not None
    assert shown_to_some(found).uplift is None
    assert shown_to_some(found).saved is None
