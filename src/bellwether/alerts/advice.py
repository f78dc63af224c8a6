"""What to do about an alert and why, with points for the talk: by rule, from the client's own facts. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from bellwether.portfolio.approaching import Person, billing, by_role
from bellwether.web.formatting import day, days_ago, plural, short_money

MOST_POINTS = 4
LONG_SILENCE_DAYS = 30
NEAR_RENEWAL_DAYS = 120


class Place(StrEnum):
    """Where the figures behind a sentence stand on the client's pages."""

    SCORE = "score"
    USAGE = "usage"
    ADOPTION = "adoption"
    PEOPLE = "people"
    SUPPORT = "support"
    CONTRACT = "contract"
    TIMELINE = "timeline"


@dataclass(frozen=True)
class Ticket:
    """An open ticket; `age` in days."""

    ticket_id: str
    subject: str
    priority: str
    age: int


@dataclass(frozen=True, kw_only=True)
class AlertFacts:
    """What advice about an alert rests on. `related` is the contact or the answer's contact that it is about,
    `comment` what was written with that answer, `drivers` the components that fell with their points, the largest fall
    first."""

    alert_type: str
    severity: str
    client: str
    today: date
    evidence: Mapping[str, Any] = field(default_factory=dict)
    people: Sequence[Person] = ()
    related: Person | None = None
    subject: str = ""
    comment: str = ""
    tickets: Sequence[Ticket] = ()
    drivers: Sequence[tuple[str, float]] = ()
    arr: Any = None
    renewal: date | None = None
    auto_renew: bool | None = None
    last_contact: date | None = None


@dataclass(frozen=True)
class Point:
    """A sentence for the talk, and where its figures stand. `object_id` names the one record behind it."""

    text: str
    place: Place
    source: str
    object_id: str = ""


@dataclass(frozen=True)
class Advice:
    """What to do (`action`, a sentence), why, what to talk about, and a mail to begin with.

    `person` is the contact to speak to, None where nobody fits.
    """

    action: str
    reason: str
    points: tuple[Point, ...]
    person: Person | None
    mail_subject: str
    mail_text: str


Rule = Callable[[AlertFacts], tuple[str, str, Person | None, str, str]]


def advise(facts: AlertFacts) -> Advice:
    """Return what to do about the alert. Every type has an answer, also where little is known about the client."""
    rule = RULES.get(facts.alert_type, _health)
    action, reason, person, about, asks = rule(facts)
    points = tuple(_points(facts))[:MOST_POINTS]
    greeting = f"Hello {person.name.split()[0]}," if person and person.name.split() else "Hello,"
    mail = f"{greeting}\n\n{asks}\n\nWould you have 20 minutes this week?\n\nBest regards"
    return Advice(action, reason, points, person, about, mail)


def _by_role(facts: AlertFacts, *roles: str) -> Person | None:
    return by_role(facts.people, *roles)


def _name(person: Person | None, other: str) -> str:
    return person.name if person else other


def _when(facts: AlertFacts) -> str:
    return {"CRITICAL": "today", "HIGH": "today", "MEDIUM": "this week"}.get(facts.severity, "when you next speak")


def _health(facts: AlertFacts) -> tuple[str, str, Person | None, str, str]:
    person = _by_role(facts, "CHAMPION", "EXECUTIVE_SPONSOR")
    action = f"Call {_name(person, 'your main contact')} {_when(facts)}."
    if facts.drivers:
        label, points = facts.drivers[0]
        reason = f"{label} cost the most: {abs(points):.1f} points."
    else:
        reason = "Ask what changed for them before it shows in the contract."
    asks = "I have seen a change in how things are going with the product and would like to hear how it looks to you."
    return action, reason, person, "How are things going?", asks


def _critical(facts: AlertFacts) -> tuple[str, str, Person | None, str, str]:
    person = _by_role(facts, "EXECUTIVE_SPONSOR", "CHAMPION")
    action = f"Call {_name(person, 'the sponsor')} today and agree a plan with dates."
    label = f" {facts.drivers[0][0]} weighs the most." if facts.drivers else ""
    stake = f"{short_money(facts.arr)} a year is at stake." if facts.arr else "The status has become critical."
    asks = "I would like to go through where you stand with you and agree what we do about it, with dates."
    return action, f"{stake}{label}", person, "A plan for the next weeks", asks


