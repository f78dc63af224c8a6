"""The adoption tab as texts: key figures, matrix or grid of features, filters, room to grow. Pure but for addresses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from bellwether.common.time import day_of
from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_cards import Figure
from bellwether.health.adoption import Adoption, FeatureLine
from bellwether.health.cohorts import AT_LEAST
from bellwether.health.feature_use import Level
from bellwether.health.published_groups import HELD_BACK
from bellwether.web.formatting import DASH, Delta, change, day, full_day, number, percent, plural

LOUD_CHANGE = 0.10
QUIET_DAYS = 30
CATEGORY_ORDER = ("Core", "Advanced", "Integration", "Reporting")


@dataclass(frozen=True)
class Look:
    """How a level looks: its word, the status that colours it, and the icon that repeats it."""

    label: str
    status: str
    icon: str


LOOKS: dict[Level | None, Look] = {
    Level.NOT_LICENSED: Look("Not licensed", "na", "lock"),
    Level.NOT_CONFIGURED: Look("Not configured", "critical", "wrench"),
    Level.NOT_USED: Look("Not used", "risk", "circle-off"),
    Level.LIGHT: Look("Light", "monitor", "circle-dot"),
    Level.ACTIVE: Look("Active", "healthy", "circle-check"),
    Level.POWER: Look("Power", "healthy", "zap"),
    None: Look("No events yet", "na", "circle-dashed"),
}
SORTS: dict[str, Callable[[FeatureLine], float | str]] = {
    "feature": lambda line: line.spec.name.casefold(),
    "level": lambda line: -1 if line.level is None else line.level,
    "use": lambda line: line.use,
    "expected": lambda line: line.expected or 0,
    "change": lambda line: -2 if line.change is None else line.change,
    "peers": lambda line: -1 if line.peers.using is None else line.peers.using,
}
COLUMNS = (
    ("feature", "Feature", ""),
    ("level", "Level", "c-level"),
    ("use", "Use", "n"),
    ("expected", "Expected", "n c-contact"),
    ("change", "Change", "n"),
    ("peers", "Peers", "n c-spark"),
)


@dataclass(frozen=True)
class Asked:
    """What the address asks for; words that mean nothing are left out. `sort` begins with - for descending."""

    view: str = ""
    module: str = ""
    level: str = ""
    category: str = ""
    unused: bool = False
    sort: str = ""

    def query(self) -> dict[str, str]:
        """Return the choices as they stand in an address."""
        return {
            "view": self.view,
            "module": self.module,
            "level": self.level,
            "category": self.category,
            "unused": "1" if self.unused else "",
            "sort": self.sort,
        }

    @property
    def filtered(self) -> bool:
        """Whether some features may be left out."""
        return bool(self.module or self.level or self.category or self.unused)


@dataclass(frozen=True)
class Pick:
    """A filter: the parameter it sets, its label, its options as (value, text), and the address without it."""

    name: str
    label: str
    options: list[tuple[str, str]]
    chosen: str
    remove: str


@dataclass(frozen=True)
class Heading:
    """A heading of the matrix: the address that sorts by it, and how it is sorted now ("" if it is not)."""

    label: str
    classes: str
    href: str
    sorted: str


@dataclass(frozen=True)
class Row:
    """A feature in the matrix. `period` is empty for a month; `percentile` like "54th", empty if not known."""

    key: str
    name: str
    href: str
    level: int
    look: Look
    use: str
    period: str
    expected: str
    change: Delta | None
    peers: str
    percentile: str
    unused: bool
    current: bool


@dataclass(frozen=True)
class Group:
    """The rows of a module; `name` "" where all rows stand in one order."""

    name: str
    rows: list[Row]


@dataclass(frozen=True)
class Flag:
    """A feature of the binary grid."""

    name: str
    href: str
    adopted: bool
    text: str


@dataclass(frozen=True)
class FlagGroup:
    """The features of a category, and how many of them are adopted."""

    name: str
    flags: list[Flag]
    text: str


def read_asked(values: Mapping[str, str], adoption: Adoption, *, default_view: str) -> Asked:
    """Return what the address asks for, as far as it means something for these features."""
    view = values.get("view", "") or default_view
    sort = values.get("sort", "")
    modules = {line.spec.module for line in adoption.lines}
    categories = {line.category for line in adoption.lines}
    return Asked(
        view="grid" if view == "grid" else "levels",
        module=_known(values.get("module", ""), modules),
        level=_known(values.get("level", ""), {level.name for level in Level}),
        category=_known(values.get("category", ""), categories),
        unused=values.get("unused") == "1",
        sort=sort if sort.removeprefix("-") in SORTS else "",
    )


def _known(word: str, words: set[str]) -> str:
    return word if word in words else ""


def matching(lines: Sequence[FeatureLine], asked: Asked) -> list[FeatureLine]:
    """Return the lines that the filters let through, in the order asked for (default: that of the catalogue)."""
    kept = [
        line
        for line in lines
        if (not asked.module or line.spec.module == asked.module)
        and (not asked.category or line.category == asked.category)
        and (not asked.level or (line.level is not None and line.level.name == asked.level))
        and (not asked.unused or line.is_unused)
    ]
    if asked.sort:
        kept.sort(key=SORTS[asked.sort.removeprefix("-")], reverse=asked.sort.startswith("-"))
    return kept


def figures(adoption: Adoption, *, tier: str, users: int | None, seats: int | None) -> list[Figure]:
    """Return the four key figures; the first is explained beside it."""
    licensed = plural(adoption.licensed, "licensed feature")
    why_not = (
        "No events of this client have arrived."
        if not adoption.has_events
        else "No features are recorded as licensed for this client."
    )
    score = Figure(
        "score",
        "Adoption score",
        None if adoption.score is None else f"{adoption.score}%",
        note=f"{adoption.used} of {licensed} used" if adoption.score is not None else "",
        reason=why_not,
    )
    few = f"{plural(adoption.peers, 'peer')} with a score; {AT_LEAST} are needed."
    if adoption.held_back:
        few = HELD_BACK
    rank = Figure(
        "percentile",
        f"Against {tier} clients",
        None if adoption.percentile is None else ordinal(adoption.percentile),
        "percentile",
        f"Median {adoption.median}%, {plural(adoption.peers, 'client')}" if adoption.median is not None else "",
        reason=why_not if adoption.score is None else few,
    )
    moved = adoption.unused - adoption.unused_before
    unused = Figure(
        "unused",
        "Licensed, not used",
        number(adoption.unused) if adoption.knows_licences and adoption.has_events else None,
        note="in 30 days",
        reason=why_not,
        change=change(moved, better="down"),
    )
    in_use = Figure(
        "seats",
        "Seats used",
        None if users is None or not seats else number(users),
        f"of {number(seats)}",
        f"{percent(users / seats)} of capacity" if users is not None and seats else "",
        reason="No seats are recorded." if not seats else "No usage has been measured for this client.",
    )
    return [score, rank, unused, in_use]


def quiet_text(adoption: Adoption, zone: ZoneInfo) -> str:
    """Return since when no feature has been used, if that is 30 days or more; else empty."""
    last = max((line.last_used for line in adoption.lines if line.last_used), default=None)
    days = (adoption.day - day_of(last, zone)).days if last else 0
    if last is None or days < QUIET_DAYS:
        return ""
    since = full_day(day_of(last, zone))
    return f"No feature has been used for {number(days)} days: the last use was on {since}. Levels count up to today."


def ordinal(value: int) -> str:
    """Return "1st", "2nd", "11th", "54th"."""
    last = "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{last}"


def picks(adoption: Adoption, asked: Asked, address: Address) -> list[Pick]:
    """Return the filters that make a difference here."""
    modules = sorted({line.spec.module for line in adoption.lines if line.spec.module})
    levels = [(level.name, LOOKS[level].label) for level in Level]
    categories = sorted({line.category for line in adoption.lines if line.category})
    offered = [
        ("module", "Module", [(one, one) for one in modules]),
        ("level", "Level", levels),
        ("category", "Category", [(one, one) for one in categories]),
    ]
    query = asked.query()
    return [
        Pick(name, label, options, query[name], address.with_(**{name: None}))
        for name, label, options in offered
        if len(options) > 1 or query[name]
    ]


def headings(asked: Asked, address: Address) -> list[Heading]:
    """Return the headings; numbers sort descending first."""
    found = []
    for name, label, classes in COLUMNS:
        is_down, is_up = asked.sort == f"-{name}", asked.sort == name
        following = f"-{name}" if is_up or (name != "feature" and not is_down) else name
        found.append(
            Heading(
                label,
                classes,
                address.with_(sort=following),
                "descending" if is_down else "ascending" if is_up else "",
            )
        )
    return found


def groups(
    lines: Sequence[FeatureLine], asked: Asked, href: Callable[[str], str], *, open_key: str = ""
) -> list[Group]:
    """Return the rows by module in the catalogue's order, or all in one group where they are sorted."""
    if asked.sort:
        return [Group("", [_row(line, href, open_key) for line in lines])] if lines else []
    found: dict[str, list[Row]] = {}
    for line in lines:
        found.setdefault(line.spec.module, []).append(_row(line, href, open_key))
    return [Group(name or "No module", rows) for name, rows in found.items()]


