"""Risk factors by rule (docs/reference/risk-factors.md): each names a figure that stands on the page and where.

No model writes here. A rule without its figure stays silent.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bellwether.dashboard.client_facts import ClientFacts
from bellwether.web.formatting import day, number, plural

USAGE_DROP, USAGE_COLLAPSE = -0.30, -0.50
SILENT_DAYS, VERY_SILENT_DAYS = 45, 90
LOGIN_DAYS = 14
LEFT_WITHIN_DAYS = 180
SPIKE_FACTOR, SPIKE_AT_LEAST = 2.0, 3
DETRACTOR = 6
RENEWAL_DAYS, RENEWAL_SOON_DAYS, RENEWAL_SCORE = 90, 30, 60
SEAT_SHARE = 0.5
MET_SHARE = 0.5
SEVERITY = ("critical", "risk", "monitor")
AT_MOST = 6


@dataclass(frozen=True)
class Factor:
    """A risk: `status` is the severity, `title` the finding, `detail` its figures, `anchor` the part of the page."""

    status: str
    title: str
    detail: str
    source: str
    anchor: str


def risk_factors(facts: ClientFacts) -> list[Factor]:
    """Return the factors that apply, worst first, at most AT_MOST; none for a client that has ended."""
    if facts.ended:
        return []
    found = [factor for rule in RULES if (factor := rule(facts)) is not None]
    found.sort(key=lambda factor: SEVERITY.index(factor.status))
    return found[:AT_MOST]


def payment(facts: ClientFacts) -> Factor | None:
    """Payment late or overdue."""
    if facts.payment == "overdue":
        return Factor("critical", "Payment overdue", "As the contract record says.", "Contract", "contract")
    if facts.payment == "late":
        return Factor("risk", "Payment late", "As the contract record says.", "Contract", "contract")
    return None


def champion(facts: ClientFacts) -> Factor | None:
    """A champion who left in the last half year."""
    for person in facts.people:
        if person.is_champion and person.left_on and (facts.today - person.left_on).days <= LEFT_WITHIN_DAYS:
            detail = f"{person.name} left on {day(person.left_on, facts.today)}."
            return Factor("critical", "Champion left", detail, "Contacts", "contacts")
    return None


def key_people(facts: ClientFacts) -> Factor | None:
    """Key contacts who have not logged in for LOGIN_DAYS."""
    keys = [person for person in facts.people if person.is_key and not person.left_on and person.login_days is not None]
    quiet = [person for person in keys if (person.login_days or 0) >= LOGIN_DAYS]
    if not quiet:
        return None
    champions = [person for person in quiet if person.is_champion]
    first = max(champions or quiet, key=lambda person: person.login_days or 0)
    title = "Champion inactive" if champions else f"{first.role} inactive"
    others = len(keys) - len(quiet)
    rest = f" {plural(others, 'other key contact')} logged in since." if others else ""
    detail = f"{first.name} has not logged in for {first.login_days} days.{rest}"
    return Factor("critical" if champions else "risk", title, detail, "Contacts", "contacts")


def usage(facts: ClientFacts) -> Factor | None:
    """Daily people down by 30 % or more, 7 days against 30."""
    change = facts.number("dau_change")
    if change is None or change > USAGE_DROP:
        return None
    now, before = facts.number("dau_avg_7d"), facts.number("dau_avg_30d")
    detail = "Average working day, 7 days against 30."
    if now is not None and before is not None:
        detail = f"{number(now)} people on an average working day in 7 days, {number(before)} in 30."
    status = "critical" if change <= USAGE_COLLAPSE else "risk"
    return Factor(status, f"Usage down {abs(change):.0%}", detail, "Usage", "usage")


def silence(facts: ClientFacts) -> Factor | None:
    """No contact for SILENT_DAYS or more."""
    if facts.contact_days is None or facts.contact_days < SILENT_DAYS:
        return None
    status = "critical" if facts.contact_days >= VERY_SILENT_DAYS else "risk"
    on = f", {day(facts.contact_on, facts.today)}" if facts.contact_on else ""
    return Factor(
        status, f"No contact for {facts.contact_days} days", f"Last: {facts.contact_label}{on}.", "Timeline", "timeline"
    )


def urgent(facts: ClientFacts) -> Factor | None:
    """Urgent tickets that are open."""
    tickets = sorted((t for t in facts.open_tickets if t.priority == "urgent"), key=lambda ticket: ticket.opened_on)
    if not tickets:
        return None
    oldest = tickets[0]
    subject = f"{oldest.subject}. " if oldest.subject else ""
    detail = f"{subject}Open since {day(oldest.opened_on, facts.today)}."
    return Factor("risk", f"{plural(len(tickets), 'urgent ticket')} open", detail, "Support", "timeline")


def spike(facts: ClientFacts) -> Factor | None:
    """Tickets at twice the normal number or more, and at least three."""
    tickets, norm = facts.number("tickets_30d"), facts.number("tickets_norm")
    if tickets is None or norm is None or tickets < SPIKE_AT_LEAST or tickets < SPIKE_FACTOR * norm:
        return None
    detail = f"{plural(int(tickets), 'ticket')} in 30 days, normal is {number(norm)}."
    return Factor("risk", "Support spike", detail, "Support", "timeline")


def detractor(facts: ClientFacts) -> Factor | None:
    """The latest NPS is that of a detractor."""
    nps = facts.number("nps_latest")
    if nps is None or nps > DETRACTOR:
        return None
    return Factor("risk", f"NPS {number(nps)}", "Answers of 0 to 6 are detractors.", "Score", "components")


def renewal(facts: ClientFacts) -> Factor | None:
    """A renewal within RENEWAL_DAYS while health is under RENEWAL_SCORE or unknown."""
    days = facts.renewal_days
    if days is None or not 0 <= days <= RENEWAL_DAYS or (facts.score is not None and facts.score >= RENEWAL_SCORE):
        return None
    health = "no health score" if facts.score is None else f"health {facts.score}"
    status = "critical" if days <= RENEWAL_SOON_DAYS else "risk"
    return Factor(status, f"Renewal in {plural(days, 'day')}", f"With {health}.", "Contract", "contract")


def seats(facts: ClientFacts) -> Factor | None:
    """Under half of the licensed seats are used."""
    people, licensed = facts.number("mau"), facts.seats_licensed
    if people is None or not licensed or people / licensed >= SEAT_SHARE:
        return None
    detail = f"{plural(int(people), 'person', 'people')} active in 30 days on {licensed} seats."
    return Factor("monitor", f"{people / licensed:.0%} of the seats used", detail, "Usage", "usage")


def met(facts: ClientFacts) -> Factor | None:
    """Under half of the key contacts were met in 90 days."""
    share = facts.number("stakeholder_coverage_90d")
    if share is None or share >= MET_SHARE:
        return None
    title = "No key contact met" if share == 0 else f"{share:.0%} of key contacts met"
    return Factor("monitor", title, "In the last 90 days.", "Contacts", "contacts")


def thin_data(facts: ClientFacts) -> Factor | None:
    """The score rests on part of its weight."""
    if facts.score is None or facts.coverage is None or facts.coverage >= 0.995:
        return None
    missing = f"No data for {', '.join(facts.missing)}." if facts.missing else "The rest has no data."
    return Factor("monitor", f"Score rests on {facts.coverage:.0%} of its weight", missing, "Score", "components")


RULES: tuple[Callable[[ClientFacts], Factor | None], ...] = (
    payment, champion, usage, silence, renewal, key_people, urgent, spike, detractor, seats, met, thin_data,
)  # fmt: skip
