"""The figures of the usage tab as text: what each is called, how it and its change are written, how it is made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bellwether.dashboard.explanations import ComponentWhy, Input
from bellwether.health.usage_comparison import Comparison
from bellwether.health.usage_reading import Modules, Usage
from bellwether.usage.periods import BASELINE_DAYS, Period
from bellwether.web.formatting import DASH, Delta, change, day, number, percent, plural

Text = Callable[[float | None], str]
SMALL_SHARE = 0.05


@dataclass(frozen=True)
class Spec:
    """How a figure is shown. `delta` writes a change: "share" in percent, "points" of a percentage, "unit" as it is."""

    name: str
    label: str
    unit: str
    text: Text
    delta: str
    formula: str


def _decimal(value: float | None) -> str:
    return DASH if value is None else f"{value:,.1f}"


_SPECS = (
    Spec(
        "dau",
        "Daily active users",
        "",
        number,
        "share",
        "People with an action on a day: the mean over the working days of the range. "
        "Today counts with what has come so far.",
    ),
    Spec(
        "wau",
        "Weekly active users",
        "",
        number,
        "share",
        "Different people with an action in the 7 days up to the end of the range.",
    ),
    Spec(
        "mau",
        "Monthly active users",
        "",
        number,
        "share",
        "Different people with an action in the 30 days up to the end of the range.",
    ),
    Spec(
        "stickiness",
        "Stickiness",
        "",
        percent,
        "points",
        "Mean daily active users over the working days of 30 days, divided by monthly active users.",
    ),
    Spec(
        "session_minutes",
        "Session length",
        "min",
        _decimal,
        "unit",
        "Minutes from the first to the last action of a session, the mean over the sessions of the range. "
        "A session ends after 30 minutes without an action.",
    ),
    Spec(
        "session_depth",
        "Actions per session",
        "",
        _decimal,
        "unit",
        "Actions of people divided by their sessions, over the range.",
    ),
    Spec(
        "power_users",
        "Power users",
        "",
        number,
        "unit",
        "The 20 % of the monthly active users with most actions, rounded up.",
    ),
)
SPECS: dict[str, Spec] = {spec.name: spec for spec in _SPECS}


@dataclass(frozen=True)
class FigureCard:
    """A figure with its change against what it is compared with. `value` None: not known, `reason` says why."""

    name: str
    label: str
    value: str | None
    unit: str
    change: Delta | None
    note: str
    reason: str
    why: ComponentWhy


def delta_of(spec: Spec, value: float | None, reference: float | None) -> Delta | None:
    """Return the change of a figure, None without something to compare with. More use is better.

    A change under SMALL_SHARE of the reference is neither good nor bad.
    """
    if value is None or reference is None or (spec.delta == "share" and not reference):
        return None
    better = "up" if abs(value - reference) >= SMALL_SHARE * abs(reference) else ""
    if spec.delta == "share":
        moved = round(100 * (value / reference - 1))
        return change(moved, better=better, text=f"{abs(moved)}%")
    if spec.delta == "points":
        points = round(100 * value) - round(100 * reference)
        return change(points, better=better, text=f"{abs(points)} pts")
    moved_by = round(value - reference, 1)
    return change(moved_by, better=better, text=f"{number(abs(moved_by))}{f' {spec.unit}' if spec.unit else ''}")


def figure_card(spec: Spec, usage: Usage, against: Comparison, *, extra: Sequence[Input] = ()) -> FigureCard:
    """Return the card of a figure, compared with `against`."""
    value, reference = usage.figures[spec.name], against.values.get(spec.name)
    compared = f"{against_words(against)} {with_unit(spec, reference)}"
    return FigureCard(
        name=spec.name,
        label=spec.label,
        value=spec.text(value) if value is not None else None,
        unit=spec.unit,
        change=delta_of(spec, value, reference),
        note=compared if reference is not None else "nothing to compare with",
        reason="There was no session in the range."
        if spec.name.startswith("session")
        else "There is no usage to count.",
        why=why(spec, usage, extra=extra),
    )


def modules_card(modules: Modules, usage: Usage) -> FigureCard:
    """Return the card of the modules in use, compared with the client's own baseline."""
    moved = round(modules.used - modules.baseline, 1) if modules.baseline is not None else None
    return FigureCard(
        name="modules",
        label="Modules used",
        value=number(modules.used),
        unit=f"of {number(modules.licensed)}" if modules.licensed else "",
        change=change(moved, better="up" if abs(moved) >= SMALL_SHARE * (modules.baseline or 0) else "")
        if moved is not None
        else None,
        note=f"baseline {number(modules.baseline)}" if modules.baseline is not None else "no baseline yet",
        reason="",
        why=ComponentWhy(
            title="How modules used is calculated",
            formula="Licensed modules in which people did something in the 30 days up to the end of the range."
            if modules.licensed
            else "Modules in which people did something in 30 days. No licensed modules are recorded for this client.",
            inputs=[
                Input("Used", number(modules.used), ""),
                Input("Licensed", number(modules.licensed), ""),
                Input("Baseline", number(modules.baseline), ""),
            ],
            source=source(usage),
            note="",
        ),
    )


