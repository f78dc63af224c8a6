"""What alerts are found in, the rules they are found by, and what comes out: typed frames. Pure.

Clients are named by 32 hex digits, days are days of the workspace. A frame without rows means that the workspace has
no such source: its detectors find nothing. A missing value is no value: it neither opens nor clears anything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date

import polars as pl
from polars._typing import PolarsDataType

from bellwether.alerts.defaults import KIND, KINDS, THRESHOLD_NAMES
from bellwether.common.frames import check_frame

Schema = dict[str, PolarsDataType]

CLIENTS: Schema = {
    "client_id": pl.String,
    "first_day": pl.Date,
    "last_day": pl.Date,
    "csm": pl.String,
}
"""`first_day` and `last_day` (null while a client) bound the days on which alerts open; `csm` is who looks after it
today, null for nobody."""

SCORES: Schema = {
    "client_id": pl.String,
    "date": pl.Date,
    "score": pl.Int64,
    "status": pl.String,
    "critical_below": pl.Int64,
    "coverage": pl.Float64,
}
"""The main score of a day. `status` as it was shown, `critical_below` where the critical band ends, `coverage` 0-1."""

USAGE: Schema = {
    "client_id": pl.String,
    "date": pl.Date,
    "change": pl.Float64,
    "average_7d": pl.Float64,
    "average_30d": pl.Float64,
}
"""dau_change and what it is made of (formulas.md, section 1); no row, or null, where there is none."""

SEATS: Schema = {"client_id": pl.String, "date": pl.Date, "active": pl.Int64, "seats": pl.Int64}
"""People active in 30 days and licensed users, from the first day on which those 30 days are full."""

CONTACTS: Schema = {
    "client_id": pl.String,
    "contact_id": pl.String,
    "role": pl.String,
    "since": pl.Date,
    "left_on": pl.Date,
    "gone_on": pl.Date,
    "last_login": pl.Date,
}
"""Key contacts (champion, executive sponsor, admin). `left_on`: left the company; `gone_on`: no contact any more for
any reason. `last_login`: the last login before the days of ACTIONS; null if none is known."""

ACTIONS: Schema = {"client_id": pl.String, "contact_id": pl.String, "date": pl.Date, "actions": pl.Int64}
"""What a key contact that is linked to a user did on a day, days without any left out. A login is a day with one."""

TICKETS: Schema = {"client_id": pl.String, "date": pl.Date, "tickets_7d": pl.Int64, "weekly": pl.Float64}
"""Tickets opened in 7 days and the normal week: mean of the 90 days that end 30 days before. Days with tickets_7d = 0
may be left out but the first such day after others; `weekly` is null while tickets were not recorded."""

FEATURE_GAPS: Schema = {
    "client_id": pl.String,
    "feature_key": pl.String,
    "feature_name": pl.String,
    "level": pl.Int64,
    "last_used": pl.Date,
    "next_used": pl.Date,
    "period_days": pl.Int64,
}
"""Times without use of a feature: between `last_used` and `next_used` (null while unused; also the day on which its
licence ended). `level` is the highest in 90 days up to `last_used` (health.feature_use.Level). Without `last_used`: the
time before the first use that is known, of whatever level; what was open before goes on through it."""

TERMS: Schema = {
    "client_id": pl.String,
    "starts_on": pl.Date,
    "renews_on": pl.Date,
    "settled_on": pl.Date,
}
"""Renewals: in force from `starts_on` (null: always), `renews_on`, and since when it is known how it ended."""

ANSWERS: Schema = {
    "client_id": pl.String,
    "respondent": pl.String,
    "answer_id": pl.String,
    "contact_id": pl.String,
    "date": pl.Date,
    "score": pl.Float64,
}
"""NPS answers 0-10 of all time; a respondent's last one of a day. `respondent` is "" for nobody in particular."""

PAYMENTS: Schema = {"client_id": pl.String, "date": pl.Date, "status": pl.String}
"""current, late or overdue as it was seen on a day; days on which nothing was seen may be left out."""

SILENT: Schema = {"date": pl.Date}
"""Days on which the whole source of usage was silent (see detecting_usage.silent_days)."""

OUTCOMES: Schema = {"client_id": pl.String, "outcome": pl.String, "date": pl.Date, "arr": pl.Float64}

EPISODES: Schema = {
    "client_id": pl.String,
    "alert_type": pl.String,
    "subject": pl.String,
    "severity": pl.String,
    "opened_on": pl.Date,
    "last_fired_on": pl.Date,
    "cleared_on": pl.Date,
    "times_fired": pl.Int64,
    "escalated_on": pl.Date,
    "metric": pl.String,
    "value": pl.String,
    "threshold": pl.String,
    "evidence": pl.String,
    "related_type": pl.String,
    "related_id": pl.String,
}
"""An episode. `opened_on` is the first day on which the condition held, `last_fired_on` the last one so far, and
`cleared_on` the day on which it cleared, null while it is open. `times_fired` counts how often the condition began to
hold: 1, and one more each time it did so again before it cleared. `severity` is the highest so far, reached on
`escalated_on` if that was after opening. `value` and `threshold` are for people, `evidence` (JSON) has the numbers of
the last day on which it held."""

THRESHOLDS = pl.Struct(dict.fromkeys(THRESHOLD_NAMES, pl.Float64))
"""Every threshold by the names of alerts.defaults; null where a type has none of that name."""

