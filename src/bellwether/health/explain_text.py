"""An explanation as text for a terminal and as JSON. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bellwether.health.drivers import Driver
from bellwether.health.explain import Change, ComponentPart, Explanation, MeasureMove
from bellwether.health.held_values import HELD, SINCE
from bellwether.health.measures import MEASURES_BY_SLUG
from bellwether.health.score_rows import VERSION


def as_json(client: str, organization_id: str, explanation: Explanation, change: Change | None) -> dict[str, Any]:
    """Return plain values for JSON; dates as ISO texts."""
    data = asdict(explanation) | {"date": explanation.date.isoformat(), "matches": not explanation.differences}
    moved = None if change is None else asdict(change) | {"since": change.since.isoformat()}
    return {"client": client, "organization_id": organization_id, **data, "change": moved}


def as_text(client: str, explanation: Explanation, change: Change | None, *, drivers: Sequence[Driver] = ()) -> str:
    """Return lines for people: score, components with formula and inputs, how it adds up, and the change.

    `drivers` say in words what moved it, with the client's own numbers.
    """
    score = "no score" if explanation.score is None else f"{explanation.score} {explanation.status}".strip()
    lines = [f"{client}, {explanation.date}: {score}"]
    lines.append(f"Configuration {explanation.version}; {explanation.coverage:.0%} of the weight has data.")
    if explanation.interval:
        lines.append("Whatever the missing data are, it lies in {} to {}.".format(*explanation.interval))
    if explanation.reason:
        lines.append(explanation.reason)
    for part in explanation.components:
        lines += ["", *_component(part, explanation.labels)]
    if explanation.exact is not None:
        parts = [p for p in explanation.components if p.contribution is not None]
        lines += ["", f"Together: {' + '.join(f'{p.contribution:.2f}' for p in parts)} = {explanation.exact:.4f}"]
        lines[-1] += f", rounded half-up to {explanation.score}."
    if change is not None:
        lines += ["", *_change(change, explanation)]
        lines += ["In words:", *(f"  {one.sentence}." for one in drivers)] if drivers else []
    lines.append("")
    if explanation.differences:
        lines.append("NOT reproduced from the stored inputs: " + "; ".join(explanation.differences) + ".")
    else:
        lines.append("Reproduced from the stored inputs: the same score, components, coverage and trend.")
    return "\n".join(lines)


def _component(part: ComponentPart, labels: Mapping[str, str]) -> list[str]:
    if part.value is None:
        head = f"{part.label} (weight {part.weight:g}): no data, its weight goes to the others"
    else:
        head = f"{part.label} (weight {part.weight:g}): {part.value:.2f} brings {part.contribution:.2f} points"
    rests = [f"  {part.coverage:.0%} of the formula has data: {part.reason}"] if part.reason else []
    if part.stale_days is not None:
        rests.append(f"  newest record of {part.as_of}, {part.stale_days} days before")
    return [
        head,
        f"  {part.formula}",
        *rests,
        *(f"  {_input(slug, value, labels)}" for slug, value in part.inputs.items()),
    ]


def _input(slug: str, value: Any, labels: Mapping[str, str]) -> str:
    if slug.endswith(VERSION):
        return f"  version {value} of it"
    if slug.endswith(SINCE):
        return f"  no client has had a value since {value}; the last known one still counts where it is lower"
    if slug.endswith(HELD):
        return f"  last known: {value}"
    label = MEASURES_BY_SLUG[slug].label if slug in MEASURES_BY_SLUG else labels.get(slug, slug)
    shown = "unknown" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    return f"{label} ({slug}) = {shown}"


def _change(change: Change, explanation: Explanation) -> list[str]:
    labels = {part.key: part.label for part in explanation.components}
    after = change.before + change.score
    lines = [f"Change since {change.since}: {change.before} to {after}, {change.score:+d} points"]
    if change.late or change.stored != change.before:
        lines.append(
            f"  {change.late:+7.2f}  data that came late: seen as {change.before}, now stored as {change.stored}"
        )
    for key, points in _by_size(change.data):
        lines.append(f"  {points:+7.2f}  {labels.get(key, key)}")
        lines += [f"    {one.points:+7.2f}  {_moved(one, explanation.labels)}" for one in change.measures.get(key, [])]
    if change.lost:
        lines.append(
            f"  {change.lost_points:+7.2f}  no data any more: {', '.join(labels.get(k, k) for k in change.lost)}"
        )
    if change.gained:
        lines.append(f"  {change.gained_points:+7.2f}  data now: {', '.join(labels.get(k, k) for k in change.gained)}")
    if abs(change.configuration) > 1e-9:
        lines.append(f"  {change.configuration:+7.2f}  other weights or formulas")
    return [*lines, f"  {change.rounding:+7.2f}  rounding to whole points"]


def _moved(move: MeasureMove, labels: Mapping[str, str]) -> str:
    measure = MEASURES_BY_SLUG.get(move.measure)
    label = measure.label if measure else labels.get(move.measure, move.measure)
    return f"{label}: {_plain(move.before)} to {_plain(move.after)}"


def _plain(value: Any) -> str:
    return "unknown" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _by_size(data: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(((key, points) for key, points in data.items() if abs(points) > 1e-9), key=lambda p: -abs(p[1]))
