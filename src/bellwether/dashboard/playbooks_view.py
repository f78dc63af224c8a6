"""Playbooks as pages show them: a row of the list, the card of one, what they do in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from bellwether.common.errors import InvalidInputError
from bellwether.playbooks.choices import PlaybookState
from bellwether.playbooks.definition import Definition, Step
from bellwether.playbooks.definition_reading import definition_from_data
from bellwether.playbooks.models import Playbook
from bellwether.playbooks.vocabulary import END, STEPS
from bellwether.playbooks.wording import (
    Words,
    condition_words,
    exit_words,
    in_words,
    step_words,
)

STATE_ICONS = {
    PlaybookState.RUNNING: "play",
    PlaybookState.PAUSED: "pause",
    PlaybookState.DRAFT: "pencil",
    PlaybookState.ARCHIVED: "archive",
}


@dataclass(frozen=True)
class Told:
    """A playbook with its checked definition in words; both None where the stored one cannot be read any more."""

    playbook: Playbook
    definition: Definition | None
    words: Words | None

    @property
    def href(self) -> str:
        """The address of its page."""
        return reverse("playbook", args=[self.playbook.key])

    @property
    def state(self) -> str:
        """The state's word."""
        return self.playbook.state

    @property
    def state_text(self) -> str:
        """The state for people."""
        return str(self.playbook.get_state_display())

    @property
    def state_icon(self) -> str:
        """The state's icon."""
        return STATE_ICONS[PlaybookState(self.playbook.state)]

    @property
    def trigger(self) -> str:
        """What starts it, in words."""
        return self.words.trigger if self.words else "Its definition cannot be read"

    @property
    def byline(self) -> str:
        """Version and owner."""
        parts = [f"Version {self.playbook.version.number}" if self.playbook.version else "No version"]
        if self.playbook.owner:
            parts.append(f"owner {self.playbook.owner.name}")
        return ", ".join(parts)


def told(playbook: Playbook) -> Told:
    """Return the playbook with the definition of its version in words."""
    if playbook.version is None:
        return Told(playbook, None, None)
    definition = read_definition(playbook.version.definition)
    return Told(playbook, definition, in_words(definition) if definition else None)


def read_definition(data: object) -> Definition | None:
    """Return the stored definition; None where it does not hold any more."""
    try:
        return definition_from_data(data)
    except InvalidInputError:
        return None


@dataclass(frozen=True)
class StepLine:
    """A step as people read it: on which day it comes at the earliest, what it is, and what holds for it."""

    key: str
    title: str
    text: str
    kind: str


def step_lines(definition: Definition) -> list[StepLine]:
    """Return the steps with the day that each comes on at the earliest, counted from the enrolment; waits and branches
    are lines of their own."""
    days = earliest_days(definition)
    unit = "Business day" if definition.business_days else "Day"
    return [
        StepLine(
            one.key,
            f"{unit} {days[place]}: {_headline(one)}",
            _subline(definition, one),
            one.kind,
        )
        for place, one in enumerate(definition.steps)
    ]


def earliest_days(definition: Definition) -> list[int]:
    """Return on which day after enrolment each step comes at the earliest, by the shortest way to it."""
    places = {step.key: place for place, step in enumerate(definition.steps)}
    days: list[int | None] = [step.wait_days if not place else None for place, step in enumerate(definition.steps)]
    for place, step in enumerate(definition.steps):
        here = days[place]
        if here is None:  # nothing leads there
            here = days[place] = (days[place - 1] or 0) + step.wait_days
        for target in _next_places(step, place, places):
            reached, known = here + definition.steps[target].wait_days, days[target]
            days[target] = reached if known is None else min(known, reached)
    return [day or 0 for day in days]


def _next_places(step: Step, place: int, places: dict[str, int]) -> set[int]:
    targets = {step.then, step.otherwise} if step.kind == "branch" else {step.then}
    found = {places.get(one, len(places)) if one else place + 1 for one in targets if one != END}
    return {one for one in found if one < len(places)}


def _headline(step: Step) -> str:
    label = STEPS[step.kind].label
    small = label if label.startswith(("CRM", "Slack")) else label[:1].lower() + label[1:]
    if step.kind in {"wait", "branch"}:
        return step.title or small
    if step.kind == "tag":
        return step.title or f"tag {step.tag}"
    title = step.title
    if not title:
        return small
    return _low(title) if small.lower() in title.lower() else f"{small}, {_low(title)}"


def _subline(definition: Definition, step: Step) -> str:
    words = step_words(definition, step)
    _, _, rest = words.partition(": ") if step.wait_days and step.kind != "wait" else ("", "", words)
    rest = rest or words
    if step.approval and step.kind in {"email", "in_app"}:
        note = "Draft prepared, the CSM reviews and sends it"
        return f"{note}, if {_low(condition_words(step.when))}" if step.when else note
    if step.when and step.kind != "branch":
        return f"Only if {_low(condition_words(step.when))}"
    if step.kind in {"call", "task", "crm_task", "slack"}:
        first = step.text.strip().split("\n", 1)[0]
        return first if len(first) <= 120 else f"{first[:119].rstrip()}…"
    return f"{rest[:1].upper()}{rest[1:]}"


def _low(text: str) -> str:
    first = text.split(" ", 1)[0]
    return text if first.isupper() else text[:1].lower() + text[1:]


def foot(row: Told) -> str:
    """Return what holds for the whole playbook: caps, and when it stops."""
    if row.words is None or row.definition is None:
        return ""
    return ". ".join(part for part in (row.words.caps, exit_words(row.definition.exit)) if part)


def differences(before: Definition, after: Definition) -> list[str]:
    """Return in words what a version changed against the one before it."""
    old, new = in_words(before), in_words(after)
    lines = []
    for name in ("trigger", "exit", "caps", "outcome", "hold_out"):
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            label = {"hold_out": "Hold-out"}.get(name, name.capitalize())
            lines.append(f"{label}: {now or 'nothing'}, was {was or 'nothing'}")
    lines += _listed("Condition", old.conditions, new.conditions)
    lines += _steps_changed(before, after)
    if before.business_days != after.business_days:
        lines.append(f"Waits count {'business days' if after.business_days else 'all days'}")
    if before.minutes_per_client != after.minutes_per_client:
        lines.append(f"Minutes per client: {after.minutes_per_client}, was {before.minutes_per_client}")
    return lines


def _listed(label: str, old: Sequence[str], new: Sequence[str]) -> list[str]:
    return [f"{label} added: {one}" for one in new if one not in old] + [
        f"{label} removed: {one}" for one in old if one not in new
    ]


def _steps_changed(before: Definition, after: Definition) -> list[str]:
    lines = []
    old = {one.key: one for one in before.steps}
    new = {one.key: one for one in after.steps}
    for key, step in new.items():
        if key not in old:
            lines.append(f"Step added: {step_words(after, step)}")
        elif step != old[key]:
            was, now = step_words(before, old[key]), step_words(after, step)
            lines.append(
                f"Step {_name(step)}: {now}, was {was}" if was != now else f"Step {_name(step)}: its text changed"
            )
    lines += [f"Step removed: {step_words(before, step)}" for key, step in old.items() if key not in new]
    if [key for key in old if key in new] != [key for key in new if key in old]:
        lines.append("The order of the steps changed")
    return lines


def _name(step: Step) -> str:
    return f"“{step.title}”" if step.title else step.key
