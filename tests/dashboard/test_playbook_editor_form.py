"""The editor's form and the words of playbooks, without a database."""

from collections.abc import Sequence
from typing import Any

import pytest

from bellwether.common.errors import InvalidInputError
from bellwether.dashboard import playbook_editor_form as forms
from bellwether.dashboard.playbook_editor_page import shaped
from bellwether.dashboard.playbooks_effect import axis_of, between, forest
from bellwether.dashboard.playbooks_view import differences, earliest_days, step_lines
from bellwether.playbooks.definition_reading import definition_from_data

pytestmark = pytest.mark.one_database

FIELDS: dict[str, Sequence[str]] = {
    "trigger.kind": ["alert"],
    "trigger.types": ["HEALTH_DROP", "CRITICAL_HEALTH"],
    "trigger.severities": [],
    "trigger.within_days": ["7"],
    "trigger.score_below": ["50"],  # of another kind of trigger: left out
    "conditions[0].field": ["tier"],
    "conditions[0].is": ["in"],
    "conditions[0].value": ["Enterprise, Custom"],
    "conditions[3].field": ["arr"],  # others were removed between
    "conditions[3].is": ["at_least"],
    "conditions[3].value": ["$50,000"],
    "steps[0].key": ["mail"],
    "steps[0].kind": ["email"],
    "steps[0].title": ["Write"],
    "steps[0].wait_days": [""],
    "steps[0].template": ["check-in"],
    "steps[0].text": ["left aside where a template is chosen"],
    "steps[0].to": ["CHAMPION"],
    "steps[0].approval": ["1"],
    "steps[0].tag": ["of another kind"],
    "steps[1].key": ["call"],
    "steps[1].kind": ["call"],
    "steps[1].title": ["Call"],
    "steps[1].wait_days": ["3"],
    "steps[1].if.field": ["logged_in"],
    "steps[1].if.is": ["no"],
    "exit.recovered": ["1"],
    "caps.running_per_client": ["2"],
    "caps.quiet_days": ["14"],
    "hold_out": ["20%"],
    "outcome.kind": ["csat"],
    "outcome.days": ["30"],
    "outcome.at_least": ["4"],
    "minutes_per_client": ["25"],
}
DATA: dict[str, Any] = {
    "trigger": {"kind": "alert", "types": ["HEALTH_DROP", "CRITICAL_HEALTH"], "severities": [], "within_days": 7},
    "conditions": [
        {"field": "tier", "is": "in", "value": ["ENTERPRISE", "CUSTOM"]},
        {"field": "arr", "is": "at_least", "value": 50000},
    ],
    "steps": [
        {
            "key": "mail",
            "kind": "email",
            "title": "Write",
            "wait_days": 0,
            "template": "check-in",
            "to": "CHAMPION",
            "approval": True,
        },
        {
            "key": "call",
            "kind": "call",
            "title": "Call",
            "wait_days": 3,
            "if": {"field": "logged_in", "is": "no"},
        },
    ],
    "exit": {"recovered": True},
    "caps": {"running_per_client": 2, "quiet_days": 14},
    "business_days": False,
    "hold_out": 20,
    "outcome": {"kind": "csat", "days": 30, "at_least": 4},
    "minutes_per_client": 25,
}


def read(fields: dict[str, Sequence[str]]) -> dict[str, Any]:
    return forms.read_form(list(fields), lambda name: fields.get(name, []))


def test_reads_every_field_of_the_form_as_the_grammar_says_it() -> None:
    assert read(FIELDS) == DATA
    assert definition_from_data(read(FIELDS)).steps[1].wait_days == 3


def test_what_is_no_number_stays_text_and_is_named_by_its_field() -> None:
    wrong = FIELDS | {"steps[1].wait_days": ["soon"], "hold_out": ["many"], "trigger.types": []}
    with pytest.raises(InvalidInputError) as refused:
        definition_from_data(read(wrong))
    shown = forms.by_field(refused.value.errors, [*wrong, "trigger.types"])
    assert set(shown) == {"steps[1].wait_days", "hold_out", "trigger.types"}
    assert shown["hold_out"] == "This is a whole number from 0 to 50."


def test_errors_of_entries_stand_under_the_field_of_the_whole_list_and_others_with_their_path() -> None:
    shown = forms.by_field({"conditions[0].value[2]": "is one of A.", "odd": "is not known."}, ["conditions[0].value"])
    assert shown == {"conditions[0].value": "This is one of A.", "": "odd: is not known."}