def _key_user(facts: AlertFacts) -> tuple[str, str, Person | None, str, str]:
    person = facts.related or _by_role(facts, "EXECUTIVE_SPONSOR", "CHAMPION")
    action = f"Write to {_name(person, 'the key user')} and ask whether anything stands in the way."
    seen = f"Last seen {days_ago((facts.today - person.last_login).days)}." if person and person.last_login else ""
    reason = seen or "A key user who stays away may be the first sign of a change."
    asks = "I noticed that you have not been in the product for a while. Is there anything that stands in the way?"
    return action, reason, person, "Anything we can help with?", asks


def _champion(facts: AlertFacts) -> tuple[str, str, Person | None, str, str]:
    champion = facts.related
    if champion is not None and champion.gone:
        others = [one for one in facts.people if not one.gone and one.contact_id != champion.contact_id]
        order = {"EXECUTIVE_SPONSOR": 0, "ADMIN": 1, "DAY_TO_DAY": 2}
        person = min(others, key=lambda one: (order.get(one.role, 3), not one.is_primary), default=None)
        action = f"Speak to {_name(person, 'the sponsor')} about who takes over from {champion.name}."
        asks = f"With {champion.name} leaving, I would like to get to know who takes over and help with a good start."
        return action, f"{champion.name} has left, and nobody else is known as champion.", person, "Handing over", asks
    person = champion or _by_role(facts, "CHAMPION")
    action = f"Call {_name(person, 'the champion')} {_when(facts)} and ask what has changed."
    asks = "You have been using the product less lately, and I would like to hear what has changed on your side."
    return action, "The champion carries the product at the client.", person, "What has changed?", asks


def _support(facts: AlertFacts) -> tuple[str, str, Person | None, str, str]:
    person = _by_role(facts, "ADMIN", "CHAMPION")
    count = len(facts.tickets)
    action = f"Go through the tickets with support, then tell {_name(person, 'your main contact')} what happens when."
    urgent = sum(1 for ticket in facts.tickets if ticket.priority in {"high", "urgent"})
    reason = f"{plural(count, 'ticket')} open" if count else "None of the tickets is open any more"
    reason += f", {urgent} of them high or urgent." if urgent else "."
    asks = "You have had to write to our support more than usual. Here is what the team does about it, and when."
    return action, reason, person, "Your open tickets", asks


def _usage(facts: AlertFacts) -> tuple[str, str, Person | None, str, str]:
    person = _by_role(facts, "CHAMPION", "ADMIN")
    action = f"Ask {_name(person, 'your main contact')} {_when(facts)} what changed in the daily work."
    asks = "Fewer of your people have been in the product lately. Has something changed in how you work?"
    return action, "Holidays and projects explain some falls; a call tells them from a start of leaving.", person, \
        "Has something changed?", asks  # fmt: skip


def _feature(facts: AlertFacts) -> tuple[str, str, Person | None, str, str]:
    person = _by_role(facts, "ADMIN", "CHAMPION")
    name = str(facts.evidence.get("feature") or facts.subject or "the feature")
    action = f"Offer {_name(person, 'the admin')} a short refresher on {name}."
    asks = f"You used to work with {name}. Shall I show you what is new there, or was something missing?"
    return action, "It was in active use, so somebody found a reason to stop.", person, f"About {name}", asks


def _renewal(facts: AlertFacts) -> tuple[str, str, Person | None, str, str]:
    person = _by_role(facts, "EXECUTIVE_SPONSOR", "CHAMPION")
    left = (facts.renewal - facts.today).days if facts.renewal else None
    if left is not None and left <= 30:
        action = f"Get a yes or no on the renewal from {_name(person, 'the sponsor')} this week."
    elif left is not None and left <= 60:
        action = f"Send {_name(person, 'the sponsor')} the renewal offer and agree the steps to signing."
    else:
        action = f"Schedule the renewal review with {_name(person, 'the sponsor')}."
    known = {True: "It renews by itself unless they object.", False: "It does not renew by itself."}
    reason = known.get(facts.auto_renew, "Whether it renews by itself is not known.")  # type: ignore[arg-type]
    on = f" on {day(facts.renewal, facts.today)}" if facts.renewal else ""
    asks = (
        f"Your contract comes up for renewal{on}. I would like to look back at the year and ahead to the next with you."
    )
    return action, reason, person, "Your renewal", asks


