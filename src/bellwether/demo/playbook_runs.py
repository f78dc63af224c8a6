"""Two years of playbooks: who was enrolled when, in which arm, and what came of it. The effect is known. Pure.

The days come from go-lives, renewals and drops of usage, or are drawn; caps hold across all of them. Outcomes of
renewals and of usage are measured later, by the product, in the demo's own data; the others are drawn here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import numpy as np
import polars as pl

from bellwether.demo.companies import Company
from bellwether.demo.contracts import OutcomeRow
from bellwether.demo.plan import DemoPlan
from bellwether.demo.playbook_plans import PlaybookPlan
from bellwether.playbooks.assigning import HELD_OUT, TREATED, ArmName, arm
from bellwether.playbooks.outcome_kinds import due_on

SPAN_DAYS = 730
QUIET_DAYS = 14
PAUSED_DAYS = 12
LONGEST = 10
"""Days that the steps of a playbook take at most."""
FULL = 250
RENEWAL_LEAD = 90
DROP = -0.30
TRIES = 60
SECOND_VERSION = 0.35
"""Part of the two years that the first version of a playbook with two versions was in force."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One enrolment. `client` is the company's number; `outcome` is None where it is measured later, or open."""

    playbook: str
    version: int
    client: int
    day: date
    episode: str
    arm: ArmName
    outcome: float | None


def version_id(plan: DemoPlan, key: str, number: int) -> UUID:
    """Return the id of a version, the same for the same seed."""
    return plan.uuid("playbook version", key, number)


def span_of(plan: DemoPlan) -> int:
    """Return how many days playbooks have been running: two years, or the days of a short demo."""
    return SPAN_DAYS if plan.days >= 365 else plan.days


def make_runs(
    plan: DemoPlan,
    playbooks: Sequence[PlaybookPlan],
    companies: Sequence[Company],
    outcomes: Iterable[OutcomeRow],
    drops: Iterable[tuple[int, date]],
) -> list[Run]:
    """Return the runs of all playbooks, in the order of their days, none of today. `drops` are the days on which the
    daily users of a client had fallen by 30 % (usage_drops)."""
    calendar = _Calendar(plan, companies)
    ends: dict[int, list[OutcomeRow]] = {}
    for row in outcomes:
        ends.setdefault(row.client, []).append(row)
    fixed = {
        "go_lives": [(one.number, one.go_live + timedelta(days=7)) for one in companies],
        "renewals": _renewals(companies, ends),
        "drops": sorted(drops, key=lambda one: (one[1], one[0])),
    }
    runs = []
    order = sorted(playbooks, key=lambda one: one.source == "generated")
    for one in order:
        rng = plan.stream("playbook", one.key)
        days = fixed.get(one.source)
        wanted = round(one.runs * plan.clients / FULL * span_of(plan) / SPAN_DAYS)
        taken = calendar.drawn(one, wanted, rng) if days is None else calendar.taken(one, days, wanted)
        runs += _Runs(plan, one, companies, ends).of(taken)
    return sorted(runs, key=lambda run: (run.day, run.playbook, run.client))


class _Calendar:
    """Which clients may be enrolled on which days of the span."""

    def __init__(self, plan: DemoPlan, companies: Sequence[Company]) -> None:
        self.first = plan.today - timedelta(days=span_of(plan) - 1)
        self.today = plan.today
        days = np.array([self.first + timedelta(days=n) for n in range(span_of(plan))])
        self.free = np.array(
            [
                [one.start < day and (one.churned_on is None or day < one.churned_on) for day in days]
                for one in companies
            ],
            bool,
        )

    def take(self, client: int, day: date, lasts: int) -> date | None:
        """Return the day of enrolment, a Monday instead of a weekend, if the client is free then; None otherwise."""
        day += timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0))
        place = (day - self.first).days
        if not 0 <= place < self.free.shape[1] - 1 or not self.free[client, place]:
            return None
        self.free[client, max(0, place - LONGEST - QUIET_DAYS + 1) : place + lasts + QUIET_DAYS] = False
        return day

    def taken(self, one: PlaybookPlan, days: Iterable[tuple[int, date]], most: int) -> list[tuple[int, date]]:
        found = [(client, on) for client, day in days if (on := self.take(client, day, one.lasts)) is not None]
        return found[-most:] if most else found

    def drawn(self, one: PlaybookPlan, wanted: int, rng: np.random.Generator) -> list[tuple[int, date]]:
        found: list[tuple[int, date]] = []
        clients, span = self.free.shape
        span -= PAUSED_DAYS if one.state == "PAUSED" else 0
        for _ in range(wanted * TRIES):
            if len(found) == wanted:
                break
            client, place = int(rng.integers(clients)), int(rng.integers(span))
            if self.free[client, place]:
                on = self.take(client, self.first + timedelta(days=place), one.lasts)
                if on is not None:
                    found.append((client, on))
        return sorted(found, key=lambda pair: (pair[1], pair[0]))


def _renewals(companies: Sequence[Company], ends: Mapping[int, Sequence[OutcomeRow]]) -> list[tuple[int, date]]:
    """Return the days RENEWAL_LEAD before the ends of terms, those that are still open too."""
    found = []
    for one in companies:
        known = [row.date for row in ends.get(one.number, [])]
        years = range(1, 12)
        coming = [one.start.replace(year=one.start.year + n, day=min(one.start.day, 28)) for n in years]
        days = {*known, *(day for day in coming if not known or day > max(known) + timedelta(days=60))}
        if one.churned_on is not None:
            days = {day for day in days if day <= one.churned_on}
        found += [(one.number, day - timedelta(days=RENEWAL_LEAD)) for day in days]
    return sorted(found, key=lambda pair: (pair[1], pair[0]))


