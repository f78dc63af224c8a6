"""The churn risk on a client's pages: the key figure, the card and its bars, every text ready to be shown.

Where the risk is a band, nothing here holds a figure of the model: only the category, the reason and the client's own
numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import NoReverseMatch, reverse

from bellwether.churn.client_risk import LEFT_WITHOUT, NO_HISTORY, NOT_YET, PREDICT_JOB, Risk, record_of, risk_of
from bellwether.churn.words import FactorLine, multiplier_text
from bellwether.common.jobs import JOBS
from bellwether.portfolio.models import Client
from bellwether.web.chances import chance, chances
from bellwether.web.chances import risk_of as look_of
from bellwether.web.formatting import Delta, Status, day, plural

MOST_BARS = 6
EDGE = 4.0
"""Percent of a bar's width kept free at either side, for the line where nothing is raised or lowered."""


@dataclass(frozen=True)
class Bar:
    """A factor: `start` and `width` of its bar in percent, `times` its multiplier ("" at a band), `impact` in words."""

    heading: str
    sentence: str
    times: str
    impact: str
    raises: bool
    start: float
    width: float


@dataclass(frozen=True)
class Bars:
    """The bars, and where the line between lowering and raising stands, in percent of their width."""

    items: list[Bar]
    zero: float


@dataclass(frozen=True)
class Horizon:
    """A probability with what it is of; `interval` its 80 % interval in words."""

    value: str
    label: str
    interval: str
    on: bool = False


@dataclass(frozen=True)
class ChurnCard:
    """The risk as card and key figure. `look` None: there is none, `reason` says why.

    `value` is the 90-day probability, "" at a band, where `band` and `reason` stand for it. `predict` is the address
    that asks for a prediction, "" where that makes no sense.
    """

    href: str
    look: Status | None
    value: str = ""
    band: str = ""
    reason: str = ""
    change: Delta | None = None
    horizons: tuple[Horizon, ...] = ()
    reference: str = ""
    reference_value: str = ""
    bars: Bars | None = None
    title: str = ""
    lead: str = ""
    interval: str = ""
    record: str = ""
    model_href: str = ""
    as_of: str = ""
    predict: str = ""


def churn_card(client: Client, measures: Mapping[str, Any], *, today: date) -> ChurnCard:
    """Return the card; `measures` are those of the newest score. One query, and one a minute for the model's record."""
    href = reverse("client_churn", args=[client.pk])
    risk = risk_of(client, measures)
    if risk is None:
        ended = client.archived_at is not None
        return ChurnCard(href, None, reason=LEFT_WITHOUT if ended else NOT_YET, predict=predict_address(client))
    return card_of(risk, href=href, today=today)


def card_of(risk: Risk, *, href: str, today: date) -> ChurnCard:
    """Return the card of a stored risk."""
    row, look = risk.prediction, look_of(risk.category)
    as_of = "" if row.as_of == today else f"As of {day(row.as_of, today)}"
    common: dict[str, Any] = {
        "href": href,
        "look": look,
        "bars": bars_of(risk.factors, hidden=risk.is_band),
        "model_href": model_address(),
        "as_of": as_of,
        "band": risk.band,
    }
    if risk.is_band:
        return ChurnCard(
            **common,
            reason=row.precision_reason.rstrip("."),
            record=NO_HISTORY if risk.is_prior else "Category only",
        )
    reference, value = risk.reference, chance(row.p90)
    named = reference.name if reference else ""
    return ChurnCard(
        **common,
        value=value,
        change=_change(risk),
        horizons=horizons_of(risk),
        reference=named,
        reference_value=chance(reference.p90) if reference else "",
        title=f"How {value} is calculated",
        lead=_lead(named, chance(reference.p90) if reference else "", value),
        interval=f"80% interval {chances(row.p90_low, row.p90_high)}.",
        record=record_of(risk.model.pk).words,
    )


def _lead(named: str, start: str, value: str) -> str:
    if not named:
        return ""
    whose = named.removesuffix(" average") + " client" if named.endswith(" average") else "client"
    article = "an average"
    if named.startswith("Average of"):
        whose = "client"
    return f"Each factor multiplies the odds of {article} {whose}; together they turn {start} into {value}."


def _change(risk: Risk) -> Delta | None:
    client = risk.client
    points = client.churn_change
    if points is None or client.churn_predicted_on != risk.prediction.as_of:
        return None
    text = plural(abs(points), "pt")
    if points == 0:
        return Delta("flat", text)
    return Delta("up", text, "bad") if points > 0 else Delta("down", text, "good")


def horizons_of(risk: Risk) -> tuple[Horizon, ...]:
    """Return the probabilities that stand beside each other: 30, 60, 90 days and the renewal, where one comes."""
    row = risk.prediction
    found = [
        Horizon(chance(row.p30), "30 days", chances(row.p30_low, row.p30_high)),
        Horizon(chance(row.p60), "60 days", chances(row.p60_low, row.p60_high)),
        Horizon(chance(row.p90), "90 days", chances(row.p90_low, row.p90_high), on=True),
    ]
    if row.renewal_risk is not None:
        found.append(Horizon(chance(row.renewal_risk), "renewal", chances(row.renewal_low, row.renewal_high)))
    return tuple(found)


def bars_of(lines: Sequence[FactorLine], *, hidden: bool, most: int | None = MOST_BARS) -> Bars:
    """Return the bars of the known factors that move the odds, the largest `most` of them, in the order of `lines`.

    The length of a bar is the logarithm of its multiplier, on one scale for both ways.
    """
    shown = [line for line in lines if line.is_notable and line.known]
    if most is not None and len(shown) > most:
        kept = {line.slug for line in sorted(shown, key=lambda line: -abs(line.log_odds))[:most]}
        shown = [line for line in shown if line.slug in kept]
    rise = max((line.log_odds for line in shown), default=0.0)
    fall = max((-line.log_odds for line in shown), default=0.0)
    rise, fall = max(rise, 0.0), max(fall, 0.0)
    total = rise + fall
    unit = (100 - 2 * EDGE) / total if total else 0.0
    zero = EDGE + fall * unit
    items = []
    for line in shown:
        width = abs(line.log_odds) * unit
        items.append(
            Bar(
                heading=line.heading,
                sentence=line.sentence,
                times="" if hidden else multiplier_text(line.log_odds),
                impact=line.impact.word,
                raises=line.is_risk,
                start=round(zero if line.is_risk else zero - width, 1),
                width=round(max(width, 1.0), 1),
            )
        )
    return Bars(items, round(zero, 1))


def model_address() -> str:
    """Return the address of the model card; "" where this workspace has no such page."""
    try:
        return reverse("churn_model")
    except NoReverseMatch:
        return ""


def predict_address(client: Client) -> str:
    """Return the address that asks for a prediction; "" for archived clients and where no job makes one."""
    able = PREDICT_JOB in JOBS and client.archived_at is None
    return reverse("client_churn_predict", args=[client.pk]) if able else ""
