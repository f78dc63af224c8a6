"""The profile of a client as a radar: percentiles by metric on five axes; the template writes the SVG."""

import math
from dataclasses import dataclass

from bellwether.benchmarks.comparing import Position

WIDTH, HEIGHT = 396, 306
X, Y, RADIUS = 198.0, 161.0, 112.0
RINGS = (25, 50, 75, 100)


@dataclass(frozen=True)
class Axis:
    """An axis with its name and percentile. `value` "–" where there is none; then no dot is drawn."""

    name: str
    value: str
    x: float
    y: float
    text_x: float
    text_y: float
    anchor: str
    dot: tuple[float, float] | None


@dataclass(frozen=True)
class Radar:
    """`rings` are paths from the middle outwards, the second is the median; `area` is empty under three known axes."""

    rings: list[str]
    axes: list[Axis]
    area: str
    sentence: str


def radar_of(found: list[Position]) -> Radar:
    """Return the drawing of the positions, clockwise from the top."""
    count = len(found)
    axes, corners = [], []
    for place, one in enumerate(found):
        x, y = _point(place, count, 100)
        text_x, text_y = _point(place, count, 117)
        side = "middle" if abs(x - X) < 5 else "start" if x > X else "end"
        dot = None if one.percentile is None else _point(place, count, one.percentile)
        if dot is not None:
            corners.append(dot)
        value = "–" if one.percentile is None else str(math.floor(one.percentile + 0.5))
        axes.append(Axis(one.metric.short, value, x, y, text_x, text_y - (3 if side == "middle" else 0), side, dot))
    return Radar(
        rings=[_path([_point(place, count, ring) for place in range(count)]) for ring in RINGS],
        axes=axes,
        area=_path(corners) if len(corners) >= 3 else "",
        sentence="Percentile in the group by metric: " + ", ".join(f"{one.name} {one.value}" for one in axes),
    )


def _point(place: int, count: int, share: float) -> tuple[float, float]:
    angle = 2 * math.pi * place / count
    size = RADIUS * share / 100
    return round(X + size * math.sin(angle), 1), round(Y - size * math.cos(angle), 1)


def _path(points: list[tuple[float, float]]) -> str:
    return "M" + " ".join(f"{x},{y}" for x, y in points) + "Z"
