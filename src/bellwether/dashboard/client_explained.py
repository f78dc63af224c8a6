"""The explanation of a stored score and of its change since an earlier day, on the client page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_trend import Choice
from bellwether.dashboard.client_trend_reading import day_from
from bellwether.dashboard.explanations import Basis, ComponentWhy, ScoreWhy, component_rows, explain_score
from bellwether.health.change_parts import ChangePart
from bellwether.health.explain_reading import Explained, NoScoreError, StoredDays, explained, stored_days
from bellwether.health.scorecard import Scorecard
from bellwether.portfolio.models import Client
from bellwether.web.formatting import MINUS, full_day, signed
from bellwether.web.formatting import day as short_day

CENT = Decimal("0.01")
ZERO = Decimal(0)


@dataclass(frozen=True)
class AskedDays:
    """The day to explain and the earlier one to compare it with, as the address gives them: text, and the day that it
    names, None where it names none."""

    day_text: str = ""
    since_text: str = ""
    day: date | None = None
    since: date | None = None

    @property
    def given(self) -> bool:
        """Whether the reader asked for an explanation."""
        return bool(self.day_text or self.since_text)


@dataclass(frozen=True)
class PartLine:
    """A component of the score: how it was made, what it counts for ("41.2 × 25%") and brings ("10.30")."""

    label: str
    term: str
    amount: str
    why: ComponentWhy | None
    rests: str


@dataclass(frozen=True)
class CauseLine:
    """A cause of the change: its points as text, with their tone, its words, and the measures behind it."""

    label: str
    points: str
    tone: str
    details: list[str]
    measures: list[tuple[str, str]]


@dataclass(frozen=True)
class ChangeTable:
    """The change between two days; the points of `causes`, as they are shown, add up to `total`."""

    title: str
    summary: str
    causes: list[CauseLine]
    total: str


@dataclass(frozen=True)
class DatesForm:
    """The form that chooses the two days; `kept` are the other choices that the address carries."""

    action: str
    day: str
    since: str
    first: str
    last: str
    kept: list[tuple[str, str]]


@dataclass(frozen=True)
class DayExplained:
    """The explanation of a day that the reader chose. `why` None: nothing is stored for that day.

    `problems` say what cannot be used or is not there, `nearest` are days that have a score. `mismatch` says where the
    score made again from its inputs is not the stored one.
    """

    title: str
    form: DatesForm
    problems: list[str]
    nearest: list[Choice]
    why: ScoreWhy | None
    parts: list[PartLine]
    rounded: str
    mismatch: str
    change: ChangeTable | None
    close: str


def asked_days(day: str, since: str) -> AskedDays:
    """Return the two days that an address asks for."""
    return AskedDays(day.strip(), since.strip(), day_from(day.strip()), day_from(since.strip()))


def day_explained(
    client: Client, asked: AskedDays, *, scorecard: Scorecard, basis: Basis | None, address: Address, today: date
) -> DayExplained:
    """Return the explanation of the client's score of the day that was asked for and of its change.

    `basis` is that day's stored score, None where there is none, `scorecard` that of its version. Without an earlier
    day the change is told since the day with a score before it. The reader may see the client.
    """
    stored = stored_days(client, scorecard.name, asked.day or asked.since or today)
    problems = _problems(asked)
    day, since = asked.day if basis else None, None
    if asked.day and basis is None:
        problems.append(_none_stored(asked.day, stored))
    nearest = _links("explain", stored, address) if basis is None else []
    made, split = None, None
    if day:
        since = asked.since or (None if asked.since_text else stored.before)
        made, missing = _explained(client, day, since, scorecard.name)
        if missing and asked.since_text and not problems:
            near = stored_days(client, scorecard.name, since or day)
            problems.append(missing)
            nearest = [one for one in _links("since", near, address) if one.text != full_day(day)]
        if made.change is not None:
            split = _table(made, day, today)
    title = f"No score is stored for {short_day(asked.day, today)}" if asked.day else "Explain a day"
    why = explain_score(basis, scorecard, today=today) if basis else None
    return DayExplained(
        title=why.title if why else title,
        form=_form(asked, since, stored, address),
        problems=problems,
        nearest=nearest,
        why=why,
        parts=_parts(basis, scorecard, why, today) if basis and why else [],
        rounded=f"rounded half up to {basis.score}" if basis and basis.score is not None else "",
        mismatch=f"{'; '.join(made.explanation.differences)}." if made and made.explanation.differences else "",
        change=split,
        close=address.with_(explain=None, since=None) + "#trend",
    )


def _problems(asked: AskedDays) -> list[str]:
    """Return which of the two fields cannot be used, and why."""
    found = []
    for label, text, day in (("Date", asked.day_text, asked.day), ("Since", asked.since_text, asked.since)):
        if text and day is None:
            found.append(f"{label}: “{text[:40]}” is no date. Write it as 2026-02-28.")
    if not asked.day_text:
        found.append("Date: choose the day to explain.")
    if asked.day and asked.since and asked.since >= asked.day:
        found.append(f"Since: {full_day(asked.since)} is not before {full_day(asked.day)}.")
    return found


def _explained(client: Client, day: date, since: date | None, scorecard: str) -> tuple[Explained, str]:
    """Return the explanation, with the change where it can be told, and why it cannot ("" where it can)."""
    if since is None or since >= day:
        return explained(client, day, scorecard=scorecard), ""
    try:
        made = explained(client, day, since=since, scorecard=scorecard)
    except NoScoreError:
        return explained(client, day, scorecard=scorecard), f"Since: no score is stored for {full_day(since)}."
    missing = day if made.explanation.score is None else since
    return made, "" if made.change else f"The change cannot be split: there was no score on {full_day(missing)}."


def _none_stored(day: date, stored: StoredDays) -> str:
    if stored.first is None or stored.last is None:
        return "No score has been stored yet."
    kept = f"Scores are stored from {full_day(stored.first)} to {full_day(stored.last)}"
    return f"Date: {kept}{', not for every day' if stored.first < day < stored.last else ''}."


def _links(name: str, stored: StoredDays, address: Address) -> list[Choice]:
    """Return the nearest days with a score as links that put them in the field `name`."""
    days = [day for day in (stored.before, stored.after) if day is not None]
    changes = {"since": None} if name == "explain" else {}
    return [
        Choice(full_day(day), address.with_(**changes, **{name: day.isoformat()}) + "#explained", False) for day in days
    ]


def _form(asked: AskedDays, since: date | None, stored: StoredDays, address: Address) -> DatesForm:
    day = asked.day or (None if asked.day_text else stored.last)
    return DatesForm(
        action=f"{address.path}#explained",
        day=day.isoformat() if day else "",
        since=since.isoformat() if since else (asked.since.isoformat() if asked.since else ""),
        first=stored.first.isoformat() if stored.first else "",
        last=stored.last.isoformat() if stored.last else "",
        kept=[(key, value) for key, value in address.query.items() if value and key not in {"explain", "since"}],
    )


def _parts(basis: Basis, scorecard: Scorecard, why: ScoreWhy, today: date) -> list[PartLine]:
    """Return the components in the scorecard's order, each with its line of the sum."""
    made = {row.label: row for row in component_rows(basis, scorecard, earlier=None, medians={}, today=today)}
    sums = {row.label: row for row in why.rows}
    found = []
    for label in (*made, *(label for label in sums if label not in made)):
        line, row = sums.get(label), made.get(label)
        found.append(
            PartLine(
                label,
                line.term if line else "",
                line.amount if line else "",
                row.why if row else None,
                row.rests if row else "",
            )
        )
    return found


