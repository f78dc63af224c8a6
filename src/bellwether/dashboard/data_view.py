"""The page about the data as plain values: what its tables and figures say. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bellwether.usage.quality import Quality
from bellwether.usage.quality_facts import FILE, JobFacts, RejectFacts, Stranger
from bellwether.usage.quality_finding import Finding
from bellwether.usage.quality_names import IGNORED, UNUSED, USED, NameState, Unseen, name_states, nearest, unseen_events
from bellwether.usage.quality_rejects import advice
from bellwether.usage.quality_sources import SourceState
from bellwether.usage.quality_thresholds import SILENT_CLIENT_DAYS
from bellwether.usage.quality_words import KINDS, SEVERITIES, count_text, lag_text
from bellwether.usage.source_tally import lag_quantile, merged_lags
from bellwether.web.formatting import Spark, day, moment, number, percent, plural, spark

CLIENTS_SHOWN = 100
NAMES_PER_PAGE = 25
UNSEEN = "unseen"
JOB_NAMES = {"flush": "Store received events", "rollup": "Count days", "score": "Score clients"}


@dataclass(frozen=True)
class Figure:
    """A key figure; `href` leads to what it is made of."""

    label: str
    value: str
    note: str
    href: str


@dataclass(frozen=True)
class FindingRow:
    """A finding with its word, and where the page shows more."""

    finding: Finding
    word: str
    href: str
    link: str


@dataclass(frozen=True)
class SourceRow:
    """A source's row of the table."""

    state: SourceState
    kind: str
    line: Spark | None
    line_text: str
    last: str
    lag: str
    lag_p95: str
    duplicates: str
    rejected: str
    status: str
    status_text: str


@dataclass(frozen=True)
class RejectRow:
    """Why events of a source were rejected, how often in 7 days, and what the sender should change."""

    reason: str
    source: str
    count: int
    newest: str
    what: str
    change: str


@dataclass(frozen=True)
class NameTab:
    """A group of names of events, with its size."""

    key: str
    text: str
    count: int
    current: bool


@dataclass(frozen=True)
class NamePage:
    """The names of the chosen group that contain `search`, one page of them."""

    tabs: tuple[NameTab, ...]
    rows: tuple[NameState, ...]
    unseen: tuple[Unseen, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True)
class SilentClient:
    """A client without events; `perhaps` is an organization of the events that its id is like, "" if none is."""

    id: str
    name: str
    organization_id: str
    last: str
    perhaps: str


@dataclass(frozen=True)
class JobRow:
    """How a job of the pipeline is doing."""

    name: str
    text: str
    began: str
    took: str
    did: str
    error: str


ANCHORS = {
    "sources": ("#sources", "Show sources"),
    "rejects": ("#rejects", "Show rejected events"),
    "names": ("#names", "Show names"),
    "clients": ("#clients", "Show clients"),
    "strangers": ("#strangers", "Show organizations"),
    "identity": ("#identity", "Show identity"),
    "pipeline": ("#pipeline", "Show pipeline"),
}


def key_figures(quality: Quality, *, now: datetime, zone: ZoneInfo) -> list[Figure]:
    """Return the figures at the top of the page."""
    states = quality.sources
    sending = [one for one in states if one.kind != FILE]
    today = sum(one.today for one in states)
    newest = max((one.last_received_at for one in states if one.last_received_at), default=None)
    lags = merged_lags(
        tally.lags
        for source in quality.facts.sources
        if source.kind != FILE
        for at, tally in source.days.items()
        if 0 <= (quality.facts.today - at).days < 7
    )
    received = sum(one.week + one.duplicates for one in states)
    rejected = sum(one.rejected for one in states)
    share = rejected / (received + rejected) if received + rejected else None
    usual = [one.usual for one in sending if one.usual is not None]
    yesterday = f"{number(sum(one.yesterday for one in states))} yesterday" if states else ""
    active = sum(not one.is_silent and not one.error and one.week > 0 for one in sending)
    return [
        Figure("Events today", number(today), yesterday if states or usual else "", "#sources"),
        Figure("Last received", moment(newest, now, zone), _ago(newest, now), "#sources"),
        Figure("Median lag", lag_text(lag_quantile(lags, 0.5)), "event to receipt, 7 days", "#sources"),
        Figure("Rejected", percent(share, 1), f"{plural(rejected, 'event')} in 7 days", "#rejects"),
        Figure(
            "Sources",
            number(len(states)),
            f"{active} of {len(sending)} sending" if sending else "files only",
            "#sources",
        ),
    ]


def finding_rows(findings: Sequence[Finding]) -> list[FindingRow]:
    """Return the findings for the list."""
    return [FindingRow(one, SEVERITIES[one.severity], *ANCHORS.get(one.about, ("", ""))) for one in findings]


def source_rows(quality: Quality, *, now: datetime, zone: ZoneInfo) -> list[SourceRow]:
    """Return the rows of the sources."""
    worst: dict[str, Finding] = {}
    for one in quality.findings:
        if one.source:
            worst.setdefault(one.source, one)
    return [_source_row(one, worst.get(one.name), now, zone) for one in quality.sources]


