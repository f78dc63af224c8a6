"""What the health trend shows, from which the card, the images and the table are made alike. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from bellwether.common.rounding import half_up
from bellwether.dashboard.client_trend_range import Gap, days_scored, gaps, is_dense, kept_days
from bellwether.dashboard.trend_chart import Band, TrendChart, draw, in_words
from bellwether.health.score_changes import ScoreDay, component_labels
from bellwether.health.scorecard import Scorecard
from bellwether.portfolio.timeline import Entry, chosen_marks
from bellwether.web.formatting import STATUSES, full_day

MOST_MARKS, MOST_MARKS_LONG = 8, 12
MOST_GAPS = 24
LEVEL_BANDS = [Band("Good", 75, "healthy"), Band("Fair", 60, "monitor"), Band("Poor", 0, "risk")]
COMPONENT_COHORT = "Peers are compared by the whole score, not by a component."


@dataclass(frozen=True)
class Course:
    """The health of a client from `first` to `last`: scores, peers and events.

    `series` may begin before `first`. `component` is the component that is shown instead of the score, "" for the
    score. `cohort` names the reference line and `no_cohort` says why there is none; `tier` names the peers.
    `known_from` is the first day on which the client was ever scored, `seen` the score of a day as it first stood where
    late data changed it.
    """

    name: str
    first: date
    last: date
    series: Sequence[ScoreDay]
    scorecard: Scorecard
    median: Mapping[date, float]
    tier: str
    cohort: str
    no_cohort: str
    entries: Sequence[Entry]
    component: str = ""
    known_from: date | None = None
    seen: Mapping[date, int | None] = field(default_factory=dict)

    @cached_property
    def labels(self) -> dict[str, str]:
        """Label by component, also of components that only older scores have."""
        keys = self.series[-1].components if self.series else {}
        return component_labels(self.scorecard, tuple(keys))

    @property
    def what(self) -> str:
        """What the line shows: "Health score" or the component's label."""
        return self.labels.get(self.component, "") or "Health score"

    @cached_property
    def inside(self) -> list[ScoreDay]:
        """The days of the range that have a row."""
        return [point for point in self.series if self.first <= point.day <= self.last]

    @cached_property
    def scores(self) -> dict[date, int | None]:
        """What the line shows by day, of all days with a row; a component as 0-100, half-up."""
        return {point.day: self.value(point) for point in self.series}

    def value(self, point: ScoreDay) -> int | None:
        """Return what the line shows of a day."""
        if not self.component:
            return point.score
        value = point.components.get(self.component)
        if value is None:
            return None
        top = float(point.weights.get(self.component, 0)) if self.scorecard.points else 100.0
        return half_up(min(100.0, 100 * float(value) / top)) if top else None

    @property
    def reference(self) -> Mapping[date, float]:
        """The median of the peers; none beside a component."""
        return {} if self.component else self.median

    @property
    def cohort_note(self) -> str:
        """Why there is no reference line; empty where there is one."""
        return COMPONENT_COHORT if self.component else self.no_cohort

    @cached_property
    def kept(self) -> set[date]:
        """The days that are drawn."""
        return kept_days(self.scores, self.first, self.last)

    @property
    def intervals(self) -> dict[date, tuple[int, int]]:
        """Between which scores the true one may lie, where something notable is missing."""
        if self.component:
            return {}
        return {
            point.day: (point.low, point.high)
            for point in self.inside
            if point.low is not None and point.high is not None and point.low < point.high
        }

    @cached_property
    def gaps(self) -> list[Gap]:
        """The stretches without a score, with their reasons; none where most days have no row at all."""
        reasons = {point.day: self._reason(point) for point in self.inside if self.value(point) is None}
        found = gaps(self.scores, reasons, self.first, self.last, known_from=self.known_from)
        return found if len(found) <= MOST_GAPS else []

    def _reason(self, point: ScoreDay) -> str:
        if self.component and point.score is not None:
            return f"{self.what} had no data"
        return point.reason

    @cached_property
    def marks(self) -> list[Entry]:
        """The events of the lane, oldest first."""
        most = MOST_MARKS if is_dense(self.first, self.last) else MOST_MARKS_LONG
        return chosen_marks(self.entries, first=self.first, last=self.last, at_most=most)

    @cached_property
    def unmarked(self) -> int:
        """How many events of note found no room in the lane."""
        inside = sum(1 for one in self.entries if one.weight > 0 and self.first <= one.on <= self.last)
        return inside - len(self.marks)

    @property
    def has_score(self) -> bool:
        """Whether there is anything to draw."""
        return any(self.value(point) is not None for point in self.inside)

    @property
    def sentence(self) -> str:
        """The chart in one sentence."""
        return in_words(
            first=self.first,
            last=self.last,
            scores={point.day: self.value(point) for point in self.inside},
            median=self.reference,
            cohort=self.tier,
            what=self.what,
        )

    @property
    def notes(self) -> list[str]:
        """What must be said about how the line is drawn, in sentences."""
        found = []
        if not is_dense(self.first, self.last):
            found.append("Each week is drawn by its lowest, highest and last score; the CSV has every day.")
        if self.intervals:
            found.append("The band is where the score may lie when what is missing is known.")
        if self.unmarked:
            found.append(f"{len(self.marks)} of {len(self.marks) + self.unmarked} events are marked, the weightiest.")
        if not self.gaps:
            scored, days = days_scored(self.scores, self.first, self.last)
            if days - scored > MOST_GAPS:
                found.append(f"{scored} of {days} days have a score.")
        return found

    def drawing(self) -> TrendChart:
        """Return where everything goes."""
        return draw(
            first=self.first,
            last=self.last,
            scores={point.day: self.value(point) for point in self.inside},
            median=self.reference,
            bands=LEVEL_BANDS if self.component else bands_of(self.scorecard),
            events=[(mark.on, mark.status) for mark in self.marks],
            kept=self.kept,
            intervals=self.intervals,
            gaps=[(gap.first, gap.last, gap.text) for gap in self.gaps],
        )

    @property
    def nothing(self) -> str:
        """Why there is nothing to draw."""
        what = "health score" if not self.component else f"{self.what} score"
        return f"There is no {what} from {full_day(self.first)} to {full_day(self.last)}."


def bands_of(scorecard: Scorecard) -> list[Band]:
    """Return the product's four bands with the scorecard's thresholds."""
    limits = scorecard.thresholds
    minima = {"HEALTHY": limits.healthy, "MONITOR": limits.monitor, "AT_RISK": limits.at_risk, "CRITICAL": 0}
    return [Band(STATUSES[word].label, minimum, STATUSES[word].key) for word, minimum in minima.items()]
