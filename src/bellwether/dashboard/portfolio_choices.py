"""What the filters of the portfolio offer: the values that the reader's clients have."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.cache import caches

from bellwether.dashboard.explanations import unit_text
from bellwether.dashboard.portfolio_measures import limits_text
from bellwether.dashboard.portfolio_query import STATUS_LABELS, TIER_LABELS, Asked
from bellwether.health.custom_registry import custom_measures
from bellwether.health.models import MeasureValue
from bellwether.portfolio.listing import OF_MEASURE
from bellwether.portfolio.models import Client, Tag
from bellwether.staff.models import StaffUser

Option = tuple[str, str]
VALUES_KEPT_SECONDS = 60
MEASURES_KEY = "custom-measure-names"


@dataclass(frozen=True)
class MeasureColumn:
    """A custom measure as a column of the list: heading, the address that sorts by it, and its values by client id."""

    label: str
    href: str
    sorted: str
    values: dict[str, str]


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
    values = _values(user)
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
    """What the clients of one reader have; `csms` maps id to name."""

    tiers: frozenset[str]
    industries: frozenset[str]
    segments: frozenset[str]
    tags: frozenset[str]
    csms: dict[str, str]


def _values(user: StaffUser) -> Values:
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
            "contract_tier", "industry", "segment", "csm_user_id", "csm_user__first_name", "csm_user__last_name"
        )
        .distinct()
    )
    tiers, industries, segments, csms = set(), set(), set(), {}
    for tier, industry, segment, csm_id, first, last in combinations:
        tiers.add(tier)
        industries.add(industry)
        segments.add(segment)
        if csm_id:
            csms[str(csm_id)] = f"{first} {last}".strip()
    tags = Tag.objects.filter(clients__in=clients).order_by("name").values_list("name", flat=True).distinct()

    return Values(frozenset(tiers), frozenset(industries), frozenset(segments), frozenset(tags), csms)


def _plain(values: frozenset[str]) -> tuple[Option, ...]:
    return tuple((value, value) for value in sorted(filter(None, values), key=str.casefold))


def _with_chosen(options: tuple[Option, ...], chosen: str) -> tuple[Option, ...]:
    return options if not chosen or chosen in dict(options) else ((chosen, chosen), *options)


@dataclass(frozen=True)
class Chip:
    """A filter that is set, with the address that removes it. `in_pick`: its control already shows it."""

    label: str
    value: str
    href: str
    in_pick: bool


def chips(asked: Asked, offered: list[Pick]) -> list[Chip]:
    """Return the filters that are set, in the order of the controls."""
    labels = {"search": "Name", "region": "Region", "ae_id": "Account executive", "renewal_within": "Renewal within"}
    texts = {pick.name: dict(pick.options) for pick in offered}
    names = ["search", *(pick.name for pick in offered), "region", "ae_id", "renewal_within"]
    found = []
    for name in names:
        value = asked.given.get(name, "")
        if value:
            label = labels.get(name) or next(pick.label for pick in offered if pick.name == name)
            text = f"{value} d" if name == "renewal_within" else texts.get(name, {}).get(value, value)
            found.append(Chip(label, text, asked.link(**{name: None}), name in texts))
    names_of = measure_names() if asked.query.measures else {}
    for wanted in asked.query.measures:
        address = asked.link(**{OF_MEASURE + wanted.slug: None})
        found.append(Chip(names_of.get(wanted.slug, wanted.slug), limits_text(wanted), address, in_pick=False))
    return found


def measure_names() -> dict[str, str]:
    """Return the names of the workspace's custom measures by slug; each process keeps them for VALUES_KEPT_SECONDS."""
    kept: dict[str, str] | None = caches["memory"].get(MEASURES_KEY)
    if kept is None:
        kept = {custom.slug: custom.name for custom in custom_measures()}
        caches["memory"].set(MEASURES_KEY, kept, VALUES_KEPT_SECONDS)
    return kept


def measure_shown(asked: Asked, clients: Sequence[Client]) -> MeasureColumn | None:
    """Return the column of the measure that the list is sorted by, else of the first filter; None without."""
    word = asked.query.sort.removeprefix("-")
    slugs = [word.removeprefix(OF_MEASURE)] if word.startswith(OF_MEASURE) else []
    slugs += [wanted.slug for wanted in asked.query.measures]
    found = custom_measures(slugs=slugs[:1]) if slugs else []
    if not found:
        return None
    values = MeasureValue.objects.filter(measure__slug=found[0].slug, client__in=[client.pk for client in clients])
    unit = found[0].definition.unit
    return MeasureColumn(
        found[0].name,
        asked.sort_link(OF_MEASURE + found[0].slug, descending_first=True),
        asked.sorted_by(OF_MEASURE + found[0].slug),
        {
            str(pk): unit_text(unit, value)
            for pk, value in values.values_list("client_id", "value")
            if value is not None
        },
    )
