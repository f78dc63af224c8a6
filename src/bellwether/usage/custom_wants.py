"""Which facts custom measures want, and which of them are complete; usage.custom_keeping counts them."""

from collections.abc import Iterable
from datetime import datetime

from bellwether.usage.custom_specs import FactSpec
from bellwether.usage.models import CustomFact


def want_facts(specs: Iterable[FactSpec], *, now: datetime) -> list[str]:
    """Say that the facts of exactly `specs` are to be kept; return the digests of those that have to be filled.

    Facts of anything else are removed by the next run of measure_backfill. Saying the same again changes nothing.
    """
    wanted = {spec.digest: spec for spec in specs}
    known = {row.digest: row for row in CustomFact.objects.all()}
    gone = [digest for digest, row in known.items() if digest not in wanted and row.spec]
    CustomFact.objects.filter(digest__in=gone).update(spec={}, filled_at=None, requested_at=now)
    for digest, spec in wanted.items():
        if digest not in known or not known[digest].spec:
            CustomFact.objects.update_or_create(
                digest=digest, defaults={"spec": spec.as_data(), "requested_at": now, "filled_at": None}
            )
    return sorted(CustomFact.objects.filter(digest__in=wanted, filled_at=None).values_list("digest", flat=True))


def complete_facts() -> frozenset[str]:
    """Return the digests whose facts are complete: those of every day with events are there."""
    return frozenset(CustomFact.objects.exclude(filled_at=None).values_list("digest", flat=True))


def recount_all(*, now: datetime) -> int:
    """Have all facts of custom measures made again from raw events; return of how many specs."""
    return int(CustomFact.objects.exclude(spec={}).update(filled_at=None, requested_at=now))
