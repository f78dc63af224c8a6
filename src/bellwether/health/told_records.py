"""The portfolio's records with when they were told, to be cut to what was known of many clients on many days at once.

health.records.load_records reads what was known on one day; these frames give the same for any of their days without
asking the database again. The rules are those of health.records.Told.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
from django.db.models import Case, F, Min, When
from django.db.models.expressions import Combinable

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
    Schema,
)
from bellwether.health.records import (
    CONTACT_DAYS,
    CONTACT_SOURCES,
    SIGNED_END,
    SURVEY_DAYS,
    SURVEY_SOURCES,
    TICKET_DAYS,
    Records,
    Told,
    churn_days,
    of_clients,
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

TOLD: Schema = {"told_at": INSTANT}
"""When somebody typed a record in; null for imported ones, which count from their own date."""
TOLD_AT: dict[str, str | Combinable] = {"told_at": Case(When(external_id="", then=F("created_at")))}
TERM_SOURCES: dict[str, str | Combinable] = {**TOLD_AT, "end_date": SIGNED_END}
OUTCOMES: Schema = {"client_id": pl.String, "outcome": pl.String, "date": pl.Date}
ARCHIVED: Schema = {"client_id": pl.String, "archived_on": INSTANT}
MOMENTS: Schema = {
    "client_id": pl.String,
    "organization_id": pl.String,
    "as_of": pl.Date,
    "end": INSTANT,  # of the as-of day
    "stand_in": pl.String,  # the client as it was known on that day, as a client of its own
}
SPANS: Schema = {"client_id": pl.String, "since": pl.Date, "until": pl.Date}
"""Days from `since` to `until` (null: all days before, all days after) on which something was not as it looks now."""
DAY = timedelta(days=1)


def moments_of(pairs: pl.DataFrame, zone: ZoneInfo) -> pl.DataFrame:
    """Return MOMENTS of `pairs` (client_id, organization_id, as_of)."""
    ends = {day: end_of(day, zone) for day in pairs["as_of"].unique().to_list()}
    return pairs.select(
        "client_id",
        "organization_id",
        "as_of",
        pl.col("as_of").replace_strict(ends, return_dtype=INSTANT).alias("end"),
        pl.format("{}@{}", "client_id", pl.col("as_of").cast(pl.String)).alias("stand_in"),
    )


@dataclass(frozen=True)
class ToldRecords:
    """Records of health.inputs, each with `told_at`; `activities` with `archived_at` besides, archived ones included.

    Tickets and surveys begin with the windows of the first day, activities with the first one ever.
    """

    zone: ZoneInfo
    archived: pl.DataFrame
    outcomes: pl.DataFrame
    contracts: pl.DataFrame
    activities: pl.DataFrame
    activity_contacts: pl.DataFrame
    contacts: pl.DataFrame
    tickets: pl.DataFrame
    surveys: pl.DataFrame
    adoption: pl.DataFrame

    def as_known(self, moments: pl.DataFrame, clients: pl.DataFrame) -> Records:
        """Return the records of each of `moments` (MOMENTS) as known then, of its stand-in; `clients` are CLIENTS.

        The workspace's first records are not among them: `unlike_days` tells on which days these differ.
        """
        contracts = self._told(self.contracts, moments, "start_date").select(list(CONTRACTS))
        outcomes = self._told(self.outcomes, moments, "date").select(list(OUTCOMES))
        activities = self._told(self.activities, moments, "completed_at").filter(
            pl.col("archived_at").is_null() | (pl.col("archived_at") >= pl.col("end"))
        )
        contacts = self._told(self.contacts, moments)
        stand_in = {"activity_id": _stand_in("activity_id"), "contact_id": _stand_in("contact_id")}
        met = self.activity_contacts.join(activities.select("activity_id", "as_of"), on="activity_id", how="inner")
        adoption = self.adoption.join(moments, on="client_id", how="inner").filter(
            ~(pl.col("is_licensed") & (pl.col("licensed_at") > pl.col("as_of"))).fill_null(False)
        )
        return Records(
            clients=self._clients(moments, clients, outcomes, contracts),
            contracts=contracts,
            activities=activities.with_columns(activity_id=stand_in["activity_id"]).select(list(ACTIVITIES)),
            activity_contacts=met.select(**stand_in),
            contacts=contacts.with_columns(contact_id=stand_in["contact_id"]).select(list(CONTACTS)),
            tickets=self._told(self.tickets, moments, "opened_at").select(list(TICKETS)),
            surveys=self._told(self.surveys, moments, "answered_at").select(list(SURVEYS)),
            adoption=adoption.with_columns(client_id="stand_in").select(list(ADOPTION)),
        )

    def _clients(
        self, moments: pl.DataFrame, clients: pl.DataFrame, outcomes: pl.DataFrame, contracts: pl.DataFrame
    ) -> pl.DataFrame:
        days = self.archived.join(moments, on="client_id", how="inner").select(client_id="stand_in", day="archived_on")
        left = churn_days(outcomes, contracts).select("client_id", day="churned")
        last = pl.concat([days, left]).group_by("client_id").agg(pl.col("day").min().alias("last_day"))
        rows = clients.drop("last_day", "organization_id").join(moments, on="client_id", how="inner")
        rows = rows.with_columns(client_id="stand_in", organization_id="stand_in")
        return rows.join(last, on="client_id", how="left").sort("client_id").select(list(CLIENTS))

    def _told(self, records: pl.DataFrame, moments: pl.DataFrame, own: str = "") -> pl.DataFrame:
        """Return the records that were told by the end of each moment, as its stand-in's; `own` is their own date."""
        told = records.join(moments, on="client_id", how="inner").filter(
            pl.col("told_at").is_null() | (pl.col("told_at") < pl.col("end"))
        )
        if own:
            limit = pl.col("as_of") + DAY if records.schema[own] == pl.Date else pl.col("end")
            told = told.filter(pl.col(own) < limit)
        return told.with_columns(client_id="stand_in")

    def unlike(self) -> pl.DataFrame:
        """Return SPANS in which a client's records looked otherwise than they do now; some more days do no harm."""
        returned = self.outcomes.filter(pl.col("outcome") == OutcomeKind.CHURNED.value)
        licensed = self.adoption.filter(pl.col("is_licensed") & pl.col("licensed_at").is_not_null())
        archived = self.activities.drop_nulls("archived_at")
        parts = [
            self._typed(self.contracts, "start_date"),
            self._typed(self.outcomes, "date"),
            self._typed(self.activities, "completed_at"),
            self._typed(self.tickets, "opened_at"),
            self._typed(self.surveys, "answered_at"),
            self._typed(self.contacts, None),
            archived.select("client_id", since=self._day("completed_at"), until=self._day("archived_at") - DAY),
            licensed.select("client_id", since=pl.lit(None, pl.Date), until=pl.col("licensed_at") - DAY),
            # Whether somebody who left came back was not known in between.
            returned.select("client_id", since="date", until=pl.lit(None, pl.Date)),
        ]
        return pl.concat([part.select(pl.col(name).cast(kind) for name, kind in SPANS.items()) for part in parts])

    def _day(self, instant: str) -> pl.Expr:
        return pl.col(instant).dt.convert_time_zone(str(self.zone)).dt.date()

    def _typed(self, records: pl.DataFrame, own: str | None) -> pl.DataFrame:
        since = pl.lit(None, pl.Date)
        if own is not None:
            since = pl.col(own) if records.schema[own] == pl.Date else self._day(own)
        return records.drop_nulls("told_at").select("client_id", since=since, until=self._day("told_at") - DAY)


