"""Words and numbers as the interface shows them: money, dates, ages, changes, small drawings.

Pure: today and the time zone are arguments. A missing value is an en dash, a change has a true minus.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

DASH = "–"
MINUS = "−"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SMALLEST_RANGE = 10


@dataclass(frozen=True)
class Status:
    """How a health status looks: `key` is the word of `data-status`, `icon` the shape that repeats it."""

    key: str
    label: str
    icon: str


NOT_SCORED = Status("na", "N/A", "circle-dashed")
STATUSES: dict[str, Status] = {
    "HEALTHY": Status("healthy", "Healthy", "circle-check"),
    "MONITOR": Status("monitor", "Monitor", "eye"),
    "AT_RISK": Status("risk", "At risk", "triangle-alert"),
    "CRITICAL": Status("critical", "Critical", "octagon-alert"),
}
BY_KEY: dict[str, Status] = {status.key: status for status in (*STATUSES.values(), NOT_SCORED)}


def status_of(word: str | None) -> Status:
    """Return the look of a health status: `AT_RISK` or the interface's `risk`; None and unknown words are N/A."""
    return STATUSES.get(word or "") or BY_KEY.get(word or "", NOT_SCORED)


@dataclass(frozen=True)
class Delta:
    """A change to show: `direction` is up, down or flat, `tone` good, bad or empty."""

    direction: str
    text: str
    tone: str = ""

    @property
    def icon(self) -> str:
        """The arrow's icon name."""
        return {"up": "arrow-up", "down": "arrow-down"}.get(self.direction, "arrow-right")


@dataclass(frozen=True)
class Spark:
    """A small line without axes: an SVG path, its end point, and the size of its view box."""

    path: str
    x: float
    y: float
    width: int
    height: int


