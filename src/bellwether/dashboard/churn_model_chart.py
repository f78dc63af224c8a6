"""The reliability plot: what was foretold against what came, with intervals. Pure; server-drawn SVG coordinates."""

from collections.abc import Sequence
from dataclasses import dataclass

from bellwether.churn.card import ReliabilityPoint
from bellwether.web.formatting import number, percent, plural

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BASE = 460, 300, 44, 448, 14, 262
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25)


@dataclass(frozen=True)
class Dot:
    """A tenth of the rows on the plot. `low` and `high`: ends of its interval, None without one."""

    x: float
    y: float
    low: float | None
    high: float | None
    foretold: str
    came: str
    between: str
    rows: str


@dataclass(frozen=True)
class ReliabilityPlot:
    """The plot: `ticks` are (x, y, text) of both axes, the diagonal goes from (LEFT, BASE) to (`end_x`, `end_y`)."""

    dots: list[Dot]
    ticks: list[tuple[float, float, str]]
    line: str
    end_x: float
    end_y: float
    sentence: str


def reliability_plot(points: Sequence[ReliabilityPoint]) -> ReliabilityPlot | None:
    """Return the plot of at least two points, None for fewer."""
    if len(points) < 2:
        return None
    most = max(*(max(p.foretold, p.came, min(p.high or 0.0, 1.5 * max(p.came, p.foretold))) for p in points), 0.02)
    step = next((size for size in STEPS if size * 5 >= most), 0.25)
    top = min(1.0, step * max(1, -int(-most // step)))
    across, up = (RIGHT - LEFT) / top, (BASE - TOP) / top

    def x(share: float) -> float:
        return round(LEFT + min(share, top) * across, 1)

    def y(share: float) -> float:
        return round(BASE - min(share, top) * up, 1)

    dots = [
        Dot(
            x(p.foretold),
            y(p.came),
            None if p.low is None else y(p.low),
            None if p.high is None else y(p.high),
            percent(p.foretold, 1),
            percent(p.came, 1),
            "–" if p.low is None or p.high is None else f"{percent(p.low, 1)} to {percent(p.high, 1)}",
            f"{plural(p.rows, 'row')}, {plural(p.clients, 'client')}",
        )
        for p in points
    ]
    places = 0 if step >= 0.01 else 1
    ticks = [(x(step * n), y(step * n), percent(step * n, places)) for n in range(round(top / step) + 1)]
    last = points[-1]
    return ReliabilityPlot(
        dots,
        ticks,
        "M" + " L".join(f"{dot.x},{dot.y}" for dot in dots),
        x(top),
        y(top),
        f"Foretold against came by tenth of the rows: in the riskiest tenth {percent(last.foretold, 1)} foretold, "
        f"{percent(last.came, 1)} came, of {number(last.rows)} rows",
    )
