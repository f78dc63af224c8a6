"""What the score adds to the stream of a client: notable changes, versions that came into force, days scored again."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from bellwether.health.configs import main_scorecard
from bellwether.health.models import HealthScore, HealthScoreConfig, ScoreAsSeen
from bellwether.health.score_changes import ScoreDay
from bellwether.health.score_events import config_entries, number_of, rescored_entries, version_changes
from bellwether.portfolio.timeline import score_steps
from bellwether.portfolio.timeline_stream import Asked, FewEntries, Made, add_source
from bellwether.portfolio.timeline_words import of_step
from bellwether.web.formatting import day, signed


def register() -> None:
    """Add the sources of this package; called once when Django starts."""
    add_source(FewEntries("score", "score", _steps))
    add_source(FewEntries("configuration", "configuration", _versions))


def _series(asked: Asked) -> list[tuple[date, int | None, str]]:
    """Return (day, score, version) of the main scorecard, oldest first; read once for both sources."""
    if "health.series" not in asked.kept:
        rows = HealthScore.objects.filter(client=asked.client, scorecard=main_scorecard()).order_by("date")
        asked.kept["health.series"] = list(rows.values_list("date", "overall_score", "weights_version"))
    found: list[tuple[date, int | None, str]] = asked.kept["health.series"]
    return found


def _steps(asked: Asked) -> Iterator[Made]:
    series = _series(asked)
    for step in score_steps([(on, score) for on, score, _ in series]):
        details = (
            ("From", f"{step.before} on {day(step.since, asked.today)}"),
            ("To", f"{step.after} on {day(step.on, asked.today)}"),
            ("Change", f"{signed(step.change)} points"),
        )
        yield Made(of_step(step, today=asked.today), details, object_id=step.on.isoformat())


def _versions(asked: Asked) -> Iterator[Made]:
    series = _series(asked)
    days = [_day(on, score, version) for on, score, version in series]
    numbers = {number for _, _, version in version_changes(days) if (number := number_of(version)) is not None}
    found = HealthScoreConfig.objects.filter(scorecard=main_scorecard(), version__in=numbers)
    reasons = dict(found.values_list("version", "reason")) if numbers else {}
    for entry in config_entries(days, reasons):
        yield Made(entry)
    rows = ScoreAsSeen.objects.filter(client=asked.client, scorecard=main_scorecard()).order_by("date")
    seen = list(rows.values_list("date", "overall_score"))
    for entry in rescored_entries(seen, {on: score for on, score, _ in series}):
        yield Made(entry)


def _day(on: date, score: int | None, version: str) -> ScoreDay:
    empty: dict[str, Any] = {}
    return ScoreDay(on, score, empty, empty, "", version)
