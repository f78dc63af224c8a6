"""Reads database rows into typed frames, without making an object of every date and instant on the way."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from django.db.models import CharField, F, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from bellwether.health.inputs import INSTANT, Schema

IDS = frozenset({"client_id", "activity_id", "contact_id"})
MODULES = pl.List(pl.String)
Sources = Mapping[str, str | Combinable]
AS_TEXT = (pl.Date, INSTANT, MODULES)


def read_frame(queryset: QuerySet[Any], schema: Schema, sources: Sources | None = None) -> pl.DataFrame:
    """Return the rows of `queryset` with the columns of `schema`, in the order of the query.

    A column is read from the field of its name or from what `sources` says; ids become 32 hex digits, instants UTC.
    Dates, instants and lists come out of the database as text and are read for the whole column at once: row by row
    that takes longer than all measures.
    """
    wanted = []
    for name, dtype in schema.items():
        source = (sources or {}).get(name, name)
        expression = F(source) if isinstance(source, str) else source
        wanted.append(Cast(expression, CharField()) if name in IDS or dtype in AS_TEXT else expression)
    # Annotated by place: a name such as client_id is a field already, which an annotation may not hide.
    places = {f"column_{number}": expression for number, expression in enumerate(wanted)}
    rows = list(queryset.annotate(**places).values_list(*places))
    if not rows:
        return pl.DataFrame(schema=schema)
    columns = zip(*rows, strict=True)
    return pl.DataFrame(
        [_column(name, values, dtype) for (name, dtype), values in zip(schema.items(), columns, strict=True)]
    )


def _column(name: str, values: Sequence[Any], dtype: Any) -> pl.Series:
    if dtype not in AS_TEXT and name not in IDS:
        return pl.Series(name, values, dtype, strict=False)
    text = pl.Series(name, values, pl.String)
    if name in IDS:
        return text.str.replace_all("-", "", literal=True)
    if dtype == pl.Date:
        return text.str.to_date("%Y-%m-%d")
    if dtype == INSTANT:  # SQLite keeps UTC and says nothing, PostgreSQL says +00
        return text.str.strip_suffix("+00").str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", time_zone="UTC")
    return _lists(text)


def _lists(text: pl.Series) -> pl.Series:
    """Return JSON lists of words as lists; few differ, so each is read once. Null becomes an empty list."""
    known = text.unique().drop_nulls().to_list()
    lists = pl.Series([*([str(word) for word in json.loads(one) or []] for one in known), []], dtype=MODULES)
    places = {one: place for place, one in enumerate(known)}
    at = text.replace_strict(places, default=len(known), return_dtype=pl.UInt32)
    return lists.gather(at).alias(text.name)
