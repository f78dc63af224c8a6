"""What a measured effect is worth: saved ARR with its range, value per hour of a CSM, and the ranking by it. Pure.

Money is US dollars a year.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt

from bellwether.playbooks.uplift import Estimate


@dataclass(frozen=True)
class TreatedTerm:
    """One treated enrolment: whose, when, how many days its window lasts, and the ARR then (None: not known)."""

    client: Hashable
    enrolled_on: date
    window_days: int
    arr: float | None


@dataclass(frozen=True)
class Exposure:
    """The ARR that was treated: each client's once a window. `unknown`: enrolments without a known ARR."""

    arr: float
    clients: int
    unknown: int


def exposure(treated: Iterable[TreatedTerm]) -> Exposure:
    """Return the treated ARR. What begins while an earlier window of the same client runs is not counted again, because
    one renewal cannot be saved twice."""
    until: dict[Hashable, date] = {}
    arr, unknown = 0.0, 0
    for term in sorted(treated, key=lambda term: term.enrolled_on):
        if term.enrolled_on < until.get(term.client, date.min):
            continue
        until[term.client] = term.enrolled_on + timedelta(days=term.window_days)
        if term.arr is None:
            unknown += 1
        else:
            arr += term.arr
    return Exposure(arr, len(until), unknown)


def saved_arr(shown: Estimate | None, treated: Exposure) -> Estimate | None:
    """Return uplift x treated ARR with its range; None without an uplift or a known ARR.

    It takes the effect to be the same for small and large clients, and counts an effect below zero as a loss.
    """
    return shown.times(treated.arr) if shown and treated.arr else None


def together(parts: Sequence[Estimate]) -> Estimate | None:
    """Return the sum of independent estimates with its interval by the recovery of variances (G. Y. Zou and A. Donner,
    Statistics in Medicine 27 (2008) 1693-1702); None for none.

    All that are measured belong in it: a sum of those alone that did well would be too high.
    """
    if not parts:
        return None
    value = sum(part.value for part in parts)
    return Estimate(
        value,
        value - sqrt(sum((part.value - part.low) ** 2 for part in parts)),
        value + sqrt(sum((part.high - part.value) ** 2 for part in parts)),
    )


@dataclass(frozen=True)
class Value:
    """What an hour of a CSM brings: `per_hour` in `unit` ("arr", or the outcome's own), with its interval. None where
    nothing is measured or no time is spent; `hours` are those spent on all treated."""

    unit: str
    total: Estimate | None
    hours: float
    per_hour: Estimate | None


def value_of(
    shown: Estimate | None, saved: Estimate | None, *, treated: int, minutes_per_client: float, unit: str
) -> Value:
    """Return the value of a playbook: its saved ARR if that applies, else outcomes gained (uplift x treated)."""
    total = saved or (shown.times(treated) if shown else None)
    hours = treated * minutes_per_client / 60
    per_hour = total.times(1 / hours) if total and hours else None
    return Value("arr" if saved else unit, total, hours, per_hour)


def ranked(values: Sequence[Value]) -> list[int]:
    """Return the places of `values` from the most valuable on: ARR an hour first, then outcomes an hour, each by its
    measured size; then those without a figure, in the order given. Outcomes and ARR cannot be weighed against each
    other. What costs no time and gains something comes before what costs time; if it gains nothing, behind."""

    def key(place: int) -> tuple[int, float, int]:
        value = values[place]
        if value.total is None:
            return (4, 0.0, place)
        first = 0 if value.unit == "arr" else 2
        if value.per_hour is None:
            return (first, -float("inf"), place) if value.total.value > 0 else (first + 1, -value.total.value, place)
        return (first, -value.per_hour.value, place)

    return sorted(range(len(values)), key=key)
