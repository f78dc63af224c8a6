"""Risk factors by rule (docs/reference/risk-factors.md), for pages and the API alike. Pure; no model writes here.

Every threshold of a rule stands here and nowhere else. A rule without its figure stays silent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bellwether.health.client_facts import ClientFacts, Part
from bellwether.web.formatting import day, number, percent, plural

USAGE_DROP, USAGE_COLLAPSE = -0.30, -0.50
QUIET_DAYS, VERY_QUIET_DAYS = 14, 30
CONTACT_DAYS, SILENT_DAYS, VERY_SILENT_DAYS = 30, 45, 90
LOGIN_DAYS = 14
LEFT_WITHIN_DAYS = 180
SCORE_DROP, SCORE_COLLAPSE = 10, 20
LOW_COMPONENT, WEAK_COMPONENT, NAMED_COMPONENTS = 40, 60, 2
SPIKE_FACTOR, SPIKE_AT_LEAST = 2.0, 3
DETRACTOR = 6
RENEWAL_DAYS, RENEWAL_SOON_DAYS = 90, 30
RENEWAL_RISK_SCORE, RENEWAL_SAFE_SCORE = 60, 80
SEAT_SHARE, FEATURE_SHARE, MET_SHARE = 0.5, 0.5, 0.5
FULL_COVERAGE = 0.995
AT_MOST = 6


class Severity(StrEnum):
    """How bad a finding is, worst first: the words of the interface's colours."""

    CRITICAL = "critical"
    RISK = "risk"
    MONITOR = "monitor"


PAYMENT_SEVERITY = {"late": Severity.RISK, "overdue": Severity.CRITICAL}
RANK = {severity: place for place, severity in enumerate(Severity)}


@dataclass(frozen=True)
class Finding:
    """A risk. `key` is stable, for programs; `headline` the finding, `detail` its figures, `step` what to do about it.

    `part` says where the figure stands.
    """

    key: str
    severity: Severity
    headline: str
    detail: str
    part: Part
    step: str = ""


def findings(facts: ClientFacts) -> list[Finding]:
    """Return all findings, worst first, in the order of RULES where equally bad; none for a client that has ended."""
    if facts.ended:
        return []
    found = [finding for rule in RULES if (finding := rule(facts)) is not None]
    return sorted(found, key=lambda finding: RANK[finding.severity])


def risk_factors(facts: ClientFacts) -> list[Finding]:
    """Return the findings to show, worst first, at most AT_MOST."""
    return findings(facts)[:AT_MOST]


def next_steps(facts: ClientFacts) -> list[str]:
    """Return what the risk factors call for, the most pressing first; empty when nothing does."""
    return [finding.step for finding in risk_factors(facts) if finding.step]


def no_score(facts: ClientFacts) -> Finding | None:
    """There is no score, and why."""
    if facts.score is not None:
        return None
    detail = facts.no_score_reason.strip().rstrip(".") or "No score has been made yet"
    return Finding("no_score", Severity.RISK, "No health score", f"{detail}.", Part.HEALTH)


def payment(facts: ClientFacts) -> Finding | None:
    """Payment late or overdue."""
    severity = PAYMENT_SEVERITY.get(facts.payment)
    if severity is None:
        return None
    step = f"Clear the {facts.payment} payment with the billing contact"
    return Finding(
        "payment_issue", severity, f"Payment {facts.payment}", "As the contract record says.", Part.CONTRACT, step
    )


def champion_left(facts: ClientFacts) -> Finding | None:
    """A champion who left in the last LEFT_WITHIN_DAYS."""
    for person in facts.people:
        if person.is_champion and person.left_on and (facts.today - person.left_on).days <= LEFT_WITHIN_DAYS:
            detail = f"{person.name} left on {day(person.left_on, facts.today)}."
            step = f"Find a new champion after {person.name}"
            return Finding("champion_left", Severity.CRITICAL, "Champion left", detail, Part.CONTACTS, step)
    return None


def decline(facts: ClientFacts) -> Finding | None:
    """A score that fell by the scorecard's trend rule, or by SCORE_DROP or more."""
    if facts.score is None or facts.change is None or facts.change >= 0:
        return None
    points = -facts.change
    if facts.trend != "DOWN" and points < SCORE_DROP:
        return None
    severity = (
        Severity.CRITICAL if points >= SCORE_COLLAPSE else Severity.RISK if points >= SCORE_DROP else Severity.MONITOR
    )
    headline = f"Health down {plural(points, 'point')} in {plural(facts.change_days, 'day')}"
    detail = f"From {facts.score + points} to {facts.score}."
    return Finding("health_decline", severity, headline, detail, Part.HEALTH)


