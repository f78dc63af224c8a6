"""The card "Does this score predict churn?": a back-test's result in the words and drawings of the page. Pure.

The result is data as bellwether.health.backtest_result describes it (docs/reference/backtest.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from bellwether.web.formatting import MINUS, days_short, full_day, number, percent, plural

WIDTH, HEIGHT, LEFT, TOP, BASE = 560, 210, 34, 14, 176
ROC_LEFT, ROC_RIGHT = 28, 214
VERDICTS = {
    "better": ("Better than version {}", "healthy", "check"),
    "worse": ("Worse than version {}", "critical", "x"),
    "no clear difference": ("No clear difference to version {}", "info", "equal"),
}


@dataclass(frozen=True)
class Figure:
    """A figure of the verdict; `was` is that of the version in use, "" without one."""

    label: str
    value: str
    was: str = ""


@dataclass(frozen=True)
class Column:
    """A column of the chart of tenths; `mark` is where the version in use stands, None without it."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    mark: float | None
    label: str
    share: str
    told: str


@dataclass(frozen=True)
class Tenths:
    """The chart of churn rates by tenth of the score."""

    columns: list[Column]
    ticks: list[tuple[float, str]]
    average: float
    average_text: str
    sentence: str


@dataclass(frozen=True)
class Roc:
    """The curve of churned against retained clients that a score flags, as points of an SVG line."""

    tested: str
    in_use: str
    label: str
    label_x: float
    label_y: float
    sentence: str


@dataclass(frozen=True)
class Rival:
    """Another score or rule on the same clients: its AUC, and how what was tested compares with it."""

    title: str
    auc: str
    interval: str
    verdict: str
    lift: str


@dataclass(frozen=True)
class HorizonChoice:
    """A horizon to choose."""

    text: str
    days: int
    current: bool


@dataclass(frozen=True)
class BacktestView:
    """One horizon of a back-test. `message` says what it rests on, or why there is no figure (`enough` is False)."""

    choices: list[HorizonChoice]
    about: str
    message: str
    enough: bool
    few: bool
    verdict: tuple[str, str, str] | None
    figures: list[Figure]
    flag: str
    tenths: Tenths | None
    roc: Roc | None
    rivals: list[Rival]
    notes: list[str]
    suggestion: Mapping[str, Any] | None


def backtest_view(result: Mapping[str, Any], *, days: int | None, in_use: int, sees_all: bool) -> BacktestView:
    """Return what the card shows of `result` at the horizon `days`, by default the one that the result prefers.

    `in_use` is the number of the version in use, for the words. ARR is shown to those who see all clients.
    """
    horizons = result["horizons"]
    wanted = days if any(one["days"] == days for one in horizons) else result["horizon"]
    shown = next((one for one in horizons if one["days"] == wanted), horizons[0])
    tested, other = shown["tested"], shown["in_use"]
    sample = shown["sample"]
    compared = (tested or {}).get("difference") or (other or {}).get("difference")
    verdict = None
    if tested and other and compared:
        text, status, symbol = VERDICTS[compared["verdict"]]
        verdict = (text.format(in_use), status, symbol)
    return BacktestView(
        choices=[HorizonChoice(f"{one['days']} d", one["days"], one["days"] == shown["days"]) for one in horizons],
        about=_about(result, shown),
        message=shown["message"],
        enough=tested is not None,
        few=shown["state"] == "few",
        verdict=verdict,
        figures=_figures(tested, other, sees_all=sees_all) if tested else [],
        flag=tested["flag"] if tested else "",
        tenths=_tenths(tested, other, sample) if tested and tested["tenths"] else None,
        roc=_roc(tested, other) if tested and tested["roc"] else None,
        rivals=[_rival(one) for one in shown["against"]] if tested else [],
        notes=list(result.get("notes", [])),
        suggestion=result.get("suggestion"),
    )


def _about(result: Mapping[str, Any], shown: Mapping[str, Any]) -> str:
    sample = shown["sample"]
    if not sample["rows"]:
        return f"Scores as they stood, and who left within {shown['days']} days"
    return (
        f"{plural(sample['rows'], 'score')} as they stood from {_day(sample['first'])} to {_day(sample['last'])}, "
        f"{plural(sample['clients'], 'client')}, {number(sample['churned'])} left within {shown['days']} days"
    )


def _day(text: str | None) -> str:
    return full_day(date.fromisoformat(text) if text else None)


def _figures(tested: Mapping[str, Any], other: Mapping[str, Any] | None, *, sees_all: bool) -> list[Figure]:
    auc = tested["auc"]
    losses, alarms = tested["losses"], tested["false_alarms"]
    was_losses, was_alarms = (other or {}).get("losses", {}), (other or {}).get("false_alarms", {})
    found = [
        Figure("AUC", _two(auc["value"]), _was(other, "auc", _two)),
        Figure("80% interval", _between(auc)),
        *_gain(other),
        Figure("Lift, lowest tenth", _times(tested["lift"]["value"]), _was(other, "lift", _times)),
        Figure(
            "Losses flagged",
            f"{number(losses.get('flagged'))} of {number(losses.get('total'))}",
            number(was_losses.get("flagged")) if was_losses else "",
        ),
        Figure(
            f"False alarms per {alarms.get('per', 'CSM')} and week",
            _two(alarms.get("rate")),
            _two(was_alarms.get("rate")) if was_alarms else "",
        ),
        Figure(
            "Lead time",
            _days(tested["lead"].get("median")),
            _days((other or {}).get("lead", {}).get("median")) if other else "",
        ),
    ]
    arr = tested["arr"]
    if sees_all and arr.get("missed_share") is not None:
        found.append(Figure("Lost ARR not flagged", percent(arr["missed_share"])))
    return found


