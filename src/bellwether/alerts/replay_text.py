"""A replay as text for a terminal and as plain data. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bellwether.alerts.defaults import KIND
from bellwether.alerts.labelled import Labelled
from bellwether.alerts.replaying import Load, Precision, Replay

CLIENTS_SHOWN = 10


def replay_data(replay: Replay) -> dict[str, Any]:
    """Return a replay as plain data: days as ISO text, shares 0-1."""
    return {
        "first": replay.first.isoformat(),
        "last": replay.last.isoformat(),
        "weeks": round(replay.weeks, 3),
        "csms": replay.csms,
        "total": asdict(replay.total),
        "types": [asdict(one) for one in replay.types],
        "by_week": [_plain(row) for row in replay.by_week.iter_rows(named=True)],
        "by_csm": [_plain(row) for row in replay.by_csm.iter_rows(named=True)],
        "clients": [_plain(row) for row in replay.by_client.iter_rows(named=True)],
    }


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}


def replay_lines(replay: Replay, names: Mapping[str, str], candidate: Replay | None = None) -> list[str]:
    """Return a replay as lines of text; `names` gives the names of clients by their id (32 hex digits)."""
    total = replay.total
    each = "" if total.per_csm_week is None else f", {total.per_csm_week:.1f} per CSM and week ({replay.csms} CSMs)"
    lines = [
        f"{replay.first} to {replay.last}: {total.alerts:,} alerts at {total.clients:,} clients, "
        f"{total.per_week:.1f} a week{each}.",
        f"{total.churns} clients churned; {total.warned} of them had an alert in the 90 days before.",
        "",
        f"{'':24} {'alerts':>7} {'clients':>7} {'a week':>7} {'CSM+wk':>7}  "
        f"{'churned in 90 days':<26} {'warned':>7} {'lead':>5}",
    ]
    lines += [_line(one) for one in _loads(replay)]
    base = total.precision[-1].base
    if base is not None and total.churns:
        lines.append(f"Any client on any day: {base:.1%} churned within 90 days.")
    if candidate is not None:
        lines += ["", "With the candidate's thresholds:", *(_line(one) for one in _loads(candidate))]
    lines += ["", "Most alerts:"]
    for row in replay.by_client.head(CLIENTS_SHOWN).iter_rows(named=True):
        gone = f", churned on {row['churned_on']}" if row["churned_on"] else ""
        lines.append(f"  {row['alerts']:>4}  {names.get(row['client_id'], row['client_id'])}{gone}")
    return lines


def _loads(replay: Replay) -> tuple[Load, ...]:
    """Return the load of all types and of each; of one type it is the same."""
    return (replay.total, *replay.types) if len(replay.types) > 1 else replay.types


def _line(load: Load) -> str:
    name = KIND[load.alert_type].name if load.alert_type else "All"
    each = "" if load.per_csm_week is None else f"{load.per_csm_week:.2f}"
    lead = "" if load.lead_days is None else f"{load.lead_days:.0f} d"
    warned = f"{load.warned}/{load.churns}"
    return (
        f"{name:24} {load.alerts:>7,} {load.clients:>7,} {load.per_week:>7.1f} {each:>7}  "
        f"{_share(load.precision[-1]) if load.churns else 'nobody churned':<26} {warned:>7} {lead:>5}"
    ).rstrip()


def _share(one: Precision) -> str:
    if one.share is None or one.low is None or one.high is None:
        return "not known yet"
    return f"{one.share:.1%} ({one.low:.1%} to {one.high:.1%})"


def labelled_lines(rows: Sequence[Labelled], label: str) -> list[str]:
    """Return what labels say as lines of text."""
    base = rows[0].base
    lines = [
        f"Against {label}: {rows[0].losses} losses; any month start: {base:.1%} positive."
        if base is not None
        else label,
        f"{'':26} {'alerts':>7} {'a year':>7} {'followed':>10} {'precision':<24} "
        f"{'open at month starts':<22} {'warned':>7} {'lead':>5}",
    ]
    for row in rows:
        name = KIND[row.alert_type].name if row.alert_type in KIND else row.alert_type or "All"
        share = f"{row.share:.1%} ({row.low:.1%} to {row.high:.1%})" if row.share is not None else "none decided"
        months = f"{row.positive_months}/{row.months}" + (
            f" = {row.positive_months / row.months:.1%}" if row.months else ""
        )
        lead = "" if row.lead_days is None else f"{row.lead_days:.0f} d"
        lines.append(
            f"{name:26} {row.alerts:>7,} {row.per_client_year:>7.2f} {f'{row.followed}/{row.decided}':>10} {share:<24} "
            f"{months:<22} {f'{row.warned}/{row.losses}':>7} {lead:>5}"
        )
    return lines
