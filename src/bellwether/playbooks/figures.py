"""The figures of a playbook from its enrolments: both arms, uplift, evidence, saved ARR, warnings. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal
from uuid import UUID

import numpy as np

from bellwether.playbooks.evidence import Evidence, evidence
from bellwether.playbooks.outcome_kinds import Counting
from bellwether.playbooks.uplift import Estimate, difference_of_proportions
from bellwether.playbooks.worth import Exposure, TreatedTerm, exposure, saved_arr

PRIVATE_UNDER = 5
"""Outcomes and ARR of fewer clients than this are shown to roles that see all clients only."""
RARE = 0.999
State = Literal["known", "waiting", "unknown"]


@dataclass(frozen=True)
class Enrolled:
    """One enrolment as it counts. Money is US dollars a year. `value` is None unless `state` is known."""

    client_id: UUID
    held_out: bool
    enrolled_on: date
    state: State
    value: float | None
    arr: float | None
    by_hand: bool = False
    is_active: bool = False


@dataclass(frozen=True)
class ArmFigures:
    """One arm. `enrolled` = `known` + `waiting` (window not over) + `unknown` (the data do not tell).

    `reached` counts those that reached a binary outcome, `value` is their share (0-1) or the mean of the differences;
    both None where none is known or too few for the reader.
    """

    enrolled: int
    known: int
    waiting: int
    unknown: int
    clients: int
    reached: int | None
    value: float | None


@dataclass(frozen=True)
class Figures:
    """A playbook, or one of its versions. Differences are improvements: for outcomes to be avoided the sign is turned.

    `by_hand` enrolments count nowhere else. `exposure` and `saved` are None where the outcome is not about ARR.
    """

    treated: ArmFigures
    held_out: ArmFigures
    by_hand: int
    active: int
    evidence: Evidence
    exposure: Exposure | None
    saved: Estimate | None
    warnings: tuple[str, ...] = ()

    @property
    def uplift(self) -> Estimate | None:
        """The difference of all known outcomes with its 95 % interval; None under 20 in an arm."""
        return self.evidence.shown

    @property
    def enrolled(self) -> int:
        """All enrolments, those by hand too."""
        return self.treated.enrolled + self.held_out.enrolled + self.by_hand


def figures(rows: Sequence[Enrolled], counting: Counting, *, hold_out: float, window_days: int) -> Figures:
    """Return the figures of `rows`, which are in the order in which their windows end.

    All that were drawn by the trigger count in the arm that they were drawn into, also those that left early (intention
    to treat). Enrolments by hand are left out: somebody chose them.
    """
    drawn = [row for row in rows if not row.by_hand]
    known = [row for row in drawn if row.value is not None]
    values = np.array([row.value for row in known], float)
    if counting.lower_is_better:
        values = 1 - values
    found = _evidence(drawn, values, [row.held_out for row in known], counting.binary, hold_out)
    treated = exposure(_terms(known, window_days)) if counting.saves_arr else None
    return Figures(
        treated=_arm([row for row in drawn if not row.held_out], counting),
        held_out=_arm([row for row in drawn if row.held_out], counting),
        by_hand=len(rows) - len(drawn),
        active=sum(row.is_active for row in rows),
        evidence=found,
        exposure=treated,
        saved=saved_arr(found.shown, treated) if treated else None,
        warnings=_warnings(drawn, hold_out),
    )


def _evidence(
    drawn: Sequence[Enrolled], values: np.ndarray, held_out: Sequence[bool], binary: bool, hold_out: float
) -> Evidence:
    if not drawn:
        return Evidence("not_started", "Nobody was enrolled yet", None, None, 0, 20)
    if not hold_out and not any(row.held_out for row in drawn):
        return Evidence("too_early", "Nobody is held out, so that no effect can be told", None, None, 0, 20)
    return evidence(values, held_out, binary=binary)


def _terms(known: Sequence[Enrolled], window_days: int) -> list[TreatedTerm]:
    return [TreatedTerm(row.client_id, row.enrolled_on, window_days, row.arr) for row in known if not row.held_out]


def _arm(rows: Sequence[Enrolled], counting: Counting) -> ArmFigures:
    values = [row.value for row in rows if row.value is not None]
    return ArmFigures(
        enrolled=len(rows),
        known=len(values),
        waiting=sum(row.state == "waiting" for row in rows),
        unknown=sum(row.state == "unknown" for row in rows),
        clients=len({row.client_id for row in rows if row.value is not None}),
        reached=round(sum(values)) if counting.binary and values else None,
        value=sum(values) / len(values) if values else None,
    )


def _warnings(drawn: Sequence[Enrolled], hold_out: float) -> tuple[str, ...]:
    """Return what speaks against the figures: arms of another size than drawn, and outcomes lost unevenly."""
    held = sum(row.held_out for row in drawn)
    share = hold_out / 100
    found = []
    if drawn and share > 0:
        spread = (len(drawn) * share * (1 - share)) ** 0.5
        if abs(held - len(drawn) * share) > 3.3 * spread + 1:
            found.append(
                f"{held} of {len(drawn)} are held out, but {hold_out:g}% should be: not the draw alone decides."
            )
    ended = [[row for row in drawn if row.held_out == arm and row.state != "waiting"] for arm in (False, True)]
    if all(len(rows) >= 20 for rows in ended):
        lost, other = ((sum(row.state == "unknown" for row in rows), len(rows)) for rows in ended)
        gap = difference_of_proportions(lost, other, RARE)
        if gap.above or gap.below:
            found.append(
                f"The outcome is not known of {lost[0]} of {lost[1]} treated and of {other[0]} of {other[1]} held out: "
                "those that are known may not stand for the others."
            )
    return tuple(found)


def shown_to_some(found: Figures) -> Figures:
    """Return the figures for roles that do not see all clients: outcomes of fewer than PRIVATE_UNDER clients in an arm,
    and money that rests on so few, are left out."""

    def arm(one: ArmFigures) -> ArmFigures:
        return replace(one, reached=None, value=None) if one.clients < PRIVATE_UNDER else one

    few = min(found.treated.clients, found.held_out.clients) < PRIVATE_UNDER
    shown = replace(found.evidence, shown=None, decided=None) if few else found.evidence
    small = found.exposure is not None and found.exposure.clients < PRIVATE_UNDER
    return replace(
        found,
        treated=arm(found.treated),
        held_out=arm(found.held_out),
        evidence=shown,
        exposure=None if few or small else found.exposure,
        saved=None if few or small else found.saved,
    )
