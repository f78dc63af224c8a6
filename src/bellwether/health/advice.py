"""Sentences and next steps from a client's figures, by rule. Pure; no model writes here.

Every sentence carries the figures it rests on. A rule without its figure stays silent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from bellwether.common.rounding import half_up

USAGE_CHANGE, USAGE_DROP = 0.10, -0.30
WEAK = 60
SILENT_DAYS = 45
MANY_TICKETS = 5
DETRACTOR = 6
MET_SHARE = 0.5
RENEWAL_DAYS, SAFE_SCORE = 90, 80
WORDS = {"HEALTHY": "healthy", "MONITOR": "monitor", "AT_RISK": "at risk", "CRITICAL": "critical"}


@dataclass(frozen=True)
class Source:
    """A figure that a sentence rests on: its name in the API and its value."""

    name: str
    value: Any


@dataclass(frozen=True)
class Sentence:
    """One sentence and its figures; `concern` says whether it speaks of a risk."""

    text: str
    sources: tuple[Source, ...]
    concern: bool = False


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What is known on `scored_on`. Components are 0-100 half-up or None; inputs are the measures of that day."""

    name: str
    score: int | None
    status: str | None
    change: int | None
    change_days: int
    reason: str
    components: Mapping[str, int | None]
    renewal: date | None
    today: date
    inputs: Mapping[str, Any] = field(default_factory=dict)

    def number(self, measure: str) -> float | None:
        """Return the measure as a number, None if it is unknown."""
        value = self.inputs.get(measure)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    @property
    def renewal_days(self) -> int | None:
        """Whole days until the renewal, negative once it passed."""
        return (self.renewal - self.today).days if self.renewal else None


def sentences(figures: Figures) -> list[Sentence]:
    """Return what the figures say: health, weak components, usage, contact, support, survey, contract."""
    parts = (_health, _weak, _usage, _contact, _support, _survey, _payment, _renewal)
    return [sentence for part in parts for sentence in part(figures)]


def analysis(figures: Figures) -> str:
    """Return the standing and what is of concern, as one paragraph."""
    found = sentences(figures)
    return " ".join(sentence.text for index, sentence in enumerate(found) if index == 0 or sentence.concern)


def actions(figures: Figures) -> list[str]:
    """Return the next steps that the figures call for, the most pressing first; empty when nothing does."""
    return list(_actions(figures))


def _health(figures: Figures) -> Iterator[Sentence]:
    score = Source("overall_score", figures.score)
    if figures.score is None:
        reason = figures.reason.rstrip(".") or "no score has been made yet"
        yield Sentence(f"{figures.name} has no health score: {reason}.", (score,), concern=True)
        return
    status = WORDS.get(figures.status or "", "")
    start = f"{figures.name} scores {figures.score} of 100" + (f" ({status})" if status else "")
    if figures.change is None:
        text = f"{start}; there is no earlier score to compare with."
    elif figures.change == 0:
        text = f"{start}, the same as {figures.change_days} days before."
    else:
        more = "more" if figures.change > 0 else "fewer"
        points = _plural(abs(figures.change), "point")
        text = f"{start}, {points} {more} than {figures.change_days} days before."
    yield Sentence(text, (score, Source("trend_change", figures.change)))


def _weak(figures: Figures) -> Iterator[Sentence]:
    known = {name: score for name, score in figures.components.items() if score is not None}
    weak = sorted((score, name) for name, score in known.items() if score < WEAK)[:3]
    if weak:
        listed = _listed([f"{_words(name)} ({score})" for score, name in weak])
        sources = tuple(Source(f"components.{name}.score", score) for score, name in weak)
        yield Sentence(f"The weakest part{'s are' if len(weak) > 1 else ' is'} {listed}.", sources, concern=True)
    missing = sorted(name for name, score in figures.components.items() if score is None)
    if missing and figures.score is not None:
        listed = _listed([_words(name) for name in missing])
        sources = tuple(Source(f"components.{name}.score", None) for name in missing)
        yield Sentence(f"There is no data for {listed}.", sources)