def _table(made: Explained, day: date, today: date) -> ChangeTable | None:
    split = made.change
    if split is None:
        return None
    shown = _adding_up([part.points for part in made.parts], Decimal(split.score))
    after = split.before + split.score
    return ChangeTable(
        title=f"What changed since {short_day(split.since, today)}",
        summary=f"{split.before} on {full_day(split.since)}, {after} on {full_day(day)}: {signed(split.score)}.",
        causes=[_cause(part, points) for part, points in zip(made.parts, shown, strict=True)],
        total=_signed(Decimal(split.score)),
    )


def _cause(part: ChangePart, points: Decimal) -> CauseLine:
    shown = _adding_up([amount for _, amount in part.measures], points)
    return CauseLine(
        label=part.label,
        points=_signed(points),
        tone=("good" if points > 0 else "bad") if abs(points) >= 1 and part.kind != "rounding" else "",
        details=part.details or ([] if part.measures else ["No measure moved"]),
        measures=[(text, _signed(amount)) for (text, _), amount in zip(part.measures, shown, strict=True)],
    )


def _adding_up(points: Sequence[float], total: Decimal) -> list[Decimal]:
    """Return points to two decimals, the last such that what is shown adds up to `total`."""
    shown = [Decimal(str(one)).quantize(CENT, rounding=ROUND_HALF_UP) for one in points]
    return [*shown[:-1], total - sum(shown[:-1], ZERO)] if shown else []


def _signed(points: Decimal) -> str:
    return f"{'+' if points > 0 else MINUS if points < 0 else ''}{abs(points):.2f}"
