"""The columns of the list: which there are, which a reader has chosen, and what those show that are not on the row."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Min, Q

from bellwether.alerts.selectors import open_counts
from bellwether.common.rounding import half_up
from bellwether.common.time import day_of
from bellwether.dashboard.explanations import unit_text
from bellwether.dashboard.portfolio_query import Asked
from bellwether.health.custom_registry import custom_measures
from bellwether.health.models import MeasureValue
from bellwether.portfolio.choices import SurveyKind, TicketStatus
from bellwether.portfolio.listing import OF_MEASURE
from bellwether.portfolio.models import Client, SavedView, SupportTicket, SurveyResponse
from bellwether.portfolio.preferences import preferences_of
from bellwether.portfolio.ranking import open_follow_ups
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import day, days_short, number, signed

NPS_DAYS = 365
PROMOTER, DETRACTOR = 9, 6
MOST_COLUMNS = 16


@dataclass(frozen=True)
class ColumnKind:
    """A column that can be chosen: heading, CSS classes, the word that sorts by it (empty: none) and how first."""

    key: str
    label: str
    classes: str = "c-more"
    sort: str = ""
    descending_first: bool = False
    about: str = ""


KINDS: Mapping[str, ColumnKind] = {
    kind.key: kind
    for kind in (
        ColumnKind("score", "Health", "c-health", "score"),
        ColumnKind("spark", "90 days", "c-spark", about="The course of the score"),
        ColumnKind("trend", "30 d", "n", "trend", about="Change of the score"),
        ColumnKind("churn", "Churn 90 d", "n", "churn", True),
        ColumnKind("arr", "ARR", "n", "arr", True),
        ColumnKind("renewal", "Renewal", "n", "renewal"),
        ColumnKind("last_contact", "Contacted", "n c-contact", "last_contact"),
        ColumnKind("csm", "CSM", "c-csm", "csm"),
        ColumnKind("tags", "Tags", "c-more c-tags"),
        ColumnKind("segment", "Segment", "c-more c-segment"),
        ColumnKind("tier", "Tier"),
        ColumnKind("industry", "Industry"),
        ColumnKind("region", "Region"),
        ColumnKind("ae", "AE", about="Account executive"),
        ColumnKind("last_activity", "Last use", "n c-more", about="Days since the last usage event"),
        ColumnKind("coverage", "Data", "n c-more", about="Share of the weights that had data"),
        ColumnKind("tickets", "Open tickets", "n c-more"),
        ColumnKind("alerts", "Alerts", "n c-more", about="Open alerts"),
        ColumnKind("nps", "NPS", "n c-more", about="Answers of the last 365 days"),
        ColumnKind("follow_up", "Next follow-up", "n c-more"),
    )
}
DEFAULT_COLUMNS = ("score", "spark", "trend", "churn", "arr", "renewal", "last_contact", "csm")


@dataclass(frozen=True)
class Column:
    """A heading of the list; `href` sorts by it, empty if it cannot be sorted by."""

    key: str
    label: str
    classes: str
    href: str
    sorted: str
    about: str = ""


def usable(keys: Iterable[object], measures: Collection[str]) -> tuple[str, ...]:
    """Return the keys that name a column, each once, at most MOST_COLUMNS; `measures` are the slugs there are."""
    named = (key for key in keys if isinstance(key, str))
    known = (key for key in named if key in KINDS or key.removeprefix(OF_MEASURE) in measures)
    return tuple(dict.fromkeys(known))[:MOST_COLUMNS]


def chosen_columns(user: StaffUser, view: SavedView | None, measures: Collection[str]) -> tuple[str, ...]:
    """Return the reader's columns: those chosen for this view, else the view's own, else the general choice."""
    kept = preferences_of(user)
    own = kept.get("columns_of", {}).get(str(view.pk)) if view else None
    for keys in (own, view.columns if view else None, kept.get("columns")):
        if isinstance(keys, list) and (found := usable(keys, measures)):
            return found
    return DEFAULT_COLUMNS


def shown_columns(asked: Asked, chosen: Sequence[str], *, any_churn: bool, names: Mapping[str, str]) -> list[Column]:
    """Return the headings. A measure that the list is sorted or filtered by is shown, in place of the small line.

    The churn risk has a column once there is one. `names` are those of the custom measures by slug.
    """
    keys = [key for key in chosen if key != "churn" or any_churn]
    asked_for = _measure_asked(asked, names)
    if asked_for and asked_for not in keys:
        keys = [asked_for if key == "spark" else key for key in keys] if "spark" in keys else [asked_for, *keys]
    return [_column(asked, key, names) for key in keys]


def _measure_asked(asked: Asked, names: Mapping[str, str]) -> str:
    word = asked.query.sort.removeprefix("-")
    slugs = [word.removeprefix(OF_MEASURE)] if word.startswith(OF_MEASURE) else []
    slugs += [wanted.slug for wanted in asked.query.measures]
    return next((OF_MEASURE + slug for slug in slugs if slug in names), "")


def _column(asked: Asked, key: str, names: Mapping[str, str]) -> Column:
    if key.startswith(OF_MEASURE):
        label = names[key.removeprefix(OF_MEASURE)]
        return Column(
            key, label, "n c-measure", asked.sort_link(key, descending_first=True), asked.sorted_by(key), label
        )
    kind = KINDS[key]
    href = asked.sort_link(kind.sort, descending_first=kind.descending_first) if kind.sort else ""
    return Column(key, kind.label, kind.classes, href, asked.sorted_by(kind.sort) if kind.sort else "", kind.about)


def texts_of(
    clients: Sequence[Client], keys: Collection[str], *, today: date, now: datetime, zone: ZoneInfo
) -> dict[str, dict[str, str]]:
    """Return what the chosen columns show that is not on the client's row, by column and client id.

    One query for each such column, however many clients, and two for all custom measures.
    """
    ids = [client.pk for client in clients]
    found: dict[str, dict[str, str]] = {}
    if "tickets" in keys:
        found["tickets"] = {pk: number(count) for pk, count in open_tickets(ids).items()}
    if "alerts" in keys:
        found["alerts"] = {pk: number(count) for pk, count in open_counts(ids).items()}
    if "nps" in keys:
        found["nps"] = {pk: signed(value) for pk, value in net_promoter(ids, now).items()}
    if "follow_up" in keys:
        found["follow_up"] = {pk: day(due, today) for pk, due in next_follow_ups(ids).items()}
    if "last_activity" in keys:
        found["last_activity"] = {
            str(client.pk): days_short((today - day_of(client.last_activity_at, zone)).days)
            for client in clients
            if client.last_activity_at
        }
    slugs = [key.removeprefix(OF_MEASURE) for key in keys if key.startswith(OF_MEASURE)]
    if slugs:
        found |= measure_texts(ids, slugs)
    return found


def open_tickets(ids: Sequence[UUID]) -> dict[str, int]:
    """Return how many tickets are not solved, by client id as text; clients without any are left out."""
    tickets = SupportTicket.objects.filter(client__in=ids).exclude(
        status__in=(TicketStatus.SOLVED, TicketStatus.CLOSED)
    )
    return {str(pk): count for pk, count in tickets.order_by().values_list("client_id").annotate(count=Count("pk"))}


def net_promoter(ids: Sequence[UUID], now: datetime) -> dict[str, int]:
    """Return the NPS of the last NPS_DAYS, -100 to 100, by client id as text; clients without answers are left out."""
    since = now - timedelta(days=NPS_DAYS)
    answers = SurveyResponse.objects.filter(client__in=ids, kind=SurveyKind.NPS, answered_at__gte=since)
    counted = (
        answers.order_by()
        .values_list("client_id")
        .annotate(
            all=Count("pk"),
            for_=Count("pk", filter=Q(score__gte=PROMOTER)),
            against=Count("pk", filter=Q(score__lte=DETRACTOR)),
        )
    )
    return {str(pk): half_up(100 * (promoters - detractors) / total) for pk, total, promoters, detractors in counted}


def next_follow_ups(ids: Sequence[UUID]) -> dict[str, date]:
    """Return the day of the next open follow-up by client id as text; overdue ones count."""
    waiting = open_follow_ups().filter(client__in=ids, follow_up_date__isnull=False)
    return {str(pk): due for pk, due in waiting.values_list("client_id").annotate(due=Min("follow_up_date"))}


def measure_texts(ids: Sequence[UUID], slugs: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the newest values of custom measures with their units, by column and client id."""
    units = {custom.slug: custom.definition.unit for custom in custom_measures(slugs=slugs)}
    found: dict[str, dict[str, str]] = {OF_MEASURE + slug: {} for slug in units}
    values = MeasureValue.objects.filter(measure__slug__in=list(units), client__in=ids)
    for slug, pk, value in values.values_list("measure__slug", "client_id", "value"):
        if value is not None:
            found[OF_MEASURE + slug][str(pk)] = unit_text(units[slug], value)
    return found
