"""Reads the portfolio's records for measures: a fixed number of queries, whatever the number of clients and dates."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
from django.db.models import Case, CharField, F, Max, Min, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Coalesce, Least

from bellwether.common.time import end_of, start_of
from bellwether.health.inputs import (
    ACTIVITIES,
    ACTIVITY_CONTACTS,
    ADOPTION,
    CLIENTS,
    CONTACTS,
    CONTRACTS,
    INSTANT,
    SURVEYS,
    TICKETS,
    MeasureSettings,
)
from bellwether.health.rows import Sources, read_frame
from bellwether.portfolio.choices import ActivityType, OutcomeKind
from bellwether.portfolio.models import (
    Activity,
    Client,
    ClientOutcome,
    Contact,
    ContractPeriod,
    SupportTicket,
    SurveyResponse,
)
from bellwether.usage.models import FeatureAdoption

SIGNED_END = Case(When(ended_early=True, then=F("signed_end_date")), default=F("end_date"))
"""The end of a term as it was signed: before a client leaves early, nobody knows that its term will end that day."""
CONTACT_DAYS, TICKET_DAYS, SURVEY_DAYS = 92, 122, 367
CONTACT_SOURCES: Sources = {
    "contact_id": "id",
    "left_at": Case(
        When(left_company_at__isnull=True, then=F("archived_at")),
        When(archived_at__isnull=True, then=F("left_company_at")),
        default=Least("left_company_at", "archived_at"),
    ),
}
SURVEY_SOURCES: Sources = {
    "respondent": Case(
        When(~Q(respondent=""), then=F("respondent")),
        default=Coalesce(Cast("contact_id", CharField()), Value("")),
        output_field=CharField(),
    )
}


@dataclass(frozen=True)
class Records:
    """The records that measures of a span of dates need; columns as in health.inputs."""

    clients: pl.DataFrame
    contracts: pl.DataFrame
    activities: pl.DataFrame
    activity_contacts: pl.DataFrame
    contacts: pl.DataFrame
    tickets: pl.DataFrame
    surveys: pl.DataFrame
    adoption: pl.DataFrame


def load_records(
    first: date,
    last: date,
    settings: MeasureSettings,
    *,
    client_ids: Iterable[str] | None = None,
    as_known: bool = False,
    signed_terms: bool = False,
) -> Records:
    """Return the records for measures of any dates from `first` to `last`, of all clients or those given (hex ids).

    Records older than every window are left out, but for each client's last contact and the workspace's first ones.
    `as_known` leaves out what was not known at the end of `last` (docs/reference/as-known.md).
    """
    ids = None if client_ids is None else sorted(client_ids)
    told = Told(last, end_of(last, settings.zone)) if as_known else Told()

    def since(days: int) -> datetime:
        return start_of(first - timedelta(days=days), settings.zone)

    until = end_of(last, settings.zone)
    terms = told.filtered(ContractPeriod.objects.order_by(), day="start_date")
    signed = {"end_date": SIGNED_END} if as_known or signed_terms else None
    contracts = read_frame(of_clients(terms, ids), CONTRACTS, signed)
    return Records(
        clients=_clients(ids, contracts, settings, told),
        contracts=contracts,
        activities=_activities(ids, since(CONTACT_DAYS), until, told),
        activity_contacts=_activity_contacts(ids, since(CONTACT_DAYS), until, told),
        contacts=_contacts(ids, told),
        tickets=_tickets(ids, since(TICKET_DAYS), until, told),
        surveys=_surveys(ids, since(SURVEY_DAYS), until, told),
        adoption=read_frame(of_clients(told.licences(FeatureAdoption.objects.order_by()), ids), ADOPTION),
    )


@dataclass(frozen=True)
class Told:
    """What was told by the end of `day`, the instant `until`; everything without them.

    Imported records, which have an external id, count from their own date: an import brings years at once. What
    somebody typed in counts from the day of that, if that is later.
    """

    day: date | None = None
    until: datetime | None = None

    def filtered(self, records: QuerySet[Any], *, day: str = "") -> QuerySet[Any]:
        """Return the records told by then; `day` names their own date where no window leaves out later ones."""
        if self.until is None:
            return records
        own = Q(**{f"{day}__lte": self.day}) if day else Q()
        return records.filter(~Q(external_id="") | Q(created_at__lt=self.until), own)

    def unarchived(self, field: str = "archived_at") -> Q:
        """Return the condition that a record was not archived by then."""
        here = Q(**{f"{field}__isnull": True})
        return here if self.until is None else here | Q(**{f"{field}__gte": self.until})

    def licences(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return the licences but those that begin later: they would say that all others are not licensed."""
        return rows if self.day is None else rows.exclude(is_licensed=True, licensed_at__gt=self.day)


EVERYTHING = Told()


@dataclass(frozen=True)
class LicenceRecords:
    """The records that say what clients have licensed; columns as in health.inputs."""

    clients: pl.DataFrame
    contracts: pl.DataFrame
    adoption: pl.DataFrame


def load_licences(settings: MeasureSettings, *, client_ids: Iterable[str] | None = None) -> LicenceRecords:
    """Return clients, contract terms and licences of all clients or those given (hex ids); four queries."""
    ids = None if client_ids is None else sorted(client_ids)
    contracts = read_frame(of_clients(ContractPeriod.objects.order_by(), ids), CONTRACTS)
    return LicenceRecords(
        clients=_clients(ids, contracts, settings),
        contracts=contracts,
        adoption=read_frame(of_clients(FeatureAdoption.objects.order_by(), ids), ADOPTION),
    )