def why(spec: Spec, usage: Usage, *, extra: Sequence[Input] = ()) -> ComponentWhy:
    """Return how a figure is made: formula, the figure beside all it compares with, and where the numbers come from."""
    shown = [Input("This client", with_unit(spec, usage.figures[spec.name]), "")]
    shown += [Input(item.label, with_unit(spec, item.values.get(spec.name)), "") for item in usage.comparisons]
    return ComponentWhy(
        title=f"How {spec.label.lower()} is calculated",
        formula=spec.formula,
        inputs=[*extra, *shown],
        source=source(usage),
        note=baseline_words(usage),
    )


def baseline_words(usage: Usage) -> str:
    """Return what the client's own baseline is: "Own baseline: the mean of 16 Aug to 13 Nov, the 90 days before."."""
    if usage.baseline.reason:
        return f"No baseline: {usage.baseline.reason[0].lower()}{usage.baseline.reason[1:]}"
    first, last = usage.period.baseline
    return (
        f"Baseline: {day(first, usage.today)} to {day(last, usage.today)}, the {BASELINE_DAYS} days before the range."
    )


def source(usage: Usage) -> str:
    """Return where the numbers come from."""
    return f"From usage events, {span(usage.period, usage.today)}. Service users are left out."


def span(period: Period, today: date) -> str:
    """Return the range in words: "14 Jan to 12 Feb"."""
    return f"{day(period.first, today)} to {day(period.last, today)}"


def against_words(against: Comparison) -> str:
    """Return what a figure is compared with, short: "baseline", "Enterprise average"."""
    return "baseline" if against.against == "own" else against.label


def with_unit(spec: Spec, value: float | None) -> str:
    """Return a figure with its unit."""
    return DASH if value is None else f"{spec.text(value)}{f' {spec.unit}' if spec.unit else ''}"


@dataclass(frozen=True)
class ComparisonRow:
    """A figure and what it compares with, as text."""

    label: str
    value: str
    others: list[str]


def comparison_rows(usage: Usage) -> list[ComparisonRow]:
    """Return a row for each figure, with the values of all comparisons in their order."""
    return [
        ComparisonRow(
            spec.label,
            with_unit(spec, usage.figures[spec.name]),
            [with_unit(spec, item.values.get(spec.name)) for item in usage.comparisons],
        )
        for spec in SPECS.values()
    ]


def peers_words(item: Comparison) -> str:
    """Return how many clients a comparison rests on; empty for the client's own past."""
    return plural(item.clients, "client") if item.clients and not item.reason else ""


def picks(comparisons: Sequence[Comparison]) -> Mapping[str, str]:
    """Return the choices of what to compare with: label by value."""
    return {item.against: item.label for item in comparisons}
