"""The renewal forecast as texts: months, the whole year, and the past rates that it rests on."""

from dataclasses import dataclass

from bellwether.analytics.executive import Executive
from bellwether.analytics.renewals import BELOW_60, FEWEST, GROUPS, Month
from bellwether.web.formatting import DASH, percent, short_money

NOT_ENOUGH = "Not enough history"
GROUP_LABELS = {"HEALTHY": "Healthy", "MONITOR": "Monitor", BELOW_60: "At risk or critical"}


@dataclass(frozen=True)
class RenewalRow:
    """A month, or all twelve: sums as text; `span` is between which sums the expected one lies."""

    name: str
    clients: str
    arr: str
    at_risk: str
    share: str
    expected: str
    span: str
    unknown: str


@dataclass(frozen=True)
class RateRow:
    """A past renewal rate, or why there is none."""

    name: str
    rate: str
    interval: str
    sample: str


def renewal_rows(view: Executive) -> list[RenewalRow]:
    """Return a row for each month and a last one for all of them."""
    return [*(_row(month, month.name) for month in view.months), _row(view.year, "All twelve months")]


def _row(month: Month, name: str) -> RenewalRow:
    known = month.expected is not None and month.arr > 0
    return RenewalRow(
        name=name,
        clients=f"{month.clients:,}",
        arr=short_money(month.arr) if month.clients else DASH,
        at_risk=short_money(month.arr_at_risk) if month.clients else DASH,
        share=percent(month.arr_at_risk / month.arr) if month.arr else "",
        expected=short_money(month.expected) if known else DASH,
        span=f"{short_money(month.low)} to {short_money(month.high)}" if known and month.low != month.high else "",
        unknown=short_money(month.unknown) if month.unknown else "",
    )


def rate_rows(view: Executive) -> list[RateRow]:
    """Return the past rate of each group of statuses, with its interval and sample."""
    rows = []
    for group in GROUPS:
        rate, cases = view.rates.get(group), view.ended[group]
        if rate is None:
            rows.append(RateRow(GROUP_LABELS[group], NOT_ENOUGH, "", f"{cases} of {FEWEST} terms"))
        else:
            interval = f"{percent(rate.low)} to {percent(rate.high)}"
            rows.append(RateRow(GROUP_LABELS[group], percent(rate.share), interval, f"{rate.kept} of {rate.of} terms"))
    return rows