def of_clients(queryset: QuerySet[Any], ids: list[str] | None, field: str = "client_id") -> QuerySet[Any]:
    """Return the rows of the clients `ids`, of all clients if that is None."""
    return queryset if ids is None else queryset.filter(**{f"{field}__in": ids})


def _clients(
    ids: list[str] | None, contracts: pl.DataFrame, settings: MeasureSettings, told: Told = EVERYTHING
) -> pl.DataFrame:
    instants = {"known_since": INSTANT, "last_day": INSTANT}
    sources = {"client_id": "id", "known_since": "created_at", "last_day": "archived_at"}
    clients = read_frame(
        of_clients(Client.objects.order_by("organization_id"), ids, "pk"), CLIENTS | instants, sources
    ).with_columns(pl.col(*instants).dt.convert_time_zone(str(settings.zone)).dt.date())
    left = clients.select("client_id").join(
        _churn_days(ids, contracts, told), on="client_id", how="left", maintain_order="left"
    )
    return clients.with_columns(pl.min_horizontal("last_day", left["churned"]))


def _churn_days(ids: list[str] | None, contracts: pl.DataFrame, told: Told) -> pl.DataFrame:
    outcomes = read_frame(
        of_clients(told.filtered(ClientOutcome.objects.order_by(), day="date"), ids),
        {"client_id": pl.String, "outcome": pl.String, "date": pl.Date},
    )

    return churn_days(outcomes, contracts)


def churn_days(outcomes: pl.DataFrame, contracts: pl.DataFrame) -> pl.DataFrame:
    """Return client_id and churned, the day on which each client left that did not renew or begin a term afterwards.

    `outcomes` has client_id, outcome and date, `contracts` client_id and start_date.
    """

    def newest(outcome: OutcomeKind) -> pl.Expr:
        return pl.col("date").filter(pl.col("outcome") == outcome.value).max()

    if outcomes.is_empty():
        return pl.DataFrame(schema={"client_id": pl.String, "churned": pl.Date})
    terms = contracts.group_by("client_id").agg(pl.col("start_date").max().alias("term"))
    return (
        outcomes.group_by("client_id")
        .agg(newest(OutcomeKind.CHURNED).alias("churned"), newest(OutcomeKind.RENEWED).alias("renewed"))
        .join(terms, on="client_id", how="left")
        .with_columns(pl.max_horizontal("renewed", "term").alias("back"))
        .filter(pl.col("churned").is_not_null() & (pl.col("back").is_null() | (pl.col("back") <= pl.col("churned"))))
        .select("client_id", "churned")
    )


def _completed(ids: list[str] | None, told: Told) -> QuerySet[Any]:
    completed = Activity.objects.filter(told.unarchived(), completed_at__isnull=False).order_by()
    return of_clients(told.filtered(completed), ids)


def _activities(ids: list[str] | None, since: datetime, until: datetime, told: Told) -> pl.DataFrame:
    """Return completed activities from `since`, each client's last contact before it and the workspace's first one."""
    recent = read_frame(
        _completed(ids, told).filter(completed_at__gte=since, completed_at__lt=until), ACTIVITIES, {"activity_id": "id"}
    )
    # The date is a condition within, not a filter: the index by client then answers alone, several times faster.
    before = ~Q(activity_type=ActivityType.INTERNAL_DISCUSSION) & Q(completed_at__lt=since)
    older = read_frame(
        _completed(ids, told).values("client_id").annotate(last=Max(Case(When(before, then=F("completed_at"))))),
        {"client_id": pl.String, "completed_at": INSTANT},
        {"completed_at": "last"},
    ).drop_nulls()
    # Only its day is asked for; as an internal one it is nobody's contact.
    first = _completed(None, told).filter(completed_at__lt=until).aggregate(at=Min("completed_at"))["at"]
    earliest = pl.DataFrame({"completed_at": [first]}, schema={"completed_at": INSTANT}).drop_nulls()
    parts = [
        recent,
        earliest.with_columns(activity_type=pl.lit(ActivityType.INTERNAL_DISCUSSION.value)),
        older.with_columns(activity_type=pl.lit(ActivityType.OTHER.value)),
    ]
    return pl.concat(parts, how="diagonal").select(ACTIVITIES.keys())


def _activity_contacts(ids: list[str] | None, since: datetime, until: datetime, told: Told) -> pl.DataFrame:
    through = Activity.client_contacts.through.objects.filter(
        told.unarchived("activity__archived_at"),
        activity__completed_at__gte=since,
        activity__completed_at__lt=until,
        activity__completed_at__isnull=False,  # says that the index of completed activities holds them all
    )
    return read_frame(of_clients(through.order_by(), ids, "activity__client_id"), ACTIVITY_CONTACTS)


def _contacts(ids: list[str] | None, told: Told) -> pl.DataFrame:
    return read_frame(of_clients(told.filtered(Contact.objects.order_by()), ids), CONTACTS, CONTACT_SOURCES)


def _tickets(ids: list[str] | None, since: datetime, until: datetime, told: Told) -> pl.DataFrame:
    """Return tickets opened from `since`, and as nobody's the workspace's first one of all."""
    tickets = told.filtered(SupportTicket.objects.filter(opened_at__lt=until))
    first = read_frame(tickets.order_by("opened_at", "pk")[:1], TICKETS).with_columns(client_id=pl.lit(None, pl.String))
    return pl.concat([first, read_frame(of_clients(tickets.filter(opened_at__gte=since).order_by(), ids), TICKETS)])


def _surveys(ids: list[str] | None, since: datetime, until: datetime, told: Told) -> pl.DataFrame:
    answers = told.filtered(SurveyResponse.objects.filter(answered_at__gte=since, answered_at__lt=until)).order_by()
    return read_frame(of_clients(answers, ids), SURVEYS, SURVEY_SOURCES)
