"""What the filters of the portfolio offer: the values that the reader's clients have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from django.core.cache import caches

from bellwether.dashboard.portfolio_query import STATUS_LABELS, TIER_LABELS, Asked
from bellwether.health.custom_registry import custom_measures
from bellwether.portfolio.listing import OF_MEASURE
from bellwether.portfolio.measure_limits import limits_text
from bellwether.portfolio.models import Client, Tag
from bellwether.staff.models import StaffUser
from bellwether.web.chances import RISKS, risk_of
from bellwether.web.formatting import MONTHS, short_money

Option = tuple[str, str]
VALUES_KEPT_SECONDS = 60
MEASURES_KEY = "custom-measure-names"


@dataclass(frozen=True)
class Pick:
    """One filter: the parameter it sets, its label, its options as (value, text), and the address without it.

    A chosen value that no client has (an address typed by hand) is an option too, so that the control shows it.
    """

    name: str
    label: str
    options: tuple[Option, ...]
    chosen: str
    remove: str


def picks(user: StaffUser, asked: Asked) -> list[Pick]:
    """Return the filters that make a difference for `user`. Those with one value are left out."""
    values = values_of(user)
    offered = [
        ("health_status", "Status", tuple(STATUS_LABELS.items())),
        ("tier", "Tier", tuple((tier, label) for tier, label in TIER_LABELS.items() if tier in values.tiers)),
        ("industry", "Industry", _plain(values.industries)),
        ("segment", "Segment", _plain(values.segments)),
        ("tag", "Tag", _plain(values.tags)),
        ("csm_id", "CSM", tuple(sorted(values.csms.items(), key=lambda pair: pair[1].casefold()))),
    ]
    return [
        Pick(
            name,
            label,
            _with_chosen(options, asked.given.get(name, "")),
            asked.given.get(name, ""),
            asked.link(**{name: None}),
        )
        for name, label, options in offered
        if len(options) > 1 or (options and name == "tag") or asked.given.get(name)
    ]


@dataclass(frozen=True)
class Values:
    """What the clients of one reader have; `csms` and `aes` map ids to names."""

    tiers: frozenset[str]
    industries: frozenset[str]
    segments: frozenset[str]
    tags: frozenset[str]
    csms: dict[str, str]
    regions: frozenset[str] = frozenset()
    aes: dict[str, str] = field(default_factory=dict)


def values_of(user: StaffUser) -> Values:
    """Return what the reader's clients have, in two queries; each process keeps it for VALUES_KEPT_SECONDS."""
    key = f"portfolio-values:{user.pk}:{user.role}:{user.team_id}"
    kept: Values | None = caches["memory"].get(key)
    if kept is None:
        kept = _read_values(user)
        caches["memory"].set(key, kept, VALUES_KEPT_SECONDS)
    return kept


def _read_values(user: StaffUser) -> Values:
    clients = Client.objects.visible_to(user).active()
    combinations = (
        clients.order_by()
        .values_list(
            "contract_tier",
            "industry",
            "segment",
            "region",
            "csm_user_id",
            "csm_user__first_name",
            "csm_user__last_name",
            "ae_user_id",
            "ae_user__first_name",
            "ae_user__last_name",
        )
        .distinct()
    )
    tiers, industries, segments, regions, csms, aes = set(), set(), set(), set(), {}, {}
    for tier, industry, segment, region, csm_id, first, last, ae_id, ae_first, ae_last in combinations:
        tiers.add(tier)
        industries.add(industry)
        segments.add(segment)
        regions.add(region)
        if csm_id:
            csms[str(csm_id)] = f"{first} {last}".strip()
        if ae_id:
            aes[str(ae_id)] = f"{ae_first} {ae_last}".strip()
    tags = Tag.objects.filter(clients__in=clients).order_by("name").values_list("name", flat=True).distinct()

    return Values(
        frozenset(tiers), frozenset(industries), frozenset(segments), frozenset(tags), csms, frozenset(regions), aes
    )


def _plain(values: frozenset[str]) -> tuple[Option, ...]:
    return tuple((value, value) for value in sorted(filter(None, values), key=str.casefold))


def _with_chosen(options: tuple[Option, ...], chosen: str) -> tuple[Option, ...]:
    texts = dict(options)
    if not chosen or chosen in texts:
        return options
    several = (
        [texts.get(word, word) for word in chosen.split(",")] if set(chosen.split(",")) <= set(texts) else [chosen]
    )
    return ((chosen, " or ".join(several)), *options)


@dataclass(frozen=True)
class Chip:
    """A filter that is set, with the address that removes it. `in_pick`: its control already shows it."""

    label: str
    value: str
    href: str
    in_pick: bool