def _seats(facts: AlertFacts) -> tuple[str, str, Person | None, str, str]:
    person = _by_role(facts, "ADMIN", "EXECUTIVE_SPONSOR")
    action = f"Find out with {_name(person, 'the admin')} who was meant to use the free seats."
    asks = "A good part of your seats is not used yet. Shall we look together at who should be set up next?"
    return action, "Seats that nobody uses are easily given up at the renewal.", person, "Your free seats", asks


def _detractor(facts: AlertFacts) -> tuple[str, str, Person | None, str, str]:
    person = facts.related or _by_role(facts, "CHAMPION", "EXECUTIVE_SPONSOR")
    action = f"Call {_name(person, 'the respondent')} within a day, thank them, and ask what would change the answer."
    comment = facts.comment.strip()
    reason = f"They wrote: “{comment[:160]}”" if comment else "There is no comment, so only asking tells why."
    asks = "Thank you for your honest answer to our survey. I would like to hear what would have made it a better one."
    return action, reason, person, "Your answer to our survey", asks


def _payment(facts: AlertFacts) -> tuple[str, str, Person | None, str, str]:
    person = billing(facts.people)
    action = f"Ask {_name(person, 'the billing contact')} whether the invoice arrived, before a reminder does."
    asks = "One of our invoices seems to be open. Did it arrive, and is there anything you need from us?"
    return action, "A lost invoice is put right by asking, and a wish to leave shows early.", person, \
        "An open invoice", asks  # fmt: skip


RULES: Mapping[str, Rule] = {
    "HEALTH_DROP": _health,
    "CRITICAL_HEALTH": _critical,
    "KEY_USER_INACTIVE": _key_user,
    "CHAMPION_RISK": _champion,
    "SUPPORT_SPIKE": _support,
    "USAGE_DECLINE": _usage,
    "FEATURE_ABANDONED": _feature,
    "RENEWAL_APPROACHING": _renewal,
    "CONTRACT_UTILIZATION_LOW": _seats,
    "NPS_DETRACTOR": _detractor,
    "PAYMENT_ISSUE": _payment,
}


def _points(facts: AlertFacts) -> list[Point]:
    """Return what else to have at hand, the most useful first."""
    found = []
    for ticket in sorted(facts.tickets, key=lambda one: (one.priority not in {"urgent", "high"}, -one.age))[:1]:
        text = f"“{ticket.subject or 'A ticket'}” has been open for {plural(ticket.age, 'day')}."
        found.append(Point(text, Place.SUPPORT, "Ticket", ticket.ticket_id))
    if facts.alert_type not in {"RENEWAL_APPROACHING"} and facts.renewal is not None:
        left = (facts.renewal - facts.today).days
        if 0 <= left <= NEAR_RENEWAL_DAYS:
            stake = f", {short_money(facts.arr)} a year" if facts.arr else ""
            found.append(Point(f"The renewal is {days_ago(-left)}{stake}.", Place.CONTRACT, "Contract"))
    if facts.last_contact is None:
        found.append(Point("No contact with them is on record.", Place.TIMELINE, "Timeline"))
    elif (silent := (facts.today - facts.last_contact).days) >= LONG_SILENCE_DAYS:
        found.append(Point(f"The last contact was {days_ago(silent)}.", Place.TIMELINE, "Timeline"))
    champion = next((one for one in facts.people if one.role == "CHAMPION" and not one.gone), None)
    if champion is None and facts.alert_type != "CHAMPION_RISK":
        found.append(Point("No champion is known: ask who that could be.", Place.PEOPLE, "Contacts"))
    for label, points in facts.drivers[1:2]:
        if points < 0:
            found.append(Point(f"{label} fell as well, by {abs(points):.1f} points.", Place.SCORE, "Score"))
    return found
