"""Every measure that a scorecard may read: the visible list behind the settings page, the API and the docs.

Definitions: formulas.md, section 1. How they are computed: health.measuring.
"""

from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """What a measure is counted in."""

    PEOPLE = "people"
    DAYS = "days"
    MINUTES = "minutes"
    COUNT = "count"
    POINTS = "points"
    RATIO = "ratio"
    PERCENT = "0-100"
    NPS = "0-10"
    WORD = "word"


class Better(StrEnum):
    """Which direction is good."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


class Source(StrEnum):
    """Where a measure comes from."""

    USAGE = "usage"
    TICKETS = "tickets"
    SURVEYS = "surveys"
    ACTIVITIES = "activities"
    CONTACTS = "contacts"
    CONTRACT = "contract"
    FEATURES = "features"
    COUNTS = "counts"
    SCORES = "scores"
    CUSTOM = "custom"


@dataclass(frozen=True)
class Measure:
    """One measure. `whole` measures are integers, the others real numbers, except words."""

    slug: str
    label: str
    unit: Unit
    better: Better
    source: Source
    description: str
    whole: bool = False


def _people(slug: str, label: str, description: str, *, whole: bool = True) -> Measure:
    return Measure(slug, label, Unit.PEOPLE, Better.HIGHER, Source.USAGE, description, whole)


def _count(slug: str, label: str, better: Better, source: Source, description: str) -> Measure:
    return Measure(slug, label, Unit.COUNT, better, source, description, whole=True)


UP, DOWN, EITHER = Better.HIGHER, Better.LOWER, Better.NEITHER

_USAGE = (
    _people("dau", "Daily active users", "People with at least one action on the date."),
    _people("wau", "Weekly active users", "People with at least one action in the 7 days that end on the date."),
    _people("mau", "Monthly active users", "People with at least one action in the 30 days that end on the date."),
    _people(
        "dau_avg_7d",
        "Average daily users, 7 days",
        "Mean daily users over the working days of the last 7; days before the client's first event do not count.",
        whole=False,
    ),
    _people("dau_avg_30d", "Average daily users, 30 days", "The same over 30 days.", whole=False),
    _people("dau_avg_90d", "Average daily users, 90 days", "The same over 90 days.", whole=False),
    Measure(
        "dau_change",
        "Change in daily users",
        Unit.RATIO,
        UP,
        Source.USAGE,
        "7-day average over 30-day average, less 1; null under 14 days of history or with a 30-day average of 0.",
    ),
    Measure(
        "stickiness",
        "Stickiness",
        Unit.RATIO,
        UP,
        Source.USAGE,
        "30-day average of daily users over monthly users; null without monthly users.",
    ),
    Measure(
        "sessions",
        "Sessions a day",
        Unit.COUNT,
        UP,
        Source.USAGE,
        "Mean sessions a day over the last 30 days; days before the client's first event do not count.",
    ),
    Measure(
        "session_minutes",
        "Session length",
        Unit.MINUTES,
        UP,
        Source.USAGE,
        "Mean length of the sessions of the last 30 days, last less first event; null without sessions.",
    ),
    Measure(
        "session_depth",
        "Actions per session",
        Unit.COUNT,
        UP,
        Source.USAGE,
        "Actions over sessions of the last 30 days; null without sessions.",
    ),
    _people("active_users_30d", "Active users, 30 days", "The same number as monthly active users."),
    _people("total_users", "Known users", "Registered people known on the date, at least the monthly active users."),
    Measure(
        "days_since_login",
        "Days since login",
        Unit.DAYS,
        DOWN,
        Source.USAGE,
        "Whole days since the last of the preset's login events, by default any action of a person; null if never.",
        whole=True,
    ),
    Measure(
        "days_since_use",
        "Days since use",
        Unit.DAYS,
        DOWN,
        Source.USAGE,
        "Whole days since the last action of a person; null if never.",
        whole=True,
    ),
    _people(
        "power_users",
        "Power users",
        "Size of the client's top fifth of users by actions in 30 days: a fifth of the monthly users, rounded up.",
    ),
    Measure(
        "seat_use",
        "Seat use",
        Unit.RATIO,
        UP,
        Source.USAGE,
        "Monthly active users over licensed users; null without licensed users.",
    ),
    Measure(
        "client_activity",
        "Activity of own customers",
        Unit.RATIO,
        UP,
        Source.USAGE,
        "Share of the client's own customers (the preset's customer role) active in 30 days; null if none are known.",
    ),
)

_FEATURES = (
    Measure(
        "feature_breadth",
        "Breadth of use",
        Unit.RATIO,
        UP,
        Source.FEATURES,
        "Licensed modules that people used in 30 days over licensed modules; null if none are licensed.",
    ),
    _count(
        "features_licensed",
        "Licensed features",
        EITHER,
        Source.FEATURES,
        "Features of the catalogue that are licensed for the client on the date; null if nothing is said about it.",
    ),
    _count(
        "features_used",
        "Licensed features in use",
        UP,
        Source.FEATURES,
        "Licensed features with light, active or power use over their own period.",
    ),
    _count("features_tracked", "Tracked features", EITHER, Source.FEATURES, "Features of the preset's catalogue."),
    _count(
        "features_adopted",
        "Adopted features",
        UP,
        Source.FEATURES,
        "Tracked features used at least once, ever up to the date.",
    ),
    Measure(
        "feature_share",
        "Share of features used",
        Unit.RATIO,
        UP,
        Source.FEATURES,
        "Tracked features used in the last 30 days over tracked features.",
    ),
)

_RECORDS = (
    _count("tickets_30d", "Tickets, 30 days", DOWN, Source.TICKETS, "Tickets opened in the last 30 days."),
    Measure(
        "tickets_norm",
        "Usual tickets",
        Unit.COUNT,
        EITHER,
        Source.TICKETS,
        "Mean tickets opened per 30 days over the 90 days before those; null while tickets were not yet recorded then.",
    ),
    Measure(
        "ticket_points_30d",
        "Ticket points, 30 days",
        Unit.POINTS,
        DOWN,
        Source.TICKETS,
        "Tickets opened in the last 30 days: low 1, normal 2, high 4, urgent 8 points.",
        whole=True,
    ),
    Measure(
        "days_since_ticket",
        "Days since ticket",
        Unit.DAYS,
        EITHER,
        Source.TICKETS,
        "Whole days since the client's last ticket was opened; null if that is over 120 days ago.",
        whole=True,
    ),
    Measure("csat_90d", "CSAT, 90 days", Unit.PERCENT, UP, Source.SURVEYS, "Mean CSAT of the last 90 days."),
    Measure(
        "nps_latest",
        "Latest NPS answers",
        Unit.NPS,
        UP,
        Source.SURVEYS,
        "Mean over respondents of each one's last NPS answer within 365 days; an answer of nobody counts by itself.",
    ),
    Measure(
        "days_since_survey",
        "Days since survey answer",
        Unit.DAYS,
        EITHER,
        Source.SURVEYS,
        "Whole days since the client's last survey answer; null if that is over 365 days ago.",
        whole=True,
    ),
    Measure(
        "days_since_contact",
        "Days since contact",
        Unit.DAYS,
        DOWN,
        Source.ACTIVITIES,
        "Whole days since the last completed activity with the client, internal discussions left out. Never contacted "
        "although activities are recorded: days since the client is known.",
        whole=True,
    ),
    Measure(
        "stakeholder_coverage_90d",
        "Stakeholders met, 90 days",
        Unit.RATIO,
        UP,
        Source.CONTACTS,
        "Share of the active champions, executive sponsors and admins met in 90 days; null without such contacts.",
    ),
)

_CONTRACT = (
    Measure(
        "days_to_renewal",
        "Days to renewal",
        Unit.DAYS,
        EITHER,
        Source.CONTRACT,
        "Whole days to the end of the term, negative once it has passed.",
        whole=True,
    ),
    Measure(
        "licensed_user_count",
        "Licensed users",
        Unit.PEOPLE,
        EITHER,
        Source.CONTRACT,
        "Seats of the contract term of the date.",
        whole=True,
    ),
    Measure("tier", "Tier", Unit.WORD, EITHER, Source.CONTRACT, "Tier of the contract term of the date."),
    Measure(
        "expected_dau",
        "Expected daily users",
        Unit.PEOPLE,
        EITHER,
        Source.CONTRACT,
        "Seats (licensed users, else known users) times the tier's expected daily rate, by the scorecard.",
    ),
    Measure(
        "payment_status",
        "Payment status",
        Unit.WORD,
        EITHER,
        Source.CONTRACT,
        "current, late or overdue, as last recorded on or before the date.",
    ),
    Measure(
        "renewal_signal",
        "Renewal signal",
        Unit.PERCENT,
        UP,
        Source.CONTRACT,
        "Probability of the open renewal opportunity, as last recorded on or before the date; null without one.",
    ),
)

_COUNTS = (
    _count("cases_created", "Cases created", EITHER, Source.COUNTS, "Cases created in 30 days."),
    _count("cases_closed", "Cases closed", UP, Source.COUNTS, "Cases closed in 30 days."),
    _count(
        "cases_on_time",
        "Cases closed on time",
        UP,
        Source.COUNTS,
        "Cases closed in 30 days with SLA state on track or warning.",
    ),
    _count(
        "cases_overdue",
        "Overdue cases",
        DOWN,
        Source.COUNTS,
        "Cases open on the date whose SLA was breached: breaches so far less late closures so far.",
    ),
    _count("assignments_total", "Assignments", EITHER, Source.COUNTS, "Campaign assignments so far."),
    _count("assignments_completed", "Assignments completed", UP, Source.COUNTS, "Assignments completed so far."),
    _count("campaigns_active", "Active campaigns", UP, Source.COUNTS, "Campaigns launched and not closed by the date."),
    Measure(
        "form_completion_rate",
        "Form completion",
        Unit.RATIO,
        UP,
        Source.COUNTS,
        "Forms completed over forms started in 90 days, at most 1; null without started forms.",
    ),
    Measure(
        "journey_performance",
        "Journey completion",
        Unit.RATIO,
        UP,
        Source.COUNTS,
        "Journeys completed over journeys started in 90 days, at most 1; null without started journeys.",
    ),
)

_SCORES = (
    Measure(
        "previous_score",
        "Previous score",
        Unit.PERCENT,
        EITHER,
        Source.SCORES,
        "The score that the scorecard's trend rule compares with; null if there is none.",
        whole=True,
    ),
)

MEASURES: tuple[Measure, ...] = (*_USAGE, *_FEATURES, *_RECORDS, *_CONTRACT, *_COUNTS, *_SCORES)
MEASURES_BY_SLUG: dict[str, Measure] = {measure.slug: measure for measure in MEASURES}
MEASURE_LABELS: dict[str, str] = {measure.slug: measure.label for measure in MEASURES}

DERIVED_LATER = frozenset({"previous_score", "expected_dau"})
"""Measures that are added before scoring, because they depend on the scorecard."""


def reference_table() -> str:
    """Return the measures as a Markdown table, as it stands in docs/reference/measures.md."""
    lines = ["| measure | label | unit | better | source | definition |", "| --- | --- | --- | --- | --- | --- |"]
    lines += [
        f"| `{m.slug}` | {m.label} | {m.unit.value} | {m.better.value} | {m.source.value} | {m.description} |"
        for m in MEASURES
    ]
    return "\n".join(lines) + "\n"