def weak_components(facts: ClientFacts) -> Finding | None:
    """The weakest components under LOW_COMPONENT, else those under WEAK_COMPONENT; at most NAMED_COMPONENTS."""
    ranked = sorted((value, label) for label, value in facts.components if value < WEAK_COMPONENT)
    if not ranked:
        return None
    low = [item for item in ranked if item[0] < LOW_COMPONENT]
    named = [f"{label} {value}" for value, label in (low or ranked)[:NAMED_COMPONENTS]]
    headline = " and ".join([*named[:1], *(text[:1].lower() + text[1:] for text in named[1:])])
    severity = Severity.RISK if low else Severity.MONITOR
    return Finding("weak_components", severity, f"{headline} of 100", "The weakest parts of the score.", Part.SCORE)


def usage(facts: ClientFacts) -> Finding | None:
    """No usage for QUIET_DAYS, else daily people down by USAGE_DROP or more, 7 days against 30."""
    quiet, change = facts.quiet_days, facts.number("dau_change")
    if quiet is not None and quiet >= QUIET_DAYS:
        severity = Severity.CRITICAL if quiet >= VERY_QUIET_DAYS else Severity.RISK
        detail = f"The last event is of {day(facts.today - timedelta(days=quiet), facts.today)}."
        step = "Ask whether the product is still used, and whether its events still arrive"
        return Finding("usage_stopped", severity, f"No usage for {quiet} days", detail, Part.USAGE, step)
    if change is None or change > USAGE_DROP:
        return None
    now, before = facts.number("dau_avg_7d"), facts.number("dau_avg_30d")
    detail = "Average working day, 7 days against 30."
    if now is not None and before is not None:
        detail = f"{number(now)} people on an average working day in 7 days, {number(before)} in 30."
    severity = Severity.CRITICAL if change <= USAGE_COLLAPSE else Severity.RISK
    down = percent(abs(change))
    step = f"Schedule a call with the champion to understand why daily use fell by {down}"
    return Finding("usage_decline", severity, f"Usage down {down}", detail, Part.USAGE, step)


def silence(facts: ClientFacts) -> Finding | None:
    """No contact for CONTACT_DAYS or more."""
    days = facts.contact_days
    if days is None or days < CONTACT_DAYS:
        return None
    severity = Severity.MONITOR
    if days >= SILENT_DAYS:
        severity = Severity.CRITICAL if days >= VERY_SILENT_DAYS else Severity.RISK
    said = ", ".join(text for text in (facts.contact_label, day(facts.contact_on, facts.today)) if text)
    step = f"Get in touch: the last contact was {days} days ago"
    return Finding("no_recent_contact", severity, f"No contact for {days} days", f"Last: {said}.", Part.TIMELINE, step)


def renewal(facts: ClientFacts) -> Finding | None:
    """A renewal whose date has passed, or one within RENEWAL_DAYS while health is not safe or unknown."""
    days = facts.renewal_days
    if days is None or days > RENEWAL_DAYS:
        return None
    if days < 0:
        headline = f"Renewal {plural(-days, 'day')} overdue"
        step = "Settle the renewal, or record how it ended"
        return Finding("renewal_overdue", Severity.MONITOR, headline, "Its date has passed.", Part.CONTRACT, step)
    if facts.score is not None and facts.score >= RENEWAL_SAFE_SCORE:
        return None
    severity = Severity.MONITOR
    if facts.score is None or facts.score < RENEWAL_RISK_SCORE:
        severity = Severity.CRITICAL if days <= RENEWAL_SOON_DAYS else Severity.RISK
    health = "no health score" if facts.score is None else f"health {facts.score}"
    when = "today" if days == 0 else f"in {plural(days, 'day')}"
    step = f"Offer an executive business review before the renewal {when}"
    return Finding("renewal_approaching", severity, f"Renewal {when}", f"With {health}.", Part.CONTRACT, step)


def key_people(facts: ClientFacts) -> Finding | None:
    """Key contacts who have not logged in for LOGIN_DAYS."""
    keys = [person for person in facts.people if person.is_key and not person.left_on and person.login_days is not None]
    quiet = [person for person in keys if (person.login_days or 0) >= LOGIN_DAYS]
    if not quiet:
        return None
    champions = [person for person in quiet if person.is_champion]
    first = max(champions or quiet, key=lambda person: person.login_days or 0)
    others = len(keys) - len(quiet)
    rest = f" {plural(others, 'other key contact')} logged in since." if others else ""
    detail = f"{first.name} has not logged in for {first.login_days} days.{rest}"
    step = f"Schedule a call with {first.name} to understand reduced engagement"
    if champions:
        return Finding("champion_inactive", Severity.CRITICAL, "Champion inactive", detail, Part.CONTACTS, step)
    return Finding("key_contact_inactive", Severity.RISK, f"{first.role} inactive", detail, Part.CONTACTS, step)