def _source_row(state: SourceState, worst: Finding | None, now: datetime, zone: ZoneInfo) -> SourceRow:
    if worst is not None:
        status, text = worst.severity, SEVERITIES[worst.severity]
    elif state.key == "revoked":
        status, text = "na", "Key revoked"
    elif state.kind == FILE:
        status, text = "na", "Imported"
    elif state.last_received_at is None:
        status, text = "na", "Waiting"
    else:
        status, text = "healthy", "Fine"
    return SourceRow(
        state=state,
        kind=KINDS[state.kind],
        line=spark(state.series),
        line_text=", ".join(number(value) for value in state.series),
        last=moment(state.last_received_at, now, zone) if state.last_received_at else "never",
        lag=lag_text(state.lag_median),
        lag_p95=lag_text(state.lag_p95),
        duplicates=percent(state.duplicate_share, 1),
        rejected=percent(state.reject_share, 1),
        status="na" if status == "info" else status,
        status_text=text,
    )


def reject_rows(rejects: Sequence[RejectFacts], *, now: datetime, zone: ZoneInfo) -> list[RejectRow]:
    """Return the reasons for rejects, the most frequent first."""
    found = []
    for one in rejects:
        known = advice(one.reason)
        newest = moment(one.newest, now, zone)
        found.append(RejectRow(one.reason, one.source, one.count, newest, known.what, known.change))
    return found


def name_page(quality: Quality, *, show: str, search: str, page: int) -> NamePage:
    """Return one page of the names of events in the group `show`; by default of those that nothing uses, if any."""
    facts = quality.facts
    states = name_states(facts.names, facts.uses, facts.ignored)
    unseen = unseen_events(facts.names, facts.uses) if facts.names else []
    counts = {key: sum(one.state == key for one in states) for key in (UNUSED, USED, IGNORED)} | {UNSEEN: len(unseen)}
    if show not in counts:
        show = UNUSED if counts[UNUSED] else USED
    words = {UNUSED: "Used by nothing", USED: "Used", IGNORED: "Ignored", UNSEEN: "Never seen"}
    sought = search.strip().lower()
    rows = [one for one in states if one.state == show and sought in one.facts.name.lower()]
    waiting = [one for one in unseen if sought in one.event.lower()] if show == UNSEEN else []
    total = len(waiting) if show == UNSEEN else len(rows)
    pages = max(1, -(-total // NAMES_PER_PAGE))
    page = min(max(1, page), pages)
    first = (page - 1) * NAMES_PER_PAGE
    return NamePage(
        tabs=tuple(NameTab(key, words[key], counts[key], key == show) for key in (UNUSED, USED, IGNORED, UNSEEN)),
        rows=tuple(rows[first : first + NAMES_PER_PAGE]),
        unseen=tuple(waiting[first : first + NAMES_PER_PAGE]),
        total=total,
        page=page,
        pages=pages,
    )


def silent_clients(quality: Quality) -> tuple[list[SilentClient], int]:
    """Return the clients that never had an event or none for 30 days, those without any first, and their number."""
    facts = quality.facts
    others = [one.organization_id for one in facts.strangers]
    silent = [one for one in facts.clients if one.last is None or (facts.today - one.last).days >= SILENT_CLIENT_DAYS]
    silent.sort(key=lambda one: (one.last or date.min, one.name))
    rows = [
        SilentClient(
            id=one.id,
            name=one.name,
            organization_id=one.organization_id,
            last=day(one.last, facts.today) if one.last else "never",
            perhaps=nearest(one.organization_id, others) if others and one.last is None else "",
        )
        for one in silent[:CLIENTS_SHOWN]
    ]
    return rows, len(silent)


def strangers(quality: Quality) -> tuple[list[Stranger], int]:
    """Return the organizations in the events that are no client, those with most events first, and their number."""
    return list(quality.facts.strangers[:CLIENTS_SHOWN]), len(quality.facts.strangers)


def identity_rows(quality: Quality) -> list[tuple[str, str, str]]:
    """Return what is known of the users: label, figure, what it means."""
    people, states = quality.facts.people, quality.sources
    week = sum(one.week for one in states)

    def share(name: str) -> str:
        known = [(getattr(one, name), one.week) for one in states if getattr(one, name) is not None]
        return percent(sum(value * events for value, events in known) / week, 1) if known and week else "–"

    return [
        ("Known users", number(people.users), "People and services with an account, by pseudonym"),
        ("Users without an account", number(people.unassigned), "Their events wait until a call names their account"),
        ("Events without an account", share("unassigned_share"), "Of 7 days: in no client's usage"),
        ("Events without a user", share("userless_share"), "Of 7 days: activity, but of no active user"),
        ("Users in several organizations", number(people.in_several), "They count in each of them"),
        (
            "Events of service users",
            percent(quality.facts.service_share),
            "Of 30 days: kept, but counted for no person",
        ),
    ]


def job_rows(jobs: Sequence[JobFacts], *, now: datetime, zone: ZoneInfo) -> list[JobRow]:
    """Return how the jobs of the pipeline are doing."""
    return [
        JobRow(
            name=JOB_NAMES.get(one.name, one.name),
            text=one.name,
            began=moment(one.last_started_at, now, zone) if one.last_started_at else "never",
            took=_seconds(one.last_seconds),
            did=", ".join(count_text(name, count) for name, count in list(one.last_counts.items())[:3]),
            error=one.error,
        )
        for one in jobs
    ]


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _ago(instant: datetime | None, now: datetime) -> str:
    if instant is None:
        return "nothing yet"
    seconds = max(0.0, (now - instant).total_seconds())
    if seconds < 60:
        return f"{seconds:.0f} s ago"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min ago"
    return f"{plural(int(seconds // 3600), 'hour')} ago" if seconds < 48 * 3600 else f"{seconds // 86400:.0f} days ago"
