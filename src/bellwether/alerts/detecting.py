"""Finds alerts over any span of days, for all clients at once. Pure.

Types, conditions and what clears them: formulas.md, section 6, and docs/reference/alerts.md.
"""

from collections.abc import Callable, Mapping
from datetime import date

import polars as pl

from bellwether.alerts.detecting_health import critical_health, health_drops
from bellwether.alerts.detecting_people import champions_at_risk, inactive_key_users
from bellwether.alerts.detecting_records import detractors, payment_issues, renewals, support_spikes
from bellwether.alerts.detecting_usage import abandoned_features, declines, low_utilization
from bellwether.alerts.episodes import Span
from bellwether.alerts.frames import EPISODES, Facts, Rules, empty, typed

Detector = Callable[[Facts, Rules, Span], pl.DataFrame]
DETECTORS: Mapping[str, Detector] = {
    "CRITICAL_HEALTH": critical_health,
    "HEALTH_DROP": health_drops,
    "KEY_USER_INACTIVE": inactive_key_users,
    "CHAMPION_RISK": champions_at_risk,
    "NPS_DETRACTOR": detractors,
    "PAYMENT_ISSUE": payment_issues,
    "SUPPORT_SPIKE": support_spikes,
    "USAGE_DECLINE": declines,
    "RENEWAL_APPROACHING": renewals,
    "FEATURE_ABANDONED": abandoned_features,
    "CONTRACT_UTILIZATION_LOW": low_utilization,
}
"""The detector of each type."""


def detect(
    facts: Facts, rules: Rules, *, first: date, last: date, standing: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return the EPISODES that are open on some day from `first` to `last`, or clear on one, in order of client, type,
    subject and day.

    `standing` (EPISODES) are those that were open when `first` began, as an earlier call or the database has them:
    they go on, and clear as they would have. With them, detecting day by day finds what detecting all days at once
    does, if `facts` begin LOOK_BACK_DAYS (alerts.reading) before `first`. Without them nothing was open before: what
    holds on `first` opens on it. A type that is off for a client finds nothing, whatever is standing; neither does a
    client that is not in the facts.
    """
    before = empty(EPISODES) if standing is None else typed(standing, EPISODES)
    parts = [empty(EPISODES)]
    for alert_type, detector in DETECTORS.items():
        on = rules.of(alert_type)
        if on.is_empty():
            continue
        mine = before.filter(pl.col("alert_type") == alert_type).join(on, on="client_id", how="semi")
        span = Span(first, last, facts.clients, mine)
        parts.append(detector(facts, rules, span))
    return pl.concat(parts).sort("client_id", "alert_type", "subject", "opened_on")