def test_days_of_the_renewal_are_a_list_and_those_of_the_lifecycle_one_number() -> None:
    renewal = read(
        {"trigger.kind": ["renewal"], "trigger.renewal_days": ["90, 60,30"], "trigger.lifecycle_days": ["7"]}
    )
    assert renewal["trigger"] == {"kind": "renewal", "days": [90, 60, 30]}
    lifecycle = read({"trigger.kind": ["lifecycle"], "trigger.lifecycle_days": ["7"], "trigger.login": ["never"]})
    assert lifecycle["trigger"] == {"kind": "lifecycle", "days": [7], "login": "never"}


@pytest.mark.parametrize(
    ("button", "keys"),
    [
        ("step.0.down", ["call", "mail"]),
        ("step.1.up", ["call", "mail"]),
        ("step.0.up", ["mail", "call"]),
        ("step.0.remove", ["call"]),
        ("step.9.remove", ["mail", "call"]),
        ("step.add.task", ["mail", "call", "task-1"]),
        ("step.add.nonsense", ["mail", "call", "task-1"]),
        ("nonsense", ["mail", "call"]),
    ],
)
def test_buttons_change_the_list_of_steps(button: str, keys: list[str]) -> None:
    assert [step["key"] for step in forms.change(DATA, button)["steps"]] == keys


def test_a_new_condition_is_added_and_removed_again() -> None:
    added = forms.change(DATA, "condition.add")
    assert len(added["conditions"]) == 3
    assert forms.change(added, "condition.2.remove")["conditions"] == DATA["conditions"]


@pytest.mark.parametrize("text", ["steps = [", "{", "a" * 100_001], ids=["toml", "json", "long"])
def test_a_text_that_cannot_be_read_names_the_field(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        forms.read_text(text)
    assert list(refused.value.errors) == ["text"]


def test_any_data_can_be_drawn() -> None:
    drawn = shaped({"trigger": 3, "steps": [1, {"key": "a", "if": "x"}], "conditions": None, "caps": []})
    assert drawn["trigger"] == {}
    assert drawn["steps"] == [{"key": "a", "if": {}}]
    assert drawn["caps"] == {"running_per_client": 1, "quiet_days": 30}


BRANCHED = {
    "trigger": {"kind": "hand"},
    "steps": [
        {"key": "a", "kind": "task", "title": "Look", "wait_days": 1},
        {
            "key": "b",
            "kind": "branch",
            "wait_days": 2,
            "if": {"field": "logged_in", "is": "yes"},
            "then": "d",
            "otherwise": "c",
        },
        {"key": "c", "kind": "call", "title": "Talk", "wait_days": 4},
        {"key": "d", "kind": "tag", "tag": "seen", "wait_days": 5},
    ],
    "outcome": {"kind": "login", "days": 14},
    "business_days": False,
}


def test_steps_come_on_their_earliest_day_by_the_shortest_way() -> None:
    definition = definition_from_data(BRANCHED)
    assert earliest_days(definition) == [1, 3, 7, 8]  # the tag by the branch: 3 + 5, not 7 + 5
    assert [line.title for line in step_lines(definition)] == [
        "Day 1: task, look",
        "Day 3: branch",
        "Day 7: call, talk",
        "Day 8: tag seen",
    ]


def test_versions_differ_in_words() -> None:
    before = definition_from_data(DATA)
    after = definition_from_data(
        DATA | {"hold_out": 10, "steps": [DATA["steps"][0], {"key": "t", "kind": "task", "title": "Look"}]}
    )
    assert differences(before, after) == [
        "Hold-out: 10% are held out, to measure the effect, was 20% are held out, to measure the effect",
        "Step added: Task: Look",
        "Step removed: After 3 days, call, if not logged in since enrolment",
    ]
    assert differences(before, before) == []


def test_an_interval_is_drawn_on_an_axis_about_zero() -> None:
    assert axis_of([-9.0, 33.1]) == 40
    assert axis_of([]) == 20
    drawn = forest(17, 5, 28, span=40, status="healthy", unit="points")
    assert (drawn.low, drawn.value, drawn.high) == (56.2, 71.2, 85.0)  # the figures of the design
    assert drawn.sentence == "+17 points, interval 5 to 28"
    assert between(-8.4, 28) == "−8 to 28"