def _round(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def money(amount: Decimal | float | None) -> str:
    """Return `amount` in full, "$120,000"; cents only if there are any."""
    if amount is None:
        return DASH
    value = _round(Decimal(str(amount)), 2)
    sign = MINUS if value < 0 else ""
    return f"{sign}${abs(value):,.0f}" if value == value.to_integral_value() else f"{sign}${abs(value):,.2f}"


def short_money(amount: Decimal | float | None) -> str:
    """Return `amount` for lists: "$850", "$19.5K", "$612K", "$2.93M", "$1.20B"."""
    if amount is None:
        return DASH
    value = Decimal(str(amount))
    sign, size = (MINUS if value < 0 else ""), abs(value)
    if size < Decimal("999.5"):
        return f"{sign}${_round(size, 0):f}"
    thousands = size / 1000
    if thousands < Decimal("99.95"):
        text = f"{_round(thousands, 1):f}".removesuffix(".0")
        return f"{sign}${text}K"
    if thousands < Decimal("999.5"):
        return f"{sign}${_round(thousands, 0):f}K"
    if size < Decimal("999995000"):
        return f"{sign}${_round(size / 10**6, 2):f}M"
    return f"{sign}${_round(size / 10**9, 2):f}B"


def number(value: float | None) -> str:
    """Return a count with thousands separators, "12,340"; up to one decimal if it is not whole."""
    if value is None:
        return DASH
    rounded = _round(Decimal(str(value)), 1)
    sign = MINUS if rounded < 0 else ""
    return f"{sign}{abs(rounded):,.0f}" if rounded == rounded.to_integral_value() else f"{sign}{abs(rounded):,.1f}"


def percent(share: float | None, places: int = 0) -> str:
    """Return a share (0-1) as "21%", with `places` decimals."""
    if share is None:
        return DASH
    value = _round(Decimal(str(share)) * 100, places)
    return f"{MINUS if value < 0 else ''}{abs(value):f}%"


def signed(value: float | None) -> str:
    """Return a change with its sign: "+9", "−14", "0"."""
    if value is None:
        return DASH
    return f"+{number(value)}" if value > 0 else number(value)


def day(value: date | None, today: date) -> str:
    """Return "12 Feb", with the year if it is not this year's."""
    if value is None:
        return DASH
    text = f"{value.day} {MONTHS[value.month - 1]}"
    return text if value.year == today.year else f"{text} {value.year}"


def full_day(value: date | None) -> str:
    """Return "12 Feb 2026"."""
    return DASH if value is None else f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def clock(instant: datetime | None, zone: ZoneInfo) -> str:
    """Return the time of day in `zone`, "14:05"."""
    return DASH if instant is None else f"{instant.astimezone(zone):%H:%M}"


def moment(instant: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    """Return "14:05" for an instant of today in `zone`, else "12 Feb, 14:05"."""
    if instant is None:
        return DASH
    local, today = instant.astimezone(zone).date(), now.astimezone(zone).date()
    return clock(instant, zone) if local == today else f"{day(local, today)}, {clock(instant, zone)}"


def days_short(days: int | None) -> str:
    """Return a term or age for tables: "45 d", "−3 d"."""
    return DASH if days is None else f"{number(days)} d"


def days_ago(days: int | None) -> str:
    """Return an age for text: "today", "yesterday", "45 days ago"; a future one "in 3 days"."""
    if days is None:
        return "never"
    if days < 0:
        return "tomorrow" if days == -1 else f"in {-days:,} days"
    return ("today", "yesterday")[days] if days < 2 else f"{days:,} days ago"


def plural(count: int, one: str, many: str = "") -> str:
    """Return "1 client" or "24 clients"; `many` for words that do not just take an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def initials(name: str) -> str:
    """Return up to two capitals for an avatar: "JO" of "Jane Okafor"."""
    words = [word for word in name.replace("-", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in ([words[0], words[-1]] if len(words) > 1 else words)).upper() or "?"


def words(identifier: str) -> str:
    """Return an identifier as words: "case resolution" from caseResolution, "days to renewal" from days_to_renewal."""
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in identifier)
    return spaced.replace("_", " ").replace("-", " ").strip()


def trend(change: int | None, word: str | None, *, suffix: str = "") -> Delta | None:
    """Return a health trend: beyond the scorecard's margin an arrow with the amount, within it the signed amount.

    `word` is UP, DOWN or FLAT; None when there is no trend yet.
    """
    if change is None or not word:
        return None
    if word == "UP":
        return Delta("up", number(abs(change)) + suffix, "good")
    if word == "DOWN":
        return Delta("down", number(abs(change)) + suffix, "bad")
    return Delta("flat", signed(change) + suffix)


def change(value: float | None, *, better: str = "", text: str = "") -> Delta | None:
    """Return a plain change. `better` is up or down, or empty if neither is; `text` replaces the amount."""
    if value is None:
        return None
    if value == 0:
        return Delta("flat", text or "0")
    direction = "up" if value > 0 else "down"
    tone = "" if not better else "good" if direction == better else "bad"
    return Delta(direction, text or number(abs(value)), tone)


def spark(values: Sequence[float | None], *, width: int = 76, height: int = 24) -> Spark | None:
    """Return the line through `values`, oldest first, evenly spaced; gaps (None) break it. None without two values.

    The range is that of the values, but at least ten units, so that a steady client looks steady.
    """
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    low, high = min(known), max(known)
    if high - low < SMALLEST_RANGE:
        middle = (high + low) / 2
        low, high = middle - SMALLEST_RANGE / 2, middle + SMALLEST_RANGE / 2
    right, top, scale = width - 4, 4, (height - 8) / (high - low)
    step = (right - 1) / (len(values) - 1)
    parts, pen, x, y = [], "M", 1.0, 0.0
    for index, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        x, y = 1 + index * step, top + (high - value) * scale
        parts.append(f"{pen}{x:.1f},{y:.1f}")
        pen = "L"
    return Spark(" ".join(parts), round(x, 1), round(y, 1), width, height)
