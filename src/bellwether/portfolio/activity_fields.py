"""Which fields each of the ten types of activity has (PRD-015 F9), and the rules of their own values. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LONGEST_TEXT = 2_000
LONGEST_TAG, MOST_TAGS = 60, 20
LONGEST_MINUTES = 24 * 60


@dataclass(frozen=True)
class Detail:
    """A field of some types, kept in Activity.details under `name`. With `choices` (value, text) one of them, else a
    text of up to LONGEST_TEXT characters; `long` texts have lines."""

    name: str
    label: str
    choices: tuple[tuple[str, str], ...] = ()
    long: bool = False

    def text(self, value: str) -> str:
        """Return the value in words."""
        return dict(self.choices).get(value, value)


MEETING_TYPE = Detail(
    "meeting_type",
    "Kind of meeting",
    (
        ("review", "Review"),
        ("working_session", "Working session"),
        ("planning", "Planning"),
        ("demonstration", "Demonstration"),
        ("renewal", "Renewal talk"),
        ("workshop", "Workshop"),
        ("introduction", "Introduction"),
        ("other", "Other"),
    ),
)
DECISIONS = Detail("decisions", "Decisions", long=True)
TOPIC = Detail("topic", "Topic")
COMPLETION = Detail(
    "completion",
    "Completion",
    (("completed", "Completed"), ("partly", "Partly, to be continued"), ("not_completed", "Not completed")),
)
DETAILS = (MEETING_TYPE, TOPIC, COMPLETION, DECISIONS)
"""Every detail, in the order in which forms and pages show them."""


@dataclass(frozen=True)
class TypeFields:
    """What is asked for an activity of one type besides subject, notes, outcome, tags, next steps and follow-up, which
    all have.

    `icon` is the drawing, `minutes` the usual length (None: no duration is asked for).
    """

    icon: str
    short: str
    minutes: int | None = None
    contacts: bool = True
    participants: bool = False
    ticket: bool = False
    details: tuple[Detail, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The fields that the type has, by the names that the API and forms use."""
        asked = {
            "duration_minutes": self.minutes is not None,
            "client_contacts": self.contacts,
            "participants": self.participants,
            "ticket_id": self.ticket,
        }
        return frozenset(name for name, has in asked.items() if has) | {detail.name for detail in self.details}


_MEETING = (MEETING_TYPE, DECISIONS)
_LESSON = (TOPIC, COMPLETION)
TYPES: dict[str, TypeFields] = {
    "CALL": TypeFields("phone", "Call", minutes=30),
    "EMAIL": TypeFields("mail", "E-mail"),
    "MEETING": TypeFields("users", "Meeting", minutes=60, participants=True, details=_MEETING),
    "QBR": TypeFields("presentation", "QBR", minutes=60, participants=True, details=_MEETING),
    "TRAINING": TypeFields("graduation-cap", "Training", minutes=60, details=_LESSON),
    "ONBOARDING": TypeFields("rocket", "Onboarding", minutes=60, details=_LESSON),
    "SUPPORT_ESCALATION": TypeFields("siren", "Escalation", ticket=True),
    "EXECUTIVE_TOUCHPOINT": TypeFields("handshake", "Executive", minutes=30, participants=True, details=_MEETING),
    "INTERNAL_DISCUSSION": TypeFields(
        "message-square", "Internal", minutes=30, contacts=False, participants=True, details=(DECISIONS,)
    ),
    "OTHER": TypeFields("circle-dot", "Other", minutes=30, participants=True),
}
"""The types by their word in the API, in the order in which they are offered. Internal discussions are no contact."""


def types_with(name: str) -> list[str]:
    """Return the types that have the field `name`."""
    return [word for word, fields in TYPES.items() if name in fields.names]


def checked_details(kind: str, given: Mapping[str, object]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the details of an activity of type `kind` without empty ones, and errors by field: a detail that the type
    does not have, an unknown choice, a text that is too long."""
    own = {detail.name: detail for detail in TYPES[kind].details}
    kept: dict[str, str] = {}
    errors: dict[str, str] = {}
    for name, value in given.items():
        if name not in own:
            has = ", ".join(own) or "none"
            errors[f"details.{name}"] = f"Activities of the type {kind} have no such field; they have {has}."
        elif value not in (None, ""):
            detail, text = own[name], str(value).strip()
            if detail.choices and text not in dict(detail.choices):
                errors[f"details.{name}"] = f"Choose one of {', '.join(dict(detail.choices))}."
            elif len(text) > LONGEST_TEXT:
                errors[f"details.{name}"] = f"Write at most {LONGEST_TEXT:,} characters; these are {len(text):,}."
            elif text:
                kept[name] = text
    return kept, errors


def checked_tags(given: Sequence[str]) -> tuple[list[str], str]:
    """Return the tags without doubles and blanks, in their order, and what is wrong with them ("": nothing)."""
    tags: list[str] = []
    for raw in given:
        tag = " ".join(str(raw).split())
        if tag and tag.lower() not in {known.lower() for known in tags}:
            tags.append(tag)
    if long := next((tag for tag in tags if len(tag) > LONGEST_TAG), None):
        return tags, f"A tag has at most {LONGEST_TAG} characters: '{long[:20]}…' is longer."
    if len(tags) > MOST_TAGS:
        return tags, f"At most {MOST_TAGS} tags; these are {len(tags)}."
    return tags, ""
