"""What the churn model looks at: every feature with its unit, direction, fixed scale and expert coefficient. Pure.

A feature is what is known of a client at the end of an as-of day, in the client's own numbers. It enters the model
standardised by the *fixed* centre and scale given here, never by those of the data, so that a coefficient means the
same in every version and the expert coefficients mean something without any history (formulas.md, section 4).

    z = (t(value) - centre) / scale, held within -3 and 3; 0 where the value is unknown

`weight` is the expert's change of the log-odds of leaving within 30 days per unit of z, `doubt` its standard deviation,
the Gaussian prior of the coefficient. `direction` 1 says that more is never safer, -1 that more is never riskier; the
fit keeps to it. 0 leaves the direction to the data.
"""

from dataclasses import dataclass
from typing import Literal

from bellwether.health.measures import Unit

Transform = Literal["as it is", "log(1 + x)", "log", "term ends in the interval"]
INTERVAL_DAYS = 30
INTERVALS = 3
HORIZONS = (30, 60, 90)
HELD_WITHIN = 3.0
LEAST_RATIO = 0.05
"""Ratios are taken as at least this before their logarithm: a fall to a twentieth is as far as a fall counts."""

BASE_LOG_ODDS, BASE_DOUBT = -5.0, 1.0
"""Expert log-odds of leaving within 30 days where every feature is at its centre: 0.7 % a month in which no term ends
and 5 % in one in which it does, about 12 % a year of a client with yearly terms."""
FADING = (1.0, 0.75, 0.55)
"""How much of a coefficient the expert expects in the second and third interval, of which today says less."""


@dataclass(frozen=True)
class Factor:
    """A group of features under one heading, `risk` where it raises and `relief` where it lowers the risk."""

    slug: str
    risk: str
    relief: str


@dataclass(frozen=True)
class Feature:
    """One feature; see the module for `centre`, `scale`, `weight`, `doubt` and `direction`."""

    slug: str
    factor: str
    label: str
    unit: Unit
    description: str
    direction: Literal[-1, 0, 1]
    transform: Transform
    centre: float
    scale: float
    weight: float
    doubt: float


FACTORS: tuple[Factor, ...] = (
    Factor("usage_decline", "Usage decline", "Usage holds up"),
    Factor("low_use", "Low use", "Well used"),
    Factor("gone_quiet", "Gone quiet", "In daily use"),
    Factor("champion", "Champion inactive", "Champion active"),
    Factor("people_lost", "People lost", "People stay"),
    Factor("adoption_gap", "Adoption gap", "Broad adoption"),
    Factor("support", "Support spike", "Support calm"),
    Factor("sentiment", "Unhappy answers", "Happy answers"),
    Factor("contact_gap", "Contact gap", "In close contact"),
    Factor("renewal_near", "Renewal near", "Renewal far off"),
    Factor("contract", "Contract risk", "Contract stable"),
    Factor("tenure", "Young client", "Long-standing client"),
    Factor("season", "Season", "Season"),
)

_R, _D, _P, _C = Unit.RATIO, Unit.DAYS, Unit.PEOPLE, Unit.COUNT

