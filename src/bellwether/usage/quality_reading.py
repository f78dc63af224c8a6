"""Reads what the findings about the data rest on: counters, facts, catalogue, clients, users, jobs.

What takes a scan of the facts or of all users is kept for a minute in the cache that callers give; what a page shows
live (counters, spool, jobs) is read anew: a fixed number of queries, however many clients there are.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.cache import BaseCache
from django.db.models import Count, Max, Min, Q, Sum

from bellwether.common.jobs import JOBS
from bellwether.common.models import JobPulse, JobRun, JobState
from bellwether.common.time import day_of, start_of
from bellwether.portfolio.models import Client
from bellwether.presets import load_preset
from bellwether.usage import quality_thresholds as limit
from bellwether.usage.catalogue import features
from bellwether.usage.event_match import EventMatch, match_from_data
from bellwether.usage.lake import Lake
from bellwether.usage.models import (
    DirtyDate,
    DirtyScore,
    Erasure,
    EventBatch,
    IgnoredEvent,
    PlatformUser,
    RejectedEvent,
    SourceDay,
    WarehouseDay,
    WarehouseSource,
    WriteKey,
)
from bellwether.usage.quality_facts import (
    FILE,
    SENT,
    TABLE,
    ClientFacts,
    Facts,
    JobFacts,
    PeopleFacts,
    PipelineFacts,
    RejectFacts,
    SourceFacts,
    Stranger,
    Use,
)
from bellwether.usage.quality_pipeline import PIPELINE
from bellwether.usage.quality_scan import Remembered, Seen, seen_events
from bellwether.usage.source_tally import NUMBERS, Tally

Kept = TypeVar("Kept")
KEPT_SECONDS = 60
SWEEP_SECONDS = 5.0
_remembered: Remembered = {}
SOURCE_DAYS = 7 * (limit.USUAL_WEEKS + 1)


def read_facts(*, now: datetime, zone: ZoneInfo, lake: Lake, cache: BaseCache, extra_uses: Sequence[Use] = ()) -> Facts:
    """Return the facts as of `now`; `extra_uses` are uses of events that the caller knows of (custom measures)."""
    today = day_of(now, zone)
    seen = kept(cache, f"data-quality-seen:{today}", lambda: seen_events(lake, today, _remembered))
    names = tuple(seen.names)
    clients, strangers = _clients(seen)
    return Facts(
        now=now,
        today=today,
        sources=tuple(read_sources(today)),
        rejects=tuple(_rejects(start_of(today - timedelta(days=limit.WEEK_DAYS - 1), zone))),
        names=names,
        uses=(*_uses(), *extra_uses),
        ignored=frozenset(IgnoredEvent.objects.values_list("name", flat=True)),
        clients=clients,
        strangers=strangers,
        people=kept(cache, "data-quality-people", _people),
        service_share=seen.service_share,
        pipeline=read_pipeline(now),
    )


def kept(cache: BaseCache, key: str, make: Callable[[], Kept]) -> Kept:
    """Return what `cache` has under `key`, else what `make` returns, kept for a minute."""
    found: Kept | None = cache.get(key)
    if found is None:
        found = make()
        cache.set(key, found, KEPT_SECONDS)
    return found


def read_sources(today: date) -> list[SourceFacts]:
    """Return every source with what it sent in the last nine weeks, by name."""
    rows: dict[str, dict[date, SourceDay]] = {}
    since = today - timedelta(days=SOURCE_DAYS)
    for row in SourceDay.objects.filter(date__gt=since).order_by("date"):
        rows.setdefault(row.source, {})[row.date] = row
    newest = dict(SourceDay.objects.values_list("source").annotate(newest=Max("last_received_at")))
    flushed = set(SourceDay.objects.exclude(last_part="").values_list("source", flat=True).distinct())
    keys = {key.source: key for key in WriteKey.objects.all()}
    tables = {table.name: table for table in WarehouseSource.objects.filter(is_active=True)}
    found = []
    for name in sorted((set(newest) | set(keys)) - set(tables)):
        key = keys.get(name)
        found.append(
            SourceFacts(
                name=name,
                kind=SENT if key is not None or name in flushed else FILE,
                days={day: _tally(row) for day, row in rows.get(name, {}).items()},
                last_received_at=newest.get(name) or (key.last_used_at if key else None),
                library=key.last_library if key else "",
                key="" if key is None else "revoked" if key.revoked_at else "working",
                created_at=key.created_at if key else None,
            )
        )
    return found + _tables(tables, since)


def _tables(tables: dict[str, WarehouseSource], since: date) -> list[SourceFacts]:
    days: dict[str, dict[date, Tally]] = {name: {} for name in tables}
    if tables:
        read = WarehouseDay.objects.filter(source__in=list(tables.values()), date__gt=since)
        for name, day, events in read.values_list("source__name", "date", "events"):
            days[name][day] = Tally(events=events)
    return [
        SourceFacts(
            name=name,
            kind=TABLE,
            days=days[name],
            last_received_at=table.last_read_at,
            created_at=table.created_at,
            error=table.last_error,
        )
        for name, table in sorted(tables.items())
    ]


def _tally(row: SourceDay) -> Tally:
    numbers = {name: getattr(row, name) for name in NUMBERS}
    return Tally(**numbers, lags=row.lags, last_received_at=row.last_received_at)


def _rejects(since: datetime) -> list[RejectFacts]:
    """Return the most frequent reasons: texts of malformed events name their fields, so there may be any number."""
    rows = RejectedEvent.objects.filter(received_at__gte=since).values_list("source", "reason")
    counted = rows.annotate(number=Count("pk"), newest=Max("received_at")).order_by("-number", "source", "reason")
    return [RejectFacts(source=s, reason=r, count=n, newest=at) for s, r, n, at in counted[: limit.REASONS]]


def _uses() -> list[Use]:
    """Return what reads events: features, counts and labels of the preset, logins."""
    preset = load_preset(settings.BELLWETHER_PRESET)
    found = [Use(label=row.name, matches=matches(row.events), is_feature=True, key=row.key) for row in features()]
    counts = preset.get("counts", {})
    found += [Use(label=f"count {name}", matches=matches(count["events"])) for name, count in counts.items()]
    logins = preset.get("login_events", [])
    return [*found, Use(label="logins", matches=matches(logins))] if logins else found


def matches(data: Iterable[object]) -> tuple[EventMatch, ...]:
    """Return what `data` of a feature or count matches; what cannot be read is left out."""
    found = []
    for one in data:
        try:
            found.append(match_from_data(one))
        except ValueError:
            continue
    return tuple(found)


def _clients(seen: Seen) -> tuple[tuple[ClientFacts, ...], tuple[Stranger, ...]]:
    rows = Client.objects.values_list("pk", "name", "organization_id", "archived_at").order_by("name")
    known, active = set(), []
    for pk, name, organization_id, archived_at in rows:
        known.add(organization_id)
        if archived_at is None:
            last, recent = seen.organizations.get(organization_id, (None, 0, 0))[:2]
            active.append(ClientFacts(id=str(pk), name=name, organization_id=organization_id, last=last, recent=recent))
    strangers = [
        Stranger(organization_id=organization, events=total, last=last)
        for organization, (last, _, total) in seen.organizations.items()
        if organization and organization not in known
    ]
    return tuple(active), tuple(sorted(strangers, key=lambda one: (-one.events, one.organization_id)))


def _people() -> PeopleFacts:
    users = PlatformUser.objects.exclude(organization_id="")
    totals = users.aggregate(
        users=Count("user_key", distinct=True), services=Count("user_key", distinct=True, filter=Q(is_service=True))
    )
    several = users.values("user_key").annotate(number=Count("pk")).filter(number__gt=1).count()
    unassigned = PlatformUser.objects.filter(organization_id="").count()
    return PeopleFacts(unassigned=unassigned, in_several=several, **totals)


def read_pipeline(now: datetime) -> PipelineFacts:
    """Return what waits and what failed, read anew."""
    spool = EventBatch.objects.aggregate(batches=Count("pk"), events=Sum("event_count"), oldest=Min("received_at"))
    facts = DirtyDate.objects.aggregate(days=Count("pk"), since=Min("marked_at"))
    scores = DirtyScore.objects.aggregate(days=Count("pk"), since=Min("marked_at"))
    erasures = dict(Erasure.objects.values_list("state").annotate(number=Count("pk")).order_by())
    return PipelineFacts(
        spool_batches=spool["batches"],
        spool_events=spool["events"] or 0,
        spool_oldest=spool["oldest"],
        days_owing_facts=facts["days"],
        facts_owed_since=facts["since"],
        days_owing_scores=scores["days"],
        scores_owed_since=scores["since"],
        jobs=tuple(_jobs()),
        erasures_waiting=erasures.get("waiting", 0),
        erasures_done=erasures.get("done", 0),
    )


def _jobs() -> list[JobFacts]:
    pulses = {pulse.name: pulse for pulse in JobPulse.objects.all()}
    names = [*PIPELINE, *sorted(name for name, pulse in pulses.items() if pulse.last_error and name not in PIPELINE)]
    found = []
    for name in names:
        pulse, declared = pulses.get(name), JOBS.get(name)
        run = JobRun.objects.filter(name=name, state=JobState.DONE).order_by("-created_at").first()
        seconds = None
        if run is not None and run.started_at and run.finished_at:
            seconds = max(0.0, (run.finished_at - run.started_at).total_seconds())
        every = declared.every.total_seconds() if declared and declared.every else None
        if every is None and name in PIPELINE:
            every = SWEEP_SECONDS  # declared by a package that this process has not loaded
        found.append(
            JobFacts(
                name=name,
                every_seconds=every,
                last_started_at=pulse.last_started_at if pulse else None,
                last_seconds=seconds,
                last_counts=run.counts if run else {},
                error=pulse.last_error if pulse else "",
            )
        )
    return found
