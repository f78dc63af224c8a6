"""The churn list as texts: rows, key figures with their explanations, what the predictions rest on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import polars as pl
from django.urls import NoReverseMatch, reverse

from bellwether.analytics.churn_forecast import SAME_RENEWAL_DAYS, Outlook, quarter_name
from bellwether.analytics.churn_reading import ChurnBook, ModelInUse, NextAction
from bellwether.churn.choices import Category, Precision
from bellwether.churn.expected import Expected, Loss
from bellwether.common.rounding import half_up
from bellwether.common.time import day_of
from bellwether.portfolio.choices import ContractTier
from bellwether.web.chances import chance, chance_in, chances, risk_of
from bellwether.web.formatting import (
    DASH,
    Delta,
    Status,
    change,
    days_short,
    full_day,
    number,
    percent,
    plural,
    short_money,
)

TIERS = dict(ContractTier.choices)
CLIENT_CHURN = "client_churn"
ANY_ACTION = NextAction("CALL", "Schedule a call", "")
ACT_TEXTS = {
    "CALL": "Schedule call", "MEETING": "Plan meeting", "TRAINING": "Offer training", "QBR": "Plan renewal",
    "SUPPORT_ESCALATION": "Escalate", "EXECUTIVE_TOUCHPOINT": "Executive call", "INTERNAL_DISCUSSION": "Discuss",
}  # fmt: skip
"""What the button of an activity says, in a word or two."""
PRIOR_TITLE = "Expert prior, no history yet."
PRIOR_TEXT = (
    "The model has not learned from your own clients yet: the risk rests on documented expert weights. It is shown as "
    "a band, not as a figure."
)


@dataclass(frozen=True)
class Row:
    """A client of the list; figures are "" where the sample is too thin for one, with the reason in `band`."""

    id: str
    href: str
    name: str
    sub: str
    arr: str
    look: Status
    band: str
    p30: str
    p60: str
    p90: str
    interval: str
    interval_30: str
    interval_60: str
    meter: int
    change: Delta | None
    reason: str
    renewal: str
    renewal_title: str
    renewal_risk: str
    renewal_interval: str
    csm: str
    act: str
    act_text: str
    act_why: str


def rows_of(found: pl.DataFrame, actions: Mapping[str, NextAction], today: date) -> list[Row]:
    """Return ROWS (analytics.churn_reading) ready to be placed; `actions` are what to do first, by client."""
    page = client_page()
    return [_row(row, actions.get(row["key"], ANY_ACTION), page, today) for row in found.iter_rows(named=True)]


def client_page() -> str:
    """Return the name of the page of a client's churn risk; that of the client where there is none."""
    try:
        reverse(CLIENT_CHURN, args=[UUID(int=0)])
    except NoReverseMatch:
        return "client"
    return CLIENT_CHURN


def _row(row: dict[str, Any], action: NextAction, page: str, today: date) -> Row:
    client_id = str(UUID(hex=row["key"]))
    banded = row["precision"] == Precision.BAND
    tier = TIERS.get(row["tier"], row["tier"])

    def figure(name: str) -> str:
        return "" if banded else chance(row[name])

    def interval(name: str) -> str:
        return "" if banded else chances(row[f"{name}_low"], row[f"{name}_high"])

    renewal = row["renewal"]
    known = is_renewal(row) and not banded
    return Row(
        id=client_id,
        href=reverse(page, args=[client_id]),
        name=row["name"],
        sub=str(tier),
        arr=short_money(row["arr"]),
        look=risk_of(row["category"]),
        band=(row["precision_reason"] or "Too little is known for a figure.") if banded else "",
        p30=figure("p30"),
        p60=figure("p60"),
        p90="" if banded else chance_in(row["p90"], row["category"]),
        interval=interval("p90"),
        interval_30=interval("p30"),
        interval_60=interval("p60"),
        meter=half_up(100 * row["p90"]),
        change=None if banded else points(row["change"]),
        reason=row["reason"],
        renewal=days_short((renewal - today).days) if renewal else DASH,
        renewal_title=full_day(renewal) if renewal else "No renewal date",
        renewal_risk=chance(row["renewal_risk"]) if known else "",
        renewal_interval=chances(row["renewal_low"], row["renewal_high"]) if known else "",
        csm=f"{row['csm_first'] or ''} {row['csm_last'] or ''}".strip(),
        act=action.word,
        act_text=ACT_TEXTS.get(action.word, "Schedule"),
        act_why=action.title,
    )


def is_renewal(row: dict[str, Any]) -> bool:
    """Return whether the renewal risk of a row is about the renewal that its client has today."""
    on, risk = row["renewal_on"], row["renewal_risk"]
    if on is None or risk is None or row["renewal"] is None:
        return False
    return bool(abs((row["renewal"] - on).days) <= SAME_RENEWAL_DAYS)


def points(value: int | None) -> Delta | None:
    """Return a change of a probability in points, fewer being better."""
    return None if value is None else change(value, better="down", text=f"{number(abs(value))} pts")


@dataclass(frozen=True)
class Kpi:
    """A key figure: `figure` None with a `reason` where it cannot be told. `why`: how it is made, as (label, value)."""

    key: str
    label: str
    figure: str | None
    note: str
    change: Delta | None = None
    href: str = ""
    current: bool = False
    reason: str = ""
    formula: str = ""
    why: tuple[tuple[str, str], ...] = ()


def key_figures(now: Outlook, then: Outlook | None, links: dict[str, str], chosen: str) -> list[Kpi]:
    """Return the key figures; `then` is the outlook of a month before, `links` are the lists of each category."""
    order = (Category.HIGH, Category.MEDIUM, Category.LOW)
    counts = [_of_category(now, then, one, links, chosen) for one in order]
    return [*counts, *([_arr_at_risk(now, then)] if now.loss and now.loss.whole else []), _loss(now, then)]


