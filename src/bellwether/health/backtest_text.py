"""A back-test as a table for people at a terminal. Pure."""

from typing import Any

HEAD = ("", "AUC", "80%", "lift", "flagged", "losses flagged", "lead", "false alarms a week", "on the same rows")
NOTHING = "-"


def as_text(result: dict[str, Any]) -> str:
    """Return the result (docs/reference/backtest.md) as text: a table a horizon, the suggestion, the notes."""
    card = result["scorecard"]
    lines = [
        f"{card['title']} ({card['version'] or 'draft'}), scores of {result['dates']} days from {result['first']} to "
        f"{result['last']}, against {result['outcomes']}",
    ]
    for horizon in result["horizons"]:
        lines += ["", *_horizon(horizon)]
    suggestion = result["suggestion"]
    if suggestion:
        lines += ["", "Suggested weights: " + suggestion["message"]]
        if suggestion["weights"]:
            current = suggestion["current"]
            lines += [f"  {key} {current[key]:g} -> {weight}" for key, weight in suggestion["weights"].items()]
    lines += ["", *result["notes"]] if result["notes"] else []
    return "\n".join(lines)


def _horizon(horizon: dict[str, Any]) -> list[str]:
    sample = horizon["sample"]
    head = f"{horizon['days']} days ({horizon['label']}): {horizon['message']}"
    counts = (
        f"{sample['rows']} scores, {sample['churned_rows']} followed by churn; left out: {sample['undecided']} whose "
        f"horizon is not over, {sample['without_score']} without a score"
    )
    if horizon["tested"] is None:
        return [head, counts]
    every = [horizon["tested"], *([horizon["in_use"]] if horizon["in_use"] else []), *horizon["against"]]
    return [head, counts, *_table([HEAD, *(_row(one) for one in every)])]


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    auc, lift, losses, alarms = one["auc"], one["lift"], one["losses"], one["false_alarms"]
    difference = one["difference"]
    interval = NOTHING if auc["low80"] is None else f"{auc['low80']:.2f} to {auc['high80']:.2f}"
    against = NOTHING
    if difference and difference["auc"]["value"] is not None:
        words = {"better": "worse", "worse": "better"}.get(difference["verdict"], difference["verdict"])
        against = f"{-difference['auc']['value']:+.2f} {words}"
    return (
        one["title"],
        _number(auc["value"], ".2f"),
        interval,
        _number(lift["value"], ".1f"),
        _number(one["share_flagged"], ".0%"),
        f"{losses['flagged']} of {losses['total']}",
        NOTHING if one["lead"]["median"] is None else f"{one['lead']['median']:.0f} d",
        NOTHING if alarms["rate"] is None else f"{alarms['rate']:.2f} per {alarms['per']}",
        against,
    )


def _number(value: float | None, form: str) -> str:
    return NOTHING if value is None else format(value, form)


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
