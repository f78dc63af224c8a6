"""The kinds of alerts with what holds while nobody set anything: formulas.md §6, media of PRD-015 F8. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

CRITICAL, HIGH, MEDIUM, LOW = "CRITICAL", "HIGH", "MEDIUM", "LOW"
SEVERITIES = (CRITICAL, HIGH, MEDIUM, LOW)
"""Severities, the most severe first, as alerts.choices.AlertSeverity spells them."""

IN_APP, EMAIL, SLACK, TEAMS, WEBHOOK = "IN_APP", "EMAIL", "SLACK", "TEAMS", "WEBHOOK"
MEDIA = (IN_APP, EMAIL, SLACK, TEAMS, WEBHOOK)
"""Media in the order in which they are shown, as delivery.choices.Medium spells them."""

RESPOND_WITHIN: Mapping[str, int] = {CRITICAL: 4, HIGH: 8, MEDIUM: 24, LOW: 168}
"""Hours within which somebody should respond to an alert, by its severity."""

Thresholds = Mapping[str, float]


@dataclass(frozen=True)
class Threshold:
    """A number that a rule compares with. `unit` follows it in a sentence; `whole`: no fractions."""

    name: str
    label: str
    unit: str
    default: float
    least: float
    most: float
    whole: bool = True


@dataclass(frozen=True)
class AlertKind:
    """A kind of alert. `sentence` and `clears` say its rule, with the thresholds by name in braces.

    `severity` is that of an alert when it opens; `clears_at` in the sentences comes from `clears_at`.
    """

    alert_type: str
    name: str
    sentence: str
    clears: str
    severity: str
    media: tuple[str, ...]
    icon: str
    thresholds: tuple[Threshold, ...] = ()

    @property
    def defaults(self) -> dict[str, float]:
        """The thresholds by name while nobody set them."""
        return {one.name: one.default for one in self.thresholds}


TOLD = (IN_APP, EMAIL)
KINDS: tuple[AlertKind, ...] = (
    AlertKind(
        "CRITICAL_HEALTH",
        "Critical health",
        "The status enters critical.",
        "The score is {leave_points} points or more above the critical band.",
        CRITICAL,
        (IN_APP, EMAIL, SLACK),
        "circle-alert",
        (Threshold("leave_points", "Clears above the band by", "points", 3, 0, 20),),
    ),
    AlertKind(
        "HEALTH_DROP",
        "Health drop",
        "The score is {points} points or more below its highest value of the {days} days before.",
        "Half of the drop is regained.",
        HIGH,
        TOLD,
        "trending-down",
        (
            Threshold("points", "Drop of at least", "points", 10, 1, 60),
            Threshold("days", "Within", "days", 7, 1, 90),
        ),
    ),
    AlertKind(
        "KEY_USER_INACTIVE",
        "Key user inactive",
        "A key contact has not logged in for {days} days.",
        "The contact logs in.",
        HIGH,
        TOLD,
        "user-x",
        (Threshold("days", "No login for", "days", 14, 2, 120),),
    ),
    AlertKind(
        "CHAMPION_RISK",
        "Champion at risk",
        "The champion does under {percent} % of what they did in the {days} days before, or left the company.",
        "The champion is back over {clears_at} %.",
        HIGH,
        TOLD,
        "user-minus",
        (
            Threshold("percent", "Actions under", "% of before", 50, 5, 95),
            Threshold("days", "Compared over", "days", 30, 7, 90),
        ),
    ),
    AlertKind(
        "NPS_DETRACTOR",
        "NPS detractor",
        "An NPS answer of {at_most} or less.",
        "Resolved by hand, or a later answer of 7 or more.",
        HIGH,
        TOLD,
        "frown",
        (Threshold("at_most", "Answer of at most", "", 6, 0, 6),),
    ),
    AlertKind(
        "PAYMENT_ISSUE",
        "Payment issue",
        "A payment is late; overdue makes it critical.",
        "Payments are current.",
        HIGH,
        TOLD,
        "receipt",
    ),
    AlertKind(
        "SUPPORT_SPIKE",
        "Support spike",
        "At least {tickets} tickets in 7 days and {times} times the normal week.",
        "Fewer than {clears_at} times the normal week.",
        MEDIUM,
        (IN_APP,),
        "life-buoy",
        (
            Threshold("times", "At least", "times the normal week", 3, 1.5, 20, whole=False),
            Threshold("tickets", "And at least", "tickets in 7 days", 3, 1, 500),
        ),
    ),
    AlertKind(
        "USAGE_DECLINE",
        "Usage decline",
        "Daily active users are {percent} % or more below their average.",
        "The decline is under {clears_at} %.",
        MEDIUM,
        (IN_APP,),
        "activity",
        (Threshold("percent", "Decline of at least", "%", 30, 5, 95),),
    ),
    AlertKind(
        "RENEWAL_APPROACHING",
        "Renewal approaching",
        "{first_days}, {second_days} and {third_days} days before the renewal, once each.",
        "The contract is renewed.",
        MEDIUM,
        TOLD,
        "calendar-clock",
        (
            Threshold("first_days", "First", "days before", 90, 3, 365),
            Threshold("second_days", "Second", "days before", 60, 2, 364),
            Threshold("third_days", "Third", "days before", 30, 1, 363),
        ),
    ),
    AlertKind(
        "FEATURE_ABANDONED",
        "Feature abandoned",
        "A feature that was in active use is unused for {days} days.",
        "The feature is used.",
        LOW,
        (IN_APP,),
        "puzzle",
        (Threshold("days", "Unused for", "days", 30, 7, 180),),
    ),
    AlertKind(
        "CONTRACT_UTILIZATION_LOW",
        "Contract use low",
        "Under {percent} % of the licensed seats are used for {days} days.",
        "{clears_at} % of the seats or more are used.",
        LOW,
        (IN_APP,),
        "armchair",
        (
            Threshold("percent", "Seats used under", "%", 50, 5, 95),
            Threshold("days", "For", "days", 30, 1, 180),
        ),
    ),
)
"""All kinds of alerts, the most severe first."""

KIND: Mapping[str, AlertKind] = {one.alert_type: one for one in KINDS}
"""The kinds by alert type."""

THRESHOLD_NAMES: tuple[str, ...] = tuple(dict.fromkeys(one.name for kind in KINDS for one in kind.thresholds))
"""Every name of a threshold, each once."""

UTILIZATION_MARGIN = 5.0


def clears_at(alert_type: str, thresholds: Thresholds) -> float | None:
    """Return the value at which an alert clears, in the unit of its threshold, where it follows from that.

    Champion: midway between the threshold and 100 % (50 → 75). Support: half as many times (3 → 1.5). Usage: half the
    decline (30 → 15). Contract: 5 points more (50 → 55), at most 100. None for kinds that clear otherwise.
    """
    if alert_type == "CHAMPION_RISK":
        return (thresholds["percent"] + 100) / 2
    if alert_type == "SUPPORT_SPIKE":
        return thresholds["times"] / 2
    if alert_type == "USAGE_DECLINE":
        return thresholds["percent"] / 2
    if alert_type == "CONTRACT_UTILIZATION_LOW":
        return min(100.0, thresholds["percent"] + UTILIZATION_MARGIN)
    return None


def rule_words(alert_type: str, thresholds: Thresholds) -> tuple[str, str]:
    """Return in sentences when an alert fires and when it clears, with the numbers of `thresholds` (all by name)."""
    kind = KIND[alert_type]
    values = {name: f"{value:g}" for name, value in thresholds.items()}
    at = clears_at(alert_type, thresholds)
    values["clears_at"] = "" if at is None else f"{at:g}"
    return kind.sentence.format(**values), kind.clears.format(**values)
