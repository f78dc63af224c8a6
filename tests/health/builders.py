"""Small frames for tests of measures: one client `c` of organisation `o`, scored on a Tuesday."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from bellwether.health.inputs import SCHEMAS, CountSpec, FeatureSpec, MeasureInputs, MeasureSettings
from bellwether.health.measuring import measure

D = date(2026, 6, 30)
WEEKDAYS = frozenset({1, 2, 3, 4, 5})
SETTINGS = MeasureSettings(zone=ZoneInfo("UTC"), working_days=WEEKDAYS)


def back(days: int) -> date:
    """Return the day so many days before D."""
    return D - timedelta(days=days)


def at(days: int, hour: int = 12) -> datetime:
    """Return an instant on the day so many days before D."""
    day = back(days)
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


DEFAULTS: dict[str, dict[str, Any]] = {
    "clients": {
        "client_id": "c", "organization_id": "o", "contract_tier": "ENTERPRISE", "licensed_modules": [],
        "known_since": date(2026, 1, 1),
    },
    "contracts": {"client_id": "c", "contract_tier": "STARTER", "licensed_modules": []},
    "readings": {"client_id": "c"},
    "activities": {"client_id": "c", "activity_type": "CALL"},
    "activity_contacts": {},
    "contacts": {"client_id": "c", "role": "CHAMPION", "is_active": True},
    "tickets": {"client_id": "c", "priority": "normal"},
    "surveys": {"client_id": "c", "kind": "NPS", "respondent": ""},
    "adoption": {"client_id": "c", "is_licensed": True, "is_configured": True},
    "client_days": {
        "organization_id": "o", "dau": 0, "wau": 0, "mau": 0, "total_users": 0, "sessions": 0, "session_seconds": 0,
        "actions": 0,
    },
    "event_days": {"organization_id": "o", "is_service": False, "events": 1},
    "user_days": {"organization_id": "o", "is_service": False, "actions": 1},
}  # fmt: skip


def frame(kind: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return the rows, completed by the defaults of their kind, as a frame of its schema."""
    schema = SCHEMAS[kind]
    return pl.DataFrame([{name: (DEFAULTS[kind] | row).get(name) for name in schema} for row in rows], schema=schema)


def inputs(**kinds: list[dict[str, Any]]) -> MeasureInputs:
    """Return inputs of the given rows; one client unless clients are given."""
    kinds = {"clients": [{}]} | kinds
    return MeasureInputs(**{kind: frame(kind, rows) for kind, rows in kinds.items()})


def measured(settings: MeasureSettings = SETTINGS, on: date = D, **kinds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the measures of the one client on one day."""
    return measure(inputs(**kinds), [on], settings).row(0, named=True)


def days(first: int, last: int, **values: Any) -> list[dict[str, Any]]:
    """Return client_days rows from `first` days back to `last` days back with the same values."""
    return [{"date": back(n)} | values for n in range(first, last - 1, -1)]


def feature(key: str = "reports", *, module: str = "Analytics", **given: Any) -> FeatureSpec:
    """Return a feature of ten uses of "Used" a month."""
    values: dict[str, Any] = {"days": 30, "target": "expected", "value": 10.0, "events": frozenset({"Used"})} | given
    return FeatureSpec(key=key, name=key, module=module, **values)


def settings(**given: Any) -> MeasureSettings:
    """Return the settings with some of them given."""
    values: dict[str, Any] = {"zone": ZoneInfo("UTC"), "working_days": WEEKDAYS} | given
    return MeasureSettings(**values)


def count(name: str, event: str, *where: str, days: int | None = 30) -> CountSpec:
    """Return a count of an event."""
    return CountSpec(name, frozenset({event}), frozenset(where), days)
