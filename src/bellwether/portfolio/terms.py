"""The terms of a contract: what is wrong with one, how they follow each other, and what counts on a day. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from bellwether.web.formatting import full_day, money, plural

FIRST_YEAR, YEARS_AHEAD = 1990, 30
MOST_MONEY = Decimal("999999999999.99")
MOST_SEATS = 2_000_000_000
MOST_MODULES, LONGEST_MODULE = 100, 100
LONGEST_ID = 200


@dataclass(frozen=True, kw_only=True)
class Term:
    """One term: its last day is included, None is open-ended. Money is US dollars a year.

    `key` is the id of a stored term, None for one that is about to be made.
    """

    start_date: date
    end_date: date | None = None
    annual_recurring_revenue: Decimal | None = None
    contract_tier: str = "CUSTOM"
    licensed_user_count: int | None = None
    licensed_modules: Sequence[str] = ()
    auto_renew: bool | None = None
    key: UUID | None = None

    def holds(self, on: date) -> bool:
        """Return whether `on` is a day of the term."""
        return self.start_date <= on and (self.end_date is None or self.end_date >= on)


@dataclass(frozen=True)
class Trouble:
    """Something about the terms that somebody should look at; `kind` is overlap, gap, ended or contradiction."""

    kind: str
    text: str
    fields: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def date_problem(day: date, today: date) -> str:
    """Return why `day` cannot be a date of a contract, empty if it can: years that are surely slips of the hand."""
    if day.year < FIRST_YEAR:
        return f"{full_day(day)} is too long ago; check the year."
    if day > today + timedelta(days=366 * YEARS_AHEAD):
        return f"{full_day(day)} is more than {YEARS_AHEAD} years ahead; check the year."
    return ""


def money_problem(amount: Decimal) -> str:
    """Return why `amount` cannot be a yearly amount, empty if it can."""
    if not amount.is_finite():
        return "is no number."
    if amount < 0:
        return "cannot be negative."
    if amount > MOST_MONEY:
        return "is too large."
    if amount != round(amount, 2):
        return "has more than two decimals."
    return ""


def modules_problem(modules: Sequence[str]) -> str:
    """Return why `modules` cannot be stored, empty if they can."""
    if len(modules) > MOST_MODULES:
        return f"has {len(modules)} modules; {MOST_MODULES} at most."
    long = next((name for name in modules if len(name) > LONGEST_MODULE), "")
    return f"{long[:40]!r}… is longer than {LONGEST_MODULE} characters." if long else ""


def term_problems(term: Term, others: Sequence[Term], *, today: date, before: Term | None = None) -> dict[str, str]:
    """Return what is wrong with `term` beside `others`, by field; empty if it may be stored.

    Overlaps stand under `overlap`: a caller may allow them. Those that `before`, the term as it was, had already are
    not named again.
    """
    found: dict[str, str] = {}
    for name in ("start_date", "end_date"):
        day = getattr(term, name)
        problem = date_problem(day, today) if day is not None else ""
        if problem:
            found[name] = problem
    if term.end_date is not None and term.end_date < term.start_date and "end_date" not in found:
        found["end_date"] = f"The term ends before it starts, on {full_day(term.start_date)}."
    amount = term.annual_recurring_revenue
    if amount is not None and (problem := money_problem(amount)):
        found["annual_recurring_revenue"] = f"ARR {problem}"
    seats = term.licensed_user_count
    if seats is not None and not 0 <= seats <= MOST_SEATS:
        found["licensed_user_count"] = "Seats cannot be negative." if seats < 0 else "That are too many seats."
    if problem := modules_problem(term.licensed_modules):
        found["licensed_modules"] = f"The list {problem}" if problem.startswith("has") else problem
    if any(other.start_date == term.start_date for other in others):
        found.setdefault("start_date", "Another term of this client starts on that day. Change that one instead.")
    if not found:
        kept = [other for other in others if before is None or not overlapping(before, other)]
        overlaps = [other for other in kept if overlapping(term, other)]
        if overlaps:
            found["overlap"] = f"Overlaps with {' and '.join(span(other) for other in overlaps[:3])}."
    return found


def overlapping(one: Term, other: Term) -> bool:
    """Return whether two terms share a day."""
    first, second = sorted((one, other), key=lambda term: term.start_date)
    return first.end_date is None or first.end_date >= second.start_date


def span(term: Term) -> str:
    """Return "1 Jul 2025 to 30 Jun 2026", or "1 Jul 2025, open-ended"."""
    end = f" to {full_day(term.end_date)}" if term.end_date else ", open-ended"
    return f"{full_day(term.start_date)}{end}"


def term_on(terms: Sequence[Term], today: date) -> Term | None:
    """Return the term that counts on `today`: of those in force the one that started last; where none is in force the
    last that ended, else the first to come. None without terms. As portfolio.importing.effects.current_period."""
    ordered = sorted(terms, key=lambda term: term.start_date)
    in_force = [term for term in ordered if term.holds(today)]
    ended = [(term.end_date, term.start_date, term) for term in ordered if term.end_date and term.end_date < today]
    if in_force:
        return in_force[-1]
    if ended:
        return max(ended, key=lambda one: one[:2])[2]
    return ordered[0] if ordered else None


OWN_COLUMNS = {
    "contract_start_date": "start_date",
    "contract_end_date": "end_date",
    "annual_recurring_revenue": "annual_recurring_revenue",
    "contract_tier": "contract_tier",
    "licensed_user_count": "licensed_user_count",
}
LABELS = {
    "contract_start_date": "start",
    "contract_end_date": "end",
    "next_renewal_date": "next renewal",
    "annual_recurring_revenue": "ARR",
    "contract_tier": "tier",
    "licensed_user_count": "seats",
}


def troubles(terms: Sequence[Term], own: Mapping[str, object], *, today: date, left: bool) -> list[Trouble]:
    """Return what about the terms needs a look, most urgent first.

    `own` are the columns of the client's own record. `left`: the client churned, so that an ended term is no news.
    """
    ordered = sorted(terms, key=lambda term: term.start_date)
    found: list[Trouble] = []
    current = term_on(ordered, today)
    if current is None:
        return found
    if not left and current.end_date is not None and current.end_date < today:
        days = (today - current.end_date).days
        ended = f"The last term ended on {full_day(current.end_date)}, {plural(days, 'day')} ago"
        found.append(Trouble("ended", f"{ended}, and how it ended is not recorded. Renew it, or mark as churned."))
    if differs := contradictions(current, own, since=ordered[0].start_date):
        said = "; ".join(f"{LABELS[name]} {mine} instead of {theirs}" for name, (mine, theirs) in differs.items())
        found.append(Trouble("contradiction", f"The client's own record says {said}.", differs))
    for one, other in pairwise(ordered):
        if overlapping(one, other):
            found.append(Trouble("overlap", f"{span(one)} and {span(other)} overlap."))
        elif one.end_date is not None and (days := (other.start_date - one.end_date).days - 1) > 0:
            between = (
                f"{full_day(one.end_date + timedelta(days=1))} to {full_day(other.start_date - timedelta(days=1))}"
            )
            found.append(Trouble("gap", f"{plural(days, 'day')} without a term, {between}."))
    return found


def contradictions(term: Term, own: Mapping[str, object], *, since: date) -> dict[str, tuple[str, str]]:
    """Return the columns of the client's own record that differ from the term: (what the record says, the term).

    What one of the two does not know is no contradiction. Nor is a start that is that of the first term, `since`, or a
    renewal on the day after the last one: both are usual ways to put it.
    """
    found = {}
    for column, name in OWN_COLUMNS.items():
        mine, theirs = own.get(column), getattr(term, name)
        if mine in (None, "") or theirs in (None, "") or _same(mine, theirs):
            continue
        if column == "contract_start_date" and mine == since:
            continue
        found[column] = (_shown(column, mine), _shown(column, theirs))
    renewal = own.get("next_renewal_date")
    usual = (term.end_date, day_after(term.end_date)) if term.end_date else ()
    if isinstance(renewal, date) and term.end_date and renewal not in usual and "contract_end_date" not in found:
        found["next_renewal_date"] = (full_day(renewal), full_day(term.end_date))
    return found


def _same(mine: object, theirs: object) -> bool:
    if isinstance(mine, (int, float, Decimal)) and isinstance(theirs, (int, float, Decimal)):
        return Decimal(str(mine)) == Decimal(str(theirs))
    return mine == theirs


def _shown(column: str, value: object) -> str:
    if isinstance(value, date):
        return full_day(value)
    if column == "annual_recurring_revenue":
        return money(Decimal(str(value)))
    return str(value).capitalize() if column == "contract_tier" else f"{value}"


def day_after(day: date) -> date:
    """Return the next day; the last day that there is stays: some systems write 9999-12-31 for no end."""
    return day if day == date.max else day + timedelta(days=1)


def is_open(term: Term, today: date) -> bool:
    """Return whether a term has no end, or one so far ahead that it stands for none."""
    return term.end_date is None or term.end_date > today + timedelta(days=366 * YEARS_AHEAD)


def next_term(current: Term, *, today: date) -> Term:
    """Return the term that usually follows `current`: the day after its end (today where it is open), as long, at least
    a year, and the same in all else."""
    end = None if is_open(current, today) else current.end_date
    start = day_after(end) if end else max(today, current.start_date)
    days = (end - current.start_date).days + 1 if end else 365
    years = max(1, round(days / 365.25))
    return Term(
        start_date=start,
        end_date=years_later(start, years) - timedelta(days=1),
        annual_recurring_revenue=current.annual_recurring_revenue,
        contract_tier=current.contract_tier,
        licensed_user_count=current.licensed_user_count,
        licensed_modules=tuple(current.licensed_modules),
        auto_renew=current.auto_renew,
    )


def years_later(day: date, years: int) -> date:
    """Return the same day `years` later; 29 February becomes 1 March where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def is_downgrade(before: Term, after: Term) -> bool:
    """Return whether a renewal is for less: less ARR, or fewer seats where the ARR of one of them is not known."""
    old, new = before.annual_recurring_revenue, after.annual_recurring_revenue
    if old is not None and new is not None:
        return new < old
    return (after.licensed_user_count or 0) < (
        before.licensed_user_count or 0
    ) and after.licensed_user_count is not None
