"""Custom measures in plain English: one sentence for each definition, and its unit in words. Pure."""

from bellwether.health.custom_measures import SIZES, Definition
from bellwether.health.measures import Unit
from bellwether.usage.custom_specs import Condition

UNIT_LABELS = {
    Unit.COUNT: "number", Unit.PEOPLE: "people", Unit.DAYS: "days", Unit.MINUTES: "minutes", Unit.POINTS: "points",
    Unit.RATIO: "share", Unit.PERCENT: "0 to 100",
}  # fmt: skip


def sentence(definition: Definition) -> str:
    """Return what the measure is, for example "Number of Report Exported events of people in 30 days."."""
    text = _phrase(definition)
    return text[0].upper() + text[1:] + "."


def basis(definition: Definition) -> str:
    """Return what the values are made of, for people: the daily facts or raw events."""
    if definition.needs_raw:
        return "Counted from raw events, then kept as small daily facts."
    return "Answered by the daily facts that are kept anyway."


def _phrase(definition: Definition) -> str:
    if definition.of is not None:
        per = definition.per
        below = _phrase(per) if isinstance(per, Definition) else SIZES[per] if per else ""
        return f"{_phrase(definition.of)}, divided by {below}"
    where = _filters(definition)
    window = _window(definition)
    named = _events(definition)
    people = " of people" if definition.people_only else ""
    if definition.kind == "count":
        return f"number of {named}{people}{where}{window}"
    if definition.kind == "users":
        return f"people with {named}{where}{window}"
    if definition.kind == "days_since":
        return f"whole days since the last of {named}{people}{where}"
    if definition.trait:
        whose = "each person's last" if definition.kind == "sum" else "last"
        start = "sum of " if definition.kind == "sum" else ""
        return f"{start}{whose} {definition.trait} from identify and group calls{where}{window}"
    word = "sum of" if definition.kind == "sum" else "last"
    return f"{word} {definition.attribute} in {named}{people}{where}{window}"


def _events(definition: Definition) -> str:
    if not definition.events:
        return "actions of any kind"
    names = " or ".join([", ".join(definition.events[:-1]), definition.events[-1]][not definition.events[:-1] :])
    return f"{names} events"


def _filters(definition: Definition) -> str:
    parts = [f"{name} {value}" for name in ("module", "feature", "label") if (value := getattr(definition, name))]
    text = f" in {' and '.join(parts)}" if parts else ""
    conditions = " and ".join(_condition(condition) for condition in definition.where)
    return f"{text} where {conditions}" if conditions else text


def _condition(condition: Condition) -> str:
    if condition.comparison == "exists":
        return f"{condition.attribute} is given"
    if condition.comparison in ("greater", "less"):
        word = "over" if condition.comparison == "greater" else "under"
        return f"{condition.attribute} is {word} {float(condition.values[0]):g}"
    return f"{condition.attribute} is {' or '.join(condition.values)}"


def _window(definition: Definition) -> str:
    if definition.window is None:
        return " so far"
    return " on the day" if definition.window == 1 else f" in {definition.window} days"