def _usage(figures: Figures) -> Iterator[Sentence]:
    change = figures.number("dau_change")
    now, before = figures.number("dau_avg_7d"), figures.number("dau_avg_30d")
    if change is None or abs(change) < USAGE_CHANGE:
        return
    word = "down" if change < 0 else "up"
    text = f"Daily active users are {word} {half_up(100 * abs(change))}% on their 30-day average"
    sources = [Source("inputs.dau_change", change)]
    if now is not None and before is not None:
        text += f" ({before:.1f} to {now:.1f})"
        sources += [Source("inputs.dau_avg_30d", before), Source("inputs.dau_avg_7d", now)]
    yield Sentence(text + ".", tuple(sources), concern=change <= USAGE_DROP)


def _contact(figures: Figures) -> Iterator[Sentence]:
    days = figures.number("days_since_contact")
    if days is not None:
        when = "today" if days < 1 else f"{_plural(int(days), 'day')} ago"
        source = Source("inputs.days_since_contact", int(days))
        yield Sentence(f"The last contact was {when}.", (source,), concern=days >= SILENT_DAYS)


def _support(figures: Figures) -> Iterator[Sentence]:
    tickets = figures.number("tickets_30d")
    if tickets:
        text = f"{_plural(int(tickets), 'support ticket')} {'was' if tickets == 1 else 'were'} opened in 30 days."
        yield Sentence(text, (Source("inputs.tickets_30d", int(tickets)),), concern=tickets >= MANY_TICKETS)


def _survey(figures: Figures) -> Iterator[Sentence]:
    nps = figures.number("nps_latest")
    if nps is not None:
        text = f"The latest NPS answer is {nps:.3g} of 10."
        yield Sentence(text, (Source("inputs.nps_latest", nps),), concern=nps <= DETRACTOR)


def _payment(figures: Figures) -> Iterator[Sentence]:
    payment = figures.inputs.get("payment_status")
    if payment in {"late", "overdue"}:
        yield Sentence(f"Payment is {payment}.", (Source("inputs.payment_status", payment),), concern=True)


def _renewal(figures: Figures) -> Iterator[Sentence]:
    days = figures.renewal_days
    if days is None or figures.renewal is None:
        return
    on = figures.renewal.isoformat()
    if days < 0:
        text = f"The renewal date {on} passed {_plural(-days, 'day')} ago."
    else:
        text = f"The renewal on {on} is {_plural(days, 'day') + ' away' if days else 'today'}."
    near = days <= RENEWAL_DAYS and (figures.score is None or figures.score < SAFE_SCORE)
    yield Sentence(text, (Source("next_renewal_date", on),), concern=near)


def _actions(figures: Figures) -> Iterator[str]:
    payment = figures.inputs.get("payment_status")
    change, contact = figures.number("dau_change"), figures.number("days_since_contact")
    if payment in {"late", "overdue"}:
        yield f"Clear the {payment} payment with the billing contact"
    if change is not None and change <= USAGE_DROP:
        percent = half_up(100 * -change)
        yield f"Schedule a call with the champion to understand why daily use fell by {percent}%"
    if contact is not None and contact >= SILENT_DAYS:
        yield f"Get in touch: the last contact was {_plural(int(contact), 'day')} ago"
    tickets = figures.number("tickets_30d")
    if tickets is not None and tickets >= MANY_TICKETS:
        yield f"Review the {int(tickets)} support tickets of the last 30 days for unresolved issues"
    days = figures.renewal_days
    if days is not None and 0 <= days <= RENEWAL_DAYS and (figures.score is None or figures.score < SAFE_SCORE):
        yield f"Offer an executive business review before the renewal in {_plural(days, 'day')}"
    nps = figures.number("nps_latest")
    if nps is not None and nps <= DETRACTOR:
        yield f"Follow up on the NPS answer of {nps:.3g}"
    met = figures.number("stakeholder_coverage_90d")
    if met is not None and met < MET_SHARE:
        yield f"Meet the key contacts: {half_up(100 * met)}% of them were met in 90 days"
    used, licensed = figures.number("features_used"), figures.number("features_licensed")
    if used is not None and licensed and used / licensed < WEAK / 100:
        yield f"Plan a training: {int(used)} of {int(licensed)} licensed features are in use"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _words(key: str) -> str:
    """Return a component's key as words: caseResolution becomes case resolution."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in key).replace("_", " ").strip()
