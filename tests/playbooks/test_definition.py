"""The grammar of playbooks: what is read, what is refused and where, and the words."""

from typing import Any

import pytest

from bellwether.alerts.choices import AlertSeverity, AlertType
from bellwether.common.errors import InvalidInputError
from bellwether.playbooks.choices import StepKind
from bellwether.playbooks.definition_reading import definition_from_data
from bellwether.playbooks.vocabulary import ALERT_TYPES, BANDS, RECEIVERS, SEVERITIES, STEPS, TIERS
from bellwether.playbooks.wording import in_words
from bellwether.portfolio.choices import ContactRole, ContractTier, HealthStatus

CHAMPION: dict[str, Any] = {
    "trigger": {"kind": "alert", "types": ["KEY_USER_INACTIVE"], "severities": ["HIGH"]},
    "conditions": [
        {"field": "tier", "is": "in", "value": ["ENTERPRISE"]},
        {"field": "arr", "is": "at_least", "value": 50000},
        {"field": "measure:active_user_ratio", "is": "at_most", "value": 0.4},
    ],
    "steps": [
        {"key": "mail", "kind": "email", "title": "Personal e-mail", "template": "quiet", "to": "SUBJECT",
         "approval": True},
        {"key": "call", "kind": "call", "title": "Call the champion", "wait_days": 3,
         "if": {"field": "logged_in", "is": "no"}},
        {"key": "fork", "kind": "branch", "wait_days": 4, "if": {"field": "score", "is": "at_most", "value": 50},
         "then": "second", "otherwise": "end"},
        {"key": "second", "kind": "task", "title": "Contact the second stakeholder", "to": "SECOND"},
    ],
    "exit": {"alert_cleared": True, "logged_in": True},
    "outcome": {"kind": "login", "days": 14},
    "hold_out": 20,
}  # fmt: skip


@pytest.mark.one_database
def test_a_definition_reads_back_as_the_same_and_says_itself_in_words() -> None:
    made = definition_from_data(CHAMPION)
    assert definition_from_data(made.as_data()) == made
    assert made.digest == definition_from_data(made.as_data()).digest
    assert made.digest != definition_from_data({**CHAMPION, "hold_out": 21}).digest
    words = in_words(made)
    assert words.trigger == "Alert: Key user inactive, high"
    assert words.conditions == (
        "Tier is Enterprise",
        "ARR is at least 50,000",
        "Active user ratio is at most 0.4",
    )
    assert words.steps == (
        "E-mail to the person the alert is about: Personal e-mail, once the CSM has approved it",
        "After 3 business days, call the champion, if not logged in since enrolment",
        "After 4 business days, if health score is at most 50, go on with 'Contact the second stakeholder'; "
        "otherwise end",
        "Task: Contact the second stakeholder",
    )
    assert words.exit == "Stops as soon as the alert ends or somebody logs in"
    assert words.caps == "At most 1 running playbook per client, quiet 30 days after"
    assert words.outcome == "Logs in within 14 days"


def _with(path: str, value: Any) -> dict[str, Any]:
    made = definition_from_data(CHAMPION).as_data()
    held: Any = made
    *parents, last = path.split(".")
    for one in parents:
        held = held[int(one)] if one.isdigit() else held[one]
    held[int(last) if last.isdigit() else last] = value
    return made


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ("colour", "red", "colour"),
        ("trigger.kind", "moon", "trigger.kind"),
        ("trigger.types", [], "trigger.types"),
        ("trigger.types", ["NOPE"], "trigger.types[0]"),
        ("trigger.bands", ["CRITICAL"], "trigger.bands"),
        ("conditions.0.field", "shoe_size", "conditions[0].field"),
        ("conditions.0.is", "at_least", "conditions[0].is"),
        ("conditions.0.value", ["GOLD"], "conditions[0].value[0]"),
        ("conditions.0.field", "logged_in", "conditions[0].field"),
        ("conditions.1.value", "many", "conditions[1].value"),
        ("steps.1.wait_days", -1, "steps[1].wait_days"),
        ("steps.1.wait_days", True, "steps[1].wait_days"),
        ("steps.1.key", "mail", "steps[1].key"),
        ("steps.1.key", "Call me", "steps[1].key"),
        ("steps.0.to", "BOSS", "steps[0].to"),
        ("steps.0.text", "Both", "steps[0].template"),
        ("steps.1.tag", "vip", "steps[1].tag"),
        ("steps.1.title", "Call {{ boss }}", "steps[1].title"),
        ("steps.3.text", "{% for x in y %}", "steps[3].text"),
        ("steps.2.then", "mail", "steps[2].then"),
        ("steps.2.then", "nowhere", "steps[2].then"),
        ("steps.3.surprise", 1, "steps[3].surprise"),
        ("steps", [], "steps"),
        ("exit.score_at_least", 101, "exit.score_at_least"),
        ("caps.quiet_days", -1, "caps.quiet_days"),
        ("hold_out", 51, "hold_out"),
        ("outcome", {"kind": "joy"}, "outcome.kind"),
        ("outcome", None, "outcome"),
        ("business_days", "yes", "business_days"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_path(path: str, value: Any, error: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        definition_from_data(_with(path, value))
    assert error in caught.value.errors


@pytest.mark.one_database
@pytest.mark.parametrize("data", [None, [], "x", 3, {"steps": [3]}, {"trigger": 1, "conditions": {}, "steps": "x"}])
def test_no_data_breaks_the_reader(data: Any) -> None:
    with pytest.raises(InvalidInputError):
        definition_from_data(data)


@pytest.mark.one_database
def test_the_words_are_those_of_the_database() -> None:
    assert dict(ALERT_TYPES) == dict(AlertType.choices)
    assert dict(SEVERITIES) == dict(AlertSeverity.choices)
    assert dict(BANDS) == dict(HealthStatus.choices)
    assert dict(TIERS) == dict(ContractTier.choices)
    assert list(STEPS) == [str(one) for one in (*StepKind,) if one in STEPS]
    assert {key: one.label for key, one in STEPS.items()} == dict(StepKind.choices)
    assert set(ContactRole.values) <= set(RECEIVERS)
