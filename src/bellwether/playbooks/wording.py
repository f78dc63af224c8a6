"""A playbook in words: a sentence for its trigger, each condition, each step, exit, caps and outcome. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bellwether.playbooks.definition import Caps, Condition, Definition, Exit, Outcome, Step, Trigger
from bellwether.playbooks.vocabulary import (
    ALERT_TYPES,
    BANDS,
    CONDITION_FIELDS,
    END,
    MEASURE,
    OUTCOMES,
    RECEIVERS,
    SEVERITIES,
    SINCE,
    STEPS,
    TIERS,
    LoginState,
)
from bellwether.web.formatting import number, plural


@dataclass(frozen=True)
class Words:
    """A definition in sentences; `conditions` and `steps` in their order, the others empty where nothing is said."""

    trigger: str
    conditions: tuple[str, ...]
    steps: tuple[str, ...]
    exit: str
    caps: str
    outcome: str
    hold_out: str


def in_words(definition: Definition) -> Words:
    """Return the definition in sentences."""
    return Words(
        trigger=trigger_words(definition.trigger),
        conditions=tuple(condition_words(one) for one in definition.conditions),
        steps=tuple(step_words(definition, one) for one in definition.steps),
        exit=exit_words(definition.exit),
        caps=caps_words(definition.caps),
        outcome=outcome_words(definition.outcome),
        hold_out=hold_out_words(definition.hold_out),
    )


def trigger_words(trigger: Trigger) -> str:
    """Return "Key user inactive, high", "No login for 7 days after set-up", "90, 60 or 30 days before the renewal"."""
    match trigger.kind:
        case "alert":
            types = _either([ALERT_TYPES[one] for one in trigger.types])
            severe = _either([SEVERITIES[one].lower() for one in trigger.severities])
            return f"Alert: {types}{f', {severe}' if severe else ''}"
        case "band":
            if trigger.score_below is not None:
                return f"Health score falls below {trigger.score_below}"
            return f"Health becomes {_either([BANDS[one].lower() for one in trigger.bands])}"
        case "segment":
            return f"Enters the segment {_either(list(trigger.segments))}"
        case "lifecycle":
            days, since = plural(trigger.days[0], "day"), SINCE[trigger.since]
            if trigger.login == LoginState.NONE_SINCE:
                return f"No login for {days} after {since}"
            if trigger.login == LoginState.NEVER:
                return f"Never logged in, {days} after {since}"
            return f"{days[:1].upper()}{days[1:]} after {since}"
        case "milestone":
            return f"Milestone reached: {_either([one.replace('_', ' ') for one in trigger.milestones])}"
        case "renewal":
            return f"{_either([number(one) for one in trigger.days])} days before the renewal"
    return "Started by hand"


def condition_words(condition: Condition) -> str:
    """Return "Tier is Enterprise", "ARR is at least 50,000", "Not logged in since enrolment"."""
    name = condition.field
    if name.startswith(MEASURE):
        label = name.removeprefix(MEASURE).replace("_", " ").capitalize()
    else:
        label = CONDITION_FIELDS[name].label
    match condition.operator:
        case "yes":
            return label
        case "no":
            return f"Not {label[:1].lower()}{label[1:]}"
        case "known":
            return f"{label} is {'known' if condition.value else 'not known'}"
        case "in" | "not_in":
            words = {"tier": TIERS, "status": BANDS}.get(name, {})
            values = condition.value if isinstance(condition.value, tuple) else ()
            listed = _either([words.get(one, one) for one in values])
            return f"{label} is {'' if condition.operator == 'in' else 'not '}{listed}"
    value = condition.value if isinstance(condition.value, int | float) else 0
    amount = f"{value:,.15g}"
    return f"{label} is {'at least' if condition.operator == 'at_least' else 'at most'} {amount}"


def step_words(definition: Definition, step: Step) -> str:
    """Return what a step does: "After 3 business days, call the champion, if not logged in since enrolment"."""
    wait = wait_words(step.wait_days, business=definition.business_days)
    if step.kind == "wait":
        return wait.replace("After", "Wait", 1)
    lead = f"{wait}, " if wait else ""
    said = f"{lead}{_doing(definition, step)}"
    if step.when is not None and step.kind != "branch":
        condition = condition_words(step.when)
        said += f", if {_inside(condition)}"
    if step.then and step.kind != "branch":
        said += ", and that is all" if step.then == END else f", then {_target(definition, step.then)}"
    return f"{said[:1].upper()}{said[1:]}"


def wait_words(days: int, *, business: bool) -> str:
    """Return "After 3 business days"; empty for none."""
    return f"After {plural(days, 'business day' if business else 'day')}" if days else ""


def _doing(definition: Definition, step: Step) -> str:
    to = _the(RECEIVERS[step.to]) if step.to else ""
    match step.kind:
        case "email" | "in_app":
            what = "e-mail" if step.kind == "email" else "in-app message"
            reviewed = ", once the CSM has approved it" if step.approval else ""
            return f"{what} to {to or 'the primary contact'}{f': {step.title}' if step.title else ''}{reviewed}"
        case "tag":
            return f"tag {step.tag}"
        case "slack":
            return step.title or "Slack message to the CSM"
        case "branch":
            asked = condition_words(step.when) if step.when else ""
            return (
                f"if {_inside(asked)}, {_target(definition, step.then)}; "
                f"otherwise {_target(definition, step.otherwise)}"
            )
    label = STEPS[step.kind].label
    if step.title.lower().startswith(label.lower()):
        return _inside(step.title)
    return f"{_inside(label)}: {step.title}"


def _target(definition: Definition, key: str) -> str:
    if key == END:
        return "end"
    if not key:
        return "go on"
    step = definition.step(key)
    return f"go on with {(step.title if step and step.title else key)!r}"


def exit_words(leaving: Exit) -> str:
    """Return "Stops as soon as the alert ends or somebody logs in"; empty where nothing is asked."""
    reasons = []
    if leaving.recovered:
        reasons.append("the reason for it is gone")
    if leaving.alert_cleared:
        reasons.append("the alert ends")
    if leaving.score_at_least is not None:
        reasons.append(f"the health score is {leaving.score_at_least} or more")
    if leaving.logged_in:
        reasons.append("somebody logs in")
    return f"Stops as soon as {_either(reasons)}" if reasons else ""


def caps_words(caps: Caps) -> str:
    """Return "At most 1 running playbook per client, quiet 30 days after"."""
    running = f"At most {plural(caps.running_per_client, 'running playbook')} per client"
    return f"{running}, quiet {plural(caps.quiet_days, 'day')} after" if caps.quiet_days else running


def outcome_words(outcome: Outcome) -> str:
    """Return what is measured: "Logs in within 14 days", "Health score, change in 30 days"."""
    days = plural(outcome.days, "day")
    match outcome.kind:
        case "score_change":
            return f"Health score, change in {days}"
        case "churn":
            return f"Leaves within {days}"
        case "feature_used":
            return f"{outcome.feature.replace('_', ' ').capitalize() or 'Feature'} used in {days}"
        case "csat":
            level = f" of {outcome.at_least:g} or more" if outcome.at_least is not None else ""
            return f"CSAT{level} within {days}"
    return f"{OUTCOMES[outcome.kind].label} within {days}"


def hold_out_words(percent: int) -> str:
    """Return "10% are held out, to measure the effect"."""
    return f"{percent}% are held out, to measure the effect" if percent else "Nobody is held out: no effect is measured"


def _the(receiver: str) -> str:
    word = receiver[:1].lower() + receiver[1:]
    return word if word.startswith("the ") else f"the {word}"


def _inside(sentence: str) -> str:
    """Return a sentence as it stands within another one; abbreviations keep their capitals."""
    first = sentence.split(" ", 1)[0]
    return sentence if first.isupper() else f"{sentence[:1].lower()}{sentence[1:]}"


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}" if words else ""
