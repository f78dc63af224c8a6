"""The executive view as texts: key figures with their explanations, rows of the breakdown, movements, sentences."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from bellwether.analytics.book import BANDS
from bellwether.analytics.executive import Executive, facts_of
from bellwether.analytics.figures import Group, Level, Movement
from bellwether.analytics.narrative import narrative, points_between
from bellwether.analytics.retention import Retention
from bellwether.analytics.values import value_name
from bellwether.common.rounding import half_up
from bellwether.dashboard.executive_churn import NO_PREDICTION, forecast_texts
from bellwether.web.formatting import Delta, change, full_day, number, percent, plural, short_money

FILTER_OF = {"tier": "tier", "industry": "industry", "csm": "csm_id", "region": "region", "segment": "segment"}
STATUS_WORDS: dict[str | None, str] = {
    "HEALTHY": "healthy", "MONITOR": "monitor", "AT_RISK": "at risk", "CRITICAL": "critical", None: "not scored"
}  # fmt: skip
MOST_ROWS = 50
NO_SCORES = "No client had a score on this day."
NO_RETENTION = "Fewer than 5 clients had an ARR twelve months earlier."
NO_OUTCOMES = "No renewal, churn or departure is recorded yet, so nobody knows who stayed."


@dataclass(frozen=True)
class Why:
    """How a figure is made: the formula in words, its inputs as (label, value), and what else is to know."""

    formula: str
    inputs: tuple[tuple[str, str], ...]
    note: str = ""


@dataclass(frozen=True)
class Kpi:
    """A key figure; `figure` None with a `reason` where it cannot be told."""

    key: str
    label: str
    figure: str | None
    change: Delta | None
    note: str
    why: Why
    reason: str = ""


def key_figures(view: Executive) -> list[Kpi]:
    """Return the key figures with their change against the previous period."""
    return [_clients(view), _arr(view), _health(view), _risk(view), *_retained(view), _churned(view), _forecast(view)]


def _since(view: Executive) -> str:
    return f"since {full_day(view.asked.period.before)}"


def _clients(view: Executive) -> Kpi:
    now, before, moves = view.now, view.before, view.moves
    joined, left = moves.joined.clients, moves.left.clients
    moved = f"{joined:,} joined, {left:,} left" if joined or left else "none joined or left"
    unknown = f"The start of {plural(view.without_start, 'client')} is not known; they count as always there."
    return Kpi(
        "clients", "Clients", f"{now.clients:,}", change(now.clients - before.clients) if before else None, moved,
        Why(
            "Clients that are not archived. On an earlier day: those whose first contract had begun and that had not "
            "left.",
            (*_pair(view, f"{now.clients:,}", f"{before.clients:,}" if before else "–"),
             ("Joined", f"{moves.joined.clients:,}"), ("Left", f"{moves.left.clients:,}")),
            unknown if view.without_start else "",
        ),
    )  # fmt: skip


def _arr(view: Executive) -> Kpi:
    now, before, moves = view.now, view.before, view.moves
    grown = (now.arr - before.arr) / before.arr if before and before.arr else None
    delta = None if grown is None else change(half_up(grown * 1000) / 10, better="up", text=percent(abs(grown), 1))
    return Kpi(
        "arr", "ARR", short_money(now.arr) if now.with_arr else None, delta, _since(view) if delta else "",
        Why(
            "Annual recurring revenue of the clients. On an earlier day: that of the contract term then in force.",
            (*_pair(view, short_money(now.arr), short_money(before.arr) if before else "–"),
             ("Joined", f"+{short_money(moves.joined.arr)}"), ("Left", f"−{short_money(moves.left.arr)}"),
             ("Grown", f"+{short_money(moves.grown)}"), ("Shrunk", f"−{short_money(moves.shrunk)}")),
            f"{plural(now.clients - now.with_arr, 'client')} without an ARR." if now.with_arr < now.clients else "",
        ),
        reason="No client has an ARR.",
    )  # fmt: skip


def _health(view: Executive) -> Kpi:
    now, before = view.now, view.before
    level = None if now.average is None else half_up(now.average)
    then = half_up(before.average) if before and before.average is not None else None
    delta = change(level - then, better="up") if level is not None and then is not None else None
    return Kpi(
        "health", "Average health", None if level is None else str(level), delta,
        _since(view) if delta else "no scores to compare with",
        Why(
            "Sum of the health scores ÷ clients with a score. Rounded half up.",
            (*_pair(view, str(level), "–" if then is None else str(then)), ("Scored", f"{now.scored:,}"),
             ("Without a score", f"{now.clients - now.scored:,}")),
        ),
        reason=NO_SCORES,
    )  # fmt: skip


def _risk(view: Executive) -> Kpi:
    now, before = view.now, view.before if view.scored_before else None
    if not now.with_arr and now.scored:
        return _clients_at_risk(view, before)
    share, then = now.risk_share, before.risk_share if before else None
    points = points_between(then, share) if share is not None and then is not None else None
    delta = None if points is None else change(points, better="down", text=f"{number(abs(points))} pts")
    return Kpi(
        "risk", "ARR at risk", short_money(now.arr_at_risk) if now.scored and now.with_arr else None, delta,
        f"{percent(share, 1)} of ARR" if share is not None else "",
        Why(
            f"ARR of the clients that are at risk or critical (health under {view.limits.monitor}), and its share of "
            "all ARR.",
            (*_pair(view, f"{short_money(now.arr_at_risk)}, {percent(share, 1)}",
                    f"{short_money(before.arr_at_risk)}, {percent(then, 1)}" if before else "–"),
             ("Clients at risk", f"{now.at_risk:,}")),
        ),
        reason=NO_SCORES if not now.scored else "No client has an ARR.",
    )  # fmt: skip


def _clients_at_risk(view: Executive, before: Level | None) -> Kpi:
    """Return the clients at risk, for a workspace without any ARR."""
    now = view.now
    return Kpi(
        "risk",
        "At risk or critical",
        f"{now.at_risk:,}",
        change(now.at_risk - before.at_risk, better="down") if before else None,
        f"of {plural(now.clients, 'client')}, no ARR known",
        Why(
            f"Clients with a health under {view.limits.monitor}.",
            _pair(view, f"{now.at_risk:,}", f"{before.at_risk:,}" if before else "–"),
        ),
    )


def _retained(view: Executive) -> list[Kpi]:
    now, before = view.retention, view.retention_before
    known = view.retention_known
    inputs = (
        (f"ARR on {full_day(now.since)}", short_money(now.arr_start)),
        ("Churned", f"−{short_money(now.arr_churned)}"),
        ("Contraction", f"−{short_money(now.arr_contraction)}"),
        ("Expansion", f"+{short_money(now.arr_expansion)}"),
        ("Clients then", f"{now.clients:,}"),
    )
    note = "Twelve months, of the clients that were there at their start. Who came later does not count."
    return [
        Kpi("gross", "Gross retention", _share(now.gross, known), _points(before.gross, now.gross, known),
            "12 months", Why("(ARR at start − churned − contraction) ÷ ARR at start", inputs, note),
            _why_not(now, known)),
        Kpi("net", "Net retention", _share(now.net, known), _points(before.net, now.net, known), "12 months",
            Why("(ARR at start − churned − contraction + expansion) ÷ ARR at start", inputs, note),
            _why_not(now, known)),
    ]  # fmt: skip


def _churned(view: Executive) -> Kpi:
    now, before = view.retention, view.retention_before
    delta = _points(before.churn, now.churn, view.retention_known, better="down")
    return Kpi(
        "churned", "Churned clients", _share(now.churn, view.retention_known), delta, "in 12 months",
        Why(
            "Clients of twelve months ago that churned or left ÷ clients of twelve months ago that had an ARR. This is "
            "the past, not a forecast.",
            ((f"Clients on {full_day(now.since)}", f"{now.clients:,}"), ("Lost", f"{now.lost:,}")),
        ),
        reason=_why_not(now, view.retention_known),
    )  # fmt: skip


def _forecast(view: Executive) -> Kpi:
    label = "Churn forecast, next quarter"
    if view.churn is None:
        return Kpi("forecast", label, None, None, "", Why("", ()), NO_PREDICTION)
    texts = forecast_texts(view.churn)
    return Kpi(
        "forecast", label, texts.figure, None, texts.note,
        Why(
            "The next quarter is the 90 days after the prediction. Sum over clients of ARR × probability of leaving ÷ "
            "ARR. The interval is simulated from who leaves and from the doubt of the model together.",
            texts.inputs, texts.remark,
        ),
    )  # fmt: skip


def _share(value: float | None, known: bool) -> str | None:
    return percent(value, 1) if known and value is not None else None


def _why_not(now: Retention, known: bool) -> str:
    return NO_RETENTION if known else NO_OUTCOMES


def _points(before: float | None, now: float | None, known: bool, better: str = "up") -> Delta | None:
    if before is None or now is None or not known:
        return None
    points = points_between(before, now)
    return change(points, better=better, text=f"{number(abs(points))} pts")


def _pair(view: Executive, now: str, before: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (full_day(view.asked.period.last), now), (full_day(view.asked.period.before), before)


@dataclass(frozen=True)
class Row:
    """A row of the breakdown: counts and sums as text, links to the same clients in the portfolio ("" without)."""

    name: str
    clients: str
    health: str
    change: Delta | None
    parts: tuple[tuple[str | None, int], ...]
    parts_label: str
    arr: str
    at_risk: str
    share: str
    href: str
    risk_href: str


def portfolio_link(view: Executive, filters: dict[str, str]) -> str:
    """Return the address of the portfolio with `filters`, and with the CSM that the page is filtered by."""
    if view.asked.csm is not None:
        filters = {"csm_id": str(view.asked.csm)} | filters
    return f"{reverse('portfolio')}?{urlencode(filters)}" if filters else reverse("portfolio")


def breakdown_rows(view: Executive) -> tuple[list[Row], Row]:
    """Return the rows of the breakdown, those with the most ARR if there are many, and the one of all clients."""
    by = view.asked.by
    rows = []
    for group in view.groups[:MOST_ROWS]:
        filters = {FILTER_OF[by]: _filter_value(by, group.value)} if group.value else None
        rows.append(_row(view, value_name(by, group.value, view.names), group, filters))
    return rows, _row(view, "All", Group("", view.now, view.before), {})


def _filter_value(by: str, value: str) -> str:
    return f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}" if by == "csm" else value


def _row(view: Executive, name: str, group: Group, filters: dict[str, str] | None) -> Row:
    now, before = group.now, group.before
    level = None if now.average is None else half_up(now.average)
    then = half_up(before.average) if before and before.average is not None else None
    moved = change(level - then, better="up") if level is not None and then is not None else None
    parts = tuple((status, now.by_status[status]) for status in (*BANDS, None))
    return Row(
        name=name,
        clients=f"{now.clients:,}",
        health="–" if level is None else str(level),
        change=moved,
        parts=parts,
        parts_label=status_words(now),
        arr=short_money(now.arr) if now.with_arr else "–",
        at_risk=short_money(now.arr_at_risk) if now.with_arr else "–",
        share=percent(now.risk_share, 1) if now.risk_share is not None else "",
        href="" if filters is None else portfolio_link(view, filters),
        risk_href="" if filters is None or not now.at_risk else portfolio_link(view, filters | {"view": "at_risk"}),
    )


def status_words(level: Level) -> str:
    """Return the clients by status in words: "22 healthy, 12 monitor"."""
    return ", ".join(f"{level.by_status[status]} {word}" for status, word in STATUS_WORDS.items() if
                     level.by_status[status])  # fmt: skip


@dataclass(frozen=True)
class Moves:
    """One kind of movement: its title, how many, their ARR, and the named ones as (name, href, detail)."""

    title: str
    clients: str
    arr: str
    rows: list[tuple[str, str, str]]
    more: str


def moved_rows(view: Executive) -> list[Moves]:
    """Return the four kinds of movement between the two days."""
    moves = view.moves
    kinds = (("Joined", moves.joined), ("Left", moves.left), ("Fell to at risk", moves.fell), ("Recovered", moves.rose))
    return [_moves(title, movement) for title, movement in kinds]


def _moves(title: str, movement: Movement) -> Moves:
    rows = []
    for one in movement.named:
        scores = [f"{score}" for score in (one.before, one.now) if score is not None]
        detail = " → ".join(scores) if len(scores) == 2 else f"health {scores[0]}" if scores else ""
        rows.append((one.name, reverse("client", args=[_filter_value("csm", one.key)]),
                     ", ".join(part for part in (detail, short_money(one.arr)) if part and part != "–")))  # fmt: skip
    more = movement.clients - len(rows)
    return Moves(title, f"{movement.clients:,}", short_money(movement.arr), rows,
                 f"and {plural(more, 'more client', 'more clients')}" if more else "")  # fmt: skip


def sentences(view: Executive) -> list[tuple[str, str, str]]:
    """Return the narrative as (text, name of the source, address of the rows behind it)."""
    targets = {"at_risk": portfolio_link(view, {"view": "at_risk"}) if view.current else "#movements"}
    csm = f"?csm_id={view.asked.csm}" if view.asked.csm else ""
    targets["churn"] = reverse("churn") + csm
    return [(one.text, one.source, targets.get(one.target, f"#{one.target}")) for one in narrative(facts_of(view))]
