"""What imported records mean for the rows of their clients: the last contact, and the contract in force."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Max

from bellwether.portfolio.choices import ActivityType
from bellwether.portfolio.importing.kinds import Kind
from bellwether.portfolio.models import Activity, Client, Contact, ContractPeriod

FROM_PERIOD = {
    "contract_start_date": "start_date",
    "contract_end_date": "end_date",
    "next_renewal_date": "end_date",
    "annual_recurring_revenue": "annual_recurring_revenue",
    "contract_tier": "contract_tier",
    "licensed_user_count": "licensed_user_count",
    "licensed_modules": "licensed_modules",
    "auto_renew": "auto_renew",
}
KEPT_WHEN_UNKNOWN = ("annual_recurring_revenue", "licensed_user_count", "licensed_modules", "auto_renew")


def refresh_clients(kind: Kind, client_ids: Iterable[UUID], *, today: date, now: datetime) -> None:
    """Bring the clients' own columns in step with the records of `kind` that changed."""
    ids = list(client_ids)
    if not ids:
        return
    if kind.model is Activity:
        refresh_last_contacts(ids, now=now)
    elif kind.model is ContractPeriod:
        refresh_contracts(ids, today=today, now=now)


def refresh_last_contacts(client_ids: Sequence[UUID], *, now: datetime) -> None:
    """Set the last contact of clients and of their contacts to the newest completed activity or, if that is later, to
    what another system states; internal discussions do not count. Without either there was none. Four queries, and
    one for each 500 rows that change."""
    met = (
        Activity.objects.filter(client_id__in=client_ids, completed_at__isnull=False, archived_at__isnull=True)
        .exclude(activity_type=ActivityType.INTERNAL_DISCUSSION)
        .order_by()
    )
    last = dict(met.values_list("client_id").annotate(last=Max("completed_at")))
    _write(Client.objects.filter(pk__in=client_ids), "last_csm_contact_at", last, now)
    by_contact = met.filter(client_contacts__isnull=False).values_list("client_contacts")
    last = dict(by_contact.annotate(last=Max("completed_at")))
    _write(Contact.objects.filter(client_id__in=client_ids), "last_csm_contact", last, now)


def _write(records: Any, column: str, met: dict[UUID, datetime], now: datetime) -> None:
    changed = []
    for record in records.only(column, "stated_contact_at", "updated_at"):
        known = [instant for instant in (met.get(record.pk), record.stated_contact_at) if instant is not None]
        last = max(known, default=None)
        if getattr(record, column) != last:
            setattr(record, column, last)
            record.updated_at = now
            changed.append(record)
    records.model._default_manager.bulk_update(changed, [column, "updated_at"], batch_size=500)


def refresh_contracts(client_ids: Sequence[UUID], *, today: date, now: datetime) -> None:
    """Copy the contract in force on `today` to the client: of several the one that started last; if none is
    in force the last that ended, else the first to come. Seats, ARR, modules and auto-renewal stay if it says none."""
    periods: dict[UUID, list[ContractPeriod]] = {}
    for period in ContractPeriod.objects.filter(client_id__in=client_ids).order_by("start_date"):
        periods.setdefault(period.client_id, []).append(period)
    changed = []
    for client in Client.objects.filter(pk__in=periods):
        period = current_period(periods[client.pk], today)
        wanted = followed(client, period)
        if wanted:
            for column, value in wanted.items():
                setattr(client, column, value)
            client.updated_at = now
            changed.append(client)
    Client.objects.bulk_update(changed, [*FROM_PERIOD, "updated_at"], batch_size=500)


def followed(client: Client, period: ContractPeriod) -> dict[str, Any]:
    """Return the columns of the client that differ from `period`, with its values; what it does not say stays."""
    values = {column: getattr(period, source) for column, source in FROM_PERIOD.items()}
    return {
        column: value
        for column, value in values.items()
        if not (column in KEPT_WHEN_UNKNOWN and value in (None, [])) and getattr(client, column) != value
    }


def current_period(periods: Sequence[ContractPeriod], today: date) -> ContractPeriod:
    """Return the period of `periods` (at least one, ascending by start) that counts on `today`."""
    in_force = [p for p in periods if p.start_date <= today and (p.end_date is None or p.end_date >= today)]
    ended = sorted((p for p in periods if p.end_date and p.end_date < today), key=lambda p: (p.end_date, p.start_date))
    return (in_force or ended or list(periods[:1]))[-1]
