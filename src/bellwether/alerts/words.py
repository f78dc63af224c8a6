"""What an alert says: a short title and a sentence with the client's own numbers, and what joins alerts. Pure.

The numbers come from an episode's `evidence`; where one is missing, the sentence says what is known.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from bellwether.alerts.defaults import KIND
from bellwether.alerts.reconciling import Episode
from bellwether.web.formatting import full_day, number, percent, plural

Evidence = Mapping[str, Any]
ROLES = {"CHAMPION": "Champion", "EXECUTIVE_SPONSOR": "Sponsor", "ADMIN": "Admin"}
TOGETHER_DAYS = 45
"""Alerts that began further apart than this are not put down to one cause."""

PEOPLE, SUPPORT, USE, COMMERCIAL = "people", "support", "use", "commercial"
CAUSES: Mapping[str, str] = {
    PEOPLE: "The people who drive it fell silent",
    SUPPORT: "Trouble with support",
    USE: "Less use",
    COMMERCIAL: "Contract and payment",
}
"""What joins alerts of a client, by Alert.root_cause."""

OWN_CAUSE: Mapping[str, str] = {
    "KEY_USER_INACTIVE": PEOPLE,
    "CHAMPION_RISK": PEOPLE,
    "SUPPORT_SPIKE": SUPPORT,
    "NPS_DETRACTOR": SUPPORT,
    "USAGE_DECLINE": USE,
    "FEATURE_ABANDONED": USE,
    "CONTRACT_UTILIZATION_LOW": USE,
    "RENEWAL_APPROACHING": COMMERCIAL,
    "PAYMENT_ISSUE": COMMERCIAL,
}
HEALTH = ("CRITICAL_HEALTH", "HEALTH_DROP")
STRONGEST = (PEOPLE, SUPPORT, USE, COMMERCIAL)
"""Causes in the order in which a fall of the score is put down to them: people who leave take their use with them."""


class Words(NamedTuple):
    """A title without a full stop, and one or two sentences."""

    title: str
    description: str


def title(episode: Episode, name: str = "") -> str:
    """Return what an episode says in a few words, such as "Health fell 11 points in 7 days". `name` is that of the
    contact that it is about; of a contract, what happens when it ends; empty where nothing is known."""
    return words(episode, name).title


def description(episode: Episode, name: str = "") -> str:
    """Return what an episode says with its numbers: "Health fell 11 points in 7 days, from 69 to 58."."""
    return words(episode, name).description


def words(episode: Episode, name: str = "") -> Words:
    """Return title and description of an episode."""
    found = _WRITERS[episode.alert_type](episode, episode.evidence, name)
    again = "" if episode.times_fired < 2 else f" Fired {episode.times_fired} times since {_day(episode.opened_on)}."
    return Words(found.title, f"{found.description}{again}")


def _health_drop(episode: Episode, evidence: Evidence, name: str) -> Words:
    before, after = _number(evidence, "from"), _number(evidence, "to")
    days = _count(evidence, "days") or 7
    if before is None or after is None:
        return _plain(episode)
    head = f"Health fell {plural(round(before - after), 'point')}"
    span = f", from {number(before)} to {number(after)}"
    if (episode.last_fired_on - episode.opened_on).days >= days:
        return Words(head, f"{head}{span}, since {_day(episode.opened_on)}.")
    return Words(f"{head} in {plural(days, 'day')}", f"{head} in {plural(days, 'day')}{span}.")


def _critical(episode: Episode, evidence: Evidence, name: str) -> Words:
    score, below = _number(evidence, "score"), _number(evidence, "below")
    head = "Status is critical"
    if score is None:
        return Words(head, f"{head}.")
    limit = "" if below is None else f", the band ends at {number(below)}"
    return Words(f"{head} at {number(score)}", f"{head}: health is {number(score)}{limit}.")


def _key_user(episode: Episode, evidence: Evidence, name: str) -> Words:
    days, last = _count(evidence, "days"), _date(evidence, "last_login")
    who = _who(evidence, name, "A key user")
    since = "" if last is None else f", last on {_day(last)}"
    if days is None:
        return Words(f"{who} has not logged in", f"{who} has not logged in{since}.")
    head = f"{who} has not logged in for {plural(days, 'day')}"
    return Words(head, f"{head} or more{since}." if _runs(episode) else f"{head}{since}.")


def _champion(episode: Episode, evidence: Evidence, name: str) -> Words:
    who = _who({"role": "CHAMPION"}, name, "The champion")
    if evidence.get("left") is True:
        on = _date({"on": episode.value.removeprefix("left on ")}, "on")
        return Words(f"{who} left the company", f"{who} left the company{f' on {_day(on)}' if on else ''}.")
    now, before, days = _number(evidence, "actions"), _number(evidence, "actions_before"), _count(evidence, "days")
    if now is None or not before or not days:
        return _plain(episode)
    did = f"{who} did {plural(round(now), 'action')} in {plural(days, 'day')}"
    return Words(f"{who} does {percent(now / before)} of what they did", f"{did}, down from {number(before)}.")


def _support(episode: Episode, evidence: Evidence, name: str) -> Words:
    tickets, normal = _count(evidence, "tickets_7d"), _number(evidence, "weekly")
    if tickets is None:
        return _plain(episode)
    head = f"{plural(tickets, 'ticket')} in 7 days"
    return Words(head, f"{head}." if normal is None else f"{head}, normal is {_short(normal)}.")


def _usage(episode: Episode, evidence: Evidence, name: str) -> Words:
    change = _number(evidence, "change")
    if change is None:
        return _plain(episode)
    head = f"Daily users fell {percent(abs(change))}"
    now, before = _number(evidence, "average_7d"), _number(evidence, "average_30d")
    if now is None or before is None:
        return Words(head, f"{head}.")
    return Words(head, f"{head}: {_short(now)} a day over 7 days, {_short(before)} over 30.")


def _feature(episode: Episode, evidence: Evidence, name: str) -> Words:
    feature = str(evidence.get("feature") or name or episode.related_id or "A feature")
    days, last = _count(evidence, "days"), _date(evidence, "last_used")
    head = f"{feature} unused" if days is None else f"{feature} unused for {plural(days, 'day')}"
    used = "" if last is None else f", last used on {_day(last)}"
    return Words(head, f"{head}{' or more' if _runs(episode) else ''}{used}. It was in active use.")


def _renewal(episode: Episode, evidence: Evidence, name: str) -> Words:
    days, on = _count(evidence, "days"), _date(evidence, "renews_on")
    if days is None or on is None:
        return _plain(episode)
    head = f"Renewal within {plural(days, 'day')}"
    return Words(head, f"{head}, on {_day(on)}.{f' {name}' if name else ''}")


def _contract(episode: Episode, evidence: Evidence, name: str) -> Words:
    share, days = _number(evidence, "share"), _count(evidence, "days")
    active, seats = _count(evidence, "active"), _count(evidence, "seats")
    if share is None or days is None:
        return _plain(episode)
    head = f"{percent(share / 100)} of licensed seats used"
    held = "" if active is None or seats is None else f": {number(active)} of {number(seats)}"
    return Words(head, f"{head}{held}, for {plural(days, 'day')} {episode.threshold.partition(' for ')[0]}.")


def _nps(episode: Episode, evidence: Evidence, name: str) -> Words:
    score, on = _number(evidence, "score"), _date(evidence, "answered_on")
    if score is None:
        return _plain(episode)
    head = f"NPS answer of {number(score)}{f' from {name}' if name else ''}"
    return Words(head, f"{head}{f', on {_day(on)}' if on else ''}.")


def _payment(episode: Episode, evidence: Evidence, name: str) -> Words:
    head = f"Payment is {str(evidence.get('status') or episode.value or 'late').lower()}"
    return Words(head, f"{head}, first seen on {_day(episode.opened_on)}.")


def _runs(episode: Episode) -> bool:
    """Whether the condition held on later days, too, so that its span is longer than when it opened."""
    return episode.last_fired_on > episode.opened_on


_WRITERS: Mapping[str, Callable[[Episode, Evidence, str], Words]] = {
    "HEALTH_DROP": _health_drop,
    "CRITICAL_HEALTH": _critical,
    "KEY_USER_INACTIVE": _key_user,
    "CHAMPION_RISK": _champion,
    "SUPPORT_SPIKE": _support,
    "USAGE_DECLINE": _usage,
    "FEATURE_ABANDONED": _feature,
    "RENEWAL_APPROACHING": _renewal,
    "CONTRACT_UTILIZATION_LOW": _contract,
    "NPS_DETRACTOR": _nps,
    "PAYMENT_ISSUE": _payment,
}


def _plain(episode: Episode) -> Words:
    """Say what is known where the numbers of a sentence are not."""
    head = KIND[episode.alert_type].name
    value = f": {episode.value}" if episode.value else ""
    limit = f", threshold is {episode.threshold}" if episode.value and episode.threshold else ""
    return Words(f"{head}{value}", f"{head}{value}{limit}.")


def root_causes(alerts: Iterable[tuple[str, str, str, date, Evidence]]) -> dict[str, str]:
    """Return the cause (a key of CAUSES) of each alert that shares it with another one of its client; others are left
    out. Alerts are (id, client, type, day on which it began, evidence).

    A fall of the score is put down to the component that moved it most where the evidence names one (`component`),
    otherwise to the strongest cause (STRONGEST) that another alert of the client speaks for. People who fell silent
    explain less use that began within TOGETHER_DAYS of it.
    """
    of_client: dict[str, list[tuple[str, str, date, Evidence]]] = defaultdict(list)
    for identity, client, kind, day, evidence in alerts:
        of_client[client].append((identity, kind, day, evidence))
    found: dict[str, str] = {}
    for own in of_client.values():
        found |= _causes_of_client(own)
    return found


_COMPONENTS: Mapping[str, str] = {
    **dict.fromkeys(("usage", "adoption", "login", "loginFrequency", "featureAdoption", "activity", "recency"), USE),
    **dict.fromkeys(("clientActivity", "campaignCompletion", "formCompletionRate", "journeyPerformance"), USE),
    **dict.fromkeys(("support", "supportTickets", "outcome"), SUPPORT),
    "relationship": PEOPLE,
    "contract": COMMERCIAL,
}
"""The cause that a component of a scorecard speaks for."""


def _causes_of_client(own: list[tuple[str, str, date, Evidence]]) -> dict[str, str]:
    if len(own) < 2:
        return {}
    causes = {identity: OWN_CAUSE[kind] for identity, kind, _, _ in own if kind in OWN_CAUSE}
    days = {identity: day for identity, _, day, _ in own}
    for identity, cause in list(causes.items()):
        if cause == USE and _near(PEOPLE, days[identity], causes, days):
            causes[identity] = PEOPLE
    for identity, kind, day, evidence in own:
        if kind in HEALTH:
            named = _COMPONENTS.get(str(evidence.get("component") or ""))
            wanted = STRONGEST if named is None else (PEOPLE, USE) if named == USE else (named,)
            present = [cause for cause in wanted if _near(cause, day, causes, days)]
            causes[identity] = present[0] if present else named or ""
    counts: dict[str, int] = defaultdict(int)
    for cause in causes.values():
        counts[cause] += 1
    return {identity: cause for identity, cause in causes.items() if cause and counts[cause] > 1}


def _near(cause: str, day: date, causes: Mapping[str, str], days: Mapping[str, date]) -> bool:
    return any(one == cause and abs((days[identity] - day).days) <= TOGETHER_DAYS for identity, one in causes.items())


def _who(evidence: Evidence, name: str, otherwise: str) -> str:
    role = ROLES.get(str(evidence.get("role") or ""))
    if name and role:
        return f"{role} {name}"
    return name or role or otherwise


def _number(evidence: Evidence, key: str) -> float | None:
    value = evidence.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _count(evidence: Evidence, key: str) -> int | None:
    value = _number(evidence, key)
    return None if value is None else round(value)


def _date(evidence: Evidence, key: str) -> date | None:
    try:
        return date.fromisoformat(str(evidence.get(key)))
    except ValueError:
        return None


def _day(value: date) -> str:
    return full_day(value)


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
