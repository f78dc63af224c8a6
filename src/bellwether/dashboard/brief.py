"""The client brief: a few sentences made by rule from figures of the page, each with the part it rests on."""

from dataclasses import dataclass

from bellwether.dashboard.client_facts import ClientFacts
from bellwether.web.formatting import day, number, plural, signed

NOTABLE_CHANGE = 5
FRESH_CONTACT_DAYS = 14


@dataclass(frozen=True)
class Sentence:
    """One sentence; `source` names the part of the page and `anchor` is its id."""

    text: str
    source: str
    anchor: str


def brief(facts: ClientFacts) -> list[Sentence]:
    """Return the sentences that the figures allow: health, its causes, usage, contact, support, renewal."""
    made = [_health(facts), _causes(facts), _usage(facts), _contact(facts), _support(facts), _renewal(facts)]
    return [sentence for sentence in made if sentence is not None]


def _health(facts: ClientFacts) -> Sentence | None:
    if facts.score is None:
        reason = facts.no_score_reason or "no score has been made yet"
        return Sentence(f"{facts.name} has no health score: {_lower(reason)}.", "Health", "health")
    if facts.ended:
        return Sentence(f"{facts.name} has left; its last score was {facts.score}.", "Health", "health")
    standing = f"{facts.name} scores {facts.score}" + (f", {facts.status.lower()}" if facts.status else "")
    if facts.change is None:
        return Sentence(
            f"{standing}; there is no score of {facts.change_days} days ago to compare with.", "Health", "health"
        )
    if facts.change == 0:
        return Sentence(f"{standing}, the same as {facts.change_days} days ago.", "Health", "health")
    word = "more" if facts.change > 0 else "fewer"
    amount = plural(abs(facts.change), "point")
    return Sentence(f"{standing}, {amount} {word} than {facts.change_days} days ago.", "Health", "health")


def _causes(facts: ClientFacts) -> Sentence | None:
    if facts.ended or facts.change is None or abs(facts.change) < NOTABLE_CHANGE:
        return None
    direction = 1 if facts.change > 0 else -1
    causes = sorted((c for c in facts.causes if c.effect * direction >= 1), key=lambda c: -abs(c.effect))[:2]
    if not causes:
        return None
    parts = [f"{cause.label} ({signed(cause.effect)})" for cause in causes]
    return Sentence(f"Most of it comes from {' and '.join(parts)}.", "Score", "components")


def _usage(facts: ClientFacts) -> Sentence | None:
    now, before, change = facts.number("dau_avg_7d"), facts.number("dau_avg_30d"), facts.number("dau_change")
    if facts.ended:
        return None
    if not facts.has_usage:
        return Sentence("No usage has been recorded yet.", "Usage", "usage")
    if now is None or before is None or change is None:
        week = facts.number("wau")
        return (
            Sentence(f"{plural(int(week), 'person', 'people')} were active in the last 7 days.", "Usage", "usage")
            if week
            else None
        )
    if abs(change) < 0.1:
        return Sentence(f"Usage is steady at {number(now)} people on an average working day.", "Usage", "usage")
    verb = "fell" if change < 0 else "rose"
    text = f"Daily use {verb} to {number(now)} people on an average working day, from {number(before)} over 30 days."
    return Sentence(text, "Usage", "usage")


def _contact(facts: ClientFacts) -> Sentence | None:
    if facts.contact_days is None:
        return Sentence("No contact with the client is recorded.", "Timeline", "timeline")
    what = (
        facts.contact_label[:1].lower() + facts.contact_label[1:]
        if not facts.contact_label.isupper()
        else facts.contact_label
    )
    when = "today" if facts.contact_days == 0 else f"{plural(facts.contact_days, 'day')} ago"
    on = (
        f" on {day(facts.contact_on, facts.today)}"
        if facts.contact_on and facts.contact_days > FRESH_CONTACT_DAYS
        else ""
    )
    return Sentence(f"The last contact was {when}{', ' if what else ''}{what}{on}.", "Timeline", "timeline")


def _support(facts: ClientFacts) -> Sentence | None:
    if not facts.open_tickets:
        return None
    urgent = sum(ticket.priority == "urgent" for ticket in facts.open_tickets)
    total = plural(len(facts.open_tickets), "ticket")
    verb = "is" if len(facts.open_tickets) == 1 else "are"
    rest = "" if not urgent else ", urgent" if len(facts.open_tickets) == 1 else f", {urgent} of them urgent"
    return Sentence(f"{total} {verb} open{rest}.", "Support", "timeline")


def _renewal(facts: ClientFacts) -> Sentence | None:
    days = facts.renewal_days
    if facts.ended or days is None:
        return None
    if days < 0:
        return Sentence(f"The renewal date passed {plural(-days, 'day')} ago.", "Contract", "contract")
    auto = {True: ", with auto-renew", False: ", without auto-renew", None: ""}[facts.auto_renew]
    when = "today" if days == 0 else f"in {plural(days, 'day')}"
    return Sentence(f"Renewal is {when}{auto}.", "Contract", "contract")


def _lower(text: str) -> str:
    """Return `text` as the end of a sentence: no full stop, no capital unless the word is one of capitals."""
    text = text.rstrip(".")
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
