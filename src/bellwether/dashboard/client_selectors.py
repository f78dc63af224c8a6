"""What the client page reads, in a fixed number of queries. Functions are given clients that the reader may see."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from django.core.cache import caches
from django.db.models import Avg, CharField, Q
from django.db.models.functions import Cast

from bellwether.health.models import HealthScore, HealthScoreConfig, ScoreAsSeen
from bellwether.health.score_changes import ScoreDay
from bellwether.portfolio.listing import ClientQuery, matching, ordered
from bellwether.portfolio.models import (
    Activity,
    Client,
    ClientOutcome,
    Contact,
    ContractPeriod,
    Note,
    SupportTicket,
    SurveyResponse,
)
from bellwether.staff.models import StaffUser

MOST_ACTIVITIES, MOST_TICKETS, MOST_ANSWERS, MOST_NOTES = 400, 300, 200, 20
ORDER_KEPT_SECONDS = 30
SERIES_FIELDS = (
    "date",
    "overall_score",
    "components",
    "weights_snapshot",
    "no_score_reason",
    "weights_version",
    "interval_low",
    "interval_high",
)
LEAD_DAYS = 37  # before the window, so that its first days have something to be compared with


@dataclass(frozen=True)
class Records:
    """A client's records, newest first where they have a time, contract periods and outcomes oldest first.

    `people`: names of the contacts who took part, by activity, for the newest activities.
    """

    activities: list[Activity]
    tickets: list[SupportTicket]
    answers: list[SurveyResponse]
    periods: list[ContractPeriod]
    outcomes: list[ClientOutcome]
    contacts: list[Contact]
    notes: list[Note]
    people: dict[UUID, list[str]]


@dataclass(frozen=True)
class Neighbours:
    """The place of a client in a list: `position` counts from 1, None if the list does not hold it."""

    position: int | None
    total: int
    previous: UUID | None
    next: UUID | None


def find_client(user: StaffUser, client_id: UUID) -> Client | None:
    """Return the client with its CSM and account executive, or None if it does not exist for `user`."""
    found: Client | None = (
        Client.objects.visible_to(user).filter(pk=client_id).select_related("csm_user", "ae_user").first()
    )
    return found


def score_series(client: Client, scorecard: str, *, first: date, last: date) -> list[ScoreDay]:
    """Return the stored scores from LEAD_DAYS before `first` to `last`, oldest first."""
    rows = (
        HealthScore.objects.filter(
            client=client, scorecard=scorecard, date__gte=first - timedelta(days=LEAD_DAYS), date__lte=last
        )
        .order_by("date")
        .values_list(*SERIES_FIELDS)
    )
    return [ScoreDay(*row) for row in rows]


def score_lines(
    client: Client, scorecards: Collection[str], *, since: date
) -> dict[str, list[tuple[date, int | None]]]:
    """Return (day, score) of each of `scorecards` from `since` on, oldest first."""
    found: dict[str, list[tuple[date, int | None]]] = {}
    rows = HealthScore.objects.filter(client=client, scorecard__in=list(scorecards), date__gte=since)
    for name, day, score in rows.order_by("date").values_list("scorecard", "date", "overall_score"):
        found.setdefault(name, []).append((day, score))
    return found


def newest_rows(client: Client, days: Mapping[str, date]) -> dict[str, HealthScore]:
    """Return the whole row of each scorecard on the day that `days` names."""
    wanted = Q()
    for name, day in days.items():
        wanted |= Q(scorecard=name, date=day)
    rows = HealthScore.objects.filter(wanted, client=client) if days else HealthScore.objects.none()
    return {row.scorecard: row for row in rows}


def newest_of(client: Client, scorecard: str, newest: ScoreDay | None) -> HealthScore | None:
    """Return the whole row of the newest day of a series."""
    return stored_scores(client, scorecard, [newest.day]).get(newest.day) if newest else None


def first_scored(client: Client, scorecard: str) -> date | None:
    """Return the first day on which the client has a score, None if it never had one."""
    rows = HealthScore.objects.filter(client=client, scorecard=scorecard).order_by("date")
    return rows.values_list("date", flat=True).first()


def older_activities(client: Client, kinds: Collection[str], first: date, before: datetime) -> list[Activity]:
    """Return the completed activities of `kinds` from `first` on that came before `before`, newest first."""
    rows = Activity.objects.filter(
        client=client,
        archived_at__isnull=True,
        activity_type__in=list(kinds),
        completed_at__isnull=False,
        occurred_at__date__gte=first,
        occurred_at__lt=before,
    )
    return list(rows.select_related("performed_by").order_by("-occurred_at")[:MOST_ACTIVITIES])


def older_tickets(client: Client, priorities: Collection[str], first: date, before: datetime) -> list[SupportTicket]:
    """Return the tickets of `priorities` opened from `first` on and before `before`, newest first."""
    rows = SupportTicket.objects.filter(
        client=client, priority__in=list(priorities), opened_at__date__gte=first, opened_at__lt=before
    )
    return list(rows.order_by("-opened_at")[:MOST_TICKETS])


def rescored_days(client: Client, scorecard: str, *, first: date, last: date) -> list[tuple[date, int | None]]:
    """Return the days whose score late data changed, with the score as it first stood, oldest first."""
    rows = ScoreAsSeen.objects.filter(client=client, scorecard=scorecard, date__range=(first, last))
    return list(rows.order_by("date").values_list("date", "overall_score"))


def config_reasons(scorecard: str, numbers: Collection[int]) -> dict[int, str]:
    """Return why each of the versions `numbers` of a scorecard was made; no query for none."""
    if not numbers:
        return {}
    found = HealthScoreConfig.objects.filter(scorecard=scorecard, version__in=list(numbers))
    return dict(found.values_list("version", "reason"))


def stored_scores(client: Client, scorecard: str, days: Collection[date]) -> dict[date, HealthScore]:
    """Return the whole rows of `days`, by day."""
    rows = HealthScore.objects.filter(client=client, scorecard=scorecard, date__in=list(days))
    return {row.date: row for row in rows}


def records(client: Client, user: StaffUser, *, people_of: int) -> Records:
    """Return the client's records, with the people of the newest `people_of` activities; eight queries.

    Notes that are private to others are left out.
    """
    of_client = {"client": client}
    activities = Activity.objects.filter(client=client, archived_at__isnull=True).select_related("performed_by")
    newest = list(activities.order_by("-occurred_at")[:MOST_ACTIVITIES])
    notes = Note.objects.visible_to(user).filter(client=client, archived_at__isnull=True).select_related("created_by")
    return Records(
        activities=newest,
        tickets=list(SupportTicket.objects.filter(**of_client).order_by("-opened_at")[:MOST_TICKETS]),
        answers=list(SurveyResponse.objects.filter(**of_client).order_by("-answered_at")[:MOST_ANSWERS]),
        periods=list(ContractPeriod.objects.filter(**of_client).order_by("start_date")),
        outcomes=list(ClientOutcome.objects.filter(**of_client).order_by("date")),
        contacts=contacts(client),
        notes=list(notes.order_by("-is_pinned", "-created_at")[:MOST_NOTES]),
        people=_people([activity.pk for activity in newest[:people_of]]),
    )


def contacts(client: Client) -> list[Contact]:
    """Return the client's contacts, those who left included."""
    return list(Contact.objects.filter(client=client, archived_at__isnull=True))


