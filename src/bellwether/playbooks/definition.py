"""What a playbook does, as data: trigger, conditions, steps, exit, caps, hold-out and outcome. Pure.

Data (TOML, JSON, database) goes in through `definition_reading`, which refuses unknown fields and names the path of
what is wrong ("steps[2].wait_days"), and comes out through `Definition.as_data`. docs/reference/playbook-definition.md
"""

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any

from bellwether.playbooks.vocabulary import (
    END,
    TRIGGERS,
    LoginState,
)


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """Who a playbook is for. Only the fields of its kind are given (TRIGGERS).

    `within_days`: what came about longer ago than this no longer enrols, so that starting a playbook does not enrol
    years of history; 1 means today only.
    """

    kind: str
    types: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    score_below: int | None = None
    segments: tuple[str, ...] = ()
    since: str = "set_up"
    days: tuple[int, ...] = ()
    login: str = LoginState.ANY
    milestones: tuple[str, ...] = ()
    within_days: int = 7

    def as_data(self) -> dict[str, Any]:
        """Return the trigger as data, with the fields of its kind that say something."""
        data: dict[str, Any] = {"kind": self.kind}
        for name in TRIGGERS[self.kind].fields:
            value = getattr(self, name)
            if value not in ((), None):
                data[name] = list(value) if isinstance(value, tuple) else value
        return data


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A field of the client held against a value: `operator` is data's "is". A value that is not known fails every
    operator but "not_in", "no" and "known" with false."""

    field: str
    operator: str
    value: tuple[str, ...] | float | bool | None = None

    def as_data(self) -> dict[str, Any]:
        """Return the condition as data."""
        data: dict[str, Any] = {"field": self.field, "is": self.operator}
        if self.value is not None:
            data["value"] = list(self.value) if isinstance(self.value, tuple) else self.value
        return data


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step, `wait_days` after the one before it (business days where the playbook counts those).

    A step with a condition `when` (data's "if") that does not hold is skipped; a branch goes to `then` or `otherwise`
    instead. `then` of other steps names what comes next where that is not the following step; "end" ends.
    """

    key: str
    kind: str
    title: str = ""
    wait_days: int = 0
    template: str = ""
    text: str = ""
    to: str = ""
    approval: bool = False
    tag: str = ""
    when: Condition | None = None
    then: str = ""
    otherwise: str = ""

    def as_data(self) -> dict[str, Any]:
        """Return the step as data, without what is empty."""
        data: dict[str, Any] = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if value not in ("", 0, False, None):
                name = "if" if one.name == "when" else one.name
                data[name] = value.as_data() if isinstance(value, Condition) else value
        return data


@dataclass(frozen=True, kw_only=True)
class Exit:
    """When a client leaves early: the trigger's reason is gone (`recovered`), its alert ended, its score is back, or
    somebody of it logged in after the enrolment."""

    recovered: bool = False
    alert_cleared: bool = False
    score_at_least: int | None = None
    logged_in: bool = False

    def as_data(self) -> dict[str, Any]:
        """Return the exit as data, without what is not asked for."""
        data = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in data.items() if value is not None and value is not False}


@dataclass(frozen=True, kw_only=True)
class Caps:
    """How often a client may be approached: `running_per_client` playbooks at once, and no new one within `quiet_days`
    of the end of another. Both count all playbooks of the workspace."""

    running_per_client: int = 1
    quiet_days: int = 30

    def as_data(self) -> dict[str, Any]:
        """Return the caps as data."""
        return {"running_per_client": self.running_per_client, "quiet_days": self.quiet_days}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What is measured, `days` after enrolment, in both arms; the fields beside it are those of its kind (OUTCOMES)."""

    kind: str
    days: int
    at_least: float | None = None
    feature: str = ""

    def as_data(self) -> dict[str, Any]:
        """Return the outcome as data."""
        data: dict[str, Any] = {"kind": self.kind, "days": self.days}
        if self.at_least is not None:
            data["at_least"] = self.at_least
        if self.feature:
            data["feature"] = self.feature
        return data


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A checked playbook. `hold_out` is the percentage held out (0-50), `minutes_per_client` what it costs a CSM."""

    trigger: Trigger
    conditions: tuple[Condition, ...] = ()
    steps: tuple[Step, ...] = ()
    exit: Exit = Exit()
    caps: Caps = Caps()
    business_days: bool = True
    hold_out: int = 10
    outcome: Outcome = Outcome(kind="score_change", days=30)
    minutes_per_client: int = 30

    def as_data(self) -> dict[str, Any]:
        """Return the definition as data that reads back as the same."""
        return {
            "trigger": self.trigger.as_data(),
            "conditions": [one.as_data() for one in self.conditions],
            "steps": [one.as_data() for one in self.steps],
            "exit": self.exit.as_data(),
            "caps": self.caps.as_data(),
            "business_days": self.business_days,
            "hold_out": self.hold_out,
            "outcome": self.outcome.as_data(),
            "minutes_per_client": self.minutes_per_client,
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the definition, in hex: equal definitions have equal ones, however they were written."""
        text = json.dumps(self.as_data(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def step(self, key: str) -> Step | None:
        """Return the step `key`; None if there is none."""
        return next((one for one in self.steps if one.key == key), None)

    def following(self, step: Step, *, holds: bool = True) -> Step | None:
        """Return what comes after `step`, None for the end. `holds` is whether the condition of a branch does."""
        wanted = step.then if holds or step.kind != "branch" else step.otherwise
        if wanted == END:
            return None
        if wanted:
            return self.step(wanted)
        place = self.steps.index(step) + 1
        return self.steps[place] if place < len(self.steps) else None