LABELS = {
    "search": "Name",
    "region": "Region",
    "ae_id": "Account executive",
    "renewal_within": "Renewal within",
    "renewal_month": "Renewal in",
    "no_contact": "No contact for",
    "quiet": "No usage for",
    "follow_up": "Follow-up",
    "churn_category": "Churn category",
    "change_max": "Health fell by",
}
RANGES = (("score", "Health"), ("arr", "ARR"), ("churn", "Churn risk"))
FOLLOW_UP_TEXTS = {"overdue": "overdue", "week": "due within 7 days"}


def chips(asked: Asked, offered: list[Pick], users: Mapping[str, str]) -> list[Chip]:
    """Return the filters that are set, in the order of the controls. `users` are names of people by id."""
    texts = {pick.name: dict(pick.options) for pick in offered}
    labels = LABELS | {pick.name: pick.label for pick in offered}
    found = []
    names = ["search", *texts, *(name for name in LABELS if name not in ("search", *texts))]
    for name in names:
        value = asked.given.get(name, "")
        if value:
            text = _text(name, value, texts.get(name, {}), users)
            found.append(Chip(labels[name], text, asked.link(**{name: None}), name in texts))
    for word, label in RANGES:
        low, high = asked.given.get(f"{word}_min", ""), asked.given.get(f"{word}_max", "")
        if low or high:
            removed = asked.link(**{f"{word}_min": None, f"{word}_max": None})
            found.append(Chip(label, _range(word, low, high), removed, in_pick=False))
    names_of = measure_names() if asked.query.measures else {}
    for wanted in asked.query.measures:
        address = asked.link(**{OF_MEASURE + wanted.slug: None})
        found.append(Chip(names_of.get(wanted.slug, wanted.slug), limits_text(wanted), address, in_pick=False))
    return found


def _text(name: str, value: str, texts: Mapping[str, str], users: Mapping[str, str]) -> str:
    if name in ("renewal_within", "no_contact", "quiet"):
        return f"{value} d"
    if name == "change_max":
        points = -int(value)
        return f"{points} or more" if points >= 0 else f"at most {value}"
    if name == "renewal_month":
        return f"{MONTHS[int(value[5:]) - 1]} {value[:4]}"
    if name == "churn_category":
        return " or ".join(risk_of(word).label for word in value.split(","))
    if name == "follow_up":
        return FOLLOW_UP_TEXTS.get(value, value)
    if name == "ae_id":
        return users.get(value, value)
    return texts.get(value, value)


def _range(word: str, low: str, high: str) -> str:
    def shown(text: str) -> str:
        return short_money(Decimal(text.replace(",", "").removeprefix("$"))) if word == "arr" else text

    unit = "%" if word == "churn" else ""
    if low and high:
        return f"{shown(low)} to {shown(high)}{unit}"
    return f"at least {shown(low)}{unit}" if low else f"at most {shown(high)}{unit}"


def measure_names() -> dict[str, str]:
    """Return the names of the workspace's custom measures by slug; each process keeps them for VALUES_KEPT_SECONDS."""
    kept: dict[str, str] | None = caches["memory"].get(MEASURES_KEY)
    if kept is None:
        kept = {custom.slug: custom.name for custom in custom_measures()}
        caches["memory"].set(MEASURES_KEY, kept, VALUES_KEPT_SECONDS)
    return kept


@dataclass(frozen=True)
class MoreFilters:
    """What the form with all other filters offers: words with their texts, what is set, and what goes along."""

    statuses: tuple[Option, ...]
    tiers: tuple[Option, ...]
    regions: tuple[Option, ...]
    aes: tuple[Option, ...]
    follow_ups: tuple[Option, ...]
    given: Mapping[str, str]
    hidden: Mapping[str, str]
    count: int
    churn_categories: tuple[Option, ...] = tuple((word, look.label) for word, look in RISKS.items())


IN_FORM = (
    "health_status", "tier", "region", "ae_id", "follow_up", "renewal_within", "no_contact", "quiet", "change_max",
    "score_min", "score_max", "arr_min", "arr_max", "churn_min", "churn_max",
    "churn_category",
)  # fmt: skip
ONLY_IN_FORM = IN_FORM[2:]


def more_filters(asked: Asked, values: Values) -> MoreFilters:
    """Return what the form with all filters offers; `count` of those that have no control elsewhere are set."""
    people = tuple(sorted(values.aes.items(), key=lambda pair: pair[1].casefold()))
    return MoreFilters(
        statuses=tuple(STATUS_LABELS.items()),
        tiers=tuple((tier, label) for tier, label in TIER_LABELS.items() if tier in values.tiers),
        regions=_with_chosen(_plain(values.regions), asked.given.get("region", "")),
        aes=_with_chosen(people, asked.given.get("ae_id", "")),
        follow_ups=tuple(FOLLOW_UP_TEXTS.items()),
        given=asked.given,
        hidden=asked.hidden(*IN_FORM),
        count=sum(bool(asked.given.get(name)) for name in ONLY_IN_FORM),
    )