RULES: Schema = {
    "client_id": pl.String,
    "alert_type": pl.String,
    "enabled": pl.Boolean,
    "severity": pl.String,
    "thresholds": THRESHOLDS,
}
"""What holds for a client and type (alerts.settings_resolving); more columns are fine."""


def empty(schema: Schema) -> pl.DataFrame:
    """Return a frame without rows."""
    return pl.DataFrame(schema=schema)


def typed(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """Return the columns of `schema` in its order and types; absent columns are null."""
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in schema.items()
    )


_SCHEMAS: Mapping[str, Schema] = {
    "clients": CLIENTS,
    "scores": SCORES,
    "usage": USAGE,
    "seats": SEATS,
    "contacts": CONTACTS,
    "actions": ACTIONS,
    "tickets": TICKETS,
    "feature_gaps": FEATURE_GAPS,
    "terms": TERMS,
    "answers": ANSWERS,
    "payments": PAYMENTS,
    "silent": SILENT,
    "outcomes": OUTCOMES,
}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that alerts are found in, for the clients of `clients`. Columns and dtypes are checked when it is built.

    `actions_from` is the first day of ACTIONS, None without any: what a contact did before it is not known.
    """

    clients: pl.DataFrame
    scores: pl.DataFrame = field(default_factory=lambda: empty(SCORES))
    usage: pl.DataFrame = field(default_factory=lambda: empty(USAGE))
    seats: pl.DataFrame = field(default_factory=lambda: empty(SEATS))
    contacts: pl.DataFrame = field(default_factory=lambda: empty(CONTACTS))
    actions: pl.DataFrame = field(default_factory=lambda: empty(ACTIONS))
    tickets: pl.DataFrame = field(default_factory=lambda: empty(TICKETS))
    feature_gaps: pl.DataFrame = field(default_factory=lambda: empty(FEATURE_GAPS))
    terms: pl.DataFrame = field(default_factory=lambda: empty(TERMS))
    answers: pl.DataFrame = field(default_factory=lambda: empty(ANSWERS))
    payments: pl.DataFrame = field(default_factory=lambda: empty(PAYMENTS))
    silent: pl.DataFrame = field(default_factory=lambda: empty(SILENT))
    outcomes: pl.DataFrame = field(default_factory=lambda: empty(OUTCOMES))
    actions_from: date | None = None

    def __post_init__(self) -> None:
        for name, schema in _SCHEMAS.items():
            check_frame(getattr(self, name), schema, name=f"Alert facts {name}")

    def of(self, client_ids: Iterable[str]) -> "Facts":
        """Return the facts of some clients alone."""
        wanted = pl.col("client_id").is_in(list(client_ids))
        own = [one.name for one in fields(self) if one.name in _SCHEMAS and one.name != "silent"]
        return replace(self, **{name: getattr(self, name).filter(wanted) for name in own})


@dataclass(frozen=True)
class Rules:
    """What holds for each client and type (RULES). A client without a row for a type has no alerts of it."""

    frame: pl.DataFrame

    def __post_init__(self) -> None:
        check_frame(self.frame, RULES, name="Alert rules")

    def of(self, alert_type: str) -> pl.DataFrame:
        """Return client_id, severity and the thresholds of a type, of the clients for which it is on."""
        thresholds = [pl.col("thresholds").struct.field(one.name) for one in KIND[alert_type].thresholds]
        mine = (pl.col("alert_type") == alert_type) & pl.col("enabled")
        return self.frame.filter(mine).select("client_id", pl.col("severity").alias("rule_severity"), *thresholds)

    def with_thresholds(self, alert_type: str, thresholds: Mapping[str, float]) -> "Rules":
        """Return the rules with other thresholds (by name) for a type, for all clients."""
        mine = pl.col("alert_type") == alert_type
        fields = [pl.lit(float(value)).alias(name) for name, value in thresholds.items()]
        changed = pl.col("thresholds").struct.with_fields(*fields)
        return Rules(self.frame.with_columns(pl.when(mine).then(changed).otherwise("thresholds").alias("thresholds")))

    def enabled(self, alert_types: Iterable[str]) -> "Rules":
        """Return the rules with some types turned on for all clients."""
        mine = pl.col("alert_type").is_in(list(alert_types))
        return Rules(self.frame.with_columns(enabled=pl.col("enabled") | mine))

    def only(self, alert_types: Iterable[str]) -> "Rules":
        """Return the rules of some types alone."""
        return Rules(self.frame.filter(pl.col("alert_type").is_in(list(alert_types))))


def default_rules(client_ids: Iterable[str]) -> Rules:
    """Return the rules of alerts.defaults for all types and these clients."""
    clients = pl.DataFrame({"client_id": list(client_ids)}, schema={"client_id": pl.String})
    unset = dict.fromkeys(THRESHOLD_NAMES)
    kinds = pl.DataFrame(
        [
            {
                "alert_type": one.alert_type,
                "enabled": True,
                "severity": one.severity,
                "thresholds": unset | one.defaults,
            }
            for one in KINDS
        ],
        schema={name: dtype for name, dtype in RULES.items() if name != "client_id"},
    )
    return Rules(typed(clients.join(kinds, how="cross"), RULES))
