"""A client's churn risk as the API says it. At precision BAND no figure of the model leaves."""

from collections.abc import Sequence
from typing import Any

from bellwether.churn.advice import Action
from bellwether.churn.api_schemas import (
    ChanceOut,
    ChurnActionOut,
    ChurnChangeOut,
    ChurnDifferenceOut,
    ChurnFactorOut,
    ChurnFeatureOut,
    ChurnReferenceOut,
    ChurnRiskOut,
    LeverOut,
    RiskModelOut,
    SimilarClientOut,
    WhatIfChangedOut,
    WhatIfOut,
    WhatIfSideOut,
)
from bellwether.churn.choices import Category, ModelKind, Precision
from bellwether.churn.client_risk import NO_HISTORY, Explained, Risk, record_of
from bellwether.churn.differences import Difference, FactorDifference
from bellwether.churn.levers import Offer, told
from bellwether.churn.similar import Similar
from bellwether.churn.what_if import Chance, Horizons, WhatIf
from bellwether.churn.words import FactorLine
from bellwether.portfolio.models import Client

NOTHING = ChanceOut(probability=None, low=None, high=None)
DIGITS = 6


def no_risk(client: Client, reason: str) -> ChurnRiskOut:
    """Return the answer where nothing was predicted."""
    return ChurnRiskOut(
        client_id=client.pk,
        as_of=None,
        made_at=None,
        no_risk_reason=reason,
        category=None,
        precision=None,
        precision_reason="",
        within_30_days=NOTHING,
        within_60_days=NOTHING,
        within_90_days=NOTHING,
        renewal=NOTHING,
        renewal_on=None,
        log_odds=None,
        reference=None,
        factors=[],
        change=None,
        similar_clients=[],
        recommended_actions=[],
        levers=[],
        coverage=None,
        unknown=[],
        model=None,
    )


def risk_out(found: Explained, similar: Sequence[Similar]) -> ChurnRiskOut:
    """Return the newest risk with all that explains it."""
    risk, row = found.risk, found.risk.prediction
    hidden = risk.is_band
    reference = risk.reference
    return ChurnRiskOut(
        client_id=risk.client.pk,
        as_of=row.as_of,
        made_at=row.made_at,
        no_risk_reason=None,
        category=risk.category,
        precision=Precision(row.precision),
        precision_reason=row.precision_reason,
        within_30_days=_chance(hidden, row.p30, row.p30_low, row.p30_high),
        within_60_days=_chance(hidden, row.p60, row.p60_low, row.p60_high),
        within_90_days=_chance(hidden, row.p90, row.p90_low, row.p90_high),
        renewal=_chance(hidden, row.renewal_risk, row.renewal_low, row.renewal_high),
        renewal_on=row.renewal_on,
        log_odds=_shown(hidden, risk.log_odds),
        reference=None
        if reference is None
        else ChurnReferenceOut(
            name=reference.name,
            clients=reference.clients,
            probability_90_days=_shown(hidden, reference.p90),
            log_odds=_shown(hidden, reference.log_odds),
        ),
        factors=[factor_out(line, hidden) for line in risk.factors],
        change=None if found.change is None else change_out(found.change, hidden),
        similar_clients=[
            SimilarClientOut(
                client_id=one.client_id,
                name=one.name,
                described=one.described,
                as_of=one.as_of,
                left=one.left,
                days_to_leaving=one.days,
                alike=list(one.alike),
            )
            for one in similar
        ],
        recommended_actions=[action_out(action) for action in found.actions],
        levers=[lever_out(offer) for offer in found.offers],
        coverage=row.coverage,
        unknown=list(found.unknown),
        model=RiskModelOut(
            version=risk.model.version,
            kind=ModelKind(risk.model.kind),
            note=NO_HISTORY if risk.is_prior else "",
            auc=record_of(risk.model.pk).auc,
        ),
    )


