"""Figures about answers to surveys: NPS and how it is made up, CSAT by month, and scales. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

NPS_DAYS, CSAT_DAYS = 365, 90
PROMOTER, PASSIVE = 9, 7
SCALES = ("0-100", "1-3", "1-4", "1-5", "1-7", "1-10", "0-10")
"""Scales on which CSAT is usually asked, lowest and highest answer."""


@dataclass(frozen=True)
class Answer:
    """One answer; `respondent` is empty for somebody unknown, who is then somebody else each time."""

    kind: str
    score: float
    day: date
    respondent: str = ""


@dataclass(frozen=True)
class Split:
    """How NPS answers fall: promoters gave 9 or 10, passives 7 or 8, detractors less."""

    promoters: int
    passives: int
    detractors: int

    @property
    def count(self) -> int:
        """All answers."""
        return self.promoters + self.passives + self.detractors

    @property
    def nps(self) -> int | None:
        """Share of promoters less share of detractors, −100 to 100; None without answers."""
        if not self.count:
            return None
        value = 100 * (self.promoters - self.detractors) / self.count
        return int(value + 0.5) if value >= 0 else -int(-value + 0.5)


@dataclass(frozen=True)
class Span:
    """A month or quarter with its answers; `mean` is None without any."""

    label: str
    mean: float | None
    split: Split
    count: int


def split(scores: Iterable[float]) -> Split:
    """Return how NPS scores (0-10) fall."""
    known = list(scores)
    promoters = sum(score >= PROMOTER for score in known)
    passives = sum(PASSIVE <= score < PROMOTER for score in known)
    return Split(promoters, passives, len(known) - promoters - passives)


def last_answers(answers: Iterable[Answer], *, today: date, days: int = NPS_DAYS) -> list[Answer]:
    """Return each respondent's last NPS answer of the last `days` days: what the formula nps_latest is the mean of."""
    newest: dict[str, Answer] = {}
    alone = []
    for one in sorted(answers, key=lambda answer: answer.day):
        if one.kind != "NPS" or not 0 <= (today - one.day).days < days:
            continue
        if one.respondent:
            newest[one.respondent] = one
        else:
            alone.append(one)
    return [*alone, *newest.values()]


def csat_mean(answers: Iterable[Answer], *, today: date, days: int = CSAT_DAYS) -> tuple[float | None, int]:
    """Return the mean CSAT (0-100) of the last `days` days and of how many answers."""
    scores = [one.score for one in answers if one.kind == "CSAT" and 0 <= (today - one.day).days < days]
    return (sum(scores) / len(scores) if scores else None), len(scores)


def by_month(answers: Sequence[Answer], kind: str, *, today: date, months: int = 12) -> list[Span]:
    """Return the last `months` months, the present one included, newest first."""
    found, first = [], today.replace(day=1)
    for _ in range(months):
        following = (first + timedelta(days=32)).replace(day=1)
        scores = [one.score for one in answers if one.kind == kind and first <= one.day < following]
        found.append(_span(f"{first:%b} {first.year}", scores))
        first = (first - timedelta(days=1)).replace(day=1)
    return found


def by_quarter(answers: Sequence[Answer], kind: str, *, today: date, quarters: int = 8) -> list[Span]:
    """Return the last `quarters` quarters, the present one included, newest first."""
    found = []
    year, quarter = today.year, (today.month - 1) // 3 + 1
    for _ in range(quarters):
        scores = [
            one.score
            for one in answers
            if one.kind == kind and (one.day.year, (one.day.month - 1) // 3 + 1) == (year, quarter)
        ]
        found.append(_span(f"Q{quarter} {year}", scores))
        year, quarter = (year, quarter - 1) if quarter > 1 else (year - 1, 4)
    return found


def _span(label: str, scores: Sequence[float]) -> Span:
    return Span(label, sum(scores) / len(scores) if scores else None, split(scores), len(scores))


def bounds(scale: str) -> tuple[float, float] | None:
    """Return the lowest and highest answer of a scale such as "1-5"; None for what is no scale."""
    low, dash, high = scale.partition("-")
    try:
        found = float(low), float(high)
    except ValueError:
        return None
    return found if dash and found[0] < found[1] and abs(found[1]) <= 1000 else None


def to_percent(score: float, scale: str) -> float:
    """Return an answer on `scale` as 0 to 100; a score outside of it, or no scale, is a ValueError."""
    ends = bounds(scale)
    if ends is None or not ends[0] <= score <= ends[1]:
        raise ValueError(scale)
    return (score - ends[0]) / (ends[1] - ends[0]) * 100


def as_asked(score: float, scale: str) -> float:
    """Return a score of 0 to 100 on the scale on which it was asked; as it is where that is not known."""
    ends = bounds(scale)
    return score if ends is None else round(ends[0] + score / 100 * (ends[1] - ends[0]), 4)