def _row(line: FeatureLine, href: Callable[[str], str], open_key: str) -> Row:
    spec, measured = line.spec, line.level not in (None, Level.NOT_LICENSED, Level.NOT_CONFIGURED) or line.use > 0
    is_share = spec.target == "share"
    use = DASH if not measured else share_text(line) if is_share else number(line.use)
    return Row(
        key=spec.key,
        name=spec.name,
        href=href(spec.key),
        level=line.level or 0,
        look=LOOKS[line.level],
        use=use,
        period="" if spec.days == 30 or use == DASH else f"in {spec.days} d",
        expected=expected_text(line),
        change=change_of(line),
        peers=percent(line.peers.using),
        percentile=ordinal(line.peers.percentile) if line.peers.percentile is not None else "",
        unused=line.is_unused,
        current=spec.key == open_key,
    )


def share_text(line: FeatureLine) -> str:
    """Return the share that went well, in percent; an en dash where there was nothing to judge."""
    return DASH if line.share is None or line.expected is None else percent(line.share * line.expected)


def expected_text(line: FeatureLine) -> str:
    """Return what is expected in the period: "40", "80%", or "any use"."""
    if line.expected is None:
        return "any use"
    return percent(line.expected) if line.spec.target == "share" else number(line.expected)


def change_of(line: FeatureLine) -> Delta | None:
    """Return the change of 30 days against the 30 before; beyond a tenth it is coloured."""
    if line.change is None:
        return Delta("up", "new", "good") if line.use_30d else None
    better = "up" if abs(line.change) > LOUD_CHANGE else ""
    return change(round(line.change, 3), better=better, text=percent(abs(line.change)))


