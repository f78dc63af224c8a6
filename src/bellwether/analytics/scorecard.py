"""The scorecard of CSMs: one row each, and what may be shown of it to whom. Pure (docs/adr/0035)."""

import hashlib
import string
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles

from bellwether.analytics.figures import Level
from bellwether.analytics.retention import Retention
from bellwether.common.rounding import half_up

FEWEST_OTHERS = 5
"""With fewer other CSMs a middle or a row would be somebody."""
FEWEST_DAYS = 28
"""A shorter period would tell who did what yesterday."""
FEWEST_ANSWERS = 5


@dataclass(frozen=True)
class Nps:
    """Last answers of each respondent within a year: promoters (9-10), detractors (0-6), all."""

    promoters: int
    detractors: int
    answers: int

    @property
    def value(self) -> float | None:
        """Promoters less detractors per hundred answers; None with fewer than FEWEST_ANSWERS."""
        if self.answers < FEWEST_ANSWERS:
            return None
        return 100 * (self.promoters - self.detractors) / self.answers


NO_NPS = Nps(0, 0, 0)


@dataclass(frozen=True)
class AlertResponse:
    """How long alerts of a CSM's clients waited: median hours to the first reaction, and how many there were."""

    median_hours: float | None
    alerts: int


@dataclass(frozen=True)
class CsmRow:
    """The figures of one CSM. `health_change` compares the clients that are theirs today and were scored on both days.

    `activities` counts what the CSM completed in the period, by type. `workload` is a share of a full book (1 is full).
    `alerts` is None while nothing supplies it. `at_stake`: ARR × 90-day churn probability of the clients, summed; None
    without predictions or where too little is known.
    """

    key: str
    name: str
    team: str
    now: Level
    retention: Retention
    nps: Nps
    health_change: float | None
    activities: Mapping[str, int]
    overdue: int
    workload: float
    alerts: AlertResponse | None = None
    at_stake: float | None = None

    @property
    def activity_volume(self) -> int:
        """All activities of the period."""
        return sum(self.activities.values())

    def per_client(self, days: int) -> float | None:
        """Activities for each client and 30 days of the period; None without clients."""
        return self.activity_volume / self.now.clients / days * 30 if self.now.clients else None


RATES = ("gross", "stayed", "nps", "health_change", "per_client", "workload")


def rates_of(row: CsmRow, days: int) -> dict[str, float | None]:
    """Return the rates of a row by name: shares 0-1, NPS, points, activities a client and 30 days."""
    return {
        "gross": row.retention.gross,
        "stayed": row.retention.stayed,
        "nps": row.nps.value,
        "health_change": row.health_change,
        "per_client": row.per_client(days),
        "workload": row.workload,
    }


@dataclass(frozen=True)
class Spread:
    """The middle of all CSMs in one rate, with the middle half."""

    p25: float
    median: float
    p75: float
    of: int


@dataclass(frozen=True)
class Veiled:
    """Another CSM as colleagues see one: a label that means nothing, and rates as coarse as they are shown.

    `nps` is rounded to tens, `health_change` to points, `per_client` to halves, `workload` to tenths.
    """

    label: str
    nps: int | None
    health_change: int | None
    per_client: float | None
    workload: float


@dataclass(frozen=True)
class Sight:
    """What one reader sees: rows by name, veiled others, and the spreads of all; `hidden` says why others are not
    shown."""

    named: tuple[CsmRow, ...]
    others: tuple[Veiled, ...] = ()
    spreads: Mapping[str, Spread] = field(default_factory=dict)
    hidden: str = ""


def spreads_of(rows: Sequence[CsmRow], days: int) -> dict[str, Spread]:
    """Return the spread of each rate that FEWEST_OTHERS + 1 rows or more have."""
    found = {}
    for name in RATES:
        values = sorted(value for row in rows if (value := rates_of(row, days)[name]) is not None)
        if len(values) > FEWEST_OTHERS:
            low, _, high = quantiles(values, n=4, method="inclusive")
            found[name] = Spread(low, median(values), high, len(values))
    return found


def by_name(rows: Sequence[CsmRow], days: int) -> Sight:
    """Return all rows with their names, for those who lead the CSMs."""
    return Sight(tuple(rows), spreads=spreads_of(rows, days))


def veiled(rows: Sequence[CsmRow], *, known: Collection[str], days: int, seed: str) -> Sight:
    """Return the rows of `known` (own, own team) by name and the others without anything that tells who they are.

    The order and so the labels of the others follow a keyed hash of `seed` and the CSM: neither name, size nor figures.
    Give a seed with a secret that differs by reader, period and day. With fewer than FEWEST_OTHERS others, or a period
    under FEWEST_DAYS days, nothing of them is shown.
    """
    own = tuple(row for row in rows if row.key in known)
    others = [row for row in rows if row.key not in known and row.now.clients]
    if len(others) < FEWEST_OTHERS:
        return Sight(own, hidden=f"Others are shown from {FEWEST_OTHERS} other CSMs on; there are {len(others)}.")
    if days < FEWEST_DAYS:
        return Sight(own, hidden=f"Others are shown for periods of {FEWEST_DAYS} days and more.")
    others.sort(key=lambda row: hashlib.sha256(f"{seed}:{row.key}".encode()).digest())
    shown = tuple(_veil(label(place), row, days) for place, row in enumerate(others))
    return Sight(own, shown, spreads_of([row for row in rows if row.now.clients], days))


def label(place: int) -> str:
    """Return the name of the row at `place`, from 0: "CSM A" to "CSM Z", then "CSM AA"."""
    letters = string.ascii_uppercase
    more = letters[place // 26 - 1] if place >= 26 else ""
    return f"CSM {more}{letters[place % 26]}"


def _veil(name: str, row: CsmRow, days: int) -> Veiled:
    nps, each = row.nps.value, row.per_client(days)
    return Veiled(
        label=name,
        nps=None if nps is None else 10 * half_up(nps / 10),
        health_change=None if row.health_change is None else half_up(row.health_change),
        per_client=None if each is None else half_up(each * 2) / 2,
        workload=half_up(row.workload * 10) / 10,
    )
