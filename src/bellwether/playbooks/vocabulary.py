"""The words of the playbook grammar: kinds of triggers, conditions, steps, receivers and outcomes. Pure.

Words that the database knows too (alert types, severities, tiers) are those of the choices; a test keeps them equal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

END = "end"
MEASURE = "measure:"


class LoginState(StrEnum):
    """What a lifecycle trigger asks of logins."""

    ANY = "any"
    NONE_SINCE = "none_since"
    NEVER = "never"


class ValueKind(StrEnum):
    """What a field of conditions holds."""

    WORDS = "words"
    NUMBER = "number"
    YES_NO = "yes_no"


@dataclass(frozen=True)
class TriggerKind:
    """A kind of trigger: its name for people, and its fields."""

    label: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class ConditionField:
    """A field that conditions ask: name for people, what it holds, and whether only steps may ask it."""

    label: str
    kind: ValueKind
    steps_only: bool = False


@dataclass(frozen=True)
class StepKindWords:
    """A kind of step: its name for people, and the fields beside key, kind, title, wait_days, if and then."""

    label: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class OutcomeKind:
    """A kind of outcome: what is measured in words, its usual window in days, and its fields."""

    label: str
    days: int
    fields: tuple[str, ...] = ()


ALERT_TYPES: Mapping[str, str] = {
    "HEALTH_DROP": "Health drop",
    "CRITICAL_HEALTH": "Critical health",
    "KEY_USER_INACTIVE": "Key user inactive",
    "CHAMPION_RISK": "Champion at risk",
    "SUPPORT_SPIKE": "Support spike",
    "USAGE_DECLINE": "Usage decline",
    "FEATURE_ABANDONED": "Feature abandoned",
    "RENEWAL_APPROACHING": "Renewal approaching",
    "CONTRACT_UTILIZATION_LOW": "Contract use low",
    "NPS_DETRACTOR": "NPS detractor",
    "PAYMENT_ISSUE": "Payment issue",
}
SEVERITIES: Mapping[str, str] = {"CRITICAL": "Critical", "HIGH": "High", "MEDIUM": "Medium", "LOW": "Low"}
BANDS: Mapping[str, str] = {
    "HEALTHY": "Healthy",
    "MONITOR": "Monitor",
    "AT_RISK": "At risk",
    "CRITICAL": "Critical",
}
TIERS: Mapping[str, str] = {
    "STARTER": "Starter",
    "PROFESSIONAL": "Professional",
    "ENTERPRISE": "Enterprise",
    "CUSTOM": "Custom",
}
SINCE: Mapping[str, str] = {
    "set_up": "set-up",
    "start": "the start of the contract",
    "go_live": "go-live",
}
"""Days that lifecycle triggers count from. Set-up is the go-live, or the start of the contract where there is none."""

TRIGGERS: Mapping[str, TriggerKind] = {
    "alert": TriggerKind("An alert", ("types", "severities", "within_days")),
    "band": TriggerKind("A score band entered", ("bands", "score_below", "within_days")),
    "segment": TriggerKind("A segment entered", ("segments", "within_days")),
    "lifecycle": TriggerKind("A day of the lifecycle", ("since", "days", "login", "within_days")),
    "milestone": TriggerKind("A milestone reached", ("milestones", "within_days")),
    "renewal": TriggerKind("Days before the renewal", ("days", "within_days")),
    "hand": TriggerKind("By hand", ()),
}
CONDITION_FIELDS: Mapping[str, ConditionField] = {
    "tier": ConditionField("Tier", ValueKind.WORDS),
    "arr": ConditionField("ARR", ValueKind.NUMBER),
    "score": ConditionField("Health score", ValueKind.NUMBER),
    "status": ConditionField("Health status", ValueKind.WORDS),
    "industry": ConditionField("Industry", ValueKind.WORDS),
    "region": ConditionField("Region", ValueKind.WORDS),
    "segment": ConditionField("Segment", ValueKind.WORDS),
    "tag": ConditionField("Tag", ValueKind.WORDS),
    "csm": ConditionField("CSM (e-mail)", ValueKind.WORDS),
    "days_to_renewal": ConditionField("Days to renewal", ValueKind.NUMBER),
    "days_since_login": ConditionField("Days since the last login", ValueKind.NUMBER),
    "days_since_contact": ConditionField("Days since the last contact", ValueKind.NUMBER),
    "logged_in": ConditionField("Logged in since enrolment", ValueKind.YES_NO, steps_only=True),
    "contacted": ConditionField("Spoken to since enrolment", ValueKind.YES_NO, steps_only=True),
    "score_change": ConditionField("Points of score since enrolment", ValueKind.NUMBER, steps_only=True),
}
"""Beside them "measure:<name>" asks a component or an input of the client's current score."""

OPERATORS: Mapping[ValueKind, tuple[str, ...]] = {
    ValueKind.WORDS: ("in", "not_in", "known"),
    ValueKind.NUMBER: ("at_least", "at_most", "known"),
    ValueKind.YES_NO: ("yes", "no"),
}
OPERATOR_WORDS: Mapping[str, str] = {
    "in": "is one of",
    "not_in": "is none of",
    "at_least": "is at least",
    "at_most": "is at most",
    "known": "is known",
    "yes": "yes",
    "no": "no",
}
STEPS: Mapping[str, StepKindWords] = {
    "email": StepKindWords("E-mail", ("template", "text", "to", "approval")),
    "in_app": StepKindWords("In-app message", ("template", "text", "to", "approval")),
    "call": StepKindWords("Call", ("text", "to")),
    "task": StepKindWords("Task", ("text", "to")),
    "slack": StepKindWords("Slack message", ("text",)),
    "tag": StepKindWords("Tag", ("tag",)),
    "crm_task": StepKindWords("CRM task", ("text",)),
    "wait": StepKindWords("Wait"),
    "branch": StepKindWords("Branch", ("otherwise",)),
}
RECEIVERS: Mapping[str, str] = {
    "PRIMARY": "Primary contact",
    "CHAMPION": "Champion",
    "EXECUTIVE_SPONSOR": "Executive sponsor",
    "ADMIN": "Admin",
    "USER": "User",
    "BILLING": "Billing",
    "OTHER": "Other",
    "SUBJECT": "The person the alert is about",
    "SECOND": "The second stakeholder",
}
"""Who at the client a step is for: contact roles, and three that are found (playbooks.receivers)."""

OUTCOMES: Mapping[str, OutcomeKind] = {
    "login": OutcomeKind("Logs in", 14),
    "score_change": OutcomeKind("Health score changes by", 30),
    "churn": OutcomeKind("Leaves", 90),
    "renewed": OutcomeKind("Renews", 90),
    "feature_used": OutcomeKind("Uses the feature", 30, ("feature",)),
    "usage_recovered": OutcomeKind("Daily users recover", 30, ("at_least",)),
    "csat": OutcomeKind("Answers CSAT well", 30, ("at_least",)),
    "nps_improved": OutcomeKind("NPS improves", 90),
}
