"""Files that name a client by something else, such as its subscription: its client is looked up row by row."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import polars as pl

from bellwether.portfolio.importing.columns import folded_column
from bellwether.portfolio.importing.kinds import CLIENT_ID_ALIASES
from bellwether.portfolio.importing.profiles import joining_columns, profiles
from bellwether.portfolio.importing.readers import Batch, Source
from bellwether.portfolio.importing.rejects import Reject
from bellwether.portfolio.importing.values import is_empty, plain
from bellwether.portfolio.models import Client, Contact, ContractPeriod, ImportRun, SupportTicket
from bellwether.usage.import_wizard import plain_source

IMPORTED: dict[str, tuple[Any, str]] = {
    "contracts": (ContractPeriod, "an imported contract"),
    "contacts": (Contact, "an imported contact"),
    "tickets": (SupportTicket, "an imported ticket"),
}
READ_AT_ONCE = 50_000
FILE = "file:"


def looked_up(source: Source, run: ImportRun, column: str | None) -> Source:
    """Return `source` with the clients in place of what `column` names, if the settings of `run` say through what.

    Rows whose value leads to no client, or to several, are rejected with the reason. A value that is a client already
    stays.
    """
    through = run.settings.get("through") or ""
    if not through or column is None:
        return source
    table, what = _table(through, run, column, source)
    known = set(Client.objects.values_list("organization_id", flat=True))

    def read(size: int) -> Iterator[Batch]:
        for batch in source.read(size):
            yield _translated(batch, column, table, known, what)

    return Source(source.path, source.columns, source.total, read)


def _translated(batch: Batch, column: str, table: Mapping[str, str], known: set[str], what: str) -> Batch:
    cells = batch.frame[column].to_list()
    names: list[str | None] = []
    kept: list[bool] = []
    rejects = list(batch.unreadable)
    for place, cell in enumerate(cells):
        text = "" if is_empty(cell) else plain(cell)
        name = table.get(text) or (text if text in known or not text else None)
        names.append(name)
        kept.append(name is not None)
        if name is None:
            row = batch.frame.row(place, named=True)
            rejects.append(Reject(batch.rows[place], f"{column} '{text}' is not {what} of one client", row))
    frame = batch.frame.with_columns(pl.Series(column, names, dtype=pl.String)).filter(
        pl.Series(kept, dtype=pl.Boolean)
    )
    return Batch(frame, [row for row, keep in zip(batch.rows, kept, strict=True) if keep], rejects)


def _table(through: str, run: ImportRun, column: str, source: Source) -> tuple[dict[str, str], str]:
    if through.startswith(FILE):
        other = ImportRun.objects.filter(pk=UUID(through.removeprefix(FILE)), batch=run.batch).first()
        return (_of_file(other, column, source), f"a value of {other.file_name}") if other else ({}, "a known value")
    model, what = IMPORTED[through]
    pairs = model._default_manager.exclude(external_id="").values_list("external_id", "client__organization_id")
    return _unique(pairs.order_by().iterator(chunk_size=5_000)), what


def _unique(pairs: Any) -> dict[str, str]:
    found: dict[str, set[str]] = defaultdict(set)
    for key, client in pairs:
        found[key].add(client)
    return {key: next(iter(clients)) for key, clients in found.items() if len(clients) == 1}


def _of_file(other: ImportRun, column: str, source: Source) -> dict[str, str]:
    """Return by value of the other file's joining column the client that it names."""
    file = plain_source(other)
    columns = profiles(file)
    mapped = [c for c, name in other.settings.get("columns", {}).items() if name == "organization_id"]
    named = [c for c in file.columns if folded_column(c) in CLIENT_ID_ALIASES]
    wanted = {plain(cell) for cell in profiles(source)[column].cells}
    key, client = joining_columns(wanted, columns, [*mapped, *named])
    if not key:
        return {}
    pairs = (
        (plain(a), plain(b))
        for batch in file.read(READ_AT_ONCE)
        for a, b in zip(batch.frame[key].to_list(), batch.frame[client].to_list(), strict=True)
        if not is_empty(a) and not is_empty(b)
    )
    return _unique(pairs)
