"""The draw of arms: its share, that it stays, and that it depends on nothing but what it is drawn from."""

import random
import subprocess
import sys
from math import sqrt
from uuid import UUID, uuid5

import pytest

from bellwether.common.errors import InvalidInputError
from bellwether.playbooks.assigning import HELD_OUT, TREATED, arm, draw
from bellwether.playbooks.choices import Arm

pytestmark = pytest.mark.one_database

VERSION = UUID("6f2d6a0c-9d0b-4f57-9a55-0a5f3d1f1c10")
SPACE = UUID("00000000-0000-0000-0000-000000000001")
CLIENTS = [uuid5(SPACE, str(number)) for number in range(20_000)]


def test_the_arms_are_those_of_the_records():
    assert {TREATED, HELD_OUT} == set(Arm.values)


@pytest.mark.parametrize("hold_out", [5, 10, 20, 50])
def test_the_share_held_out_lies_within_binomial_bounds(hold_out):
    held = sum(arm(VERSION, client, "alert-1", hold_out) == HELD_OUT for client in CLIENTS)

    share = hold_out / 100
    bound = 4 * sqrt(len(CLIENTS) * share * (1 - share))  # missed once in 16,000 by chance, and these never change
    assert abs(held - share * len(CLIENTS)) < bound


def test_nobody_is_held_out_without_a_hold_out():
    assert {arm(VERSION, client, "", 0) for client in CLIENTS} == {TREATED}


def test_arms_do_not_depend_on_who_else_is_enrolled_or_when():
    shuffled = CLIENTS[:500]
    random.Random(3).shuffle(shuffled)

    assert {client: arm(VERSION, client, "a", 30) for client in shuffled} == {
        client: arm(VERSION, client, "a", 30) for client in CLIENTS[:500]
    }


def test_an_arm_stays_for_ever():
    """The numbers were computed once with Python's hashlib by hand; a change of them would draw everybody anew."""
    client = UUID("0b9f3a54-7a07-4d1c-8a2e-5a0f6c1b2d3e")

    assert draw(VERSION, client, "alert:42") == pytest.approx(0.33697770662956306, abs=1e-15)


def test_another_process_draws_the_same():
    code = (
        "from uuid import UUID; from bellwether.playbooks.assigning import draw;"
        f"print(repr(draw(UUID('{VERSION}'), UUID('{CLIENTS[0]}'), 'é')))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert float(done.stdout) == draw(VERSION, CLIENTS[0], "é")


def test_versions_and_episodes_draw_independently():
    """Of those held out by one draw, the other holds out no more and no fewer than of the rest."""
    other = UUID("b7e23ec2-9afb-4b5c-8f5a-1c2d3e4f5a6b")
    for second in ((other, "a"), (VERSION, "b")):
        first = {client for client in CLIENTS if arm(VERSION, client, "a", 50) == HELD_OUT}
        both = sum(arm(second[0], client, second[1], 50) == HELD_OUT for client in first)

        assert abs(both - len(first) / 2) < 4 * sqrt(len(first) / 4)


def test_a_greater_hold_out_keeps_those_held_out_before():
    few = {client for client in CLIENTS[:2000] if arm(VERSION, client, "a", 10) == HELD_OUT}
    more = {client for client in CLIENTS[:2000] if arm(VERSION, client, "a", 25) == HELD_OUT}

    assert few < more


@pytest.mark.parametrize("hold_out", [-1, 50.5, 100])
def test_a_hold_out_out_of_range_is_refused_by_name(hold_out):
    with pytest.raises(InvalidInputError, match="hold_out"):
        arm(VERSION, CLIENTS[0], "", hold_out)