def flag_groups(
    lines: Sequence[FeatureLine], href: Callable[[str], str], today: date, zone: ZoneInfo
) -> list[FlagGroup]:
    """Return the features as binary flags by category: the known categories first, then the others."""
    found: dict[str, list[FeatureLine]] = {}
    for line in lines:
        found.setdefault(line.category or line.spec.module or "Other", []).append(line)
    order = {name: place for place, name in enumerate(CATEGORY_ORDER)}
    names = sorted(found, key=lambda name: order.get(name, len(order)))
    return [
        FlagGroup(
            name,
            [Flag(one.spec.name, href(one.spec.key), one.adopted, used_text(one, today, zone)) for one in found[name]],
            f"{sum(line.adopted for line in found[name])} of {len(found[name])}",
        )
        for name in names
    ]


def used_text(line: FeatureLine, today: date, zone: ZoneInfo) -> str:
    """Return "First used 18 Apr 2023, last 12 Feb", or that it never was."""
    if line.first_used is None or line.last_used is None:
        return "Not used yet"
    first, last = day_of(line.first_used, zone), day_of(line.last_used, zone)
    return f"Used on {day(first, today)}" if first == last else f"First {day(first, today)}, last {day(last, today)}"


def licence_text(line: FeatureLine) -> str:
    """Return since when the feature is licensed and set up."""
    licence = line.licence
    if not licence.is_licensed:
        return "Not licensed"
    since = f" since {full_day(licence.licensed_at)}" if licence.licensed_at else ""
    if licence.is_configured:
        on = f" on {full_day(licence.configured_at)}" if licence.configured_at else ""
        return f"Licensed{since}, set up{on}"
    return f"Licensed{since}, not set up" if not line.use else f"Licensed{since}"
