"""Changes to what a client has licensed and set up, with history, access log, undo and scores that follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.core import signing
from django.db import transaction

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.time import day_of, days_between
from bellwether.portfolio.models import Client, ContractPeriod
from bellwether.staff.audit import record
from bellwether.staff.models import StaffUser
from bellwether.usage.catalogue import features
from bellwether.usage.dirty import mark_scores
from bellwether.usage.licence import EARLIEST, NOTHING, Licence, first_affected, licence_from_list, tidy
from bellwether.usage.models import Feature, FeatureAdoption

SALT = "bellwether.licences"
UNDO_SECONDS = 24 * 60 * 60
COLUMNS = ("is_licensed", "licensed_at", "is_configured", "configured_at")


@dataclass(frozen=True)
class LicenceChanges:
    """What a change did: the keys whose values differ now, the days whose scores are due, and a token to undo it."""

    keys: list[str]
    due_from: date | None = None
    undo: str = ""


def licences_of(client: Client) -> dict[str, Licence]:
    """Return what is recorded feature by feature, by key; empty where the contract's modules say it."""
    rows = FeatureAdoption.objects.filter(client=client)
    return {key: Licence(*rest) for key, *rest in rows.values_list("feature_key", *COLUMNS)}


def effective_licences(client: Client, *, now: datetime, catalogue: list[Feature] | None = None) -> dict[str, Licence]:
    """Return the licence of every feature of the catalogue as it counts now; `catalogue` where it is read already.

    A client without rows of its own has what the modules of its contract give: licensed since the first term with that
    module, and set up.
    """
    stored = licences_of(client)
    known = features() if catalogue is None else catalogue
    if stored:
        return {feature.key: stored.get(feature.key, NOTHING) for feature in known}
    return _by_module(client, known, now)


def change_licences(
    client: Client, changes: Mapping[str, Licence], *, actor: StaffUser, now: datetime
) -> LicenceChanges:
    """Store `changes` by feature key in one transaction and return what differs; the same again changes nothing.

    `client` is one that `actor` may see; everybody who sees a client may change it. The first change of a client whose
    modules said what is licensed writes that down for all features, so that nothing else changes. Raises ConflictError
    for an archived client, InvalidInputError naming the feature for an unknown one or an impossible date.
    """
    _check(client, changes)
    wanted = {key: tidy(licence) for key, licence in changes.items()}
    with transaction.atomic():
        locked: Client = Client.objects.select_for_update().get(pk=client.pk)
        stored = licences_of(locked)
        effective = effective_licences(locked, now=now)
        changed = {key: licence for key, licence in wanted.items() if effective.get(key, NOTHING) != licence}
        if not changed:
            return LicenceChanges([])
        written = changed if stored else effective | changed
        _store(locked, {key: one for key, one in written.items() if stored.get(key) != one})
        today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
        firsts = [first_affected(effective.get(key, NOTHING), one, today) for key, one in changed.items()]
        since = None if None in firsts else min(day for day in firsts if day is not None)
        due = _mark(locked, since, today, now)
        _note(locked, {key: [effective.get(key, NOTHING), one] for key, one in changed.items()}, actor, now)
        before = {key: stored[key].as_list() if key in stored else None for key in written}
    return LicenceChanges(sorted(changed), due, signing.dumps([str(client.pk), before], salt=SALT, compress=True))


def undo_licences(client: Client, token: str, *, actor: StaffUser, now: datetime) -> LicenceChanges:
    """Put back what a change of this client replaced; twice changes nothing more.

    Raises InvalidInputError for a token of another client, one that was tampered with or one older than a day.
    """
    try:
        client_id, before = signing.loads(token, salt=SALT, max_age=UNDO_SECONDS)
    except signing.BadSignature:
        client_id, before = "", {}
    if client_id != str(client.pk):
        sentence = "This change can no longer be undone; set the values by hand."
        raise InvalidInputError(sentence, {"undo": sentence})
    _check(client, {})
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    with transaction.atomic():
        locked: Client = Client.objects.select_for_update().get(pk=client.pk)
        stored = licences_of(locked)
        back = {key: None if values is None else licence_from_list(values) for key, values in before.items()}
        differing = {key: licence for key, licence in back.items() if stored.get(key) != licence}
        if not differing:
            return LicenceChanges([])
        for adoption in FeatureAdoption.objects.filter(client=locked, feature_key__in=differing):
            if differing[adoption.feature_key] is None:
                adoption.delete()
        _store(locked, {key: licence for key, licence in differing.items() if licence is not None})
        firsts = [first_affected(stored.get(key, NOTHING), one or NOTHING, today) for key, one in differing.items()]
        since = None if None in firsts else min(day for day in firsts if day is not None)
        due = _mark(locked, since, today, now)
        _note(locked, {key: [stored.get(key), one] for key, one in differing.items()}, actor, now)
    return LicenceChanges(sorted(differing), due)


def _check(client: Client, changes: Mapping[str, Licence]) -> None:
    if client.archived_at is not None:
        raise ConflictError(f"{client.name} is archived; archived clients are not changed.")
    known = {feature.key for feature in features()}
    problems = {}
    for key, licence in changes.items():
        if key not in known:
            problems[key] = "is no feature of the catalogue."
        for name in ("licensed_at", "configured_at"):
            day = getattr(licence, name)
            if day is not None and day < EARLIEST:
                problems[f"{key}.{name}"] = f"is {day}; give a day from {EARLIEST} on."
    if problems:
        said = "; ".join(f"{field} {sentence}" for field, sentence in problems.items())
        raise InvalidInputError(f"The licences cannot be saved: {said}", problems)


def _by_module(client: Client, catalogue: Sequence[Feature], now: datetime) -> dict[str, Licence]:
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    terms = ContractPeriod.objects.filter(client=client, start_date__lte=today).order_by("start_date")
    named = [(term.start_date, {str(name).lower() for name in term.licensed_modules or []}) for term in terms]
    current = named[-1][1] if named else {str(name).lower() for name in client.licensed_modules or []}

    def licence(module: str) -> Licence:
        since = min((start for start, modules in named if module in modules), default=None)
        return Licence(is_licensed=True, licensed_at=since, is_configured=True, configured_at=None)

    modules = {feature.key: feature.module.lower() for feature in catalogue}
    return {key: licence(module) if module in current else NOTHING for key, module in modules.items()}


def _store(client: Client, licences: Mapping[str, Licence]) -> None:
    rows = {row.feature_key: row for row in FeatureAdoption.objects.filter(client=client, feature_key__in=licences)}
    for key, licence in licences.items():
        row = rows.get(key) or FeatureAdoption(client=client, feature_key=key)
        for name in COLUMNS:
            setattr(row, name, getattr(licence, name))
        row.save()


def _mark(client: Client, since: date | None, today: date, now: datetime) -> date:
    """Mark the scores from `since` (None: from the client's beginning) to today, and return the first day."""
    started = client.contract_start_date or day_of(client.created_at, settings.BELLWETHER_WORKSPACE_ZONE)
    first = min(max(since or started, started), today)
    mark_scores(days_between(first, today), now=now)
    return first


def _note(client: Client, changed: Mapping[str, list[Licence | None]], actor: StaffUser, now: datetime) -> None:
    detail = {key: [one and one.as_list() for one in pair] for key, pair in changed.items()}
    record(
        actor=actor,
        action="client.licences",
        object_type="client",
        object_id=client.pk,
        client_id=client.pk,
        detail=detail,
        now=now,
    )
