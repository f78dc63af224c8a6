"""What the replay of a rule takes and returns over the staff API."""

import datetime
from uuid import UUID

from ninja import Field, Schema
from pydantic import ConfigDict

from bellwether.alerts.choices import AlertType
from bellwether.alerts.config_schemas import AlertConfigChange


class AlertReplayIn(Schema):
    """A kind of alert, and what is to be tried out with it; nothing given replays the rule in force."""

    model_config = ConfigDict(extra="forbid")
    alert_type: AlertType
    settings: list[AlertConfigChange] = Field([], max_length=2, description='Of this kind or, with "", of all kinds.')


class AlertReplayPrecision(Schema):
    """Of `decided` alerts (their days are over) `followed` came before a churn; shares and 95 % interval are 0-1.

    `base`: the share of any day of any client that a churn follows.
    """

    days: int
    decided: int
    followed: int
    share: float | None
    low: float | None
    high: float | None
    base: float | None


class AlertReplaySide(Schema):
    """What a rule came to. `lead_days`: median from the first alert in the 90 days before a churn to that churn."""

    alerts: int
    clients: int
    per_week: float
    per_csm_week: float | None
    precision: list[AlertReplayPrecision]
    churns: int
    warned: int
    lead_days: float | None


class AlertReplayWeek(Schema):
    """Alerts of the week that begins on `week`."""

    week: datetime.date
    alerts: int


class AlertReplayClient(Schema):
    """A client with alerts; one that you see."""

    id: UUID
    name: str
    alerts: int
    last_opened_on: datetime.date
    churned_on: datetime.date | None


class AlertReplayOut(Schema):
    """The replay over 52 weeks, or since figures are known. `candidate` is null where what was sent says what is in
    force; weeks and clients are those of the candidate, else of the rule in force."""

    alert_type: AlertType
    first: datetime.date
    last: datetime.date
    clients: int = Field(description="How many clients it is about, those that left in this time among them.")
    in_force: AlertReplaySide
    candidate: AlertReplaySide | None
    weeks: list[AlertReplayWeek]
    data: list[AlertReplayClient]
