"""The churn forecast of the executive view as texts, and its renewals by quarter as a drawing. Pure but for links."""

from collections.abc import Sequence
from dataclasses import dataclass

from bellwether.analytics.churn_forecast import RENEWAL_DAYS, RenewalQuarter, quarter_name
from bellwether.analytics.executive_churn import Foretold
from bellwether.churn.expected import Loss
from bellwether.dashboard.churn_view import money_range
from bellwether.dashboard.executive_charts import BOTTOM, RIGHT, TOP, Bar, Label, axis_money, nice_money
from bellwether.web.chances import chance
from bellwether.web.formatting import DASH, full_day, number, percent, short_money

LEFT = 44
NO_PREDICTION = "No prediction has been made yet."


@dataclass(frozen=True)
class ForecastTexts:
    """The figure (a range where too little is known for one), its interval, and how it is made."""

    figure: str
    note: str
    inputs: tuple[tuple[str, str], ...]
    remark: str


def share_range(loss: Loss) -> str:
    """Return a range of shares as "1.3 to 3.2%"."""
    low, high = percent(loss.low, 1), percent(loss.high, 1)
    return low if low == high else f"{low.removesuffix('%')} to {high}"


def forecast_texts(found: Foretold) -> ForecastTexts:
    """Return the churn forecast of the next quarter: the share of ARR, or of clients where no ARR is known."""
    loss, seen = found.loss, found.outlook
    share, of = (loss.share, "of ARR") if loss.share else (loss.rate or loss.clients, "of clients")
    money = "" if not loss.whole else f", {money_range(loss.arr) if seen.is_band else short_money(loss.arr.mean)}"
    spread = share_range(share)
    quarter = seen.quarter
    inputs = [
        ("Churned ARR", _money(loss.arr, banded=seen.is_band) if loss.whole else DASH),
        ("Clients", _count(loss.clients, banded=seen.is_band)),
        ("Nobody leaves", chance(loss.nobody)),
    ]
    if quarter is not None and quarter.whole:
        inputs.append((f"{quarter_name(seen.quarter_first)}, as far as foretold", _money(quarter.arr, seen.is_band)))
    return ForecastTexts(
        figure=spread if seen.is_band else percent(share.mean, 1),
        note=f"80% range {of}{money}" if seen.is_band else f"80% interval {spread.removesuffix('%')}{money}",
        inputs=tuple(inputs),
        remark=_remark(found),
    )


def _remark(found: Foretold) -> str:
    if found.model is None:
        return f"Predicted on {full_day(found.predicted_on)}."
    if found.model.is_prior:
        return "Expert prior, no history yet: a range is all that can be said."
    return f"Predicted on {full_day(found.predicted_on)} by version {found.model.version} of the churn model."


def _money(loss: Loss, banded: bool) -> str:
    return money_range(loss) if banded else f"{short_money(loss.mean)} ({money_range(loss)})"


def _count(loss: Loss, banded: bool) -> str:
    spread = f"{loss.low:,.0f} to {loss.high:,.0f}"
    return spread if banded else f"{number(loss.mean)} ({spread})"


@dataclass(frozen=True)
class QuarterRow:
    """A quarter as texts; `loss` and `span` are empty where nothing is foretold of what is due."""

    name: str
    clients: str
    due: str
    loss: str
    span: str
    unknown: str


@dataclass(frozen=True)
class QuarterBars:
    """ARR due by quarter: what may be expected to renew, what is expected to be lost, and between which sums that lies
    as (x, y of the low end, y of the high end). `notes` are what is said above each bar."""

    kept: list[Bar]
    lost: list[Bar]
    spans: list[tuple[float, float, float]]
    grid: list[tuple[str, float]]
    notes: list[tuple[Label, Label | None]]
    names: list[Label]
    sentence: str


def quarter_rows(quarters: Sequence[RenewalQuarter]) -> list[QuarterRow]:
    """Return a row for each quarter."""
    return [
        QuarterRow(
            name=one.name,
            clients=f"{one.clients:,}",
            due=short_money(one.arr) if one.clients else DASH,
            loss="" if one.loss is None or one.is_band else short_money(one.loss.arr.mean),
            span="" if one.loss is None else money_range(one.loss.arr),
            unknown=short_money(one.arr - one.known) if one.arr - one.known >= 1 else "",
        )
        for one in quarters
    ]


def far_text(quarters: Sequence[RenewalQuarter]) -> str:
    """Return how much of what is due lies further off than the renewal model has learned from; "" for none."""
    far = sum(one.far for one in quarters)
    if far < 1:
        return ""
    return f"{short_money(far)} renew in more than {RENEWAL_DAYS} days, further than the model has learned from."


def quarter_bars(quarters: Sequence[RenewalQuarter]) -> QuarterBars | None:
    """Return the drawing; None where nothing is due of which something is foretold."""
    most = max((one.arr for one in quarters), default=0)
    if not most or not any(one.loss and one.known for one in quarters):
        return None
    top = nice_money(most * 1.25)
    step = (RIGHT - LEFT) / len(quarters)

    def y(value: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * value / top, 1)

    rows = quarter_rows(quarters)
    told = ", ".join(f"{row.name} {row.due} due, {row.loss or row.span or 'unknown'} loss" for row in rows)
    kept, lost, spans, notes, names = [], [], [], [], []
    for place, one in enumerate(quarters):
        x, width = round(LEFT + place * step + step * 0.3, 1), round(step * 0.4, 1)
        middle = round(x + width / 2, 1)
        mean = one.loss.arr.mean if one.loss and not one.is_band else 0.0
        kept.append(Bar(x, y(one.arr - mean), width, round(BOTTOM - y(one.arr - mean), 1), ""))
        if mean:
            lost.append(Bar(x, y(one.arr), width, round(y(one.arr - mean) - y(one.arr), 1), "critical"))
        said = None
        if one.loss and one.known:
            spans.append((round(x + width + 9, 1), y(one.arr - one.loss.arr.low), y(one.arr - one.loss.arr.high)))
            text = money_range(one.loss.arr) if one.is_band else short_money(mean)
            said = Label(f"{text} loss", middle, round(y(one.arr) - 9, 1))
        above = 22 if said else 9
        notes.append((Label(f"{short_money(one.arr)} due", middle, round(y(one.arr) - above, 1)), said))
        names.append(Label(one.name, middle, 201))
    return QuarterBars(
        kept=kept,
        lost=lost,
        spans=spans,
        grid=[(axis_money(value), y(value)) for value in (0, top / 4, top / 2, 3 * top / 4, top)],
        notes=notes,
        names=names,
        sentence=f"ARR up for renewal by quarter and the part expected to be lost: {told}.",
    )
