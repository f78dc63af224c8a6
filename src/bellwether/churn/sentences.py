"""What each feature of the churn model says of a client, in its own numbers, whichever way it goes. Pure.

A sentence is about the value alone, so the same value reads the same in every version of the model. Counts behind a
ratio are said where they are known and give that ratio; else the ratio is.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bellwether.churn.factors import FEATURES_BY_SLUG
from bellwether.health.measures import Unit
from bellwether.web.formatting import DASH, MINUS, number, percent, plural

NOT_KNOWN = "Not known"
LEVEL = 0.01
"""Changes of daily users by less than 1 % are called level."""
SEEN_LATELY_DAYS = 7
PAYMENT_WORDS = {0: "Paid on time", 1: "Payment late", 2: "Payment overdue"}
CHANGES = frozenset({"usage_change_month", "usage_change_week"})
SHARES = frozenset(
    {
        "seat_use",
        "stickiness",
        "people_lost_share",
        "lead_user_share",
        "feature_breadth",
        "feature_share_used",
        "stakeholder_coverage",
    }
)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Counts behind the ratios on the day of the prediction, None where they are not known.

    `tickets` and `usual_tickets` of 30 days, `people` active in 30 days of `seats`, `modules` licensed, `features_used`
    of `features_licensed`.
    """

    tickets: float | None = None
    usual_tickets: float | None = None
    people: float | None = None
    seats: float | None = None
    modules: int | None = None
    features_used: float | None = None
    features_licensed: float | None = None


NO_FACTS = Facts()


def facts_of(measures: Mapping[str, object], *, modules: int | None = None) -> Facts:
    """Return the counts that the measures of a day (health.measures) hold; `modules` is how many are licensed."""

    def value(slug: str) -> float | None:
        found = measures.get(slug)
        return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None

    return Facts(
        tickets=value("tickets_30d"),
        usual_tickets=value("tickets_norm"),
        people=value("mau"),
        seats=value("licensed_user_count"),
        modules=modules or None,
        features_used=value("features_used"),
        features_licensed=value("features_licensed"),
    )


def sentence(slug: str, value: float | None, facts: Facts | None = None) -> str:
    """Return what a feature's value says, a sentence without a full stop; "" where the value is unknown."""
    if value is None or math.isnan(value):
        return ""
    said = SENTENCES.get(slug)
    if said is not None:
        return said(value, facts or NO_FACTS)
    known = FEATURES_BY_SLUG.get(slug)
    return f"{known.label if known else slug}: {value_text(slug, value)}"


def value_text(slug: str, value: float | None) -> str:
    """Return a feature's value with its unit: "−40%", "21 days", "6"; "Not known" without one."""
    if value is None or math.isnan(value):
        return NOT_KNOWN
    if slug in CHANGES:
        moved = percent(abs(value - 1))
        return moved if moved == "0%" else f"{MINUS if value < 1 else '+'}{moved}"
    if slug in SHARES:
        return percent(value)
    if slug == "payment_late":
        return PAYMENT_WORDS.get(round(value), number(value))
    if slug == "renewal_signal":
        return percent(value / 100)
    unit = FEATURES_BY_SLUG[slug].unit if slug in FEATURES_BY_SLUG else None
    match unit:
        case Unit.DAYS:
            return f"{number(value)} {'day' if value == 1 else 'days'}"
        case Unit.PERCENT:
            return f"{number(value)}%"
        case Unit.RATIO:
            return f"{value:.2f}".replace("-", MINUS)
        case _:
            return number(value)


def _change(against: str, days: str) -> Callable[[float, Facts], str]:
    def said(value: float, _: Facts) -> str:
        if value <= 0:
            return f"Nobody used it in {days}"
        moved = value - 1
        if abs(moved) < LEVEL:
            return f"Daily users level with their {against} average"
        return f"Daily users {'down' if moved < 0 else 'up'} {percent(abs(moved))} on their {against} average"

    return said


def _quiet(quiet: str, seen: str) -> Callable[[float, Facts], str]:
    """Return the sentences of days since something: `quiet` with the number of days, `seen` for the last week."""

    def said(value: float, _: Facts) -> str:
        days = round(value)
        if days >= SEEN_LATELY_DAYS:
            return quiet.format(plural(days, "day"))
        return f"{seen} " + ("up to the last day" if days <= 0 else f"{plural(days, 'day')} ago")

    return said


