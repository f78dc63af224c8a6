"""What the measures are made of: typed frames and settings. Pure: knows neither Django nor files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal
from zoneinfo import ZoneInfo

import polars as pl
from polars._typing import PolarsDataType

from bellwether.common.errors import InvalidInputError
from bellwether.common.frames import check_frame
from bellwether.usage.event_match import EventMatch, match_from_data

Schema = dict[str, PolarsDataType]
INSTANT = pl.Datetime("us", "UTC")
PERIOD_DAYS = {"month": 30, "quarter": 91, "year": 365}
LONGEST_WINDOW_DAYS = 365

CLIENTS: Schema = {
    "client_id": pl.String,
    "organization_id": pl.String,
    "contract_tier": pl.String,
    "contract_start_date": pl.Date,
    "contract_end_date": pl.Date,
    "next_renewal_date": pl.Date,
    "licensed_user_count": pl.Int64,
    "licensed_modules": pl.List(pl.String),
    "known_since": pl.Date,  # the day the record was made
    "last_day": pl.Date,  # the day of churn or archiving; null while a client
}
CONTRACTS: Schema = {
    "client_id": pl.String,
    "start_date": pl.Date,
    "end_date": pl.Date,
    "contract_tier": pl.String,
    "licensed_user_count": pl.Int64,
    "licensed_modules": pl.List(pl.String),
}
READINGS: Schema = {  # what the CRM shows only as of now, kept with the day on which it was seen
    "client_id": pl.String,
    "date": pl.Date,
    "payment_status": pl.String,
    "renewal_signal": pl.Int64,
}
ACTIVITIES: Schema = {
    "activity_id": pl.String,
    "client_id": pl.String,
    "activity_type": pl.String,
    "completed_at": INSTANT,
}
ACTIVITY_CONTACTS: Schema = {"activity_id": pl.String, "contact_id": pl.String}
CONTACTS: Schema = {
    "contact_id": pl.String,
    "client_id": pl.String,
    "role": pl.String,
    "is_active": pl.Boolean,
    "known_since": pl.Date,
    "left_at": INSTANT,  # left the company or was archived
}
TICKETS: Schema = {"client_id": pl.String, "priority": pl.String, "opened_at": INSTANT}
SURVEYS: Schema = {
    "client_id": pl.String,
    "kind": pl.String,
    "score": pl.Float64,
    "respondent": pl.String,  # "" for an answer of nobody in particular
    "answered_at": INSTANT,
}
ADOPTION: Schema = {
    "client_id": pl.String,
    "feature_key": pl.String,
    "is_licensed": pl.Boolean,
    "licensed_at": pl.Date,
    "is_configured": pl.Boolean,
    "configured_at": pl.Date,
}
CLIENT_DAYS: Schema = {
    "organization_id": pl.String,
    "date": pl.Date,
    "dau": pl.Int64,
    "wau": pl.Int64,
    "mau": pl.Int64,
    "total_users": pl.Int64,
    "sessions": pl.Int64,
    "session_seconds": pl.Int64,
    "actions": pl.Int64,
}
EVENT_DAYS: Schema = {
    "organization_id": pl.String,
    "date": pl.Date,
    "event": pl.String,
    "module": pl.String,
    "feature": pl.String,
    "label": pl.String,
    "is_service": pl.Boolean,
    "events": pl.Int64,
}
USER_DAYS: Schema = {
    "organization_id": pl.String,
    "user_key": pl.String,
    "is_service": pl.Boolean,
    "date": pl.Date,
    "actions": pl.Int64,
    "role": pl.String,
}
SCHEMAS: dict[str, Schema] = {
    "clients": CLIENTS,
    "contracts": CONTRACTS,
    "readings": READINGS,
    "activities": ACTIVITIES,
    "activity_contacts": ACTIVITY_CONTACTS,
    "contacts": CONTACTS,
    "tickets": TICKETS,
    "surveys": SURVEYS,
    "adoption": ADOPTION,
    "client_days": CLIENT_DAYS,
    "event_days": EVENT_DAYS,
    "user_days": USER_DAYS,
}


def _empty(name: str) -> Callable[[], pl.DataFrame]:
    return lambda: pl.DataFrame(schema=SCHEMAS[name])


@dataclass(frozen=True, kw_only=True)
class MeasureInputs:
    """The records and facts from which measures are made; columns and dtypes are checked when it is built.

    History older than the windows need may be *folded*: client_days keeps each client's first day, last day with
    people and last day; event_days one row per client and kind of event, dated on its last day, with the sum of events
    (module and feature only where a feature of the catalogue asks for them); user_days the first day of each customer.
    Activities and tickets may likewise be cut to the windows plus each client's last older contact and the workspace's
    first record. Folded and whole history give the same measures.
    """

    clients: pl.DataFrame
    contracts: pl.DataFrame = field(default_factory=_empty("contracts"))
    readings: pl.DataFrame = field(default_factory=_empty("readings"))
    activities: pl.DataFrame = field(default_factory=_empty("activities"))
    activity_contacts: pl.DataFrame = field(default_factory=_empty("activity_contacts"))
    contacts: pl.DataFrame = field(default_factory=_empty("contacts"))
    tickets: pl.DataFrame = field(default_factory=_empty("tickets"))
    surveys: pl.DataFrame = field(default_factory=_empty("surveys"))
    adoption: pl.DataFrame = field(default_factory=_empty("adoption"))
    client_days: pl.DataFrame = field(default_factory=_empty("client_days"))
    event_days: pl.DataFrame = field(default_factory=_empty("event_days"))
    user_days: pl.DataFrame = field(default_factory=_empty("user_days"))

    def __post_init__(self) -> None:
        for entry in fields(self):
            check_frame(getattr(self, entry.name), SCHEMAS[entry.name], name=f"Measure input {entry.name}")


@dataclass(frozen=True)
class CountSpec:
    """A count of events: those in `events` whose label is in `where` (empty: any), over `days` (None: all so far)."""

    name: str
    events: frozenset[str]
    where: frozenset[str]
    days: int | None


@dataclass(frozen=True)
class FeatureSpec:
    """A feature of the catalogue and what counts as using it (formulas.md, section 3).

    `events` count by their name, `matches` by module and feature as well; an event that fits both counts once.
    `target` says how use is judged: "expected" events per period, "share" of events with a label in `within`, or "any".
    With "any" the events of service users count too, because integrations are used by services. `by_tier` is the
    `value` of single tiers; the tier is that of the contract term of the date.
    """

    key: str
    name: str
    module: str
    events: frozenset[str]
    days: int
    target: Literal["expected", "share", "any"]
    value: float
    within: frozenset[str] = frozenset()
    matches: frozenset[EventMatch] = frozenset()
    by_tier: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class MeasureSettings:
    """What a workspace sets about measures. `working_days` are ISO weekdays, Monday 1; days are those of `zone`."""

    zone: ZoneInfo
    working_days: frozenset[int]
    login_events: frozenset[str] = frozenset()
    customer_role: str = ""
    counts: tuple[CountSpec, ...] = ()
    features: tuple[FeatureSpec, ...] = ()

    @property
    def module_of_event(self) -> dict[str, str]:
        """The module of each event that a feature names, for events that carry no module themselves."""
        return {event: feature.module for feature in reversed(self.features) for event in feature.events}


def settings_from_preset(preset: Mapping[str, Any], *, working_days: frozenset[int], zone: ZoneInfo) -> MeasureSettings:
    """Return the settings that a preset (parsed TOML) describes. Raises InvalidInputError with a field path each."""
    problems: dict[str, str] = {}
    workspace = preset.get("workspace", {})
    counts = [_count(name, data, problems) for name, data in preset.get("counts", {}).items()]
    features = [_feature(index, data, problems) for index, data in enumerate(preset.get("features", []))]
    if problems:
        raise InvalidInputError(
            "The preset cannot be used: " + "; ".join(f"{k} {v}" for k, v in problems.items()), problems
        )
    return MeasureSettings(
        zone=zone,
        working_days=working_days,
        login_events=frozenset(workspace.get("login_events", [])),
        customer_role=workspace.get("customer_role", ""),
        counts=tuple(count for count in counts if count),
        features=tuple(feature for feature in features if feature),
    )


def _count(name: str, data: Mapping[str, Any], problems: dict[str, str]) -> CountSpec | None:
    window = str(data.get("window", ""))
    days = int(window[:-1]) if window.endswith("d") and window[:-1].isdigit() else None
    if window != "all" and (days is None or not 1 <= days <= LONGEST_WINDOW_DAYS):
        problems[f"counts.{name}.window"] = (
            f'is {window!r}; it needs "all" or 1 to {LONGEST_WINDOW_DAYS} days such as "30d".'
        )
        return None
    return CountSpec(name, frozenset(data["events"]), frozenset(data.get("where", [])), days)


def _feature(index: int, data: Mapping[str, Any], problems: dict[str, str]) -> FeatureSpec | None:
    key = str(data.get("key", index))
    period = data.get("period", "month")
    if period not in PERIOD_DAYS:
        problems[f"features.{key}.period"] = f"is {period!r}; it needs one of {', '.join(PERIOD_DAYS)}."
        return None
    target: Literal["expected", "share", "any"] = "any"
    value = 1.0
    if "target_share" in data:
        target, value = "share", float(data["target_share"])
    elif not data.get("any_use", False):
        target, value = "expected", float(data.get("expected", 0))
    if value <= 0:
        problems[f"features.{key}"] = "needs one of expected (over 0), target_share (over 0) or any_use = true."
        return None
    try:
        matches = [match_from_data(event) for event in data["events"]]
    except ValueError as error:
        problems[f"features.{key}.events"] = f"{error}."
        return None
    by_tier = {str(tier): float(expected) for tier, expected in data.get("expected_by_tier", {}).items()}
    if target == "any":
        by_tier = {}
    if any(expected <= 0 for expected in by_tier.values()):
        problems[f"features.{key}.expected_by_tier"] = "needs numbers over 0."
        return None
    return FeatureSpec(
        key=key,
        name=data.get("name", key),
        module=data.get("module", ""),
        events=frozenset(match.event for match in matches if not match.module and not match.feature),
        days=PERIOD_DAYS[period],
        target=target,
        value=value,
        within=frozenset(data.get("within", [])),
        matches=frozenset(match for match in matches if match.module or match.feature),
        by_tier=tuple(sorted(by_tier.items())),
    )