class _Runs:
    """Makes the runs of one playbook.

    Outcomes are dealt, not thrown: of any number in a row the planted share reaches the outcome, give or take one. So a
    demo of any day and seed shows the planted effect, and not one that luck made of it.
    """

    def __init__(
        self,
        plan: DemoPlan,
        one: PlaybookPlan,
        companies: Sequence[Company],
        ends: Mapping[int, Sequence[OutcomeRow]],
    ) -> None:
        self.plan, self.one, self.companies, self.ends = plan, one, companies, ends
        rng = plan.stream("playbook outcomes", one.key)
        self.dealt = {name: float(rng.random()) for name in (TREATED, HELD_OUT, "renewed", "left")}

    def of(self, taken: Sequence[tuple[int, date]]) -> list[Run]:
        """Return the runs for clients and days."""
        renewed = [self._renewed(client, day) for client, day in taken]
        known = [one for one in renewed if one is not None]
        rate = sum(known) / len(known) if known else 1.0
        return [self._run(client, day, found, rate) for (client, day), found in zip(taken, renewed, strict=True)]

    def _run(self, client: int, day: date, renewed: bool | None, rate: float) -> Run:
        one, plan = self.one, self.plan
        later = one.earlier is not None and (plan.today - day).days < span_of(plan) * (1 - SECOND_VERSION)
        number = 2 if later else 1
        episode = f"{one.source}:{day.isoformat()}"
        drawn = arm(version_id(plan, one.key, number), self.companies[client].id, episode, one.hold_out)
        outcome = None
        if renewed is not None:
            drawn = self._arm_given(renewed, rate)
        elif not one.measured and due_on(day, one.days) <= plan.today:
            outcome = float(self._deal(drawn, one.base + (one.effect if drawn == TREATED else 0.0)))
        return Run(
            playbook=one.key, version=number, client=client, day=day, episode=episode, arm=drawn, outcome=outcome
        )

    def _renewed(self, client: int, day: date) -> bool | None:
        """Return how the term ended within the window, None where that is no renewal or not known."""
        due = due_on(day, self.one.days)
        if self.one.source != "renewals" or due > self.plan.today:
            return None
        ended = [row for row in sorted(self.ends.get(client, []), key=lambda row: row.date) if day < row.date < due]
        return ended[0].outcome != "CHURNED" if ended else None

    def _arm_given(self, renewed: bool, rate: float) -> ArmName:
        """Return the arm of a renewal whose end is a record already: as many are held out of those who renewed and of
        those who left as make renewals more frequent among the treated by the planted effect."""
        share = self.one.hold_out / 100
        held = rate - (1 - share) * self.one.effect
        if renewed:
            return HELD_OUT if self._deal("renewed", share * held / rate) else TREATED
        return HELD_OUT if self._deal("left", share * (1 - held) / (1 - rate)) else TREATED

    def _deal(self, name: str, share: float) -> bool:
        before = self.dealt[name]
        self.dealt[name] = before + min(share, 1.0)
        return int(self.dealt[name]) > int(before)


def usage_drops(days: pl.DataFrame, numbers: Mapping[str, int], *, first: date) -> list[tuple[int, date]]:
    """Return (company number, day) of each day on which the mean of daily users of a week falls 30 % below that of 30
    days, from a month after `first` on; a day counts if that was not so the day before.

    `days` has organization_id, date and dau; days without rows had no use.
    """
    if days.is_empty():
        return []
    grid = days.select("organization_id", "date", pl.col("dau").cast(pl.Float64)).sort("organization_id", "date")
    whole = grid.upsample("date", every="1d", group_by="organization_id").with_columns(
        pl.col("organization_id").forward_fill(), pl.col("dau").fill_null(0)
    )
    change = (
        pl.col("dau").rolling_mean(7).over("organization_id") / pl.col("dau").rolling_mean(30).over("organization_id")
        - 1
    )
    fell = whole.with_columns(fell=(change <= DROP).fill_null(False)).filter(
        pl.col("fell") & ~pl.col("fell").shift(1).over("organization_id").fill_null(False),
        pl.col("date") >= first + timedelta(days=40),
    )
    rows = fell.select("organization_id", "date").iter_rows()
    return [(numbers[name], day) for name, day in rows if name in numbers]


def planted(playbooks: Sequence[PlaybookPlan], runs: Sequence[Run]) -> pl.DataFrame:
    """Return what the product is not told: the planted effect (0-1) of each playbook, and where outcomes come from."""
    rows = [
        (
            one.key,
            one.definition["outcome"]["kind"],
            one.effect,
            None if one.measured else one.base,
            one.hold_out,
            "measured" if one.measured else "drawn",
            sum(run.playbook == one.key for run in runs),
        )
        for one in playbooks
    ]
    schema = {
        "playbook": pl.String, "outcome": pl.String, "planted_effect": pl.Float64, "share_held_out": pl.Float64,
        "hold_out_percent": pl.Int64, "outcomes": pl.String, "runs": pl.Int64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")
