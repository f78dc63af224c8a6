"""The measured effect of playbooks in the shape that pages draw: arms as bars, the interval as a forest, the words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import ceil
from uuid import UUID

from django.core.cache import caches
from django.db.models import Count, Max

from bellwether.common.errors import InvalidInputError
from bellwether.playbooks.choices import PlaybookState
from bellwether.playbooks.figures import ArmFigures
from bellwether.playbooks.models import Enrolment, Playbook
from bellwether.playbooks.reading import Result, Summary, result_of, results, summary
from bellwether.playbooks.uplift import Estimate
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import DASH, MINUS, number, short_money, signed

STATUS = {
    "works": ("Works", "healthy", "circle-check"),
    "unclear": ("Unclear", "na", "circle-dashed"),
    "too_early": ("Too early to tell", "na", "clock"),
    "harmful": ("Does harm", "critical", "octagon-alert"),
    "not_started": ("Not started", "na", "circle-slash"),
    "not_measured": ("Not measured", "na", "circle-slash"),
}
"""Evidence in words with data-status and icon."""
NOT_YET = "Shown from 20 clients in each arm"
UNRANKED = 1_000_000
KEPT_SECONDS = 60
STEP = 10
LEAST_SPAN = 20


@dataclass(frozen=True)
class ArmBar:
    """One arm: its mean outcome as text, the length of its bar (0-100) and the numbers behind it."""

    key: str
    label: str
    value: str
    percent: float
    counts: str


@dataclass(frozen=True)
class Forest:
    """An interval on the common axis, all in percent of its width."""

    zero: float
    low: float
    value: float
    high: float
    status: str
    sentence: str


def axis_of(bounds: list[float]) -> int:
    """Return where an axis about zero ends that holds all `bounds`: 20, 30, 40 ..., at most 100."""
    furthest = max((abs(one) for one in bounds), default=0.0)
    return min(100, max(LEAST_SPAN, ceil(furthest / STEP) * STEP))


def forest(value: float, low: float, high: float, *, span: float, status: str, unit: str) -> Forest:
    """Return the interval on an axis from -`span` to `span`; what lies beyond ends at the edge."""

    def place(one: float) -> float:
        return round(min(100.0, max(0.0, 50 + 50 * one / span)), 1)

    sentence = f"{signed(round(value))} {unit}, interval {between(low, high)}"
    return Forest(50, place(low), place(value), place(high), status, sentence)


def between(low: float, high: float) -> str:
    """Return "−8 to 28"."""
    return f"{_plain(low)} to {_plain(high)}"


def _plain(value: float) -> str:
    whole = round(value)
    return f"{MINUS}{number(-whole)}" if whole < 0 else number(whole)


@dataclass(frozen=True)
class Effect:
    """What is known of one playbook's effect, ready to be drawn. `word` is a key of STATUS, `note` says what is missing
    where there is no forest, `rank` is the place by value per CSM hour."""

    word: str
    runs: int = 0
    uplift: float | None = None
    uplift_text: str = DASH
    interval: str = ""
    unit: str = "points"
    note: str = ""
    reason: str = ""
    forest: Forest | None = None
    arms: tuple[ArmBar, ...] = ()
    per_hour: str = ""
    saved: str = ""
    rank: int = UNRANKED
    warnings: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The word for people."""
        return STATUS[self.word][0]

    @property
    def status(self) -> str:
        """The data-status word."""
        return STATUS[self.word][1]

    @property
    def icon(self) -> str:
        """The icon that repeats it."""
        return STATUS[self.word][2]


@dataclass(frozen=True)
class Figures:
    """The key figures over all playbooks: how many work, the saved ARR with its interval, the runs, and where the axis
    of the intervals ends."""

    proven: int = 0
    proven_note: str = "Nothing is measured yet"
    saved: str | None = None
    saved_note: str = ""
    runs: int = 0
    span: int = LEAST_SPAN


@dataclass(frozen=True)
class Effects:
    """The effects by the playbook's id, and the key figures of those that are not archived."""

    by_id: Mapping[UUID, Effect]
    figures: Figures

    def of(self, playbook: Playbook) -> Effect:
        """Return the effect of a playbook; without a version it is not started."""
        return self.by_id.get(playbook.pk, Effect("not_started", note=NOT_YET))


def effects(user: StaffUser, playbooks: Sequence[Playbook]) -> Effects:
    """Return the measured effect of all `playbooks`, archived ones too, drawn on one axis.

    Worked out anew when an enrolment, an outcome or a playbook changed, else kept for a minute; one query then.
    """
    enrolled = Enrolment.objects.aggregate(
        rows=Count("pk"), last=Max("enrolled_at"), ended=Max("ended_at"), known=Count("outcome_value"),
        measured=Max("outcome_known_at"),
    )  # fmt: skip
    known = sorted((str(one.pk), one.state, str(one.version_id)) for one in playbooks)
    state = repr((user.sees_all_clients, *enrolled.values(), known))
    key = f"playbook-effects:{blake2b(state.encode(), digest_size=12).hexdigest()}"
    kept: Effects | None = caches["memory"].get(key)
    if kept is None:
        kept = _effects(user)
        caches["memory"].set(key, kept, timeout=KEPT_SECONDS)
    return kept


