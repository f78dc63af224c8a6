"""What the endpoints of alert settings take and return."""

import datetime
from typing import Annotated
from uuid import UUID

from ninja import Field, Schema
from pydantic import AwareDatetime, ConfigDict, StrictBool, StrictFloat, StrictInt

from bellwether.alerts.choices import AlertSeverity, AlertType, SettingScope
from bellwether.common.text import Text
from bellwether.delivery.choices import Medium
from bellwether.portfolio.choices import AlertLevel

NULL = "Null takes it back to the wider scope; left out it stays."


class AlertConfigQuery(Schema):
    """For whom: all clients unless a tier, a segment or a client is named."""

    scope: str = Field("", description="WORKSPACE, TIER, SEGMENT or CLIENT; may be left out with client_id.")
    value: Text = Field("", description="The tier or the segment.")
    client_id: UUID | None = None


class AlertConfigChange(Schema):
    """What to set for one kind of alert. Fields that are left out stay as they are; null is the wider scope's word."""

    model_config = ConfigDict(extra="forbid")
    alert_type: str = Field("", description='A kind, or "" for all kinds that say nothing of their own.')
    is_enabled: StrictBool | None = Field(None, description=NULL)
    thresholds: dict[str, StrictInt | StrictFloat | None] | None = Field(None, description="By name. " + NULL)
    severity: str | None = Field(None, description=NULL)
    media: list[str] | None = Field(None, description="Told at once by these; [] tells nobody. " + NULL)
    respond_within_hours: StrictInt | None = Field(None, description=NULL)
    muted_until: AwareDatetime | None = Field(None, description="Of a client only; null unmutes.")
    mute_reason: Annotated[Text, Field(description="Needed with muted_until.")] = ""


class AlertConfigIn(Schema):
    """Changes of settings in one place, all or nothing."""

    model_config = ConfigDict(extra="forbid")
    settings: list[AlertConfigChange] = Field([], max_length=50)
    alert_level: AlertLevel | None = Field(None, description="Of a client only: the shorthand over its rules.")


class AlertThreshold(Schema):
    """A number of a rule with what may be given for it."""

    name: str
    label: str
    unit: str
    value: float
    source: str = Field(description="Whose word it is: DEFAULT, WORKSPACE, TIER, SEGMENT or CLIENT.")
    default: float
    least: float
    most: float
    whole: bool


class AlertConfigSources(Schema):
    """Whose word each field is: DEFAULT, WORKSPACE, TIER, SEGMENT or CLIENT."""

    is_enabled: str
    severity: str
    media: str
    respond_within_hours: str


class AlertRuleOut(Schema):
    """A kind of alert as it holds in the place. `told_by`: the media that a client's level leaves of `media`."""

    alert_type: AlertType
    name: str
    fires: str = Field(description="In words, with the numbers that hold.")
    clears: str
    is_enabled: bool
    severity: AlertSeverity
    media: list[Medium]
    told_by: list[Medium] | None = Field(description="Null where no client is named.")
    respond_within_hours: int
    thresholds: list[AlertThreshold]
    muted_until: datetime.datetime | None
    sources: AlertConfigSources
    differs: list[str] = Field(description="What is not the default, in words.")


class AlertConfigOut(Schema):
    """The settings as they hold in a place."""

    scope: SettingScope
    value: str
    client_id: UUID | None
    alert_level: AlertLevel | None = Field(description="The client's, null where none is named.")
    may_change: bool
    data: list[AlertRuleOut]
