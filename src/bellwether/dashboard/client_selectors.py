"""What the client page reads, in a fixed number of queries. Functions are given clients that the reader may see."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.cache import caches
from django.db.models import Avg, Count

from bellwether.health.models import HealthScore
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
COHORT_SECONDS = 60
LEAD_DAYS = 37  # before the window, so that its first days have something to be compared with


@dataclass(frozen=True)
class ScoreDay:
    """The score of a day: `score` None where there was none; `components` maps component to exact score or None."""

    day: date
    score: int | None
    components: dict[str, float | None]
    weights: dict[str, float]


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
class Cohort:
    """The clients of one tier: how often each score occurred on each sampled day, and where each stands today."""

    tier: str
    scores: dict[date, Counter[int]]
    members: list[tuple[UUID, int, dict[str, float]]]


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
        .values_list("date", "overall_score", "components", "weights_snapshot")
    )
    return [ScoreDay(*row) for row in rows]


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
        notes=list(notes.order_by("-created_at")[:MOST_NOTES]),
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


def cohort(tier: str, scorecard: str, days: Collection[date]) -> Cohort:
    """Return the scores of all clients of `tier` on `days` and today's members; at most COHORT_SECONDS old.

    Clients that have left count on the days on which they were scored. What is read is the same for every client of the
    tier, so it is kept for a short while: the page of one client leaves its own scores out.
    """
    key = f"cohort:{scorecard}:{tier}:{min(days)}:{max(days)}:{len(days)}"
    kept: Cohort | None = caches["memory"].get(key)
    if kept is not None:
        return kept
    counted = (
        HealthScore.objects.filter(
            scorecard=scorecard, date__in=list(days), client__contract_tier=tier, overall_score__isnull=False
        )
        .values_list("date", "overall_score")
        .annotate(clients=Count("id"))
    )
    scores: dict[date, Counter[int]] = {}
    for day, score, clients in counted:
        scores.setdefault(day, Counter())[score] = clients
    members: Any = (
        Client.objects.active()
        .filter(contract_tier=tier, current_health_score__isnull=False)
        .values_list("id", "current_health_score", "health_components")
    )
    found = Cohort(tier, scores, list(members))
    caches["memory"].set(key, found, COHORT_SECONDS)
    return found


def neighbours(user: StaffUser, client_id: UUID, query: ClientQuery, *, today: date) -> Neighbours:
    """Return the place of the client in the list that `query` asks for, and who stands before and after it."""
    found = matching(user, query, today=today)
    typical = found.aggregate(typical=Avg("annual_recurring_revenue"))["typical"]
    in_order = ordered(found, query.sort, today=today, typical_arr=float(typical or 1))
    ids = list(in_order.values_list("id", flat=True))
    if client_id not in ids:
        return Neighbours(None, len(ids), None, None)
    at = ids.index(client_id)
    return Neighbours(
        position=at + 1,
        total=len(ids),
        previous=ids[at - 1] if at > 0 else None,
        next=ids[at + 1] if at + 1 < len(ids) else None,
    )


@dataclass(frozen=True)
class LastContact:
    """The newest completed activity with the client."""

    at: datetime
    label: str


def last_contact(activities: Collection[Activity], now: datetime) -> LastContact | None:
    """Return the newest completed activity up to `now` that was with the client; internal discussions do not count."""
    held = [activity for activity in activities if is_contact(activity, now)]
    if not held:
        return None
    newest = max(held, key=lambda activity: activity.occurred_at)
    return LastContact(newest.occurred_at, activity_label(newest))


def is_contact(activity: Activity, now: datetime) -> bool:
    """Return whether the activity was a completed conversation with the client."""
    done = activity.completed_at is not None and activity.occurred_at <= now
    return done and activity.activity_type != "INTERNAL_DISCUSSION"


def activity_label(activity: Activity) -> str:
    """Return the preset's own word for the type, else the type's."""
    label: Any = activity.label or activity.get_activity_type_display()
    return str(label)
