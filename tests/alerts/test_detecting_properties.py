"""What must hold whatever the facts are: no client touches another, and how the days are cut changes nothing."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from bellwether.alerts.detecting import DETECTORS, detect
from bellwether.alerts.frames import (
    ACTIONS,
    ANSWERS,
    CLIENTS,
    CONTACTS,
    FEATURE_GAPS,
    PAYMENTS,
    SCORES,
    SEATS,
    TERMS,
    TICKETS,
    USAGE,
    Facts,
    Rules,
    default_rules,
)
from tests.alerts.facts import day

pytestmark = pytest.mark.one_database
DAYS = 150
NAMES = [letter * 32 for letter in "abcdef"]


def walk(random: np.random.Generator, steps: float, low: float, high: float) -> list[float]:
    return list(np.clip(random.uniform(low, high) + np.cumsum(random.normal(0, steps, DAYS)), low, high))


def some_facts(seed: int) -> Facts:
    """Return facts of six clients over DAYS days in which every type of alert comes and goes."""
    random = np.random.default_rng(seed)
    frames: dict[str, list[tuple[object, ...]]] = {
        name: []
        for name in (
            "clients",
            "scores",
            "usage",
            "seats",
            "contacts",
            "actions",
            "tickets",
            "gaps",
            "terms",
            "answers",
            "paid",
        )
    }
    for number, client in enumerate(NAMES):
        leaves = day(110) if number == 5 else None
        frames["clients"].append((client, day(0), leaves, None))
        person = f"{number}" * 32
        left = day(70) if number == 4 else None
        frames["contacts"].append((client, person, "CHAMPION", None, left, left, None))
        frames["terms"].append((client, day(-265), day(95 + 5 * number), day(100 + 5 * number) if number % 2 else None))
        rates = walk(random, 0.6, 0, 6)
        for on, (score, change, use) in enumerate(
            zip(walk(random, 4, 25, 90), walk(random, 0.08, -0.9, 0.4), walk(random, 3, 30, 70), strict=True)
        ):
            if random.random() > 0.05:
                frames["scores"].append((client, day(on), int(score), "", 40, 1.0))
            frames["usage"].append((client, day(on), change, 1.0, 1.0))
            frames["seats"].append((client, day(on), int(use), 100))
            frames["paid"].append((client, day(on), ["current", "current", "late", "overdue"][(on // 20 + number) % 4]))
            frames["tickets"].append((client, day(on), int(random.poisson(2)), 0.8))
            done = int(random.poisson(rates[on])) if random.random() < 0.35 else 0
            if done:
                frames["actions"].append((client, person, day(on), done))
            if random.random() < 0.03:
                who = str(random.integers(3)) if random.random() < 0.7 else ""
                frames["answers"].append((client, who, f"{number}-{on}", "", day(on), float(random.integers(11))))
        used = sorted(random.choice(DAYS, 4, replace=False).tolist())
        for before, after in zip(used, [*used[1:], None], strict=True):
            following = None if after is None else day(after)
            frames["gaps"].append((client, "reports", "Reports", 4, day(before), following, 30))
    schemas = {"clients": CLIENTS, "scores": SCORES, "usage": USAGE, "seats": SEATS, "contacts": CONTACTS}
    schemas |= {"actions": ACTIONS, "tickets": TICKETS, "gaps": FEATURE_GAPS, "terms": TERMS, "answers": ANSWERS}
    made = {
        name: pl.DataFrame(rows, schema=(schemas | {"paid": PAYMENTS})[name], orient="row")
        for name, rows in frames.items()
    }
    return Facts(feature_gaps=made.pop("gaps"), payments=made.pop("paid"), **made)


def everything(facts: Facts, rules: Rules | None = None) -> pl.DataFrame:
    return detect(facts, rules or default_rules(NAMES), first=day(0), last=day(DAYS - 1))


def test_every_type_occurs_in_the_facts_of_these_tests() -> None:
    assert set(everything(some_facts(1))["alert_type"]) == set(DETECTORS)


@pytest.mark.parametrize("seed", [1])
def test_the_order_of_clients_and_rows_changes_nothing(seed: int) -> None:
    facts = some_facts(seed)
    shuffled = Facts(
        **{
            name: getattr(facts, name).sample(fraction=1, shuffle=True, seed=seed)
            for name in (
                "clients",
                "scores",
                "usage",
                "seats",
                "contacts",
                "actions",
                "tickets",
                "feature_gaps",
                "terms",
            )
        },
        answers=facts.answers,
        payments=facts.payments,
    )
    assert everything(shuffled).equals(everything(facts))


@pytest.mark.parametrize("seed", [3])
def test_a_part_of_the_portfolio_has_the_same_alerts_as_in_the_whole(seed: int) -> None:
    facts = some_facts(seed)
    parts = [everything(facts.of(names)) for names in (NAMES[:2], NAMES[2:5], NAMES[5:])]
    assert pl.concat(parts).equals(everything(facts))


@pytest.mark.parametrize(
    ("seed", "cuts"), [(1, range(0, 150, 50)), (2, [0, *range(100, 106)]), (3, [0, 70]), (4, [0, 80, 81, 140])]
)
def test_detecting_step_by_step_finds_what_detecting_at_once_does(seed: int, cuts: Sequence[int]) -> None:
    facts, rules = some_facts(seed), default_rules(NAMES)
    whole = everything(facts)
    done: list[pl.DataFrame] = []
    standing = None
    for first, following in pairwise([*cuts, DAYS]):
        found = detect(facts, rules, first=day(first), last=day(following - 1), standing=standing)
        standing = found.filter(pl.col("cleared_on").is_null())
        done.append(found.filter(pl.col("cleared_on").is_not_null()))
    assert standing is not None
    in_steps = pl.concat([*done, standing]).sort("client_id", "alert_type", "subject", "opened_on")
    keys = ["client_id", "alert_type", "subject", "opened_on"]
    differing = in_steps.join(whole, on=whole.columns, how="anti", nulls_equal=True)
    assert differing.is_empty(), differing.join(whole, on=keys, how="left")
    assert in_steps.height == whole.height


def test_a_trailing_window_with_what_was_open_before_it_finds_the_same() -> None:
    facts, rules = some_facts(5), default_rules(NAMES)
    whole = everything(facts)
    before = detect(facts, rules, first=day(0), last=day(DAYS - 41))
    standing = before.filter(pl.col("cleared_on").is_null())
    begin = day(DAYS - 40)
    window = detect(facts, rules, first=begin, last=day(DAYS - 1), standing=standing)
    open_in_it = pl.col("cleared_on").is_null() | (pl.col("cleared_on") >= begin)
    assert window.equals(whole.filter(open_in_it))
    assert window.filter(pl.col("opened_on") < begin - timedelta(days=1)).height > 5


def test_no_two_episodes_of_a_subject_are_open_at_once() -> None:
    whole = everything(some_facts(6)).with_columns(
        next=pl.col("opened_on").shift(-1).over("client_id", "alert_type", "subject")
    )
    assert whole.filter(pl.col("cleared_on").is_null() & pl.col("next").is_not_null()).is_empty()
    assert whole.filter(pl.col("cleared_on") > pl.col("next")).is_empty()
    assert whole.filter(pl.col("last_fired_on") < pl.col("opened_on")).is_empty()


def test_a_client_that_left_has_no_open_alerts() -> None:
    left = everything(some_facts(7)).filter(pl.col("client_id") == NAMES[5])
    assert left.height
    assert left["cleared_on"].is_not_null().all()
    assert left["cleared_on"].max() <= day(111)
    assert left["opened_on"].max() <= day(110)


def test_no_facts_no_alerts() -> None:
    nobody = Facts(clients=some_facts(1).clients)
    assert everything(nobody).is_empty()
    assert everything(some_facts(1), default_rules([])).is_empty()
