"""What the endpoints of custom measures take and return."""

import datetime
from typing import Annotated, Any
from uuid import UUID

from annotated_types import Len
from ninja import Field, Schema
from pydantic import ConfigDict

from bellwether.common.text import Text

DEFINITION = (
    "kind (count, users, ratio, days_since, sum or last) and what belongs to it: event or events, module, feature, "
    "label, where (property, is, value), property or trait, window_days (1-365 or all), people_only, of and per for a "
    "ratio, unit, better. See docs/reference/custom-measures.md."
)


class MeasureIn(Schema):
    """A measure to be made or changed. Without a slug one is made of the name; it never changes afterwards."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[Text, Len(max_length=200)]
    slug: Annotated[Text, Len(max_length=60)] = ""
    description: Annotated[Text, Len(max_length=1000)] = ""
    definition: dict[str, Any] = Field(description=DEFINITION)


class MeasureOut(Schema):
    """A custom measure. `sentence` says what it is; `clients_with_value` of `clients` have a value now."""

    slug: str
    name: str
    description: str
    definition: dict[str, Any]
    sentence: str
    needs_raw_events: bool
    version: int
    used_by: list[str] = Field(description="Titles of the scorecards in force that read it.")
    clients_with_value: int
    clients: int
    updated_at: datetime.datetime
    archived_at: datetime.datetime | None


class MeasureList(Schema):
    """Every custom measure of the workspace: there are at most a few dozen, so the list has no pages."""

    data: list[MeasureOut]


class PreviewIn(Schema):
    """A definition to be tried out."""

    model_config = ConfigDict(extra="forbid")
    definition: dict[str, Any] = Field(description=DEFINITION)


class SampleOut(Schema):
    """A client with its value; `place` says why it is shown: highest, middle, lowest or no value."""

    client_id: UUID
    name: str
    value: float | None
    place: str


class BinOut(Schema):
    """How many clients have a value from `low` up to but without `high`; the last bin holds its upper end too."""

    low: float
    high: float
    clients: int


class PreviewOut(Schema):
    """What a definition comes to on `day` for the clients that the caller sees."""

    sentence: str
    basis: str
    needs_raw: bool
    unit: str
    day: datetime.date
    clients: int
    with_value: int
    samples: list[SampleOut]
    quartiles: tuple[float, float, float] | None
    bins: list[BinOut]
    note: str


class ClientMeasure(Schema):
    """A measure with its value. `version` is that of a custom measure, null for built-in ones."""

    slug: str
    label: str
    unit: str
    better: str
    source: str
    description: str
    value: float | str | None
    version: int | None


class ClientMeasures(Schema):
    """The measures of a client; `date` is the newest scored day, null before the first."""

    client_id: UUID
    date: datetime.date | None
    data: list[ClientMeasure]
