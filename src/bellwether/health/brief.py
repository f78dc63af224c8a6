"""The client brief: a few sentences made by rule from figures, each with the part and the figures it rests on. Pure."""

from dataclasses import dataclass
from typing import Any

from bellwether.health.client_facts import ClientFacts, Part
from bellwether.health.risk_factors import Severity, risk_factors
from bellwether.web.formatting import day, number, plural, signed

NOTABLE_CHANGE = 5
NOTABLE_EFFECT, NAMED_CAUSES = 1, 2
STEADY = 0.1
FRESH_CONTACT_DAYS = 14
Figures = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Sentence:
    """One sentence; `part` says where its figures stand, `figures` name them as the API does, with their values."""

    text: str
    part: Part
    figures: Figures


def brief(facts: ClientFacts) -> list[Sentence]:
    """Return the sentences that the figures allow: health, its causes, usage, contact, support, renewal."""
    made = [_health(facts), _causes(facts), _usage(facts), _contact(facts), _support(facts), _renewal(facts)]
    return [sentence for sentence in made if sentence is not None]


def analysis(facts: ClientFacts) -> str:
    """Return the standing, what a change comes from, and the critical and risky findings, as one paragraph."""
    standing = [sentence.text for sentence in (_health(facts), _causes(facts)) if sentence is not None]
    grave = [f for f in risk_factors(facts) if f.severity != Severity.MONITOR and f.key != "no_score"]
    return " ".join([*standing, *(f"{finding.headline}." for finding in grave)])


def _health(facts: ClientFacts) -> Sentence | None:
    figures: Figures = (("overall_score", facts.score),)
    if facts.score is None:
        reason = facts.no_score_reason or "no score has been made yet"
        return Sentence(f"{facts.name} has no health score: {_lower(reason)}.", Part.HEALTH, figures)
    if facts.ended:
        return Sentence(f"{facts.name} has left; its last score was {facts.score}.", Part.HEALTH, figures)
    figures += (("change", facts.change),)
    standing = f"{facts.name} scores {facts.score}" + (f", {facts.status.lower()}" if facts.status else "")
    ago = f"{plural(facts.change_days, 'day')} ago"
    if facts.change is None:
        return Sentence(f"{standing}; there is no score of {ago} to compare with.", Part.HEALTH, figures)
    if facts.change == 0:
        return Sentence(f"{standing}, the same as {ago}.", Part.HEALTH, figures)
    word = "more" if facts.change > 0 else "fewer"
    amount = plural(abs(facts.change), "point")
    return Sentence(f"{standing}, {amount} {word} than {ago}.", Part.HEALTH, figures)


def _causes(facts: ClientFacts) -> Sentence | None:
    if facts.ended or facts.change is None or abs(facts.change) < NOTABLE_CHANGE:
        return None
    direction = 1 if facts.change > 0 else -1
    moved = [cause for cause in facts.causes if cause.effect * direction >= NOTABLE_EFFECT]
    causes = sorted(moved, key=lambda cause: -abs(cause.effect))[:NAMED_CAUSES]
    if not causes:
        return None
    parts = [f"{cause.label} ({signed(cause.effect)})" for cause in causes]
    figures = tuple((f"effect of {cause.label}", round(cause.effect, 1)) for cause in causes)
    return Sentence(f"Most of it comes from {' and '.join(parts)}.", Part.SCORE, figures)


def _usage(facts: ClientFacts) -> Sentence | None:
    if facts.ended:
        return None
    if not facts.has_usage:
        return Sentence("No usage has been recorded yet.", Part.USAGE, (("last_activity_at", None),))
    now, before, change = facts.number("dau_avg_7d"), facts.number("dau_avg_30d"), facts.number("dau_change")
    if now is None or before is None or change is None:
        week = facts.number("wau")
        if not week:
            return None
        text = f"{plural(int(week), 'person', 'people')} were active in the last 7 days."
        return Sentence(text, Part.USAGE, (("inputs.wau", int(week)),))
    figures = (("inputs.dau_change", change), ("inputs.dau_avg_7d", now), ("inputs.dau_avg_30d", before))
    if abs(change) < STEADY:
        return Sentence(f"Usage is steady at {number(now)} people on an average working day.", Part.USAGE, figures)
    verb = "fell" if change < 0 else "rose"
    text = f"Daily use {verb} to {number(now)} people on an average working day, from {number(before)} over 30 days."
    return Sentence(text, Part.USAGE, figures)


def _contact(facts: ClientFacts) -> Sentence | None:
    if facts.contact_days is None:
        return Sentence("No contact with the client is recorded.", Part.TIMELINE, (("last_contact", None),))
    what = facts.contact_label if facts.contact_label.isupper() else _lower(facts.contact_label)
    when = "today" if facts.contact_days == 0 else f"{plural(facts.contact_days, 'day')} ago"
    late = facts.contact_on is not None and facts.contact_days > FRESH_CONTACT_DAYS
    on = f" on {day(facts.contact_on, facts.today)}" if late else ""
    figures = (("last_contact", facts.contact_on.isoformat() if facts.contact_on else None),)
    return Sentence(f"The last contact was {when}{', ' if what else ''}{what}{on}.", Part.TIMELINE, figures)


def _support(facts: ClientFacts) -> Sentence | None:
    count = len(facts.open_tickets)
    if not count:
        return None
    urgent = sum(ticket.priority == "urgent" for ticket in facts.open_tickets)
    verb = "is" if count == 1 else "are"
    rest = "" if not urgent else ", urgent" if count == 1 else f", {urgent} of them urgent"
    figures = (("open_tickets", count), ("urgent_tickets", urgent))
    return Sentence(f"{plural(count, 'ticket')} {verb} open{rest}.", Part.SUPPORT, figures)


def _renewal(facts: ClientFacts) -> Sentence | None:
    days = facts.renewal_days
    if facts.ended or days is None or facts.renewal_on is None:
        return None
    figures = (("next_renewal_date", facts.renewal_on.isoformat()),)
    if days < 0:
        return Sentence(f"The renewal date passed {plural(-days, 'day')} ago.", Part.CONTRACT, figures)
    auto = {True: ", with auto-renew", False: ", without auto-renew", None: ""}[facts.auto_renew]
    when = "today" if days == 0 else f"in {plural(days, 'day')}"
    return Sentence(f"Renewal is {when}{auto}.", Part.CONTRACT, figures)


def _lower(text: str) -> str:
    """Return `text` as the end of a sentence: no full stop, no capital unless the word is one of capitals."""
    text = text.rstrip(".")
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
