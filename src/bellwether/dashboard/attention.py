"""Why a client needs attention, by rule: each sentence names a figure and where it stands. No model writes here.

Pure: works on plain figures, so that page, export and tests ask the same rules.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bellwether.common.rounding import half_up
from bellwether.web.formatting import plural

LOW_COMPONENT = 40
NO_CONTACT_DAYS = 30
RENEWAL_DAYS = 90
QUIET_DAYS = 14


@dataclass(frozen=True)
class Figures:
    """What the rules read. Days count from the workspace's today; None is unknown. Components are 0-100."""

    score: int | None = None
    no_score_reason: str = ""
    trend: str | None = None
    trend_change: int | None = None
    components: dict[str, int | None] = field(default_factory=dict)
    contact_days: int | None = None
    renewal_days: int | None = None
    quiet_days: int | None = None
    payment: str | None = None


@dataclass(frozen=True)
class Reason:
    """One reason: `text` is a sentence, `short` the same in a few words, `source` names the part of the client page."""

    text: str
    short: str
    source: str

    @property
    def anchor(self) -> str:
        """The id of the part of the client page that shows the figure."""
        return {"Usage": "components"}.get(self.source, self.source.lower())


def reasons(figures: Figures) -> list[Reason]:
    """Return the reasons that hold, the weightiest first; empty when nothing stands out."""
    return [reason for rule in RULES if (reason := rule(figures)) is not None]


def summary(found: Iterable[Reason], at_most: int = 2) -> str:
    """Return the first reasons in one short line, "Score down 14, no contact for 45 d"; empty without reasons."""
    shorts = [reason.short for reason in found][:at_most]
    return ", ".join([*shorts[:1], *(short[0].lower() + short[1:] for short in shorts[1:])])


def payment(figures: Figures) -> Reason | None:
    """Payment late or overdue."""
    if figures.payment not in {"late", "overdue"}:
        return None
    return Reason(f"Payment is {figures.payment}.", f"Payment {figures.payment}", "Contract")


def not_scored(figures: Figures) -> Reason | None:
    """No score, and why."""
    if figures.score is not None:
        return None
    why = figures.no_score_reason.strip().rstrip(".")
    if not why:
        return Reason("No health score yet.", "No health score", "Health")
    return Reason(f"No health score: {why[0].lower()}{why[1:]}.", why[0].upper() + why[1:], "Health")


def drop(figures: Figures) -> Reason | None:
    """A falling score, as the scorecard's trend rule says."""
    if figures.trend != "DOWN" or not figures.trend_change:
        return None
    points = abs(figures.trend_change)
    return Reason(f"Health fell {plural(points, 'point')} in 30 days.", f"Health down {points}", "Health")


def lows(figures: Figures) -> Reason | None:
    """The one or two weakest components under LOW_COMPONENT."""
    values = [(value, name) for name, value in figures.components.items() if value is not None]
    low = sorted((half_up(value), name) for value, name in values if value < LOW_COMPONENT)[:2]
    if not low:
        return None
    named = " and ".join(f"{name.lower() if index else name} {value}" for index, (value, name) in enumerate(low))
    return Reason(f"{named} of 100.", named, "Components")


def quiet(figures: Figures) -> Reason | None:
    """No usage for QUIET_DAYS or more."""
    if figures.quiet_days is None or figures.quiet_days < QUIET_DAYS:
        return None
    return Reason(f"No usage for {figures.quiet_days} days.", f"No usage for {figures.quiet_days} d", "Usage")


def contact(figures: Figures) -> Reason | None:
    """No contact for NO_CONTACT_DAYS or more."""
    if figures.contact_days is None or figures.contact_days < NO_CONTACT_DAYS:
        return None
    days = figures.contact_days
    return Reason(f"Last contact {days} days ago.", f"No contact for {days} d", "Timeline")


def renewal(figures: Figures) -> Reason | None:
    """A renewal within RENEWAL_DAYS, or one whose date has passed."""
    days = figures.renewal_days
    if days is None or days > RENEWAL_DAYS:
        return None
    if days < 0:
        late = plural(-days, "day")
        return Reason(f"The renewal date passed {late} ago.", f"Renewal {late} overdue", "Contract")
    if days == 0:
        return Reason("The renewal is today.", "Renewal today", "Contract")
    return Reason(f"Renewal in {plural(days, 'day')}.", f"Renewal in {days} d", "Contract")


RULES: tuple[Callable[[Figures], Reason | None], ...] = (not_scored, drop, lows, quiet, payment, contact, renewal)