def _counted(used: float | None, of: float | None, share: float, text: str, otherwise: str) -> str:
    """Return the counts where they give the share that the model saw (to half a percent point), else the share."""
    if used is not None and of and abs(used / of - share) < 0.005:
        return text.format(number(used), number(of))
    return otherwise.format(percent(share))


def _tickets(value: float, facts: Facts) -> str:
    tickets, usual = facts.tickets, facts.usual_tickets
    if tickets is not None and usual is not None and abs((tickets + 1) / (usual + 1) - value) < 0.005 * max(1, value):
        return f"{plural(round(tickets), 'ticket')} in 30 days, {number(usual)} {'is' if usual == 1 else 'are'} usual"
    if abs(value - 1) < 0.05:
        return "About as many tickets in 30 days as usual"
    return f"{'More' if value > 1 else 'Fewer'} tickets in 30 days than usual"


def _modules(value: float, facts: Facts) -> str:
    used = round(value * facts.modules) if facts.modules else None
    return _counted(used, facts.modules, value, "{} of {} licensed modules in use", "{} of the licensed modules in use")


def _seats(value: float, facts: Facts) -> str:
    return _counted(facts.people, facts.seats, value, "{} of {} seats in use", "{} of the seats in use")


def _features(value: float, facts: Facts) -> str:
    used, of = facts.features_used, facts.features_licensed
    return _counted(used, of, value, "{} of {} licensed features in use", "{} of the licensed features in use")


def _daily(value: float, _: Facts) -> str:
    if value <= 0:
        return "Nobody used it in 30 days"
    people = number(value)
    return f"{people} {'person' if people == '1' else 'people'} on an average day"


def _key_contacts(value: float, _: Facts) -> str:
    left = round(value)
    return f"{plural(left, 'key contact')} left in 180 days" if left else "No key contact left in 180 days"


def _lost(value: float, _: Facts) -> str:
    return f"{percent(value)} of the people stopped in 30 days" if value > 0 else "Nobody stopped in 30 days"


def _open(value: float, _: Facts) -> str:
    return plural(round(value), "open ticket") if value > 0 else "No open ticket"


def _met(value: float, _: Facts) -> str:
    if value <= 0:
        return "No key contact met in 90 days"
    return "All key contacts met in 90 days" if value >= 1 else f"{percent(value)} of the key contacts met in 90 days"


def _renewal(value: float, _: Facts) -> str:
    days = round(value)
    if days < 0:
        return f"The term ended {plural(-days, 'day')} ago"
    return f"The term ends in {plural(days, 'day')}" if days else "The term ends today"


def _tenure(value: float, _: Facts) -> str:
    days = round(value)
    if days < 60:
        return f"A client for {plural(days, 'day')}"
    months = int(days / 30.44)
    return f"A client for {plural(months, 'month') if months < 24 else plural(months // 12, 'year')}"


def _season(_: float, __: Facts) -> str:
    return "The time of year"


SENTENCES: Mapping[str, Callable[[float, Facts], str]] = {
    "usage_change_month": _change("90-day", "30 days"),
    "usage_change_week": _change("30-day", "7 days"),
    "seat_use": _seats,
    "stickiness": lambda value, _: f"{percent(value)} of the month's users on an average day",
    "daily_users": _daily,
    "days_since_use": _quiet("Not used for {}", "Last used"),
    "days_since_login": _quiet("No login for {}", "Last login"),
    "champion_quiet_days": _quiet("Champion not seen for {}", "Champion seen"),
    "key_contacts_left": _key_contacts,
    "lead_user_quiet_days": _quiet("Leading user not seen for {}", "Leading user seen"),
    "people_lost_share": _lost,
    "lead_user_share": lambda value, _: f"{percent(value)} of the work done by one person",
    "feature_breadth": _modules,
    "feature_share_used": _features,
    "ticket_ratio": _tickets,
    "open_tickets": _open,
    "csat_90d": lambda value, _: f"CSAT {number(value)}% in 90 days",
    "nps_latest": lambda value, _: f"NPS {number(value)}",
    "days_since_contact": _quiet("No contact for {}", "Last contact"),
    "stakeholder_coverage": _met,
    "days_to_renewal": _renewal,
    "payment_late": lambda value, _: PAYMENT_WORDS.get(round(value), DASH),
    "renewal_signal": lambda value, _: f"Renewal opportunity at {percent(value / 100)}",
    "licensed_users": lambda value, _: plural(round(value), "licensed user"),
    "tenure_days": _tenure,
    "season_cos": _season,
    "season_sin": _season,
}
"""The sentence of each feature by slug, from its value and the counts behind it."""
