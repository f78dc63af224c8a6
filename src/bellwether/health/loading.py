"""Loads what measures are made of: a fixed number of queries, whatever the number of clients and dates."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from django.conf import settings as django_settings
from django.db.models import Case, CharField, F, Max, Q, QuerySet, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Least

from bellwether.common.time import day_of, end_of, start_of
from bellwether.health.inputs import (
    ACTIVITIES,
    ACTIVITY_CONTACTS,
    ADOPTION,
    CLIENTS,
    CONTACTS,
    CONTRACTS,
    READINGS,
    SURVEYS,
    TICKETS,
    MeasureInputs,
    MeasureSettings,
    Schema,
    settings_from_preset,
)
from bellwether.health.models import HealthScore
from bellwether.health.reading_facts import FoldedPast, read_facts
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
from bellwether.presets import load_preset
from bellwether.usage.lake import Lake
from bellwether.usage.models import FeatureAdoption

CONTACT_DAYS, TICKET_DAYS, SURVEY_DAYS, READING_DAYS = 92, 122, 367, 7
_PAST = FoldedPast()


@dataclass(frozen=True)
class Loaded:
    """Inputs of the measures, and per organization_id the instant of the last action of a person (`last_seen`)."""

    inputs: MeasureInputs
    last_seen: pl.DataFrame


def workspace_settings() -> MeasureSettings:
    """Return the settings of measures in this workspace, from its preset and environment."""
    return settings_from_preset(
        load_preset(django_settings.BELLWETHER_PRESET),
        working_days=django_settings.BELLWETHER_WORKING_DAYS,
        zone=django_settings.BELLWETHER_WORKSPACE_ZONE,
    )


def load_inputs(
    dates: Sequence[date],
    settings: MeasureSettings,
    *,
    now: datetime,
    scorecard: str,
    client_ids: Iterable[str] | None = None,
    readings: pl.DataFrame | None = None,
) -> Loaded:
    """Return what the measures of `dates` are made of, for all clients or those given (ids as 32 hex digits).

    `now` says which day is today: what the CRM shows only as of now counts from today on; for earlier days what was
    stored with the scores of `scorecard` on them, or `readings` (READINGS) if given.
    """
    first, last = min(dates), max(dates)
    ids = None if client_ids is None else sorted(client_ids)
    contracts = _contracts(ids)
    clients = _clients(ids, contracts, settings)
    facts = read_facts(Lake(Path(django_settings.BELLWETHER_LAKE)), first, last, settings, past=_PAST)
    since, until = start_of(first - timedelta(days=SURVEY_DAYS), settings.zone), end_of(last, settings.zone)
    inputs = MeasureInputs(
        clients=clients,
        contracts=contracts,
        readings=_readings(dates, settings, now, scorecard, ids, readings),
        activities=_activities(ids, start_of(first - timedelta(days=CONTACT_DAYS), settings.zone), until),
        activity_contacts=_activity_contacts(ids, start_of(first - timedelta(days=CONTACT_DAYS), settings.zone), until),
        contacts=_contacts(ids),
        tickets=_tickets(ids, start_of(first - timedelta(days=TICKET_DAYS), settings.zone), until),
        surveys=_surveys(ids, since, until),
        adoption=_adoption(ids),
        client_days=facts.client_days,
        event_days=facts.event_days,
        user_days=facts.user_days,
    )
    return Loaded(inputs, facts.last_seen)


def hex_id(field: str) -> Cast:
    """Return a UUID column as text; `frame_of` makes 32 hex digits of it, whatever the database."""
    return Cast(F(field), CharField())


def frame_of(rows: Iterable[Sequence[Any]], schema: Schema) -> pl.DataFrame:
    """Return a frame of `rows`; columns named *_id that hold UUIDs become 32 hex digits, instants become UTC."""
    frame = pl.DataFrame(list(rows), schema=schema, orient="row", strict=False)
    ids = [name for name in schema if name in {"client_id", "activity_id", "contact_id"}]
    return frame.with_columns(pl.col(ids).str.replace_all("-", "", literal=True)) if ids else frame


def _of(queryset: QuerySet[Any], ids: list[str] | None, field: str = "client_id") -> QuerySet[Any]:
    return queryset if ids is None else queryset.filter(**{f"{field}__in": ids})


def _clients(ids: list[str] | None, contracts: pl.DataFrame, settings: MeasureSettings) -> pl.DataFrame:
    rows = _of(Client.objects.all(), ids, "pk").order_by("organization_id").values_list(
        hex_id("id"), "organization_id", "contract_tier", "contract_start_date", "contract_end_date",
        "next_renewal_date", "licensed_user_count", "licensed_modules", "created_at", "archived_at",
    )  # fmt: skip
    ends = _churn_days(ids, contracts)
    zone = settings.zone

    def last_day(client: str, archived_at: datetime | None) -> date | None:
        days = [ends.get(client.replace("-", "")), day_of(archived_at, zone) if archived_at else None]
        return min((day for day in days if day), default=None)

    return frame_of(
        [
            (*row[:7], [str(module) for module in row[7] or []], day_of(row[8], zone), last_day(row[0], row[9]))
            for row in rows
        ],
        CLIENTS,
    )


def _churn_days(ids: list[str] | None, contracts: pl.DataFrame) -> dict[str, date]:
    """Return the day on which each churned client left; none for a client that renewed or began a term afterwards."""
    rows = (
        _of(ClientOutcome.objects.all(), ids)
        .values("client_id")
        .annotate(
            churned=Max(Case(When(outcome=OutcomeKind.CHURNED, then=F("date")))),
            renewed=Max(Case(When(outcome=OutcomeKind.RENEWED, then=F("date")))),
        )
        .values_list("client_id", "churned", "renewed")
    )
    newest = contracts.group_by("client_id").agg(pl.col("start_date").max())
    last_term = dict(newest.iter_rows())
    ends = {}
    for client, churned, renewed in rows:
        back = max((day for day in (renewed, last_term.get(client.hex)) if day), default=date.min)
        if churned is not None and back <= churned:
            ends[client.hex] = churned
    return ends


def _contracts(ids: list[str] | None) -> pl.DataFrame:
    rows = _of(ContractPeriod.objects.all(), ids).order_by("client_id", "start_date").values_list(
        hex_id("client_id"), "start_date", "end_date", "contract_tier", "licensed_user_count", "licensed_modules"
    )  # fmt: skip
    return frame_of([(*row[:5], [str(module) for module in row[5] or []]) for row in rows], CONTRACTS)


def _completed(ids: list[str] | None) -> QuerySet[Any]:
    return _of(Activity.objects.filter(completed_at__isnull=False, archived_at__isnull=True), ids)


def _activities(ids: list[str] | None, since: datetime, until: datetime) -> pl.DataFrame:
    """Return completed activities from `since`, each client's last contact before it and the workspace's first one."""
    recent = (
        _completed(ids)
        .filter(completed_at__gte=since, completed_at__lt=until)
        .values_list(hex_id("id"), hex_id("client_id"), "activity_type", "completed_at")
    )
    internal = ActivityType.INTERNAL_DISCUSSION
    fields = (hex_id("client_id"), "activity_type", "completed_at")
    first = _completed(None).filter(completed_at__lt=since).order_by("completed_at", "pk").values_list(*fields)[:1]
    contacts = (
        _completed(ids)
        .filter(~Q(activity_type=internal), completed_at__lt=since)
        .values("client_id")
        .annotate(contact=Max("completed_at"))
        .values_list(hex_id("client_id"), Value(ActivityType.OTHER.value), "contact")
    )
    return frame_of([*recent, *((None, *row) for row in [*first, *contacts])], ACTIVITIES)


def _activity_contacts(ids: list[str] | None, since: datetime, until: datetime) -> pl.DataFrame:
    through = Activity.client_contacts.through.objects.filter(
        activity__completed_at__gte=since, activity__completed_at__lt=until, activity__archived_at__isnull=True
    )
    rows = _of(through, ids, "activity__client_id").values_list(hex_id("activity_id"), hex_id("contact_id"))
    return frame_of(rows, ACTIVITY_CONTACTS)


def _contacts(ids: list[str] | None) -> pl.DataFrame:
    left = Case(
        When(left_company_at__isnull=True, then=F("archived_at")),
        When(archived_at__isnull=True, then=F("left_company_at")),
        default=Least("left_company_at", "archived_at"),
    )
    rows = _of(Contact.objects.all(), ids).values_list(
        hex_id("id"), hex_id("client_id"), "role", "is_active", "known_since", left
    )
    return frame_of(rows, CONTACTS)


def _tickets(ids: list[str] | None, since: datetime, until: datetime) -> pl.DataFrame:
    """Return tickets opened from `since`, and the workspace's first one of all."""
    tickets = SupportTicket.objects.filter(opened_at__lt=until)
    fields = (hex_id("client_id"), "priority", "opened_at")
    first = tickets.order_by("opened_at", "pk").values_list(*fields)[:1]
    recent = _of(tickets.filter(opened_at__gte=since), ids).values_list("pk", *fields)
    rows = [row[1:] for row in recent]
    earliest = [row for row in first if row[2] < since]
    return frame_of([*earliest, *rows], TICKETS)