def factor_out(line: FactorLine, hidden: bool) -> ChurnFactorOut:
    """Return a factor; without its figures where they are `hidden`."""
    return ChurnFactorOut(
        slug=line.slug,
        heading=line.heading,
        raises=line.is_risk,
        impact=line.impact,
        multiplier=_shown(hidden, line.multiplier),
        log_odds=_shown(hidden, line.log_odds),
        sentence=line.sentence,
        features=[
            ChurnFeatureOut(
                slug=one.slug,
                label=one.label,
                value=one.value,
                value_text=one.value_text,
                log_odds=_shown(hidden, one.log_odds),
                sentence=one.sentence,
            )
            for one in line.features
        ],
    )


def change_out(change: Difference, hidden: bool) -> ChurnChangeOut:
    """Return the change against a month before."""
    return ChurnChangeOut(
        since=change.before.as_of,
        points=_shown(hidden, change.points),
        log_odds=_shown(hidden, change.log_odds),
        raised=None if change.log_odds == 0 else change.log_odds > 0,
        parts=[_difference(line, hidden) for line in change.lines],
        model_points=_shown(hidden, change.model_points),
        model_log_odds=_shown(hidden, change.model),
    )


def _difference(line: FactorDifference, hidden: bool) -> ChurnDifferenceOut:
    return ChurnDifferenceOut(
        factor=line.slug,
        heading=line.heading,
        log_odds=_shown(hidden, line.log_odds),
        points=_shown(hidden, line.points),
        before=line.before,
        after=line.after,
    )


def action_out(action: Action) -> ChurnActionOut:
    """Return something to do."""
    person: Any = action.person.contact_id if action.person else None
    return ChurnActionOut(
        slug=action.slug, title=action.title, reason=action.reason, factors=list(action.factors), contact_id=person
    )


def lever_out(offer: Offer) -> LeverOut:
    """Return a question that the what-if takes."""
    lever = offer.lever
    return LeverOut(
        slug=lever.slug, label=lever.label, unit=lever.unit, value=offer.value, minimum=lever.minimum,
        maximum=offer.maximum,
    )  # fmt: skip


def what_if_out(risk: Risk, found: WhatIf) -> WhatIfOut:
    """Return what the risk would be."""
    hidden = risk.is_band
    inputs = risk.prediction.inputs
    return WhatIfOut(
        as_of=risk.prediction.as_of,
        precision=Precision(risk.prediction.precision),
        before=_side(found.before, hidden),
        after=_side(found.after, hidden),
        points=_shown(hidden, found.points),
        log_odds=_shown(hidden, found.log_odds),
        lowers=None if found.log_odds == 0 else found.log_odds < 0,
        changed=[
            WhatIfChangedOut(slug=slug, label=label, before=before, after=after)
            for slug, (label, before, after) in zip(found.changed, told(inputs, found.changed), strict=True)
        ],
        factors=[_difference(line, hidden) for line in found.lines],
        note=found.note,
    )


def _side(horizons: Horizons, hidden: bool) -> WhatIfSideOut:
    thirty, sixty, ninety = (_of(chance, hidden) for chance in horizons.days)
    return WhatIfSideOut(
        category=Category(horizons.category),
        within_30_days=thirty,
        within_60_days=sixty,
        within_90_days=ninety,
        renewal=_of(horizons.renewal, hidden) if horizons.renewal else NOTHING,
    )


def _of(chance: Chance, hidden: bool) -> ChanceOut:
    return _chance(hidden, chance.p, chance.low, chance.high)


def _chance(hidden: bool, p: float | None, low: float | None, high: float | None) -> ChanceOut:
    if hidden:
        return NOTHING
    return ChanceOut(probability=_shown(False, p), low=_shown(False, low), high=_shown(False, high))


def _shown(hidden: bool, value: float | None) -> float | None:
    """Return the figure to six digits, None where it is hidden."""
    return None if hidden or value is None else round(value, DIGITS)
