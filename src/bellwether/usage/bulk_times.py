"""Times of a whole column at once: the forms that nearly all files use in one step each, the rest value by value."""

from datetime import tzinfo
from typing import Any, Literal

import polars as pl

from bellwether.portfolio.importing.calendar_text import read_instant
from bellwether.usage.skew import INSTANT

DateOrder = Literal["dmy", "mdy"] | None
COMMON_FORMS = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z")
COMMON_NAIVE = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f")


def instants(column: pl.Series, *, zone: tzinfo, order: DateOrder) -> pl.Series:
    """Return the column as UTC instants (microseconds); null where the cell is empty or no time.

    Times without a zone are those of `zone`; where clocks are set back the earlier of two is meant, and a time that a
    change of clocks leaves out is moved on by the change.
    """
    dtype = column.dtype
    if isinstance(dtype, pl.Datetime):
        return column.cast(INSTANT) if dtype.time_zone else _placed(column.cast(pl.Datetime("us")), zone)
    if dtype == pl.Date:
        return _placed(column.cast(pl.Datetime("us")), zone)
    if dtype.is_numeric():
        return _from_numbers(column)
    if dtype == pl.String:
        return _from_text(column, zone, order)
    return pl.Series(column.name, [None] * len(column), dtype=INSTANT)


def _placed(naive: pl.Series, zone: tzinfo) -> pl.Series:
    def in_zone(local: pl.Expr) -> pl.Expr:
        placed = local.dt.replace_time_zone(str(zone), ambiguous="earliest", non_existent="null")
        return placed.dt.convert_time_zone("UTC")

    local, hour = pl.col("local"), pl.duration(hours=1)
    found = pl.coalesce(in_zone(local), in_zone(local - hour) + hour)
    return naive.alias("local").to_frame().select(found.cast(INSTANT)).to_series().alias(naive.name)


def _from_numbers(column: pl.Series) -> pl.Series:
    """Return seconds or milliseconds since 1970 as instants; other magnitudes are no times."""
    number = column.cast(pl.Float64, strict=False)
    milliseconds = pl.select(pl.when(number < 10**11).then(number * 1000).otherwise(number)).to_series()
    usable = milliseconds.is_between(10**11, 10**14, closed="left")
    micros = (milliseconds.zip_with(usable.fill_null(False), pl.Series([None], dtype=pl.Float64)) * 1000).round()
    return micros.cast(pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias(column.name)


def _from_text(column: pl.Series, zone: tzinfo, order: DateOrder) -> pl.Series:
    text = column.str.strip_chars()
    found = pl.Series(column.name, [None] * len(column), dtype=INSTANT)
    for form in COMMON_FORMS:
        if found.null_count():
            zoned = text.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False, exact=True)
            found = found.zip_with(found.is_not_null(), zoned.cast(INSTANT))
    for form in COMMON_NAIVE:
        if found.null_count():
            naive = text.str.to_datetime(form, time_unit="us", strict=False, exact=True)
            found = found.zip_with(found.is_not_null(), _placed(naive, zone))
    open_cells = text.filter(found.is_null()).drop_nulls().unique()
    if open_cells.len():
        read = {cell: instant for cell in open_cells if (instant := _one(cell, zone, order)) is not None}
        if read:
            rest = text.replace_strict(
                list(read), pl.Series(list(read.values()), dtype=INSTANT), default=None, return_dtype=INSTANT
            )
            found = found.zip_with(found.is_not_null(), rest)
    return found.alias(column.name)


def _one(cell: str, zone: tzinfo, order: DateOrder) -> Any:
    try:
        return read_instant(cell, zone=zone, order=order)
    except ValueError:
        return None
