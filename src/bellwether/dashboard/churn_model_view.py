"""The card of a churn model in the words and figures of its page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bellwether.churn.card import Candidate, Card, Coefficient, Figures, Group, Lead
from bellwether.churn.factors import HORIZONS
from bellwether.dashboard.churn_model_chart import ReliabilityPlot, reliability_plot
from bellwether.health.backtest_result import Interval
from bellwether.portfolio.choices import ContractTier
from bellwether.web.formatting import DASH, MINUS, full_day, number, percent, plural

VERDICTS = {
    "better": ("Better", "healthy", "check"),
    "worse": ("Worse", "critical", "x"),
    "no clear difference": ("No clear difference", "na", "equal"),
}
TIERS = {tier.value: str(tier.label) for tier in ContractTier}
DRIFT_LOOK = {"stable": "healthy", "some drift": "monitor", "much drift": "critical"}


@dataclass(frozen=True)
class Figure:
    """A key figure: its value, its 80 % interval in words, and what it is compared with."""

    label: str
    value: str
    between: str
    note: str


@dataclass(frozen=True)
class Rival:
    """A candidate in the table of comparison; `rows` in words where it says nothing of some of them.

    `verdict` is about the version against it, None for itself.
    """

    title: str
    is_subject: bool
    rows: str
    cells: list[tuple[str, str]]
    verdict: tuple[str, str, str] | None
    ahead: str


@dataclass(frozen=True)
class GroupRow:
    """A tier or industry."""

    name: str
    clients: str
    churned: str
    foretold: str
    came: str
    auc: str
    brier: str


@dataclass(frozen=True)
class Weight:
    """A coefficient: where the 80 % interval (a to b), the value (m) and the expert's (e) lie on a line of 0 to 100."""

    label: str
    factor: str
    value: str
    between: str
    others: list[str]
    expert: str
    a: float
    m: float
    b: float
    e: float
    zero: float
    sentence: str


@dataclass(frozen=True)
class Swing:
    """A feature of a model of steps: its log-odds from lowest to highest step by interval, the first as a bar."""

    label: str
    factor: str
    bar: float
    values: list[str]


@dataclass(frozen=True)
class CardView:
    """Everything that the page shows of a card at one horizon."""

    enough: bool
    few: bool
    message: str
    days: int
    horizons: list[tuple[int, bool]]
    about: str
    figures: list[Figure]
    plot: ReliabilityPlot | None
    rivals: list[Rival]
    capacity: str
    at_capacity: list[tuple[str, str, str, str]]
    leads: list[tuple[str, str, str, str]]
    tiers: list[GroupRow]
    industries: list[GroupRow]
    drift: list[tuple[str, str, str, str]]
    drift_window: str
    weights: list[Weight]
    swings: list[Swing]
    folds: list[tuple[str, str, str]]
    notes: list[str]


def card_view(card: Card, days: int | None = None) -> CardView:
    """Return what the page shows of `card` at the horizon `days` (default: the longest)."""
    chosen = days if days in HORIZONS else HORIZONS[-1]
    subject = card.shown
    base = card.candidate("base-rate")
    figures = subject.horizons.get(str(chosen)) if subject else None
    is_steps = any(value is not None for one in card.coefficients for value in one.swing)
    ordered = sorted((one for one in card.candidates if one.horizons), key=lambda one: one.key != card.subject)
    return CardView(
        enough=bool(card.candidates),
        few=card.state == "few",
        message=card.message,
        days=chosen,
        horizons=[(one, one == chosen) for one in HORIZONS],
        about=_about(card),
        figures=_figures(figures, base.horizons.get(str(chosen)) if base else None) if figures else [],
        plot=reliability_plot(figures.points) if figures else None,
        rivals=[_rival(one, card.subject, str(chosen), figures.rows if figures else 0) for one in ordered],
        capacity=card.capacity,
        at_capacity=[_at_capacity(one) for one in ordered if one.kind != "base rate"],
        leads=_leads(subject) if subject else [],
        tiers=[_group(one, TIERS.get(one.name.upper(), one.name)) for one in subject.tiers] if subject else [],
        industries=[_group(one, one.name) for one in subject.industries] if subject else [],
        drift=[
            (one.label, DASH if one.psi is None else f"{one.psi:.2f}", one.words, DRIFT_LOOK.get(one.words, "na"))
            for one in card.drift
        ],
        drift_window=card.drift_window,
        weights=[] if is_steps else weight_rows(card.coefficients),
        swings=step_rows(card.coefficients) if is_steps else [],
        folds=[_fold(card, n) for n in range(len(card.folds))],
        notes=card.notes,
    )


def _about(card: Card) -> str:
    if not card.rows:
        return ""
    return (
        f"{plural(card.rows, 'client-week')} of {plural(card.clients, 'client')} from {_day(card.first)} to "
        f"{_day(card.last)}; {number(card.churned)} of them left. Tested on {plural(card.test_rows, 'client-week')} "
        f"that the model had not seen, in which {plural(card.test_churned, 'client')} left."
    )


def _figures(found: Figures, base: Figures | None) -> list[Figure]:
    rate = percent(found.came, 1) if found.came is not None else DASH
    return [
        Figure("AUC", _number(found.auc.value, 2), between(found.auc, 2), "0.50 is a coin"),
        Figure("PR-AUC", _number(found.pr_auc.value, 2), between(found.pr_auc, 2), f"By chance {rate}"),
        Figure("Brier score", _number(found.brier.value, 3), between(found.brier, 3), _base(base)),
        Figure("ECE", _share(found.ece.value, 1), _shares(found.ece, 1), "Mean gap to what came"),
        Figure("Lift, top 10%", _times(found.lift.value), between(found.lift, 1), "Against the average"),
    ]


