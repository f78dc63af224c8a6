"""What the support tab shows beside the list of tickets: figures, the weeks against normal, and answers to surveys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from bellwether.common.time import day_of
from bellwether.dashboard.client_contract_view import Figure
from bellwether.dashboard.usage_chart import Bars, draw_bars
from bellwether.portfolio.models import SurveyResponse
from bellwether.portfolio.survey_figures import (
    Answer,
    Span,
    Split,
    by_month,
    by_quarter,
    csat_mean,
    last_answers,
    split,
)
from bellwether.portfolio.surveys import asked_score
from bellwether.portfolio.ticket_figures import TicketFigures, duration
from bellwether.web.formatting import DASH, day, full_day, number, percent, plural

NPS_LABELS = {"healthy": "Promoters", "monitor": "Passives", "critical": "Detractors"}
SPIKE = 3


@dataclass(frozen=True)
class WeekChart:
    """Tickets a week with the normal week; `rows` are the table: (week, opened)."""

    bars: Bars
    rows: list[tuple[str, int]]
    sentence: str
    note: str


@dataclass(frozen=True)
class MonthRow:
    """A month or quarter of answers; `share` 0-100 draws the bar."""

    label: str
    text: str
    share: float | None
    note: str
    parts: list[tuple[str, int]]


@dataclass(frozen=True)
class AnswerRow:
    """One answer. `kind_status` colours it; `who` is the contact's name, else a pseudonym."""

    answer_id: UUID
    kind: str
    score: str
    status: str
    word: str
    who: str
    contact_id: UUID | None
    comment: str
    on: str


@dataclass(frozen=True)
class SurveyPage:
    """The surveys of a client: figures, how the last NPS answers fall, courses, and a page of answers."""

    figures: list[Figure]
    parts: list[tuple[str, str, int, str]]
    split: Split
    quarters: list[MonthRow]
    months: list[MonthRow]
    any: bool


def ticket_kpis(figures: TicketFigures, counts: dict[str, int], csat: tuple[float | None, int]) -> list[Figure]:
    """Return the key figures above the tickets."""
    normal = figures.normal_30d
    loud = normal is not None and figures.opened_30d >= SPIKE and figures.opened_30d >= 2 * normal
    opened = f"{number(normal)} are normal" if normal is not None else "too early to say what is normal"
    score, answers = csat
    urgent = f"{number(counts['urgent'])} urgent, {number(counts['escalated'])} escalated"
    solve, response = figures.hours_to_solve, figures.response_minutes
    return [
        Figure(
            "Open now", number(counts["waiting"]), urgent, "risk" if counts["urgent"] or counts["escalated"] else ""
        ),
        Figure("Opened in 30 days", number(figures.opened_30d), opened, "risk" if loud else ""),
        Figure(
            "First response",
            duration(response.value / 60) if response.value is not None else None,
            f"median of {plural(response.count, 'ticket')}, 90 days" if response.count else "",
            reason="No ticket of 90 days says when it was first answered.",
        ),
        Figure(
            "Time to solve",
            duration(solve.value) if solve.value is not None else None,
            f"median of {plural(solve.count, 'ticket')}, 90 days" if solve.count else "",
            reason="No ticket was solved in 90 days.",
        ),
        Figure(
            "CSAT",
            f"{number(round(score))}" if score is not None else None,
            f"of 100, {plural(answers, 'answer')} in 90 days" if answers else "",
            reason="No answer in 90 days.",
        ),
    ]


def week_chart(figures: TicketFigures, *, today: date) -> WeekChart:
    """Return the tickets of each week of half a year with what is normal."""
    normal = figures.normal_week
    bars = [
        (
            week.last,
            week.opened,
            f"{day(week.first, today)} to {day(week.last, today)}: {plural(week.opened, 'ticket')}",
        )
        for week in figures.weeks
    ]
    most = max(figures.weeks, key=lambda week: (week.opened, week.last))
    total = sum(week.opened for week in figures.weeks)
    sentence = f"{plural(total, 'ticket')} in {len(bars)} weeks"
    if total:
        sentence += f", most in the week to {full_day(most.last)}: {most.opened}"
    usual = f" A normal week has {number(normal)}." if normal is not None else ""
    return WeekChart(
        bars=draw_bars(bars, reference=normal),
        rows=[(f"{full_day(week.first)} to {full_day(week.last)}", week.opened) for week in reversed(figures.weeks)],
        sentence=f"{sentence}.{usual}",
        note=(
            f"Dashed: a normal week, {number(normal)}: the mean of the 90 days before the last 30."
            if normal is not None
            else "What is normal can be said once tickets have been recorded for over 30 days."
        ),
    )


