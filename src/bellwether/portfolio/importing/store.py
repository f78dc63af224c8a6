"""Writes a plan: one transaction a chunk, bulk statements only."""

from collections.abc import Iterable
from typing import Any, Protocol

from django.db import IntegrityError, transaction

from bellwether.common.errors import ConflictError
from bellwether.portfolio.importing.effects import refresh_clients
from bellwether.portfolio.importing.kinds import ImportOptions, Kind
from bellwether.portfolio.importing.plan import Plan
from bellwether.portfolio.models import Client, Tag
from bellwether.portfolio.telling import tell_made

AT_ONCE = 500


class Recorder(Protocol):
    """Keeps what is needed to undo an import. Both methods are called in the transaction of the chunk."""

    def before(self, plan: Plan, kind: Kind) -> None:
        """Note what the chunk will change; nothing is written yet."""

    def after(self, plan: Plan, kind: Kind) -> None:
        """Store the note, with what the chunk became."""


class NoRecorder:
    """Keeps nothing: what is imported on the command line is mended by importing again."""

    def before(self, plan: Plan, kind: Kind) -> None:
        """Do nothing."""

    def after(self, plan: Plan, kind: Kind) -> None:
        """Do nothing."""


def store(plan: Plan, kind: Kind, options: ImportOptions, recorder: Recorder | None = None) -> None:
    """Write `plan` and what follows from it for the clients, all or nothing, with what `recorder` keeps of it.

    Raises ConflictError when somebody else changed the same records meanwhile; nothing of the chunk is stored then.
    """
    recorder = recorder or NoRecorder()
    try:
        with transaction.atomic():
            recorder.before(plan, kind)
            Client.objects.bulk_create(plan.new_clients, batch_size=AT_ONCE)
            manager: Any = kind.model._default_manager
            manager.bulk_create(plan.create, batch_size=AT_ONCE)
            if plan.update and plan.changed_columns:
                columns = sorted(plan.changed_columns | {"updated_at"})
                manager.bulk_update(plan.update.values(), columns, batch_size=AT_ONCE)
            if plan.links:
                _store_links(plan, kind)
            made = [*plan.new_clients, *(plan.create if kind.model is Client else ())]
            tell_made(made, now=options.now)
            refresh_clients(kind, plan.touched, today=options.today, now=options.now)
            recorder.after(plan, kind)
    except IntegrityError as error:
        raise ConflictError(
            f"The records changed while they were imported ({error}). What came before is stored; run the import again."
        ) from None


def _store_links(plan: Plan, kind: Kind) -> None:
    """Make the partners of each record in `plan.links` exactly those wanted."""
    field: Any = kind.model._meta.get_field(kind.link)
    through: Any = field.remote_field.through
    mine, theirs = field.m2m_column_name(), field.m2m_reverse_name()
    wanted = {(pk, partner) for pk, partners in _partners(plan, kind) for partner in partners}
    rows = through._default_manager.filter(**{f"{mine}__in": list(plan.links)})
    present = {(getattr(row, mine), getattr(row, theirs)): row.pk for row in rows}
    gone = [row_pk for pair, row_pk in present.items() if pair not in wanted]
    through._default_manager.filter(pk__in=gone).delete()
    through._default_manager.bulk_create(
        [through(**{mine: pk, theirs: partner}) for pk, partner in sorted(wanted - present.keys(), key=str)],
        ignore_conflicts=True,
        batch_size=AT_ONCE,
    )


def _partners(plan: Plan, kind: Kind) -> Iterable[tuple[Any, list[Any]]]:
    if kind.link != "tags":
        return plan.links.items()
    names = {name for wanted in plan.links.values() for name in wanted}
    Tag.objects.bulk_create([Tag(name=name) for name in sorted(names)], ignore_conflicts=True)
    ids = dict(Tag.objects.filter(name__in=names).values_list("name", "pk"))
    return [(pk, [ids[name] for name in wanted]) for pk, wanted in plan.links.items()]