def _base(base: Figures | None) -> str:
    if base is None or base.brier.value is None:
        return ""
    return f"Base rate {_number(base.brier.value, 3)}"


def _rival(one: Candidate, subject: str, days: str, most: int) -> Rival:
    found = one.horizons.get(days)
    cells = []
    if found is not None:
        for interval, places in (
            (found.auc, 2), (found.pr_auc, 2), (found.brier, 3), (found.log_loss, 3), (found.ece, 3), (found.lift, 1)
        ):  # fmt: skip
            cells.append((_number(interval.value, places), between(interval, places)))
    ahead = one.ahead.get(subject)
    return Rival(
        one.title,
        one.key == subject,
        f"{number(found.rows)} rows" if found is not None and found.rows != most else "",
        cells or [(DASH, "")] * 6,
        VERDICTS[ahead.verdict] if ahead else None,
        _signed(ahead.value.value, 2) if ahead else "",
    )


def _at_capacity(one: Candidate) -> tuple[str, str, str, str]:
    found = one.capacity
    precision = DASH if found.precision.value is None else f"{_share(found.precision.value)}"
    recall = DASH if found.recall.value is None else f"{_share(found.recall.value)}"
    return one.title, precision, recall, f"{found.found} of {found.losses}"


def _leads(one: Candidate) -> list[tuple[str, str, str, str]]:
    return [
        _lead("First above 50% at 90 days", one.lead_high),
        _lead("First on the weekly list", one.lead_listed),
    ]


def _lead(what: str, lead: Lead) -> tuple[str, str, str, str]:
    middle = DASH if lead.median is None else f"{lead.median:.0f} d"
    quartiles = "" if lead.low is None or lead.high is None else f"{lead.low:.0f} to {lead.high:.0f} d"
    return what, middle, quartiles, f"{lead.crossed} of {lead.losses}"


def _group(one: Group, name: str) -> GroupRow:
    return GroupRow(
        name or "None given",
        number(one.clients),
        number(one.churned),
        percent(one.foretold, 1),
        percent(one.came, 1),
        _number(one.auc.value, 2) + (f" ({between(one.auc, 2)})" if one.auc.value is not None else ""),
        _number(one.brier.value, 3),
    )


def weight_rows(rows: Sequence[Coefficient]) -> list[Weight]:
    """Return the coefficients of the first interval as lines on a common scale, the others as text."""
    ends = [
        abs(value)
        for row in rows
        for value in (row.weights[0], row.low[0], row.high[0], row.expert[0])
        if value is not None
    ]
    most = max([*ends, 0.1]) * 1.05

    def at(value: float) -> float:
        return round(50 + 50 * max(-1.0, min(1.0, value / most)), 1)

    found = []
    for row in rows:
        weight = row.weights[0] or 0.0
        low = weight if row.low[0] is None else row.low[0]
        high = weight if row.high[0] is None else row.high[0]
        found.append(
            Weight(
                row.label,
                row.factor,
                _signed(weight, 2),
                "" if row.low[0] is None else f"{_signed(low, 2)} to {_signed(high, 2)}",
                [_signed(other, 2) for other in row.weights[1:]],
                _signed(row.expert[0], 2),
                at(low),
                at(weight),
                at(high),
                at(row.expert[0]),
                50.0,
                f"{row.label}: {_signed(weight, 2)}, expert {_signed(row.expert[0], 2)}",
            )
        )
    return found


def step_rows(rows: Sequence[Coefficient]) -> list[Swing]:
    """Return how far each feature moves the log-odds in a model of steps, the furthest first."""
    ordered = sorted(rows, key=lambda row: -(row.swing[0] or 0.0))
    most = max([row.swing[0] or 0.0 for row in rows], default=0.0) or 1.0
    return [
        Swing(
            row.label,
            row.factor,
            round(100 * (row.swing[0] or 0.0) / most, 1),
            [_number(value, 2) for value in row.swing],
        )
        for row in ordered
    ]


def _fold(card: Card, n: int) -> tuple[str, str, str]:
    fold = card.folds[n]
    name = f"{_day(fold.start)} to {_day(fold.end)}" if fold.start else f"Part {n + 1}"
    return (
        name,
        f"{plural(fold.training_rows, 'row')}, {fold.training_churned} left",
        f"{plural(fold.rows, 'row')}, {fold.churned} left",
    )


def between(value: Interval, places: int) -> str:
    """Return the 80 % interval in words, "" without one."""
    if value.low80 is None or value.high80 is None:
        return ""
    return f"{_number(value.low80, places)} to {_number(value.high80, places)}"


def _shares(value: Interval, places: int) -> str:
    if value.low80 is None or value.high80 is None:
        return ""
    return f"{percent(value.low80, places)} to {percent(value.high80, places)}"


def _share(value: float | None, places: int = 0) -> str:
    return percent(value, places)


def _number(value: float | None, places: int) -> str:
    return DASH if value is None else f"{value:.{places}f}".replace("-", MINUS)


def _signed(value: float | None, places: int) -> str:
    if value is None:
        return DASH
    rounded = round(value, places)
    return f"{rounded:+.{places}f}".replace("-", MINUS) if rounded else f"{0:.{places}f}"


def _times(value: float | None) -> str:
    return DASH if value is None else f"{value:.1f}×"


def _day(text: str | None) -> str:
    return full_day(date.fromisoformat(text) if text else None)
