"""What the endpoints of playbook results return. Shares and uplifts of shares are 0-1, money is US dollars a year."""

from typing import Literal
from uuid import UUID

from ninja import Field, Schema

from bellwether.playbooks.choices import PlaybookState


class PlaybookEstimateOut(Schema):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


class PlaybookArmOut(Schema):
    """One arm: `enrolled` = `known` + `waiting` + `unknown` outcomes. `value` is the share that reached the outcome, or
    the mean change of score; null where none is known, or where fewer than five clients are behind it and you do not
    see all clients."""

    enrolled: int
    known: int
    waiting: int = Field(description="Whose window is not over.")
    unknown: int = Field(description="Of whom the data do not tell.")
    reached: int | None
    value: float | None


class PlaybookFiguresOut(Schema):
    """Both arms and what they say. `uplift` is treated less held out, as an improvement; null under 20 in an arm."""

    treated: PlaybookArmOut
    held_out: PlaybookArmOut
    by_hand: int = Field(description="Enrolled by hand; counted nowhere else.")
    uplift: PlaybookEstimateOut | None
    evidence: Literal["works", "unclear", "harmful", "too_early", "not_started"]
    reason: str
    next_look: int = Field(description="Known outcomes in the smaller arm at which the evidence is decided again.")
    saved_arr: PlaybookEstimateOut | None
    warnings: list[str]


class PlaybookVersionFiguresOut(Schema):
    """One version alone. `counts`: whether it is part of the playbook's figures."""

    number: int
    hold_out: int
    outcome: str
    counts: bool
    figures: PlaybookFiguresOut


class PlaybookResultOut(Schema):
    """What a playbook brings. `rank` is its place by `value_per_hour` among all, null without a measured value."""

    id: UUID
    key: str
    name: str
    state: PlaybookState
    outcome: str
    unit: Literal["share", "points"]
    hold_out: int
    figures: PlaybookFiguresOut
    saved_arr_reason: str = Field(description="Why there is no saved ARR; empty where there is.")
    value_per_hour: PlaybookEstimateOut | None
    value_unit: str = Field(description='"arr", or the kind of outcome that is gained.')
    minutes_per_client: float
    minutes_logged: bool = Field(description="Whether the minutes are logged ones; else the playbook declares them.")
    rank: int | None


class PlaybookResultDetail(PlaybookResultOut):
    """The result with those of its versions, newest first."""

    versions: list[PlaybookVersionFiguresOut]


class PlaybookResultList(Schema):
    """Results of all playbooks that are not archived, by name, and what they come to. `evidence` counts playbooks."""

    data: list[PlaybookResultOut]
    running: int
    runs: int
    saved_arr: PlaybookEstimateOut | None
    evidence: dict[str, int]