def _gain(other: Mapping[str, Any] | None) -> list[Figure]:
    """Return the AUC gained over the version in use, on the same scores."""
    gain = ((other or {}).get("difference") or {}).get("auc")
    if not gain or gain["value"] is None or gain["low95"] is None:
        return []
    return [Figure("Gained", f"{_signed(gain['value'])}, {_signed(gain['low95'])} to {_signed(gain['high95'])}")]


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", MINUS)


def _tenths(tested: Mapping[str, Any], other: Mapping[str, Any] | None, sample: Mapping[str, Any]) -> Tenths:
    rates = [one["rate"] or 0.0 for one in tested["tenths"]]
    marks = [one["rate"] for one in other["tenths"]] if other and other["tenths"] else []
    most = max([*rates, *[mark or 0.0 for mark in marks], sample["base_rate"] or 0.0, 0.01])
    step = next(size for size in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5) if size * 3.99 >= most or size == 0.5)
    top = step * max(1, -(-most // step))
    scale = (BASE - TOP) / top
    width = (WIDTH - LEFT) / len(rates)
    columns = [
        Column(
            x=round(LEFT + width * at + 4, 1),
            y=round(BASE - rate * scale, 1),
            width=round(width - 8, 1),
            height=round(rate * scale, 1),
            middle=round(LEFT + width * (at + 0.5), 1),
            mark=None if at >= len(marks) or marks[at] is None else round(BASE - marks[at] * scale, 1),
            label=str(at + 1),
            share=percent(rate, 0 if rate >= 0.1 or rate == 0 else 1),
            told=f"{number(one['churned'])} of {plural(one['rows'], 'score')}, {one['lowest']:g} to {one['highest']:g}",
        )
        for at, (rate, one) in enumerate(zip(rates, tested["tenths"], strict=True))
    ]
    places = 1 if step < 0.01 else 0
    base = sample["base_rate"] or 0.0
    return Tenths(
        columns=columns,
        ticks=[(round(BASE - step * n * scale, 1), percent(step * n, places)) for n in range(round(top / step) + 1)],
        average=round(BASE - base * scale, 1),
        average_text=f"Average {percent(base, 0 if base >= 0.1 else 1)}",
        sentence=f"Churn rate by tenth of the score: {columns[0].share} lowest, {columns[-1].share} highest",
    )


def _roc(tested: Mapping[str, Any], other: Mapping[str, Any] | None) -> Roc:
    middle = _at(tested["roc"], 0.35)
    sentence = f"ROC curve, area {_two(tested['auc']['value'])}"
    if other:
        sentence += f", {_two(other['auc']['value'])} for the version in use"
    return Roc(
        tested=_path(tested["roc"]),
        in_use=_path(other["roc"]) if other else "",
        label=f"AUC {_two(tested['auc']['value'])}",
        label_x=round(ROC_LEFT + 0.42 * (ROC_RIGHT - ROC_LEFT), 1),
        label_y=round(min(BASE - 12, BASE - middle * (BASE - 12) + 26), 1),
        sentence=sentence,
    )


def _path(points: Sequence[Sequence[float]]) -> str:
    step = max(1, len(points) // 120)
    kept = [point for at, point in enumerate(points) if at % step == 0 or at == len(points) - 1]
    spots = [
        f"{ROC_LEFT + x * (ROC_RIGHT - ROC_LEFT):.1f},{BASE - y * (BASE - 12):.1f}"
        for x, y in ((p[0], p[1]) for p in kept)
    ]
    return "M" + " L".join(spots)


def _at(points: Sequence[Sequence[float]], x: float) -> float:
    return max((point[1] for point in points if point[0] <= x), default=0.0)


def _rival(one: Mapping[str, Any]) -> Rival:
    difference = one["difference"]
    words = {"better": "This is better", "worse": "This is worse", "no clear difference": "No clear difference"}
    return Rival(
        one["title"],
        _two(one["auc"]["value"]),
        _between(one["auc"]),
        words[difference["verdict"]] if difference else "",
        _times(one["lift"]["value"]),
    )


def _was(other: Mapping[str, Any] | None, name: str, text: Any) -> str:
    return "" if other is None or other[name]["value"] is None else str(text(other[name]["value"]))


def _two(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _times(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}×"


def _between(interval: Mapping[str, Any]) -> str:
    if interval["low80"] is None:
        return "–"
    return f"{_two(interval['low80'])} to {_two(interval['high80'])}"


def _days(value: float | None) -> str:
    return days_short(None if value is None else round(value))
