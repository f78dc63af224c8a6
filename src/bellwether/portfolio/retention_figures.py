"""How contracts ended, added up: what was kept quarter by quarter, and why clients left. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

QUARTERS = 8
NOT_GIVEN = "Not given"


@dataclass(frozen=True)
class End:
    """How one term ended; money is US dollars a year, None where it is not known."""

    outcome: str
    day: date
    reason: str = ""
    arr_before: Decimal | None = None
    arr_after: Decimal | None = None

    @property
    def kept(self) -> Decimal | None:
        """ARR afterwards, nothing for a client that left; None where it is not known."""
        return Decimal(0) if self.outcome == "CHURNED" else self.arr_after


@dataclass(frozen=True)
class Quarter:
    """The terms that ended in a quarter. Shares are 0-1 (net retention may be more), None where nothing is known.

    `clients_kept`: of the terms that ended, those that went on. `gross`: of the ARR that ended, what went on without
    counting increases; `net` counts them; `lost` is the ARR that did not go on. They rest on ends whose ARR is known
    before and after, `with_arr` of them.
    """

    label: str
    renewed: int
    downgraded: int
    churned: int
    arr_before: Decimal
    arr_after: Decimal
    lost: Decimal
    with_arr: int
    clients_kept: float | None
    gross: float | None
    net: float | None

    @property
    def ended(self) -> int:
        """All terms that ended."""
        return self.renewed + self.downgraded + self.churned


@dataclass(frozen=True)
class Reason:
    """Why ARR was lost: clients that left and that took less, and the ARR lost with them."""

    text: str
    churned: int
    downgraded: int
    lost: Decimal


def quarter_of(day: date) -> tuple[int, int]:
    """Return (year, quarter)."""
    return day.year, (day.month - 1) // 3 + 1


def quarters(ends: Sequence[End], *, today: date, count: int = QUARTERS) -> list[Quarter]:
    """Return the last `count` quarters, the present one so far included, newest first."""
    found = []
    year, quarter = quarter_of(today)
    for _ in range(count):
        inside = [one for one in ends if quarter_of(one.day) == (year, quarter) and one.day <= today]
        found.append(total(inside, f"Q{quarter} {year}"))
        year, quarter = (year, quarter - 1) if quarter > 1 else (year - 1, 4)
    return found


def total(ends: Sequence[End], label: str) -> Quarter:
    """Return what `ends` add up to under a label."""
    numbers = {kind: sum(one.outcome == kind for one in ends) for kind in ("RENEWED", "DOWNGRADED", "CHURNED")}
    known = [(one.arr_before, one.kept) for one in ends if one.arr_before is not None and one.kept is not None]
    before = sum((was for was, _ in known), Decimal(0))
    after = sum((now for _, now in known), Decimal(0))
    least = sum((min(was, now) for was, now in known), Decimal(0))
    return Quarter(
        label=label,
        renewed=numbers["RENEWED"],
        downgraded=numbers["DOWNGRADED"],
        churned=numbers["CHURNED"],
        arr_before=before,
        arr_after=after,
        lost=before - least,
        with_arr=len(known),
        clients_kept=(len(ends) - numbers["CHURNED"]) / len(ends) if ends else None,
        gross=float(least / before) if before else None,
        net=float(after / before) if before else None,
    )


def reasons(ends: Iterable[End]) -> list[Reason]:
    """Return why ARR was lost, most of it first, then the most frequent. Capitals and spaces make no difference."""
    found: dict[str, list[End]] = {}
    for one in ends:
        if one.outcome != "RENEWED":
            found.setdefault(" ".join(one.reason.split()).casefold(), []).append(one)
    listed = []
    for group in found.values():
        lost = sum(
            (max(Decimal(0), one.arr_before - one.kept) for one in group if one.arr_before and one.kept is not None),
            Decimal(0),
        )
        churned = sum(one.outcome == "CHURNED" for one in group)
        text = " ".join(group[-1].reason.split())
        listed.append(Reason(text[:1].upper() + text[1:] or NOT_GIVEN, churned, len(group) - churned, lost))
    return sorted(listed, key=lambda one: (-one.lost, -(one.churned + one.downgraded), one.text))
