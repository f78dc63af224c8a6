"""Puts churn risk and expansion into the schemas of the API."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from bellwether.analytics.churn_forecast import (
    CATEGORIES,
    SAME_RENEWAL_DAYS,
    Outlook,
    parts_by,
)
from bellwether.analytics.churn_query import ChurnQuery, in_scope, listed, page_of
from bellwether.analytics.churn_reading import ChurnBook, outlooks
from bellwether.analytics.churn_schemas import (
    CategoryCount,
    ChurnClient,
    ChurnModelInUse,
    ChurnRisk,
    Expansion,
    ExpansionClient,
    ExpansionSignal,
    ExpectedLoss,
    LossOut,
    QuarterLoss,
    TierCount,
)
from bellwether.analytics.expansion_reading import Opening, Openings
from bellwether.churn.choices import Category, ModelKind, Precision
from bellwether.churn.expected import Expected, Loss
from bellwether.common.paging import pagination


def churn_risk(book: ChurnBook, query: ChurnQuery) -> ChurnRisk:
    """Return the answer about churn risk."""
    rows = in_scope(book.rows, query, book.today)
    now, then = outlooks(book, query)
    page = page_of(listed(rows, query), query.page, query.limit)
    shown = page.rows if query.page <= page.pages else page.rows.clear()
    model = book.model
    return ChurnRisk(
        model=ChurnModelInUse(
            version=model.version,
            kind=ModelKind(model.kind),
            trained_at=model.trained_at,
            clients=model.clients,
            churned_clients=model.churned_clients,
        )
        if model
        else None,
        predicted_on=book.predicted_on,
        month_ago_on=book.before_on,
        clients=now.clients,
        predicted=now.predicted,
        next_90_days=expected(now.loss, banded=now.is_band) if now.loss else None,
        month_ago=expected(then.loss, banded=then.is_band) if then and then.loss else None,
        next_quarter=_quarter(now.quarter, now) if now.quarter else None,
        by_category=[_category(Category(one), now, then) for one in CATEGORIES],
        by_tier=_tiers(rows, now),
        data=[client(row) for row in shown.iter_rows(named=True)],
        pagination=pagination(page=query.page, limit=query.limit, total=page.total),
    )


def expected(found: Expected, *, banded: bool) -> ExpectedLoss:
    """Return an expected loss; `banded`: too little is known for a figure."""
    share = found.share
    return ExpectedLoss(
        arr=loss_out(found.arr, banded=banded),
        arr_share=loss_out(share, banded=banded) if share else None,
        clients=loss_out(found.clients, banded=banded),
        nobody_leaves=found.nobody,
        precision=Precision.BAND if banded else Precision.FIGURE,
    )


def _quarter(found: Expected, now: Outlook) -> QuarterLoss:
    whole = expected(found, banded=now.is_band)
    return QuarterLoss(**whole.dict(), first=now.quarter_first, last=now.quarter_last)


def loss_out(loss: Loss, *, banded: bool) -> LossOut:
    """Return a loss, without its mean where too little is known for one."""
    return LossOut(mean=None if banded else loss.mean, low=loss.low, high=loss.high)


def _category(category: Category, now: Outlook, then: Outlook | None) -> CategoryCount:
    part = now.by_category[category]
    return CategoryCount(
        category=category,
        clients=part.clients,
        clients_month_ago=then.by_category[category].clients if then else None,
        arr=part.arr,
        expected_churned_arr=None if now.is_band else part.expected,
    )


def _tiers(rows: Any, now: Outlook) -> list[TierCount]:
    counts = {category: parts_by(rows.filter(rows["category"] == category), "tier") for category in CATEGORIES}
    return [
        TierCount(
            tier=tier,
            clients=part.clients,
            **{category.lower(): found[tier].clients if tier in found else 0 for category, found in counts.items()},
            arr=part.arr,
            expected_churned_arr=None if now.is_band else part.expected,
        )
        for tier, part in parts_by(rows, "tier").items()
    ]


def client(row: dict[str, Any]) -> ChurnClient:
    """Return one of ROWS (analytics.churn_reading)."""
    banded = row["precision"] == Precision.BAND
    on, due = row["renewal_on"], row["renewal"]
    same = on is not None and due is not None and abs((due - on).days) <= SAME_RENEWAL_DAYS
    return ChurnClient(
        id=UUID(hex=row["key"]),
        organization_id=row["organization_id"],
        name=row["name"],
        contract_tier=row["tier"],
        industry=row["industry"] or None,
        csm_id=UUID(hex=row["csm"]) if row["csm"] else None,
        csm=csm_name(row) or None,
        annual_recurring_revenue=row["arr"],
        category=Category(row["category"]),
        precision=Precision(row["precision"]),
        precision_reason=row["precision_reason"],
        **{name: None if banded else row[name] for name in ("p30", "p60", "p90", "p90_low", "p90_high")},
        change_points=None if banded else row["change"],
        largest_factor=row["reason"],
        next_renewal_date=due,
        renewal_risk=row["renewal_risk"] if same and not banded else None,
        renewal_risk_low=row["renewal_low"] if same and not banded else None,
        renewal_risk_high=row["renewal_high"] if same and not banded else None,
        predicted_on=row["as_of"],
    )


def csm_name(row: Mapping[str, Any]) -> str:
    """Return the name of the CSM of a row; "" without one."""
    return f"{row['csm_first'] or ''} {row['csm_last'] or ''}".strip()


def expansion(found: Openings, query: ChurnQuery, *, sign: str) -> Expansion:
    """Return the answer about expansion."""
    ranked = found.ranked(query, sign=sign)
    first = (query.page - 1) * query.limit
    return Expansion(
        clients=len(ranked),
        arr=sum(one.facts.arr or 0.0 for one in ranked),
        held_back=len(found.held_back(query)),
        data=[_growing(one) for one in ranked[first : first + query.limit]],
        pagination=pagination(page=query.page, limit=query.limit, total=len(ranked)),
    )


def _growing(one: Opening) -> ExpansionClient:
    row = one.row
    return ExpansionClient(
        id=UUID(hex=row["key"]),
        organization_id=row["organization_id"],
        name=row["name"],
        contract_tier=row["tier"],
        csm_id=UUID(hex=row["csm"]) if row["csm"] else None,
        csm=csm_name(row) or None,
        annual_recurring_revenue=row["arr"],
        health_score=row["score"],
        churn_category=Category(row["category"]) if row["category"] else None,
        next_renewal_date=row["renewal"],
        strength=one.growth.strength,
        signals=[
            ExpansionSignal(signal=signal.sign.value, label=signal.label, reason=signal.reason, points=signal.points)
            for signal in one.growth.signals
        ],
        propose=one.growth.propose,
    )
