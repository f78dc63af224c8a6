"""What is wrong with the data, what that means for scores, and what to do: findings, the worst first. Pure.

Thresholds stand in usage.quality_thresholds; what the findings rest on in usage.quality_facts.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bellwether.usage import quality_thresholds as limit
from bellwether.usage.quality_facts import FILE, SENT, TABLE, Facts
from bellwether.usage.quality_finding import SEVERITIES, Finding, counted, finding
from bellwether.usage.quality_names import UNUSED, name_findings, name_states
from bellwether.usage.quality_pipeline import pipeline_findings
from bellwether.usage.quality_rejects import advice
from bellwether.usage.quality_sources import SourceState, source_state
from bellwether.web.formatting import days_ago, number, percent, plural


@dataclass(frozen=True, kw_only=True)
class Quality:
    """The state of the data: a verdict in one sentence, the findings, worst first, and the state of each source."""

    severity: str
    verdict: str
    findings: tuple[Finding, ...]
    sources: tuple[SourceState, ...]
    facts: Facts

    @property
    def is_empty(self) -> bool:
        """Whether nothing has ever arrived."""
        return not self.facts.sources and not self.facts.names

    @property
    def unused_names(self) -> int:
        """How many names of events nothing uses and nobody set aside."""
        states = name_states(self.facts.names, self.facts.uses, self.facts.ignored)
        return sum(one.state == UNUSED for one in states)


def assess(facts: Facts, *, more: Sequence[Finding] = ()) -> Quality:
    """Return the quality of the data that `facts` describe; `more` are findings of packages above this one."""
    states = tuple(source_state(source, now=facts.now, today=facts.today) for source in facts.sources)
    found = [*more, *(one for rule in RULES for one in rule(facts, states))]
    found.sort(key=lambda one: (SEVERITIES.index(one.severity), -(one.clients or 0), -(one.events or 0), one.key))
    quality = Quality(severity="", verdict="", findings=tuple(found), sources=states, facts=facts)
    severity, verdict = _verdict(quality)
    return replace(quality, severity=severity, verdict=verdict)


def _verdict(quality: Quality) -> tuple[str, str]:
    if quality.is_empty:
        return "na", "Nothing has arrived yet: no events were sent or imported."
    counts = {word: sum(one.severity == word for one in quality.findings) for word in SEVERITIES}
    worst = next((one for one in quality.findings if one.severity in ("critical", "risk")), None)
    if counts["critical"] and worst:
        return "critical", f"Do not trust scores until this is solved: {_lower(worst.title)}."
    if worst:
        rest = counts["risk"] - 1
        more = f", and {plural(rest, 'other finding')} to look at soon" if rest else ""
        return "risk", f"Scores may be off: {_lower(worst.title)}{more}."
    if counts["monitor"]:
        return "monitor", f"Events arrive as they should. {plural(counts['monitor'], 'thing')} could be better."
    return "healthy", "Events arrive as they should, and all of them can be used."


def _lower(title: str) -> str:
    first, _, rest = title.partition(" ")
    return f"{first.lower()} {rest}" if first.istitle() else title


def _silent(facts: Facts, states: Sequence[SourceState]) -> Iterator[Finding]:
    sending = [one for one in states if one.kind in (SENT, TABLE)]
    for state in states:
        if not state.is_silent or state.last_received_at is None:
            continue
        alone = len(sending) == 1
        long = state.silent_days >= limit.SILENT_CRITICAL_DAYS
        hours = (facts.now - state.last_received_at).total_seconds() / 3600
        age = f"{hours:.0f} hours" if hours < 48 else plural(int(hours // 24), "day")
        yield finding(
            f"silent:{state.name}",
            "critical" if long or alone else "risk",
            f"Nothing has arrived from {state.name} for {age}",
            "Clients who use the product through it look idle, and their usage scores fall although nothing changed.",
            "Ask the team that runs it whether the SDK still sends and whether the write key is still the right one.",
            "sources",
            source=state.name,
        )


def _stale(facts: Facts, states: Sequence[SourceState]) -> Iterator[Finding]:
    newest = max((one.last for one in facts.names), default=None)
    if newest is None or any(one.is_silent for one in states):
        return
    days = (facts.today - newest).days
    if days >= limit.STALE_DAYS:
        yield finding(
            "stale",
            "risk",
            f"The newest usage of any client is {plural(days, 'day')} old",
            "Scores assume that everybody stayed away since then.",
            "Import newer events, or let the product send them.",
            "sources",
        )


def _tables(facts: Facts, states: Sequence[SourceState]) -> Iterator[Finding]:
    for state in states:
        if state.kind == TABLE and state.error:
            yield finding(
                f"table:{state.name}",
                "risk",
                f"The warehouse table {state.name} cannot be read",
                "Its newest events are missing from usage, so its clients look less active than they are.",
                f"Check the connection. The last error was: {state.error[:200]}",
                "sources",
                source=state.name,
            )
        elif state.kind == TABLE:
            yield from _unread(facts, state)


def _unread(facts: Facts, state: SourceState) -> Iterator[Finding]:
    since = state.last_received_at or next((one.created_at for one in facts.sources if one.name == state.name), None)
    if since is not None and facts.now - since > timedelta(hours=limit.SILENT_HOURS):
        yield finding(
            f"unread:{state.name}",
            "risk",
            f"The warehouse table {state.name} was not read for {plural((facts.now - since).days, 'day')}",
            "Its newest events are missing from usage, so its clients look less active than they are.",
            "Check that a worker is running: bellwether serve or bellwether worker.",
            "sources",
            source=state.name,
        )


def _unusual(facts: Facts, states: Sequence[SourceState]) -> Iterator[Finding]:
    for state in states:
        if not state.is_unusual or state.is_silent or state.usual is None:
            continue
        fewer = state.yesterday < state.usual
        what = f"{number(state.yesterday)} events yesterday, {number(round(state.usual))} are usual for that weekday"
        yield finding(
            f"volume:{state.name}",
            "risk" if fewer else "monitor",
            f"{state.name} sent far {'fewer' if fewer else 'more'} events than usual",
            f"{what}. " + ("Usage scores may fall for no reason of the clients."
                           if fewer else "Usage scores may rise for no reason of the clients."),
            "Ask whether something was released or tested. After a mistake, recount the days once it is corrected.",
            "sources",
            events=abs(state.yesterday - round(state.usual)),
            source=state.name,
        )  # fmt: skip


def _shares(facts: Facts, states: Sequence[SourceState]) -> Iterator[Finding]:
    for state in states:
        for rule in (_late, _duplicates, _unassigned, _userless, _ahead):
            found = rule(state)
            if found:
                yield found


def _late(state: SourceState) -> Finding | None:
    share = state.late_share or 0
    if state.kind != SENT or share < limit.LATE_SHARE:
        return None
    return finding(
        f"late:{state.name}",
        "risk" if share >= limit.VERY_LATE_SHARE else "monitor",
        f"{percent(share)} of the events of {state.name} arrive more than a day late",
        "The scores of the last days are made before all of their usage is known, and change afterwards.",
        "Let the sender flush its queue more often, for instance when the app is closed.",
        "sources",
        events=round(share * state.week),
        source=state.name,
    )


def _duplicates(state: SourceState) -> Finding | None:
    share = state.duplicate_share or 0
    if state.kind == FILE or share < limit.DUPLICATE_SHARE:
        return None
    return finding(
        f"duplicates:{state.name}",
        "risk" if share >= limit.HIGH_DUPLICATE_SHARE else "monitor",
        f"{percent(share)} of what {state.name} sends was sent before",
        "Nothing is counted twice: repetitions are dropped. But a sender that repeats so much may be losing the rest.",
        "Check that it takes a 200 for an answer and that its queue is not sent from several places.",
        "sources",
        source=state.name,
    )


def _unassigned(state: SourceState) -> Finding | None:
    share = state.unassigned_share or 0
    if share < limit.UNASSIGNED_SHARE:
        return None
    return finding(
        f"unassigned:{state.name}",
        "risk" if share >= limit.HIGH_UNASSIGNED_SHARE else "monitor",
        f"{percent(share)} of the events of {state.name} name no account",
        "They belong to no client and are in no score until the account of their user becomes known.",
        "Let the sender call group with the client's organization id once, right after the user signs in.",
        "identity",
        events=round(share * state.week),
        source=state.name,
    )


def _userless(state: SourceState) -> Finding | None:
    share = state.userless_share or 0
    if share < limit.USERLESS_SHARE:
        return None
    return finding(
        f"userless:{state.name}",
        "monitor",
        f"{percent(share)} of the events of {state.name} name no user",
        "They count as activity, but for no active user: seat use and daily users come out too low.",
        "Send the user's id with each event. Work of servers for nobody in particular may stay as it is.",
        "identity",
        events=round(share * state.week),
        source=state.name,
    )


def _ahead(state: SourceState) -> Finding | None:
    share = state.ahead_share or 0
    if share < limit.AHEAD_SHARE:
        return None
    return finding(
        f"ahead:{state.name}",
        "monitor",
        f"{percent(share)} of the events of {state.name} claim to lie in the future",
        "They are counted at the time that they were received, which may be the wrong day.",
        "Send the time at which the event happened as timestamp, and the clock's time at sending as sentAt.",
        "sources",
        events=round(share * state.week),
        source=state.name,
    )


def _rejects(facts: Facts, states: Sequence[SourceState]) -> Iterator[Finding]:
    for state in states:
        share = state.reject_share or 0
        if share < limit.REJECT_SHARE or not state.rejected:
            continue
        reasons = sorted((one for one in facts.rejects if one.source == state.name), key=lambda one: -one.count)
        what = advice(reasons[0].reason) if reasons else None
        severity = "critical" if share >= limit.CRITICAL_REJECT_SHARE else "monitor"
        yield finding(
            f"rejects:{state.name}",
            "risk" if limit.HIGH_REJECT_SHARE <= share < limit.CRITICAL_REJECT_SHARE else severity,
            f"{percent(share, 1)} of the events of {state.name} cannot be used",
            "What they tell is missing from usage and from scores." + (f" Most often: {what.what}." if what else ""),
            what.change if what else "Look into the rejected events.",
            "rejects",
            events=state.rejected,
            items=[f"{one.reason}: {number(one.count)}" for one in reasons[: limit.SHOWN]],
            source=state.name,
        )


def _keys(facts: Facts, states: Sequence[SourceState]) -> Iterator[Finding]:
    unused = [
        one.name for one in facts.sources
        if one.key == "working" and not one.days and one.last_received_at is None
        and one.created_at is not None and facts.now - one.created_at > limit.NEW_KEY
    ]  # fmt: skip
    if unused:
        yield finding(
            "unused_keys",
            "monitor",
            f"{plural(len(unused), 'source')} with a write key never sent anything",
            "If its events are expected, they are missing from every score.",
            "Put the write key into the sender, or revoke the key.",
            "sources",
            items=unused,
        )


def _clients(facts: Facts, states: Sequence[SourceState]) -> Iterator[Finding]:
    if not facts.names:
        return
    never = [one for one in facts.clients if one.last is None]
    quiet = [one for one in facts.clients if one.last and (facts.today - one.last).days >= limit.SILENT_CLIENT_DAYS]
    some_recent = any(one.last and (facts.today - one.last).days < limit.SILENT_CLIENT_DAYS for one in facts.clients)
    if never:
        yield finding(
            "clients_never",
            "monitor",
            f"{plural(len(never), 'client')} never had an event",
            "Usage and adoption cannot be scored for them; their scores rest on what is left, or there is none.",
            "Compare their organization id with the account that the product sends: mostly they differ in a letter.",
            "clients",
            clients=len(never),
            items=[one.name for one in never],
        )
    if quiet and some_recent:
        yield finding(
            "clients_quiet",
            "monitor",
            f"{plural(len(quiet), 'client')} had no event for {limit.SILENT_CLIENT_DAYS} days while others do",
            "Either nobody there uses the product any more, or their events go elsewhere. Scores assume the first.",
            "Ask the client success manager. If the account got another id, change the sender or the client.",
            "clients",
            clients=len(quiet),
            items=[f"{one.name}, last {days_ago((facts.today - one.last).days)}" for one in quiet if one.last],
        )
    if facts.strangers:
        events = sum(one.events for one in facts.strangers)
        yield finding(
            "strangers",
            "monitor",
            counted(len(facts.strangers), "organization", "in the events is no client", "in the events are no clients"),
            "Their usage is kept and counted, but shown nowhere, because no client has that organization id.",
            "Import them as clients, or correct the organization id of the client that they are.",
            "strangers",
            events=events,
            items=[f"{one.organization_id}: {plural(one.events, 'event')}" for one in facts.strangers],
        )


def _people(facts: Facts, states: Sequence[SourceState]) -> Iterator[Finding]:
    people = facts.people
    if people.users and people.in_several / people.users >= limit.SEVERAL_SHARE:
        yield finding(
            "several",
            "info",
            counted(people.in_several, "user", "acts", "act") + " in more than one organization",
            "They count as a user of each. That is right for staff of partners and wrong for your own colleagues.",
            "Leave your own staff out at the sender, or mark them with is_service.",
            "identity",
        )
    if facts.service_share is not None and facts.service_share >= limit.SERVICE_SHARE:
        yield finding(
            "services",
            "info",
            f"{percent(facts.service_share)} of the events come from service users",
            "They are kept, but count for no person: active users and health do not see them.",
            "Check BELLWETHER_SERVICE_USER_PATTERN if people are among them.",
            "identity",
        )


RULES: tuple[Callable[[Facts, Sequence[SourceState]], Iterator[Finding]], ...] = (
    _silent, _stale, _tables, _unusual, _shares, _rejects, _keys, _clients, _people, name_findings, pipeline_findings,
)  # fmt: skip
