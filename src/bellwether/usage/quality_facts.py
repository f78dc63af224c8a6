"""What the findings about the data are made from, as plain values. Pure: read by usage.quality_reading."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from bellwether.usage.event_match import EventMatch
from bellwether.usage.source_tally import Tally

SENT, FILE, TABLE = "sent", "file", "table"


@dataclass(frozen=True, kw_only=True)
class SourceFacts:
    """A source: events sent to the intake (SENT), an imported file (FILE) or a table of a warehouse (TABLE).

    `days` holds what came by day of receipt; of a table, its events by the day that they happened.
    `key` is working, revoked or "" (none). `error` is what the last reading of a table failed with.
    """

    name: str
    kind: str
    days: Mapping[date, Tally]
    last_received_at: datetime | None = None
    library: str = ""
    key: str = ""
    created_at: datetime | None = None
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class RejectFacts:
    """Rejected events of one reason and source in the last days."""

    reason: str
    source: str
    count: int
    newest: datetime


@dataclass(frozen=True, kw_only=True)
class NameFacts:
    """The name of an event: what the daily facts hold of it. `recent` is of the last 30 days, `total` of all."""

    name: str
    total: int
    first: date
    last: date
    recent: int = 0
    recent_clients: int = 0
    modules: frozenset[str] = frozenset()
    features: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Use:
    """Something that reads events: a feature, a count of the preset or a custom measure."""

    label: str
    matches: tuple[EventMatch, ...]
    is_feature: bool = False
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class ClientFacts:
    """An active client and the last day on which it has an event, None without any."""

    id: str
    name: str
    organization_id: str
    last: date | None = None
    recent: int = 0


@dataclass(frozen=True, kw_only=True)
class Stranger:
    """An organization that events name and that is no client."""

    organization_id: str
    events: int
    last: date


@dataclass(frozen=True, kw_only=True)
class PeopleFacts:
    """Users of the product as known: how many, in how many organizations, and whose account is unknown."""

    users: int = 0
    unassigned: int = 0
    in_several: int = 0
    services: int = 0


@dataclass(frozen=True, kw_only=True)
class JobFacts:
    """A job of the pipeline: when it began last, how long its last run with work took, and its error, if it failed."""

    name: str
    every_seconds: float | None
    last_started_at: datetime | None
    last_seconds: float | None = None
    last_counts: Mapping[str, int] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class PipelineFacts:
    """What waits and what failed."""

    spool_batches: int = 0
    spool_events: int = 0
    spool_oldest: datetime | None = None
    days_owing_facts: int = 0
    facts_owed_since: datetime | None = None
    days_owing_scores: int = 0
    scores_owed_since: datetime | None = None
    jobs: tuple[JobFacts, ...] = ()
    erasures_waiting: int = 0
    erasures_done: int = 0


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything that the findings rest on, as of the instant `now` on the workspace day `today`."""

    now: datetime
    today: date
    sources: tuple[SourceFacts, ...] = ()
    rejects: tuple[RejectFacts, ...] = ()
    names: tuple[NameFacts, ...] = ()
    uses: tuple[Use, ...] = ()
    ignored: frozenset[str] = frozenset()
    clients: tuple[ClientFacts, ...] = ()
    strangers: tuple[Stranger, ...] = ()
    people: PeopleFacts = field(default_factory=PeopleFacts)
    service_share: float | None = None
    pipeline: PipelineFacts = field(default_factory=PipelineFacts)
