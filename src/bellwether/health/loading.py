"""Loads what measures are made of: a fixed number of queries, whatever the number of clients and dates."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta

import polars as pl
from django.conf import settings as django_settings
from django.db.models import FloatField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from bellwether.common.errors import InvalidInputError
from bellwether.common.time import day_of
from bellwether.health.inputs import READINGS, MeasureInputs, MeasureSettings, settings_from_preset
from bellwether.health.models import HealthScore
from bellwether.health.reading_facts import FoldedPast, read_facts
from bellwether.health.reading_use import KeptUse, read_use
from bellwether.health.records import Records, load_licences, load_records, of_clients
from bellwether.health.rows import Sources, read_frame
from bellwether.portfolio.models import Client
from bellwether.presets import load_preset
from bellwether.usage.catalogue import as_data, features
from bellwether.usage.known_facts import KnownFacts
from bellwether.usage.models import Feature
from bellwether.usage.workspace import workspace_lake

READING_DAYS = 7
_PAST = FoldedPast()
_KEPT = KeptUse()


@dataclass(frozen=True)
class Loaded:
    """Inputs of the measures, and per organization_id the instant of the last action of a person (`last_seen`)."""

    inputs: MeasureInputs
    last_seen: pl.DataFrame


def workspace_settings(catalogue: list[Feature] | None = None) -> MeasureSettings:
    """Return the settings of measures in this workspace, from its preset, catalogue of features and environment."""
    known = [as_data(feature) for feature in (features() if catalogue is None else catalogue)]
    return settings_from_preset(
        load_preset(django_settings.BELLWETHER_PRESET) | {"features": known},
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
    records: Records | None = None,
    as_known: KnownFacts | None = None,
) -> Loaded:
    """Return what the measures of `dates` are made of, for all clients or those given (ids as 32 hex digits).

    `now` says which day is today: what the CRM shows only as of now counts from today on; for earlier days what was
    stored with the scores of `scorecard` on them, or `readings` (READINGS) if given. `records`: of these clients and a
    span that holds `dates`, where the caller has them already. With `as_known` everything is as it was known at the end
    of its day, which is the only one of `dates` (docs/reference/as-known.md).
    """
    first, last = min(dates), max(dates)
    ids = None if client_ids is None else sorted(client_ids)
    if as_known is not None and list(dates) != [as_known.day]:
        raise InvalidInputError(f"What was known on {as_known.day} can be loaded for that day alone.")
    records = records or load_records(first, last, settings, client_ids=ids, as_known=as_known is not None)
    facts = read_facts(workspace_lake(), first, last, settings, past=_PAST, known=as_known)
    inputs = MeasureInputs(
        **{entry.name: getattr(records, entry.name) for entry in fields(records)},
        readings=_readings(dates, settings, now, scorecard, ids, readings),
        client_days=facts.client_days,
        event_days=facts.event_days,
        user_days=facts.user_days,
    )
    return Loaded(inputs, facts.last_seen)


@dataclass(frozen=True)
class LoadedUse:
    """Inputs of the levels of use alone, and SPANS of reading_use: first and last use by kind of event."""

    inputs: MeasureInputs
    spans: pl.DataFrame


def load_use(
    dates: Sequence[date],
    settings: MeasureSettings,
    *,
    client_ids: Sequence[str] | None = None,
    kept: KeptUse | None = None,
) -> LoadedUse:
    """Return what the levels of `dates` are made of, for all clients or some (32 hex digits); four queries.

    Counts "so far" begin with the windows: whether a feature was ever used is in the spans. `kept` holds the months of
    another catalogue than the workspace's, so that those of the workspace stay.
    """
    found = load_licences(settings, client_ids=client_ids)
    organizations = None if client_ids is None else found.clients["organization_id"].to_list()
    facts = read_use(
        workspace_lake(), min(dates), max(dates), settings, kept=kept or _KEPT, organization_ids=organizations
    )
    inputs = MeasureInputs(
        clients=found.clients,
        contracts=found.contracts,
        adoption=found.adoption,
        client_days=facts.client_days,
        event_days=facts.event_days,
    )
    return LoadedUse(inputs, facts.spans)


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
        parts.append(stored_readings(min(dates) - timedelta(days=READING_DAYS), min(max(dates), today), scorecard, ids))
    if max(dates) >= today:
        clients = of_clients(Client.objects.order_by(), ids, "pk")
        sources: Sources = {"client_id": "id", "renewal_signal": "renewal_probability", "date": Value(today)}
        parts.append(read_frame(clients, READINGS, sources))
    return pl.concat(parts) if parts else pl.DataFrame(schema=READINGS)


def stored_readings(first: date, last: date, scorecard: str, ids: list[str] | None) -> pl.DataFrame:
    """Return READINGS as stored with the scores of the days from `first` to `last`; one query."""
    stored = HealthScore.objects.filter(scorecard=scorecard, date__gte=first, date__lte=last).order_by()
    sources: Sources = {
        "payment_status": KeyTextTransform("payment_status", "inputs"),
        "renewal_signal": Cast(KeyTextTransform("renewal_signal", "inputs"), FloatField()),
    }
    return read_frame(of_clients(stored, ids), READINGS, sources)
