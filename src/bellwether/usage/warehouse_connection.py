"""Read-only connections to warehouses by URL, and what goes wrong with them in words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import ibis
import pyarrow as pa
from ibis.expr.types import Table

from bellwether.common.errors import BellwetherError, InvalidInputError

CONNECT_SECONDS = 10
STATEMENT_SECONDS = 1_800
POSTGRES = ("postgres", "postgresql")


class WarehouseError(BellwetherError):
    """The warehouse does not answer, or not as expected."""


def shown(url: str) -> str:
    """Return `url` without password and options, to be shown and stored as it is."""
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{user}{parts.hostname or ''}{port}{parts.path}"


def check_url(url: str) -> None:
    """Raise InvalidInputError for a URL that cannot be one of a warehouse."""
    try:
        parts = urlsplit(url)
        complete = bool(parts.scheme) and (parts.port or True) and len(parts.path) > 1
    except ValueError:
        complete = False
    if not complete:
        problem = "needs postgresql://user:password@host:5432/database or duckdb:///path/to/file.duckdb"
        raise InvalidInputError(f"The connection URL cannot be used: {problem}.", {"url": problem})


@contextmanager
def connected(url: str) -> Iterator[Any]:
    """Give an Ibis connection to `url` that can only read, closed afterwards.

    Whatever goes wrong while it is used becomes a WarehouseError whose text has no password in it.
    """
    check_url(url)
    try:
        connection = _connect(url)
    except ImportError as error:
        raise WarehouseError(f"The driver is missing ({error.name}). Install bellwether[warehouse].") from None
    except Exception as error:
        raise WarehouseError(f"{shown(url)} cannot be reached: {told(error, url)}") from None
    try:
        yield connection
    except BellwetherError:
        raise
    except Exception as error:
        raise WarehouseError(f"{shown(url)} gave an error: {told(error, url)}") from error
    finally:
        connection.disconnect()


def opened_table(connection: Any, name: str) -> Table:
    """Return the table `name`: table, schema.table or catalog.schema.table. WarehouseError when there is none."""
    *folders, table = name.split(".")
    try:
        return connection.table(table, database=tuple(folders) if len(folders) > 1 else ".".join(folders) or None)
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise WarehouseError(f"There is no table {name!r} that can be read: {reason}") from None


def batches(connection: Any, expression: Table, rows: int) -> Iterator[pa.RecordBatch]:
    """Yield what `expression` gives, some `rows` at a time, so that memory does not grow with it."""
    if connection.name == "duckdb":  # Ibis 12 asks DuckDB 2.0 for a method that is not there any more.
        yield from connection.con.sql(str(ibis.to_sql(expression, dialect="duckdb"))).to_arrow_reader(rows)
        return
    with connection.to_pyarrow_batches(expression, chunk_size=rows) as reader:
        yield from reader


def told(error: Exception, url: str) -> str:
    """Return the first lines of an error's text, at most 400 characters, without the password of `url`."""
    text = " ".join(str(error).split())[:400] or type(error).__name__
    parts = urlsplit(url)
    secrets = [parts.password, unquote(parts.password or ""), parts.query]
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return re.sub(r"password=\S+", "password=***", text)


def _connect(url: str) -> Any:
    parts = urlsplit(url)
    if parts.scheme == "duckdb":
        path = unquote(parts.path)
        if not Path(path).is_file():
            raise FileNotFoundError(f"there is no file {path}")
        return ibis.duckdb.connect(path, read_only=True)
    if parts.scheme in POSTGRES:
        given = dict(parse_qsl(parts.query))
        options = f"-c default_transaction_read_only=on -c timezone=UTC -c statement_timeout={STATEMENT_SECONDS}s"
        return ibis.postgres.connect(
            host=unquote(given.pop("host", parts.hostname or "")),
            port=parts.port or int(given.pop("port", 5432)),
            user=unquote(parts.username or "") or None,
            password=unquote(parts.password or "") or None,
            database=unquote(parts.path[1:]),
            options=f"{given.pop('options', '')} {options}".strip(),
            connect_timeout=CONNECT_SECONDS,
            **given,
        )
    return ibis.connect(url)
