"""The one way to write a stored score as text, and the seal made of that text. Pure.

The text is the row as JSON: keys sorted, no spaces, UTF-8, every column but id, created_at and seal. Numbers are the
shortest decimal digits that give the same number back, as Python prints them; -0.0 is 0.0. So the text does not depend
on whether the row comes from SQLite's text or PostgreSQL's jsonb, which orders keys and writes numbers its own way.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

PLAIN_FROM, PLAIN_BELOW = 1e-4, 1e16
"""Python prints the numbers between without an exponent, and so does Polars."""


def canonical_text(value: Any) -> str:
    """Return a JSON value (also with dates as ISO texts) as canonical text."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value + 0.0
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= PLAIN_BELOW:
        return float(value)
    return value


def seal_of(row: Mapping[str, Any]) -> str:
    """Return the seal of a row (column to value, JSON columns parsed): SHA-256 of its canonical text, 64 hex digits."""
    return hashlib.sha256(canonical_text(row).encode()).hexdigest()


def number_texts(values: pl.Series) -> pl.Series:
    """Return numbers as canonical texts; null stays null."""
    if not values.dtype.is_float():
        return values.cast(pl.String)
    texts = values.cast(pl.String)
    negative_zeros = (texts == "-0.0").fill_null(False)
    if negative_zeros.any():
        texts = texts.set(negative_zeros, "0.0")
    size = values.abs()
    odd = (((size < PLAIN_FROM) & (size > 0)) | (size >= PLAIN_BELOW)).fill_null(False)
    at = odd.arg_true()
    if at.is_empty():
        return texts
    return texts.scatter(at, [repr(value) for value in values.gather(at).to_list()])


def word_texts(values: pl.Series) -> pl.Series:
    """Return words as JSON texts; few differ, so each is written once. Null stays null."""
    known = values.unique().drop_nulls().to_list()
    return values.replace_strict(known, [json.dumps(one, ensure_ascii=False) for one in known], return_dtype=pl.String)


def seals(rows: pl.DataFrame, *, json_columns: Sequence[str], raw_columns: Sequence[str] = ()) -> pl.Series:
    """Return the seal of each row. `json_columns` hold canonical texts already, `raw_columns` texts without quotes in
    them; the rest are numbers and words."""
    texts = []
    for name in sorted(rows.columns):
        column = rows[name]
        if name not in json_columns and name not in raw_columns:
            column = word_texts(column) if column.dtype == pl.String else number_texts(column)
        quoted = pl.format('"{}"', pl.lit(column)) if name in raw_columns else pl.lit(column).fill_null("null")
        texts.append(pl.concat_str([pl.lit(f'"{name}":'), quoted]))
    whole = rows.select(pl.concat_str([pl.lit("{"), pl.concat_str(texts, separator=","), pl.lit("}")]).alias("text"))
    digests = [hashlib.sha256(text.encode()).hexdigest() for text in whole["text"].to_list()]
    return pl.Series("seal", digests, pl.String)
