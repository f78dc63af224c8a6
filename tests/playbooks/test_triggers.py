"""Who meets a trigger on a day, on hand-made facts."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from bellwether.playbooks.conditions import SinceEnrolment, failing, holds, values_of
from bellwether.playbooks.definition import Condition, Trigger
from bellwether.playbooks.frames import ALERTS, CLIENTS, MEASURES, MILESTONES, SCORES, SEGMENTS, TriggerFacts
from bellwether.playbooks.triggers import met

pytestmark = pytest.mark.one_database
TODAY = date(2026, 6, 30)
A, B, C = ("a" * 32, "b" * 32, "c" * 32)


def _client(client: str, **values: Any) -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(CLIENTS)
    return empty | {"client_id": client, "name": client[0].upper(), "tags": [], **values}


def _facts(clients: list[dict[str, Any]], **frames: Any) -> TriggerFacts:
    schemas: dict[str, Any] = {
        "alerts": ALERTS, "scores": SCORES, "segments": SEGMENTS, "milestones": MILESTONES, "measures": MEASURES
    }  # fmt: skip
    made = {name: pl.DataFrame(rows, schema=schemas[name], orient="row") for name, rows in frames.items()}
    return TriggerFacts(today=TODAY, clients=pl.DataFrame(clients, schema=CLIENTS), **made)


def _who(trigger: Trigger, facts: TriggerFacts) -> dict[str, str]:
    found = met(trigger, facts)
    return dict(zip(found["client_id"].to_list(), found["episode"].to_list(), strict=True))


def _ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def test_alerts_of_the_types_and_severities_within_the_days() -> None:
    facts = _facts(
        [_client(A), _client(B), _client(C)],
        alerts=[
            ("1" * 32, A, "SUPPORT_SPIKE", "MEDIUM", _ago(0), "Tickets", "", ""),
            ("2" * 32, B, "SUPPORT_SPIKE", "HIGH", _ago(6), "Tickets", "contact", "x"),
            ("3" * 32, B, "SUPPORT_SPIKE", "HIGH", _ago(2), "Tickets", "", ""),
            ("4" * 32, C, "SUPPORT_SPIKE", "HIGH", _ago(7), "Tickets", "", ""),
            ("5" * 32, "d" * 32, "SUPPORT_SPIKE", "HIGH", _ago(0), "Tickets", "", ""),
        ],
    )
    every = Trigger(kind="alert", types=("SUPPORT_SPIKE",))
    assert _who(every, facts) == {A: f"alert:{'1' * 32}", B: f"alert:{'3' * 32}"}  # C's is 8 days old, d is no client
    high = Trigger(kind="alert", types=("SUPPORT_SPIKE",), severities=("HIGH",), within_days=8)
    assert _who(high, facts) == {B: f"alert:{'3' * 32}", C: f"alert:{'4' * 32}"}
    assert _who(Trigger(kind="alert", types=("HEALTH_DROP",)), facts) == {}


def test_a_band_is_entered_once_and_left() -> None:
    def course(client: str, scores: list[int]) -> list[tuple[str, date, int, str]]:
        first = len(scores) - 1
        words = ["CRITICAL" if one < 40 else "AT_RISK" if one < 60 else "MONITOR" for one in scores]
        return [
            (client, _ago(first - place), score, word)
            for place, (score, word) in enumerate(zip(scores, words, strict=True))
        ]

    facts = _facts(
        [_client(A), _client(B), _client(C)],
        scores=[
            *course(A, [70, 65, 55, 52, 50]),  # at risk since two days
            *course(B, [50] * 20),  # in it all along: since before the window
            *course(C, [70, 55, 70, 65, 66]),  # back out of it
        ],
    )
    trigger = Trigger(kind="band", bands=("AT_RISK", "CRITICAL"))
    assert _who(trigger, facts) == {A: f"band:{_ago(2)}"}
    assert _who(Trigger(kind="band", score_below=53), facts) == {A: f"band:{_ago(1)}"}
    assert _who(Trigger(kind="band", score_below=50), facts) == {}


def test_seven_days_without_a_login_after_set_up() -> None:
    facts = _facts(
        [
            _client(A, start=_ago(7), last_login=None),
            _client(B, start=_ago(400), go_live=_ago(8), last_login=_ago(9)),
            _client(C, start=_ago(7), last_login=_ago(2)),
            _client("d" * 32, start=_ago(6)),
            _client("e" * 32, start=_ago(14)),
        ]
    )
    trigger = Trigger(kind="lifecycle", days=(7,), login="none_since")
    assert _who(trigger, facts) == {A: f"lifecycle:7:{_ago(7)}", B: f"lifecycle:7:{_ago(8)}"}
    assert _who(Trigger(kind="lifecycle", days=(7,), login="never"), facts) == {A: f"lifecycle:7:{_ago(7)}"}
    live = Trigger(kind="lifecycle", since="go_live", days=(8,))
    assert _who(live, facts) == {B: f"lifecycle:8:{_ago(8)}"}


def test_renewals_milestones_segments_and_hand() -> None:
    facts = _facts(
        [_client(A, renewal_on=TODAY + timedelta(days=60)), _client(B, renewal_on=TODAY + timedelta(days=85)),
         _client(C, renewal_on=TODAY + timedelta(days=70))],
        milestones=[(A, "go_live", "Went live", _ago(1)), (B, "go_live", "Went live", _ago(30))],
        segments=[(A, "SMB", _ago(0)), (B, "SMB", _ago(9))],
    )  # fmt: skip
    assert _who(Trigger(kind="renewal", days=(90, 60, 30)), facts) == {
        A: f"renewal:{TODAY + timedelta(days=60)}:60",
        B: f"renewal:{TODAY + timedelta(days=85)}:90",
    }
    assert _who(Trigger(kind="milestone", milestones=("go_live",)), facts) == {A: "milestone:go_live"}
    assert _who(Trigger(kind="segment", segments=("SMB",)), facts) == {A: f"segment:SMB:{TODAY}"}
    assert _who(Trigger(kind="hand"), facts) == {}


CONDITIONS = [
    (Condition(field="tier", operator="in", value=("ENTERPRISE",)), {A}),
    (Condition(field="tier", operator="not_in", value=("ENTERPRISE",)), {B, C}),
    (Condition(field="arr", operator="at_least", value=100.0), {A}),
    (Condition(field="arr", operator="at_most", value=100.0), {A, B}),
    (Condition(field="arr", operator="known", value=False), {C}),
    (Condition(field="industry", operator="in", value=("health",)), {A}),
    (Condition(field="tag", operator="in", value=("vip",)), {B}),
    (Condition(field="tag", operator="not_in", value=("vip",)), {A, C}),
    (Condition(field="tag", operator="known", value=True), {B}),
    (Condition(field="days_to_renewal", operator="at_most", value=30), {A}),
    (Condition(field="days_since_login", operator="at_least", value=10), {B}),
    (Condition(field="measure:seat_use", operator="at_most", value=0.5), {C}),
]


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS, ids=[f"{c.field}-{c.operator}" for c, _ in CONDITIONS])
def test_conditions_hold_for_all_at_once_as_for_one(condition: Condition, expected: set[str]) -> None:
    facts = _facts(
        [
            _client(A, tier="ENTERPRISE", arr=100.0, industry="Health", renewal_on=TODAY + timedelta(days=30),
                    last_login=TODAY),
            _client(B, tier="STARTER", arr=5.0, tags=["VIP"], last_login=_ago(10), segment=""),
            _client(C, tier="CUSTOM", renewal_on=TODAY + timedelta(days=31)),
        ],
        measures=[(A, "seat_use", 0.9), (C, "seat_use", 0.5)],
    )  # fmt: skip
    failed = failing([condition], facts).places
    assert {A, B, C} - set(failed) == expected
    rows = values_of(facts, [condition.field], [A, B, C])
    assert {client for client, row in rows.items() if holds(condition, row)} == expected


def test_what_happened_since_the_enrolment() -> None:
    since = SinceEnrolment(logged_in=True, score_change=-4)
    assert holds(Condition(field="logged_in", operator="yes"), {}, since)
    assert not holds(Condition(field="logged_in", operator="no"), {}, since)
    assert holds(Condition(field="contacted", operator="no"), {}, since)
    assert holds(Condition(field="score_change", operator="at_most", value=-3), {}, since)
    assert not holds(Condition(field="score_change", operator="at_least", value=-3), {}, SinceEnrolment())
