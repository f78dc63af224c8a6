"""What all changes to a client's records share: the locked client, natural keys, what was made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import models
from django.http import Http404

from bellwether.common.errors import ConflictError
from bellwether.portfolio.models import Change, Client

R = TypeVar("R", bound=models.Model)


@dataclass
class Made(Generic[R]):
    """The record as it is stored and the change that can be undone; no `change` where nothing was different.

    `repeated`: the natural key was known with the same values, so nothing was made.
    """

    record: Any = None
    change: Change | None = None
    repeated: bool = False

    @property
    def undo(self) -> UUID | None:
        """The id of the change, for the button that takes it back."""
        return self.change.pk if self.change else None


def locked_client(client: Client, *, archived: bool = False) -> Client:
    """Return the client's row, locked until the transaction ends. Raises ConflictError for an archived one, unless
    `archived` allows it."""
    locked: Client = Client.objects.select_for_update().get(pk=client.pk)
    if locked.archived_at is not None and not archived:
        raise ConflictError(f"{locked.name} is archived; archived clients are not changed. Restore it first.")
    return locked


def need(records: Sequence[R], pk: object, what: str) -> R:
    """Return the record with the id `pk`; ConflictError if somebody took it away meanwhile."""
    for record in records:
        if record.pk == pk:
            return record
    raise ConflictError(f"{what} was removed meanwhile.")


def fresh(model: type[R], pk: object) -> R:
    """Return the record anew, locked until the transaction ends; Http404 if it is gone."""
    manager: Any = model._default_manager
    record: R | None = manager.select_for_update().filter(pk=pk).first()
    if record is None:
        raise Http404
    return record


def repeated(model: Any, client: Client, external_id: str) -> Any:
    """Return the record that has this natural key, None if there is none."""
    return model._default_manager.filter(client=client, external_id=external_id).first()


def same(known: Any, values: Mapping[str, Any], what: str) -> Any:
    """Return the known record if it has `values` already; ConflictError naming it if it says something else."""
    if all(getattr(known, name) == value for name, value in values.items()):
        return known
    name = f"external_id {known.external_id!r}"
    raise ConflictError(f"There is a {what} with {name} that says something else: {known.pk}. Change that one instead.")


def write(work: Any, record: Any, columns: Mapping[str, Any]) -> list[str]:
    """Store new values of a record within a change and return the names of those that were different."""
    changed = {name: value for name, value in columns.items() if getattr(record, name) != value}
    if not changed:
        return []
    work.keep(record)
    for name, value in changed.items():
        setattr(record, name, value)
    found: list[str] = work.save(record)
    return found