def _surveys(ids: list[str] | None, since: datetime, until: datetime) -> pl.DataFrame:
    answers = SurveyResponse.objects.filter(answered_at__gte=since, answered_at__lt=until)
    respondent = Case(
        When(~Q(respondent=""), then=F("respondent")),
        default=Coalesce(Cast("contact_id", CharField()), Value("")),
        output_field=CharField(),
    )
    rows = _of(answers, ids).values_list(hex_id("client_id"), "kind", "score", respondent, "answered_at")
    return frame_of(rows, SURVEYS)


def _adoption(ids: list[str] | None) -> pl.DataFrame:
    rows = _of(FeatureAdoption.objects.all(), ids).values_list(
        hex_id("client_id"), "feature_key", "is_licensed", "licensed_at", "is_configured", "configured_at"
    )
    return frame_of(rows, ADOPTION)


def _readings(
    dates: Sequence[date],
    settings: MeasureSettings,
    now: datetime,
    scorecard: str,
    ids: list[str] | None,
    given: pl.DataFrame | None,
) -> pl.DataFrame:
    """Return payment status and renewal signal by the day on which they were seen (docs/adr/0006)."""
    today = day_of(now, settings.zone)
    parts = []
    if given is not None:
        parts.append(given.select(list(READINGS)).filter(pl.col("date") < today))
    elif min(dates) < today:
        parts.append(
            _stored_readings(min(dates) - timedelta(days=READING_DAYS), min(max(dates), today), scorecard, ids)
        )
    if max(dates) >= today:
        rows = _of(Client.objects.all(), ids, "pk").values_list(hex_id("id"), "payment_status", "renewal_probability")
        parts.append(frame_of([(client, today, status, signal) for client, status, signal in rows], READINGS))
    return pl.concat(parts) if parts else pl.DataFrame(schema=READINGS)


def _stored_readings(first: date, last: date, scorecard: str, ids: list[str] | None) -> pl.DataFrame:
    status, signal = KeyTextTransform("payment_status", "inputs"), KeyTextTransform("renewal_signal", "inputs")
    rows = (
        _of(HealthScore.objects.filter(scorecard=scorecard, date__gte=first, date__lte=last), ids)
        .annotate(was_paid=status, was_signal=signal)
        .values_list(hex_id("client_id"), "date", "was_paid", "was_signal")
    )
    return frame_of([(c, d, s, None if p is None else round(float(p))) for c, d, s, p in rows], READINGS)