def urgent(facts: ClientFacts) -> Finding | None:
    """Urgent tickets that are open."""
    tickets = sorted((t for t in facts.open_tickets if t.priority == "urgent"), key=lambda ticket: ticket.opened_on)
    if not tickets:
        return None
    subject = f"{tickets[0].subject}. " if tickets[0].subject else ""
    detail = f"{subject}Open since {day(tickets[0].opened_on, facts.today)}."
    headline = f"{plural(len(tickets), 'urgent ticket')} open"
    step = f"Press for a solution of the {plural(len(tickets), 'urgent ticket')}"
    return Finding("urgent_ticket", Severity.RISK, headline, detail, Part.SUPPORT, step)


def spike(facts: ClientFacts) -> Finding | None:
    """Tickets at SPIKE_FACTOR times the normal number or more, and at least SPIKE_AT_LEAST."""
    tickets, norm = facts.number("tickets_30d"), facts.number("tickets_norm")
    if tickets is None or norm is None or tickets < SPIKE_AT_LEAST or tickets < SPIKE_FACTOR * norm:
        return None
    detail = f"{plural(int(tickets), 'ticket')} in 30 days, normal is {number(norm)}."
    step = f"Review the {plural(int(tickets), 'support ticket')} of the last 30 days for unresolved issues"
    return Finding("support_spike", Severity.RISK, "Support spike", detail, Part.SUPPORT, step)


def detractor(facts: ClientFacts) -> Finding | None:
    """The latest NPS is that of a detractor."""
    nps = facts.number("nps_latest")
    if nps is None or nps > DETRACTOR:
        return None
    step = f"Follow up on the NPS answer of {number(nps)}"
    return Finding(
        "detractor", Severity.RISK, f"NPS {number(nps)}", "Answers of 0 to 6 are detractors.", Part.SCORE, step
    )


def seats(facts: ClientFacts) -> Finding | None:
    """Under SEAT_SHARE of the licensed seats are used."""
    people, licensed = facts.number("mau"), facts.seats_licensed
    if people is None or not licensed or people / licensed >= SEAT_SHARE:
        return None
    detail = f"{plural(int(people), 'person', 'people')} active in 30 days on {number(licensed)} seats."
    headline = f"{percent(people / licensed)} of the seats used"
    step = f"Plan a rollout: {int(people)} of {number(licensed)} seats are in use"
    return Finding("seats_unused", Severity.MONITOR, headline, detail, Part.USAGE, step)


def features(facts: ClientFacts) -> Finding | None:
    """Under FEATURE_SHARE of the licensed features are used."""
    used, licensed = facts.number("features_used"), facts.number("features_licensed")
    if used is None or not licensed or used / licensed >= FEATURE_SHARE:
        return None
    headline = f"{percent(used / licensed)} of the features used"
    detail = f"{int(used)} of {int(licensed)} licensed features."
    step = f"Plan a training: {int(used)} of {int(licensed)} licensed features are in use"
    return Finding("features_unused", Severity.MONITOR, headline, detail, Part.SCORE, step)


def met(facts: ClientFacts) -> Finding | None:
    """Under MET_SHARE of the key contacts were met in 90 days."""
    share = facts.number("stakeholder_coverage_90d")
    if share is None or share >= MET_SHARE:
        return None
    headline = "No key contact met" if share == 0 else f"{percent(share)} of key contacts met"
    step = "Meet the key contacts" + (f": {percent(share)} of them were met in 90 days" if share else "")
    return Finding("key_contacts_not_met", Severity.MONITOR, headline, "In the last 90 days.", Part.CONTACTS, step)


def thin_data(facts: ClientFacts) -> Finding | None:
    """The score rests on part of its weight."""
    if facts.score is None or facts.coverage is None or facts.coverage >= FULL_COVERAGE:
        return None
    missing = f"No data for {', '.join(facts.missing)}." if facts.missing else "The rest has no data."
    headline = f"Score rests on {percent(facts.coverage)} of its weight"
    return Finding("thin_data", Severity.MONITOR, headline, missing, Part.SCORE)


RULES: tuple[Callable[[ClientFacts], Finding | None], ...] = (
    no_score, champion_left, decline, weak_components, usage, payment, silence, renewal, key_people, urgent, spike,
    detractor, seats, features, met, thin_data,
)  # fmt: skip