def _people(activity_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """Return the names of the contacts of each activity."""
    names: dict[UUID, list[str]] = {}
    through = Activity.client_contacts.through.objects.filter(activity_id__in=activity_ids)
    for activity_id, name in through.order_by("contact__name").values_list("activity_id", "contact__name"):
        names.setdefault(activity_id, []).append(name)
    return names


def neighbours(user: StaffUser, client_id: UUID, query: ClientQuery, *, today: date) -> Neighbours:
    """Return the place of the client in the list that `query` asks for, and who stands before and after it.

    The order is kept for ORDER_KEPT_SECONDS, since a reader goes from client to client; it holds ids alone, and what
    the reader may no longer see answers 404 when it is opened.
    """
    key = f"order:{user.pk}:{today}:{sha256(repr(query).encode()).hexdigest()}"
    ids: list[str] | None = caches["memory"].get(key)
    if ids is None or client_id.hex not in ids:
        ids = _ids_in_order(user, query, today)
        caches["memory"].set(key, ids, ORDER_KEPT_SECONDS)
    if client_id.hex not in ids:
        return Neighbours(None, len(ids), None, None)
    at = ids.index(client_id.hex)
    return Neighbours(
        position=at + 1,
        total=len(ids),
        previous=UUID(ids[at - 1]) if at > 0 else None,
        next=UUID(ids[at + 1]) if at + 1 < len(ids) else None,
    )


def _ids_in_order(user: StaffUser, query: ClientQuery, today: date) -> list[str]:
    found = matching(user, query, today=today)
    typical = found.aggregate(typical=Avg("annual_recurring_revenue"))["typical"]
    in_order = ordered(found, query.sort, today=today, typical_arr=float(typical or 1))
    # As text: to make a UUID of every id takes longer than the query.
    texts = in_order.annotate(id_text=Cast("id", CharField())).values_list("id_text", flat=True)
    return [text.replace("-", "") for text in texts]
