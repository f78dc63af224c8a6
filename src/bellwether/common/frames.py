"""Frames are checked at the door: the columns and dtypes a function needs, said once."""

from collections.abc import Mapping

import polars as pl
from polars._typing import PolarsDataType

from bellwether.common.errors import BellwetherError


class FrameError(BellwetherError):
    """A frame lacks a column or has one of another dtype than its reader needs."""


def check_frame(frame: pl.DataFrame, schema: Mapping[str, PolarsDataType], *, name: str) -> None:
    """Raise FrameError unless `frame` has every column of `schema` with its dtype; more columns are fine."""
    missing = [column for column in schema if column not in frame.columns]
    if missing:
        raise FrameError(f"{name} lacks the columns {', '.join(missing)}; it has {', '.join(frame.columns)}.")
    wrong = [f"{c} is {frame.schema[c]}, not {t}" for c, t in schema.items() if frame.schema[c] != t]
    if wrong:
        raise FrameError(f"{name}: {'; '.join(wrong)}.")