def _stand_in(column: str) -> pl.Expr:
    return pl.format("{}@{}", column, pl.col("as_of").cast(pl.String))


def load_told_records(
    first: date, last: date, zone: ZoneInfo, *, client_ids: Iterable[str] | None = None
) -> ToldRecords:
    """Return the records for any days from `first` to `last`, of all clients or those given (hex ids); nine queries."""
    ids = None if client_ids is None else sorted(client_ids)

    def since(days: int) -> datetime:
        return start_of(first - timedelta(days=days), zone)

    until = end_of(last, zone)
    completed = Activity.objects.filter(completed_at__isnull=False, completed_at__lt=until).order_by()
    through = Activity.client_contacts.through.objects.filter(
        activity__completed_at__gte=since(CONTACT_DAYS), activity__completed_at__lt=until
    ).order_by()
    tickets = SupportTicket.objects.filter(opened_at__gte=since(TICKET_DAYS), opened_at__lt=until).order_by()
    answers = SurveyResponse.objects.filter(answered_at__gte=since(SURVEY_DAYS), answered_at__lt=until).order_by()
    gone = Client.objects.filter(archived_at__isnull=False).order_by()
    archived = read_frame(of_clients(gone, ids, "pk"), ARCHIVED, {"client_id": "id", "archived_on": "archived_at"})
    return ToldRecords(
        zone=zone,
        archived=archived.with_columns(pl.col("archived_on").dt.convert_time_zone(str(zone)).dt.date()),
        outcomes=read_frame(of_clients(ClientOutcome.objects.order_by(), ids), OUTCOMES | TOLD, TOLD_AT),
        contracts=read_frame(of_clients(ContractPeriod.objects.order_by(), ids), CONTRACTS | TOLD, TERM_SOURCES),
        activities=read_frame(
            of_clients(completed, ids),
            ACTIVITIES | TOLD | {"archived_at": INSTANT},
            {"activity_id": "id", **TOLD_AT},
        ),
        activity_contacts=read_frame(of_clients(through, ids, "activity__client_id"), ACTIVITY_CONTACTS),
        contacts=read_frame(of_clients(Contact.objects.order_by(), ids), CONTACTS | TOLD, _with_told(CONTACT_SOURCES)),
        tickets=read_frame(of_clients(tickets, ids), TICKETS | TOLD, TOLD_AT),
        surveys=read_frame(of_clients(answers, ids), SURVEYS | TOLD, _with_told(SURVEY_SOURCES)),
        adoption=read_frame(of_clients(FeatureAdoption.objects.order_by(), ids), ADOPTION),
    )


