"""How fast a playbook would fill, and so when its effect could be told: read from the last 13 weeks."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from statistics import pstdev

from django.conf import settings

from bellwether.alerts.models import Alert
from bellwether.common.time import start_of
from bellwether.playbooks.choosing import Standing, WhyNot, choose
from bellwether.playbooks.definition import Definition
from bellwether.playbooks.models import Enrolment, Playbook
from bellwether.playbooks.outcome_kinds import COUNTING
from bellwether.playbooks.power import Plan, plan
from bellwether.playbooks.trigger_reading import read_trigger_facts
from bellwether.portfolio.models import Client

WEEKS = 13
LEAST_HELD_OUT = 20
USUAL_SPREAD = 8.0
"""Points by which 30-day changes of a score usually differ between clients, where none are known."""


@dataclass(frozen=True)
class Prospects:
    """How many clients a week a playbook takes in and what that lets one tell. `counted` says what the pace rests on:
    "enrolled" (it ran), "met" (its trigger would have been met), "" for one that is started by hand alone."""

    per_week: float
    counted: str
    binary: bool
    plan: Plan


def prospects(definition: Definition, *, playbook: Playbook | None, today: date) -> Prospects:
    """Return the prospects of a definition, a new one or that of `playbook`, by the last 13 weeks of the workspace.

    A client that would have met the trigger twice counts once, except for alerts, so that the pace is rather too low.
    """
    per_week, counted = _pace(definition, playbook, today)
    binary = COUNTING[definition.outcome.kind].binary
    made = plan(
        hold_out=definition.hold_out,
        per_week=per_week,
        window_days=definition.outcome.days,
        baseline=_baseline(playbook, definition) if binary else 0.5,
        spread=None if binary else _spread(),
        effects=(0.05, 0.10, 0.20) if binary else (2.0, 5.0, 10.0),
    )
    return Prospects(per_week, counted, binary, made)


def _pace(definition: Definition, playbook: Playbook | None, today: date) -> tuple[float, str]:
    first = today - timedelta(weeks=WEEKS)
    since = start_of(first, settings.BELLWETHER_WORKSPACE_ZONE)
    if playbook is not None and playbook.started_at is not None and playbook.started_at <= since:
        return Enrolment.objects.filter(playbook=playbook, enrolled_at__gte=since).count() / WEEKS, "enrolled"
    trigger = definition.trigger
    if trigger.kind == "hand":
        return 0.0, ""
    if trigger.kind == "alert":
        rows = Alert.objects.filter(alert_type__in=trigger.types, opened_on__gte=first, is_silent=False)
        if trigger.severities:
            rows = rows.filter(severity__in=trigger.severities)
        return rows.count() / WEEKS, "met"
    looking_back = replace(definition, trigger=replace(trigger, within_days=7 * WEEKS))
    found = choose(looking_back, read_trigger_facts([looking_back], today=today), Standing())
    return sum(one.why_not != WhyNot.CONDITION for one in found) / WEEKS, "met"


def _baseline(playbook: Playbook | None, definition: Definition) -> float:
    """Return the share of those held out that reached the outcome so far; a half, which asks for the most, where fewer
    than 20 are known."""
    if playbook is None or playbook.version is None:
        return 0.5
    known = Enrolment.objects.filter(
        playbook=playbook, version__definition__outcome=definition.outcome.as_data(), arm="HELD_OUT",
        outcome_value__isnull=False, enrolled_by__isnull=True,
    ).values_list("outcome_value", flat=True)  # fmt: skip
    values = [one for one in known if one is not None]
    if len(values) < LEAST_HELD_OUT:
        return 0.5
    share = sum(values) / len(values)
    if COUNTING[definition.outcome.kind].lower_is_better:
        share = 1 - share
    return min(0.95, max(0.05, share))


def _spread() -> float:
    """Return how much the 30-day change of the score differs between clients, as a standard deviation in points."""
    rows = Client.objects.active().exclude(health_trend_change=None)
    changes = [float(one) for one in rows.values_list("health_trend_change", flat=True) if one is not None]
    return max(1.0, pstdev(changes)) if len(changes) >= LEAST_HELD_OUT else USUAL_SPREAD