FEATURES: tuple[Feature, ...] = (
    Feature(
        "usage_change_month",
        "usage_decline",
        "Daily users, 30 against 90 days",
        _R,
        "30-day over 90-day average of daily users, 0 when unused for 90 days; null under 45 days of history or "
        "without an average.",
        -1,
        "log",
        0.0,
        0.35,
        -0.45,
        0.3,
    ),
    Feature(
        "usage_change_week",
        "usage_decline",
        "Daily users, 7 against 30 days",
        _R,
        "7-day over 30-day average of daily users, 0 when unused for 30 days; null under 14 days of history or without "
        "an average.",
        -1,
        "log",
        0.0,
        0.35,
        -0.2,
        0.2,
    ),
    Feature(
        "seat_use",
        "low_use",
        "Seats in use",
        _R,
        "Monthly active users over licensed users.",
        -1,
        "as it is",
        0.6,
        0.25,
        -0.3,
        0.25,
    ),
    Feature(
        "stickiness",
        "low_use",
        "Stickiness",
        _R,
        "30-day average of daily users over monthly users, 0 when unused for 30 days.",
        -1,
        "as it is",
        0.25,
        0.12,
        -0.2,
        0.2,
    ),
    Feature(
        "daily_users",
        "low_use",
        "Daily users, 30 days",
        _P,
        "30-day average of daily users.",
        -1,
        "log(1 + x)",
        1.8,
        1.0,
        -0.15,
        0.2,
    ),
    Feature(
        "days_since_use",
        "gone_quiet",
        "Days since use",
        _D,
        "Whole days since the last action of a person.",
        1,
        "log(1 + x)",
        0.7,
        1.0,
        0.4,
        0.25,
    ),
    Feature(
        "days_since_login",
        "gone_quiet",
        "Days since login",
        _D,
        "Whole days since the last login event.",
        1,
        "log(1 + x)",
        0.7,
        1.0,
        0.15,
        0.2,
    ),
    Feature(
        "champion_quiet_days",
        "champion",
        "Champion last seen",
        _D,
        "Whole days since a champion or executive sponsor was last active, the most recent of them; 180 stands for "
        "longer; null where none of them is linked to a user who was ever seen.",
        1,
        "log(1 + x)",
        1.4,
        1.0,
        0.4,
        0.25,
    ),
    Feature(
        "key_contacts_left",
        "champion",
        "Key contacts who left, 180 days",
        _P,
        "Champions, executive sponsors and admins who left the company in 180 days; null where none is known.",
        1,
        "as it is",
        0.0,
        1.0,
        0.5,
        0.3,
    ),
    Feature(
        "lead_user_quiet_days",
        "champion",
        "Leading user last seen",
        _D,
        "Whole days since the person with the most actions in 180 days was last active; days since use after that.",
        1,
        "log(1 + x)",
        1.0,
        1.0,
        0.2,
        0.2,
    ),
    Feature(
        "people_lost_share",
        "people_lost",
        "People who stopped, 30 days",
        _R,
        "Share of the people active in the 60 days before the last 30 who were not active in the last 30; 1 when "
        "unused for 90 days, else null without any.",
        1,
        "as it is",
        0.3,
        0.2,
        0.3,
        0.2,
    ),
    Feature(
        "lead_user_share",
        "people_lost",
        "Work done by one person",
        _R,
        "Share of the actions of 30 days done by the most active person.",
        1,
        "as it is",
        0.35,
        0.2,
        0.1,
        0.15,
    ),
    Feature(
        "feature_breadth",
        "adoption_gap",
        "Licensed modules in use",
        _R,
        "Licensed modules used in 30 days over licensed modules.",
        -1,
        "as it is",
        0.6,
        0.25,
        -0.3,
        0.25,
    ),
    Feature(
        "feature_share_used",
        "adoption_gap",
        "Licensed features in use",
        _R,
        "Licensed features in use over licensed features.",
        -1,
        "as it is",
        0.5,
        0.25,
        -0.15,
        0.2,
    ),
    Feature(
        "ticket_ratio",
        "support",
        "Tickets against usual",
        _R,
        "Tickets of 30 days plus 1 over the usual number plus 1; null while the usual number is not known.",
        1,
        "log",
        0.0,
        0.6,
        0.25,
        0.2,
    ),
    Feature(
        "open_tickets",
        "support",
        "Open tickets",
        _C,
        "Tickets that were open at the end of the day; null until the workspace's first ticket.",
        1,
        "log(1 + x)",
        0.5,
        0.7,
        0.2,
        0.2,
    ),
    Feature(
        "csat_90d",
        "support",
        "CSAT, 90 days",
        Unit.PERCENT,
        "Mean CSAT of the last 90 days.",
        -1,
        "as it is",
        80.0,
        15.0,
        -0.2,
        0.2,
    ),
    Feature(
        "nps_latest",
        "sentiment",
        "Latest NPS answers",
        Unit.NPS,
        "Mean over respondents of each one's last NPS answer within 365 days.",
        -1,
        "as it is",
        7.5,
        2.0,
        -0.3,
        0.2,
    ),
    Feature(
        "days_since_contact",
        "contact_gap",
        "Days since contact",
        _D,
        "Whole days since the last completed activity with the client.",
        1,
        "log(1 + x)",
        3.1,
        0.9,
        0.2,
        0.2,
    ),
    Feature(
        "stakeholder_coverage",
        "contact_gap",
        "Stakeholders met, 90 days",
        _R,
        "Share of the active champions, executive sponsors and admins met in 90 days.",
        -1,
        "as it is",
        0.5,
        0.3,
        -0.15,
        0.2,
    ),
    Feature(
        "days_to_renewal",
        "renewal_near",
        "Days to renewal",
        _D,
        "Whole days to the end of the term of the day, below 0 after it. In each 30-day interval it counts whether the "
        "term ends in it.",
        1,
        "term ends in the interval",
        0.0,
        1.0,
        2.0,
        1.0,
    ),
    Feature(
        "payment_late",
        "contract",
        "Payment",
        Unit.COUNT,
        "0 paid on time, 1 late, 2 overdue.",
        1,
        "as it is",
        0.0,
        1.0,
        0.3,
        0.2,
    ),
    Feature(
        "renewal_signal",
        "contract",
        "Renewal opportunity",
        Unit.PERCENT,
        "Probability of the open renewal opportunity, as the CRM showed it on the day.",
        -1,
        "as it is",
        70.0,
        20.0,
        -0.4,
        0.25,
    ),
    Feature(
        "licensed_users",
        "contract",
        "Licensed users",
        _P,
        "Seats of the contract term of the day.",
        0,
        "log",
        3.4,
        1.0,
        -0.15,
        0.2,
    ),
    Feature(
        "tenure_days",
        "tenure",
        "Days as a client",
        _D,
        "Whole days since the client's first day.",
        0,
        "log(1 + x)",
        5.9,
        0.8,
        -0.15,
        0.2,
    ),
    Feature(
        "season_cos",
        "season",
        "Turn of the year",
        _R,
        "Cosine of the day of the year: 1 on 1 January, -1 on 1 July.",
        0,
        "as it is",
        0.0,
        1.0,
        0.0,
        0.15,
    ),
    Feature(
        "season_sin",
        "season",
        "Spring or autumn",
        _R,
        "Sine of the day of the year: 1 on 1 April, -1 on 1 October.",
        0,
        "as it is",
        0.0,
        1.0,
        0.0,
        0.15,
    ),
)

SLUGS: tuple[str, ...] = tuple(feature.slug for feature in FEATURES)
FEATURES_BY_SLUG: dict[str, Feature] = {feature.slug: feature for feature in FEATURES}
FACTORS_BY_SLUG: dict[str, Factor] = {factor.slug: factor for factor in FACTORS}
