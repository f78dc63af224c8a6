"""Keeps the risk at the coming renewal in step with the dated hazard. Pure.

The two come from two models, but of one client: who leaves before the term ends does not renew, and who does not renew
has left by 30 days after its end (churn.labelling). So with d days to the end of the term

    p(leaves within d days)  <=  renewal risk  <=  p(leaves within d + 30 days)

wherever the hazard reaches that far. Within an interval the chance to stay falls at an even rate; the 30 days after the
last interval go on at its rate. The ends of the 80 % interval are held to those of the hazard in the same way.
"""

import numpy as np

from bellwether.churn.additive import Floats, Predicted
from bellwether.churn.factors import INTERVAL_DAYS, INTERVALS
from bellwether.churn.labelling import RENEWAL_GRACE_DAYS

TERM_END = "days_to_renewal"
REACH = INTERVAL_DAYS * INTERVALS


def in_step(renewal: Predicted, dated: Predicted, days_to_renewal: Floats) -> Predicted:
    """Return the renewal risk (rows × 1) held between what the dated hazard (rows × 3) says of both ends.

    `days_to_renewal` by row; NaN or below 0, where no renewal comes, gives NaN. Further than 90 days off only the lower
    bound holds.
    """
    comes = days_to_renewal >= 0
    days = np.where(comes, days_to_renewal, 0.0)
    held = (
        np.where(comes, np.clip(risk[:, 0], within(p, np.minimum(days, REACH)), _latest(p, days)), np.nan)[:, None]
        for risk, p in ((renewal.p, dated.p), (renewal.low, dated.low), (renewal.high, dated.high))
    )
    return Predicted(*held)


def within(p: Floats, days: Floats) -> Floats:
    """Return the probability of leaving within `days` (at most 120) from p30, p60 and p90 (rows × 3)."""
    stays = np.log1p(-np.minimum(p, 1 - 1e-12))
    ends = np.column_stack([np.zeros(len(p)), stays, 2 * stays[:, -1] - stays[:, -2]])
    place = np.clip(days / INTERVAL_DAYS, 0, INTERVALS + 1)
    at = np.minimum(place.astype(np.int64), INTERVALS)
    rows = np.arange(len(p))
    found: Floats = -np.expm1(ends[rows, at] + (place - at) * (ends[rows, at + 1] - ends[rows, at]))
    return found


def _latest(p: Floats, days: Floats) -> Floats:
    return np.where(days <= REACH, within(p, days + RENEWAL_GRACE_DAYS), 1.0)