def answers_of(rows: Sequence[tuple[str, float, datetime, str, UUID | None]], zone: ZoneInfo) -> list[Answer]:
    """Return answers as figures know them, from (kind, score, answered_at, respondent, contact_id)."""
    return [
        Answer(kind, score, day_of(at, zone), respondent or str(contact or ""))
        for kind, score, at, respondent, contact in rows
    ]


def survey_page(answers: Sequence[Answer], *, today: date) -> SurveyPage:
    """Return the figures of the surveys from all answers of a client."""
    newest = last_answers(answers, today=today)
    fall = split(one.score for one in newest)
    mean = sum(one.score for one in newest) / len(newest) if newest else None
    csat, count = csat_mean(answers, today=today)
    quarters = by_quarter(answers, "NPS", today=today)
    parts = [("healthy", fall.promoters), ("monitor", fall.passives), ("critical", fall.detractors)]
    rated = [one for one in answers if one.kind == "NPS"]
    newest_nps = max(rated, key=lambda one: one.day, default=None)
    return SurveyPage(
        figures=[
            Figure(
                "NPS",
                f"{fall.nps:+d}".replace("-", "−").replace("+0", "0") if fall.nps is not None else None,
                f"{plural(fall.count, 'respondent')} in a year" if fall.count else "",
                reason="No NPS answer in a year.",
            ),
            Figure(
                "Mean NPS answer",
                number(mean) if mean is not None else None,
                "of 10, each respondent's last; the score uses this" if mean is not None else "",
                reason="No NPS answer in a year.",
            ),
            Figure(
                "Latest NPS answer",
                number(newest_nps.score) if newest_nps else None,
                f"{full_day(newest_nps.day)}" if newest_nps else "",
                reason="Nobody has answered yet.",
            ),
            Figure(
                "CSAT",
                number(round(csat)) if csat is not None else None,
                f"of 100, {plural(count, 'answer')} in 90 days" if count else "",
                reason="No CSAT answer in 90 days.",
            ),
        ],
        parts=[
            (key, NPS_LABELS[key], value, percent(value / fall.count) if fall.count else DASH) for key, value in parts
        ],
        split=fall,
        quarters=[_quarter(one) for one in quarters],
        months=csat_months(answers, today=today),
        any=bool(answers),
    )


def csat_months(answers: Sequence[Answer], *, today: date) -> list[MonthRow]:
    """Return CSAT month by month for a year, newest first; none without any answer in it."""
    months = by_month(answers, "CSAT", today=today)
    if not any(one.count for one in months):
        return []
    return [
        MonthRow(
            one.label,
            number(round(one.mean)) if one.mean is not None else DASH,
            one.mean,
            plural(one.count, "answer") if one.count else "",
            [],
        )
        for one in months
    ]


def _quarter(one: Span) -> MonthRow:
    nps = one.split.nps
    text = f"{nps:+d}".replace("-", "−").replace("+0", "0") if nps is not None else DASH
    parts = [("healthy", one.split.promoters), ("monitor", one.split.passives), ("critical", one.split.detractors)]
    return MonthRow(one.label, text, None, plural(one.count, "answer") if one.count else "", parts)


def answer_row(answer: SurveyResponse, *, today: date, zone: ZoneInfo) -> AnswerRow:
    """Return an answer; CSAT on the scale on which it was asked where that is known."""
    if answer.kind == "NPS":
        status = "healthy" if answer.score >= 9 else "monitor" if answer.score >= 7 else "critical"
        word = {"healthy": "Promoter", "monitor": "Passive", "critical": "Detractor"}[status]
        score = f"{number(answer.score)} of 10"
    else:
        status = "healthy" if answer.score >= 75 else "monitor" if answer.score >= 50 else "critical"
        high = answer.scale.partition("-")[2]
        score = f"{number(asked_score(answer))} of {high or '100'}"
        word = f"{number(round(answer.score))} of 100" if high else ""
    return AnswerRow(
        answer_id=answer.pk,
        kind=answer.kind,
        score=score,
        status=status,
        word=word,
        who=answer.contact.name if answer.contact else answer.respondent[:12] if answer.respondent else "",
        contact_id=answer.contact_id,
        comment=answer.comment.strip(),
        on=day(day_of(answer.answered_at, zone), today),
    )
