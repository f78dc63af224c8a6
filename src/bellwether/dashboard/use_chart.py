"""The use of one feature over time as a drawing: an area with its line, and what is expected as a dashed one. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bellwether.web.formatting import day, number

WIDTH, HEIGHT = 286, 92
TOP, BASE, TEXT_Y = 8, 74, 88


@dataclass(frozen=True)
class Bucket:
    """A stretch of days, its first and last day included, and the uses in it."""

    first: date
    last: date
    uses: int


@dataclass(frozen=True)
class UseChart:
    """Paths in the coordinates of the view box. `expected_y` None: nothing is expected. `unit`: "a day" or "a week"."""

    line: str
    area: str
    end_x: float
    end_y: float
    expected_y: float | None
    first: str
    last: str
    sentence: str
    unit: str
    buckets: list[Bucket]


def buckets(uses: Mapping[date, int], *, last: date, period_days: int) -> list[Bucket]:
    """Return 30 days for monthly features, 13 weeks for quarterly and 52 weeks for yearly ones, ending on `last`."""
    size, count = (1, 30) if period_days <= 30 else (7, 13 if period_days <= 91 else 52)
    found = []
    for place in range(count):
        end = last - timedelta(days=size * (count - 1 - place))
        days = [end - timedelta(days=back) for back in range(size)]
        found.append(Bucket(days[-1], end, sum(uses.get(one, 0) for one in days)))
    return found


def use_chart(parts: Sequence[Bucket], *, name: str, expected: float | None, period_days: int, today: date) -> UseChart:
    """Return the drawing of `parts`, in order; `expected` is uses in the period of the feature."""
    size = (parts[0].last - parts[0].first).days + 1
    usual = None if expected is None else expected * size / period_days
    top = max([part.uses for part in parts] + [usual or 0, 1])
    step = (WIDTH - 8) / (len(parts) - 1)

    def y(value: float) -> float:
        return round(BASE - (BASE - TOP) * value / top, 1)

    points = [f"{round(place * step, 1)},{y(part.uses)}" for place, part in enumerate(parts)]
    unit = "a day" if size == 1 else "a week"
    total = sum(part.uses for part in parts)
    aim = "" if usual is None else f" {number(usual)} {unit} would be as expected."
    return UseChart(
        line="M" + " ".join(points),
        area="M" + " ".join(points) + f" L{WIDTH - 8},{BASE} L0,{BASE}Z",
        end_x=WIDTH - 8,
        end_y=y(parts[-1].uses),
        expected_y=None if usual is None else y(usual),
        first=day(parts[0].first, today),
        last=day(parts[-1].last, today),
        sentence=(
            f"{name}: {number(total)} uses from {day(parts[0].first, today)} to {day(parts[-1].last, today)}, "
            f"at most {number(max(part.uses for part in parts))} {unit}.{aim}"
        ),
        unit=unit,
        buckets=list(parts),
    )