def _with_told(sources: Sources) -> Sources:
    return {**sources, **TOLD_AT}


def unlike_days(days: Sequence[date], records: Records, zone: ZoneInfo) -> list[date]:
    """Return the days on which the workspace's first ticket or contact was another one than `records` have now.

    Before their first record tickets and contacts say nothing about any client (health.record_measures), so that these
    days must be measured on their own. Two queries a day.
    """
    tickets, contacts = records.tickets["opened_at"].min(), records.activities["completed_at"].min()
    found = []
    for day in days:
        told = Told(day, end_of(day, zone))
        ticket = told.filtered(SupportTicket.objects.order_by()).aggregate(at=Min("opened_at"))["at"]
        done = Activity.objects.filter(told.unarchived(), completed_at__isnull=False).order_by()
        contact = told.filtered(done).aggregate(at=Min("completed_at"))["at"]
        if any(_by(then, day, zone) != _by(now, day, zone) for then, now in ((ticket, tickets), (contact, contacts))):
            found.append(day)
    return found


def _by(first: object, day: date, zone: ZoneInfo) -> date | None:
    """Return the day of the instant `first`, None if that is after `day`."""
    if not isinstance(first, datetime):
        return None
    own = first.astimezone(zone).date()
    return own if own <= day else None


def first_records(records: Records) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the workspace's first ticket and first contact as nobody's, which say since when there is a source."""
    tickets = records.tickets.filter(pl.col("opened_at") == pl.col("opened_at").min())[:1]
    activities = records.activities.filter(pl.col("completed_at") == pl.col("completed_at").min())[:1]
    nobody = {"client_id": pl.lit("", pl.String)}
    internal = {"activity_id": pl.lit("", pl.String), "activity_type": pl.lit(ActivityType.INTERNAL_DISCUSSION.value)}
    return tickets.with_columns(**nobody), activities.with_columns(**nobody, **internal)