def _effects(user: StaffUser) -> Effects:
    try:
        found = results(user, archived=True)
    except InvalidInputError:  # a stored definition that this version of the product cannot read
        return Effects({}, Figures())
    live = [one for one in found if one.playbook.state != PlaybookState.ARCHIVED]
    bounds = [edge for one in found for edge in _bounds(one)]
    span = axis_of(bounds)
    return Effects({one.playbook.pk: effect_of(one, span) for one in found}, _figures(summary(live), span))


def effect_of_one(playbook: Playbook, user: StaffUser) -> tuple[Effect, Result | None]:
    """Return the effect of one playbook on an axis of its own, with the result behind it."""
    if playbook.version is None:
        return Effect("not_started", note=NOT_YET), None
    try:
        found = result_of(playbook, user)
    except InvalidInputError:
        return Effect("not_started", note=NOT_YET), None
    return effect_of(found, axis_of(_bounds(found))), found


def effect_of(found: Result, span: int) -> Effect:
    """Return a result ready to be drawn on an axis from -`span` to `span`."""
    figures, evidence = found.figures, found.figures.evidence
    word = _word(found)
    shown = evidence.shown.times(_factor(found)) if evidence.shown else None
    unit = "points" if found.counting.binary else "points of score"
    return Effect(
        word=word,
        runs=figures.enrolled,
        uplift=shown.value if shown else None,
        uplift_text=signed(round(shown.value)) if shown else DASH,
        interval=between(shown.low, shown.high) if shown else "",
        unit=unit,
        note="" if shown else NOT_YET if word == "not_started" else evidence.reason,
        reason=evidence.reason,
        forest=forest(shown.value, shown.low, shown.high, span=span, status=STATUS[word][1], unit=unit)
        if shown
        else None,
        arms=_arms(found) if figures.treated.known or figures.held_out.known else (),
        per_hour=_per_hour(found),
        saved=_money_between(found.saved) if found.saved else "",
        rank=found.rank or UNRANKED,
        warnings=figures.warnings,
    )


def _word(found: Result) -> str:
    word: str = found.figures.evidence.word
    if not found.definition.hold_out and word == "too_early" and not found.figures.held_out.enrolled:
        return "not_measured"
    return word


def _factor(found: Result) -> int:
    return 100 if found.counting.binary else 1


def _bounds(found: Result) -> list[float]:
    shown = found.figures.evidence.shown
    return [shown.low * _factor(found), shown.high * _factor(found)] if shown else []


def _arms(found: Result) -> tuple[ArmBar, ...]:
    both = (("treated", "Treated", found.figures.treated), ("held_out", "Held out", found.figures.held_out))
    largest = max((abs(arm.value) for _, _, arm in both if arm.value is not None), default=0.0) or 1.0
    return tuple(_arm(key, label, arm, found.counting.binary, largest) for key, label, arm in both)


def _arm(key: str, label: str, arm: ArmFigures, binary: bool, largest: float) -> ArmBar:
    if arm.value is None:
        return ArmBar(key, label, DASH, 0, f"{arm.known} known" if arm.known else "none known")
    if binary:
        percent = round(100 * arm.value)
        return ArmBar(
            key, label, f"{percent}%", round(100 * arm.value, 1), f"{number(arm.reached)} of {number(arm.known)}"
        )
    length = round(100 * abs(arm.value) / largest, 1)
    return ArmBar(key, label, signed(round(arm.value, 1)), length, f"of {number(arm.known)}")


def _per_hour(found: Result) -> str:
    hourly = found.value.per_hour
    if hourly is None:
        return ""
    if found.value.unit == "arr":
        return f"{short_money(hourly.value)} per CSM hour"
    return f"{signed(round(hourly.value, 1))} per CSM hour"


def _money_between(one: Estimate) -> str:
    return f"{short_money(one.value)}, 95% interval {short_money(one.low)} to {short_money(one.high)}"


def _figures(found: Summary, span: int) -> Figures:
    words = found.words
    parts = [
        f"{words[word]} {text}"
        for word, text in (("unclear", "unclear"), ("too_early", "too early to tell"), ("harmful", "doing harm"))
        if words.get(word)
    ]
    return Figures(
        proven=words.get("works", 0),
        proven_note=", ".join(parts) or "Nothing is measured yet",
        saved=short_money(found.saved.value) if found.saved else None,
        saved_note=f"ARR, 95% interval {short_money(found.saved.low)} to {short_money(found.saved.high)}"
        if found.saved
        else "",
        runs=found.runs,
        span=span,
    )
