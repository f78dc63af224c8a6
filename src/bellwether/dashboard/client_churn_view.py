"""The page of one client's churn risk as data: everything it shows, as text where it is text.

At a band nothing here holds a figure of the model; categories, directions and the client's own numbers stand for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from bellwether.churn.advice import Action, Do
from bellwether.churn.choices import Precision
from bellwether.churn.client_risk import Explained, Risk
from bellwether.churn.differences import Difference, FactorDifference
from bellwether.churn.factors import FEATURES_BY_SLUG
from bellwether.churn.levers import Offer
from bellwether.churn.models import ChurnPrediction
from bellwether.churn.precision import category as category_of
from bellwether.churn.words import FactorLine, multiplier_text
from bellwether.common.rounding import half_up, rounded_together
from bellwether.dashboard.client_churn import ChurnCard, card_of
from bellwether.dashboard.playbook_starting import about
from bellwether.dashboard.trend_chart import Band, TrendChart, draw, in_words
from bellwether.playbooks.selectors import startable
from bellwether.portfolio.models import Client
from bellwether.web.chances import chance, chances
from bellwether.web.chances import risk_of as look_of
from bellwether.web.formatting import MINUS, Delta, change, day, full_day

BANDS = (Band("Low", 0, "healthy"), Band("Medium", 20, "risk"), Band("High", 50, "critical"))
LONGEST_STEP_DAYS = 14
"""Predictions older than 60 days are kept one a week: a line is drawn through pauses of up to two weeks."""
PLACES = 2
BUTTONS: Mapping[Do, tuple[str, str]] = {
    Do.CALL: ("Schedule call", "phone"),
    Do.MEETING: ("Schedule meeting", "users"),
    Do.TRAINING: ("Schedule training", "calendar-plus"),
    Do.QBR: ("Schedule review", "presentation"),
    Do.SUPPORT_ESCALATION: ("Log escalation", "life-buoy"),
    Do.EXECUTIVE_TOUCHPOINT: ("Schedule touchpoint", "calendar-plus"),
    Do.INTERNAL_DISCUSSION: ("Log discussion", "sticky-note"),
    Do.OPEN_ADOPTION: ("Adoption", "arrow-up-right"),
    Do.OPEN_SUPPORT: ("Support", "arrow-up-right"),
    Do.OPEN_CONTRACT: ("Contract", "arrow-up-right"),
    Do.OPEN_CONTACTS: ("Contacts", "arrow-up-right"),
}
PLACES_OF = {
    Do.OPEN_ADOPTION: "client_adoption",
    Do.OPEN_SUPPORT: "client_support",
    Do.OPEN_CONTRACT: "client_contract",
    Do.OPEN_CONTACTS: "client_contacts",
}
LOGGED = frozenset({Do.SUPPORT_ESCALATION, Do.INTERNAL_DISCUSSION})
"""Activities that are written down as done; the others are scheduled."""
ALERTS_OF: Mapping[str, tuple[str, ...]] = {
    "usage_decline": ("USAGE_DECLINE",),
    "low_use": ("CONTRACT_UTILIZATION_LOW",),
    "gone_quiet": ("USAGE_DECLINE", "KEY_USER_INACTIVE"),
    "champion": ("CHAMPION_RISK", "KEY_USER_INACTIVE"),
    "people_lost": ("USAGE_DECLINE",),
    "adoption_gap": ("FEATURE_ABANDONED", "CONTRACT_UTILIZATION_LOW"),
    "support": ("SUPPORT_SPIKE",),
    "sentiment": ("NPS_DETRACTOR",),
    "renewal_near": ("RENEWAL_APPROACHING",),
    "contract": ("PAYMENT_ISSUE", "RENEWAL_APPROACHING"),
}
"""The types of alerts that speak of the same as a factor: playbooks that they start suit the factor too."""


@dataclass(frozen=True)
class Part:
    """A line of the sum. `log_odds` and `times` are "" at a band, where `impact` stands for them."""

    label: str
    text: str
    log_odds: str
    times: str
    impact: str
    tone: str = ""
    description: str = ""
    features: tuple["Part", ...] = ()


@dataclass(frozen=True)
class Sum:
    """How the risk comes about: the reference, the factors, and what they make together, all as text."""

    reference: str
    reference_log_odds: str
    reference_p: str
    parts: list[Part]
    log_odds: str
    p: str


@dataclass(frozen=True)
class ChangePart:
    """What a factor changed: before and after in words, points and multiplier as text ("" at a band)."""

    heading: str
    before: str
    after: str
    points: Delta | None
    log_odds: str
    raises: bool


@dataclass(frozen=True)
class ChangeCard:
    """Why the risk changed since a day; `summary` in a sentence. `model`: what another version changed, "" if none."""

    title: str
    summary: str
    parts: list[ChangePart]
    model: str
    model_points: Delta | None
    model_log_odds: str
    total: Delta | None
    total_log_odds: str


@dataclass(frozen=True)
class Course:
    """The risk over time. `chart` None: `nothing` says why; `rows` are the table: day, probability, interval, word."""

    chart: TrendChart | None
    sentence: str
    nothing: str
    rows: list[tuple[str, str, str, str]]


@dataclass(frozen=True)
class Button:
    """A button of an action: opens a form over the page where `dialog`, else leads to another page."""

    text: str
    icon: str
    href: str
    dialog: bool


@dataclass(frozen=True)
class ActionItem:
    """Something to do, why, and its buttons."""

    title: str
    reason: str
    buttons: list[Button]


@dataclass(frozen=True)
class Known:
    """A feature with its value as text; unknown ones have none."""

    label: str
    value: str
    description: str


@dataclass(frozen=True)
class ChurnPage:
    """The page."""

    card: ChurnCard
    sum: Sum
    course: Course
    change: ChangeCard | None
    actions: list[ActionItem]
    offers: Sequence[Offer]
    known: list[Known]
    unknown: list[Known]
    coverage: str
    made: str
    version: str
    is_prior: bool
    is_band: bool


def churn_page(found: Explained, *, today: date, may_start: bool) -> ChurnPage:
    """Return the page of a risk; `may_start`: the reader may start playbooks. One query, for the playbooks."""
    risk = found.risk
    row = risk.prediction
    client: Client = risk.client
    playbooks = startable(client.pk) if may_start and client.archived_at is None else []
    return ChurnPage(
        card=card_of(risk, href=reverse("client_churn", args=[client.pk]), today=today),
        sum=sum_of(risk),
        course=course_of(found.history, hidden=risk.is_band),
        change=change_card(found.change, hidden=risk.is_band, today=today) if found.change else None,
        actions=[_action(client, action, playbooks) for action in found.actions],
        offers=found.offers,
        known=[_known(slug, risk) for slug in found.known],
        unknown=[_known(slug, risk) for slug in found.unknown],
        coverage=f"{len(found.known)} of {len(found.known) + len(found.unknown)} features are known",
        made=f"Predicted for {full_day(row.as_of)}",
        version=f"version {risk.model.version}, {risk.model.get_kind_display().lower()}",
        is_prior=risk.is_prior,
        is_band=risk.is_band,
    )


def signed_odds(value: float) -> str:
    """Return log-odds with sign and two decimals: "+0.88", "−1.20"."""
    text = f"{abs(value):.{PLACES}f}"
    return text if float(text) == 0 else f"{'+' if value > 0 else MINUS}{text}"


def sum_of(risk: Risk) -> Sum:
    """Return the sum of the log-odds by factor and feature; what is shown adds up as shown."""
    lines, reference, hidden = risk.factors, risk.reference, risk.is_band
    start = reference.log_odds if reference else 0.0
    shown = rounded_together([start, *(line.log_odds for line in lines)], PLACES)
    return Sum(
        reference=reference.name if reference else "Reference",
        reference_log_odds="" if hidden else _plain_odds(shown[0]),
        reference_p="" if hidden or reference is None else chance(reference.p90),
        parts=[_part(line, value, hidden) for line, value in zip(lines, shown[1:], strict=True)],
        log_odds="" if hidden else _plain_odds(sum(shown)),
        p="" if hidden else chance(risk.prediction.p90),
    )


def _plain_odds(value: float) -> str:
    return f"{value:.{PLACES}f}".replace("-", MINUS)


def _part(line: FactorLine, value: float, hidden: bool) -> Part:
    inner = rounded_together([one.log_odds for one in line.features], PLACES)
    inner = [*inner[:-1], inner[-1] + value - sum(inner)] if inner else []
    features = tuple(
        Part(
            label=one.label,
            text=one.value_text,
            log_odds="" if hidden else signed_odds(part),
            times="" if hidden else multiplier_text(one.log_odds),
            impact="",
            tone="" if one.value is not None else "muted",
            description=one.description,
        )
        for one, part in zip(line.features, inner, strict=True)
    )
    return Part(
        label=line.heading,
        text=line.sentence,
        log_odds="" if hidden else signed_odds(value),
        times="" if hidden else multiplier_text(line.log_odds),
        impact=line.impact.word,
        tone="bad" if line.is_risk else "good",
        features=features,
    )


def _known(slug: str, risk: Risk) -> Known:
    one = FEATURES_BY_SLUG[slug]
    found = next((part for line in risk.factors for part in line.features if part.slug == slug), None)
    return Known(one.label, found.value_text if found else "", one.description)


def course_of(history: Sequence[ChurnPrediction], *, hidden: bool) -> Course:
    """Return the risk over time with its intervals; days at which it was a band are gaps."""
    rows = [
        (
            full_day(one.as_of),
            "–" if one.precision == Precision.BAND or hidden else chance(one.p90),
            "" if one.precision == Precision.BAND or hidden else chances(one.p90_low, one.p90_high),
            look_of(one.category).label,
        )
        for one in reversed(history)
    ]
    figures = [one for one in history if one.precision == Precision.FIGURE]
    if hidden:
        return Course(None, "", "Only the category can be told of the newest prediction, so no line is drawn.", rows)
    if len(figures) < 2:
        return Course(None, "", "A line is drawn from the second prediction on.", rows)
    first, last = figures[0].as_of, history[-1].as_of
    scores: dict[date, int | None] = {one.as_of: half_up(100 * one.p90) for one in figures}
    chart = draw(
        first=first,
        last=last,
        scores=scores,
        median={},
        bands=BANDS,
        intervals={one.as_of: (half_up(100 * one.p90_low), half_up(100 * one.p90_high)) for one in figures},
        longest_step=LONGEST_STEP_DAYS,
        from_zero=True,
    )
    sentence = in_words(
        first=first, last=last, scores=scores, median={}, cohort="", what="Churn risk within 90 days in percent"
    )
    return Course(chart, sentence, "", rows)


def change_card(found: Difference, *, hidden: bool, today: date) -> ChangeCard:
    """Return why the risk changed; parts sum to the change in points and in log-odds."""
    since = day(found.before.as_of, today)
    points = rounded_together([*(line.points for line in found.lines), found.model_points], 1)
    odds = rounded_together([*(line.log_odds for line in found.lines), found.model], PLACES)
    return ChangeCard(
        title=f"Change since {since}",
        summary=_summary(found, hidden, since),
        parts=[
            _change_part(line, value, part, hidden)
            for line, value, part in zip(found.lines, points, odds, strict=False)
        ],
        model=_model_change(found.model),
        model_points=None if hidden else _points(points[-1]),
        model_log_odds="" if hidden else signed_odds(odds[-1]),
        total=None if hidden else _points(sum(points)),
        total_log_odds="" if hidden else signed_odds(sum(odds)),
    )


def _summary(found: Difference, hidden: bool, since: str) -> str:
    if hidden:
        was, now = (look_of(category_of(one.p90)).label.lower() for one in (found.before, found.after))
        moved = "Higher" if found.log_odds > 0 else "Lower" if found.log_odds < 0 else "The same"
        return f"{moved} than on {since}: {was} then, {now} now." if was != now else f"{moved} than on {since}, {now}."
    return f"From {chance(found.before.p90)} on {since} to {chance(found.after.p90)}."


def _points(value: float) -> Delta | None:
    return change(value, better="down", text=f"{abs(value):.1f} pts")


def _change_part(line: FactorDifference, points: float, log_odds: float, hidden: bool) -> ChangePart:
    return ChangePart(
        heading=line.heading,
        before=line.before or "Not known",
        after=line.after or "Not known",
        points=None if hidden else _points(points),
        log_odds="" if hidden else signed_odds(log_odds),
        raises=line.log_odds > 0,
    )


def _model_change(log_odds: float) -> str:
    if not log_odds:
        return ""
    return f"Another version of the model {'raised' if log_odds > 0 else 'lowered'} it, the figures being the same"


def _action(client: Client, action: Action, playbooks: Sequence[Any]) -> ActionItem:
    if client.archived_at is not None:
        return ActionItem(action.title, action.reason, [])
    buttons = [_button(client, one, action) for one in action.does]
    types = [kind for factor in action.factors for kind in ALERTS_OF.get(factor, ())]
    playbook = about(playbooks, types)
    if playbook is not None:
        href = f"{reverse('playbook_start', args=[client.pk])}?playbook={playbook.key}"
        buttons.append(Button(f"Start {playbook.name}", "play", href, dialog=True))
    return ActionItem(action.title, action.reason, buttons)


def _button(client: Client, do: Do, action: Action) -> Button:
    text, icon = BUTTONS[do]
    if not do.is_activity:
        return Button(text, icon, reverse(PLACES_OF[do], args=[client.pk]), dialog=False)
    asked = {"type": do.value, "schedule": "" if do in LOGGED else "1"}
    if action.person is not None:
        asked["contact"] = action.person.contact_id
    query = urlencode({name: value for name, value in asked.items() if value})
    return Button(text, icon, f"{reverse('client_activity_new', args=[client.pk])}?{query}", dialog=True)