def _arr_at_risk(now: Outlook, then: Outlook | None) -> Kpi:
    arr = now.by_category[Category.HIGH].arr
    before = then.by_category[Category.HIGH].arr if then else None
    whole = sum(one.arr for one in now.by_category.values())
    moved = before is not None and short_money(before) != short_money(arr)
    return Kpi(
        key="arr",
        label="ARR at high risk",
        figure=short_money(arr),
        note=f"{percent(arr / whole, 1)} of ARR" if whole and arr else "",
        change=change(arr - before, better="down", text=short_money(abs(arr - before)))
        if before is not None and moved
        else None,
    )


def _of_category(now: Outlook, then: Outlook | None, category: Category, links: dict[str, str], chosen: str) -> Kpi:
    part = now.by_category[category]
    before = then.by_category[category].clients if then else None
    better = {Category.HIGH: "down", Category.MEDIUM: "", Category.LOW: "up"}[category]
    arr = sum(one.arr for one in now.by_category.values())
    of = f"{percent(part.clients / now.predicted, 1)} of clients" if part.clients else ""
    return Kpi(
        key=category.lower(),
        label=f"{category.label} risk",
        figure=f"{part.clients:,}",
        note=of if category == Category.HIGH or not arr else f"{short_money(part.arr)} ARR",
        change=change(part.clients - before, better=better) if before is not None else None,
        href=links[category],
        current=chosen == category,
    )


def _loss(now: Outlook, then: Outlook | None) -> Kpi:
    label = "Expected churned ARR"
    loss = now.loss
    if loss is None:
        return Kpi("loss", label, None, "", reason="Nothing is predicted yet.")
    if not loss.whole:
        return _clients_loss(now, loss)
    before = then.loss.arr.mean if then and then.loss and not then.is_band else None
    delta = None
    if before is not None and not now.is_band and short_money(before) != short_money(loss.arr.mean):
        delta = change(loss.arr.mean - before, better="down", text=short_money(abs(loss.arr.mean - before)))
    return Kpi(
        key="loss",
        label=label,
        figure=money_range(loss.arr) if now.is_band else short_money(loss.arr.mean),
        note="80% range, 90 days" if now.is_band else f"80% range {money_range(loss.arr)}",
        change=delta,
        formula=(
            "The next quarter is the 90 days after the prediction. Sum over clients of ARR × probability of leaving. "
            "The range is simulated from who leaves and from the doubt of the model together."
        ),
        why=_why(now, loss, then),
    )


def _why(now: Outlook, loss: Expected, then: Outlook | None) -> tuple[tuple[str, str], ...]:
    share, rate, quarter = loss.share, loss.rate, now.quarter
    lines = [
        ("Of the ARR", _share(share, now) if share else DASH),
        ("Clients", _count(loss.clients, now)),
        ("Of the clients", _share(rate, now) if rate else DASH),
        ("Nobody leaves", chance(loss.nobody)),
    ]
    if quarter is not None:
        lines.append((f"{quarter_name(now.quarter_first)}, as far as foretold", _money(quarter.arr, now)))
    if then is not None and then.loss is not None:
        lines.append(("A month ago", _money(then.loss.arr, then)))
    return tuple(lines)


def _clients_loss(now: Outlook, loss: Expected) -> Kpi:
    low, high = (f"{value:,.0f}" for value in (loss.clients.low, loss.clients.high))
    spread = low if low == high else f"{low} to {high}"
    return Kpi(
        "loss",
        "Expected to leave",
        spread if now.is_band else number(loss.clients.mean),
        f"{'' if now.is_band else f'80% range {spread}, '}90 days, no ARR known",
        formula="Sum of the probabilities of leaving within 90 days. No client has an ARR.",
        why=(("Nobody leaves", chance(loss.nobody)),),
    )


def money_range(loss: Loss) -> str:
    """Return the range as "$80K to $310K"."""
    low, high = short_money(loss.low), short_money(loss.high)
    return low if low == high else f"{low} to {high}"


def _money(loss: Loss, shown: Outlook) -> str:
    return money_range(loss) if shown.is_band else f"{short_money(loss.mean)} ({money_range(loss)})"


def _count(loss: Loss, shown: Outlook) -> str:
    spread = f"{loss.low:,.0f} to {loss.high:,.0f}"
    return spread if shown.is_band else f"{number(loss.mean)} ({spread})"


def _share(loss: Loss, shown: Outlook) -> str:
    spread = f"{percent(loss.low, 1).removesuffix('%')} to {percent(loss.high, 1)}"
    return spread if shown.is_band else f"{percent(loss.mean, 1)} ({spread})"


def basis_text(book: ChurnBook, zone: ZoneInfo) -> str:
    """Return what the predictions rest on: "Predicted on 21 Nov 2026 by version 3, trained on 250 clients ..."."""
    on, model = book.predicted_on, book.model
    if on is None:
        return ""
    text = f"Predicted on {full_day(on)}"
    return f"{text} by {model_text(model, zone)}." if model else f"{text}."


def model_text(model: ModelInUse, zone: ZoneInfo) -> str:
    """Return the version in words."""
    if model.is_prior:
        return f"version {model.version}, the expert prior"
    trained: datetime = model.trained_at
    return (
        f"version {model.version}, trained {full_day(day_of(trained, zone))} on {plural(model.clients, 'client')}, "
        f"of which {number(model.churned_clients)} left"
    )
