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
    zeros = (values == 0.0).fill_null(False)
    texts = (values.set(zeros, 0.0) if zeros.any() else values).cast(pl.String)  # -0.0 equals 0.0 too
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
    pieces: list[str | pl.Series] = []
    for name in sorted(rows.columns):
        column = rows[name]
        pieces.append(f'{"," if pieces else "{"}"{name}":')
        if name in raw_columns:
            pieces += ['"', column, '"']
            continue
        if name not in json_columns:
            column = word_texts(column) if column.dtype == pl.String else number_texts(column)
        pieces.append(column.fill_null("null") if column.has_nulls() else column)
    whole = joined([*pieces, "}"], rows.height).cast(pl.Binary).to_list()
    sha256 = hashlib.sha256
    return pl.Series("seal", [sha256(text).hexdigest() for text in whole], pl.String)


def joined(pieces: Sequence[str | pl.Series], height: int) -> pl.Series:
    """Return `height` texts: the pieces one after the other, words as they are and columns row by row.

    Every text is written once: texts that follow each other are put together first.
    """
    flat: list[str | pl.Series] = []
    for piece in pieces:
        if isinstance(piece, str) and flat and isinstance(flat[-1], str):
            flat[-1] += piece
        else:
            flat.append(piece)
    columns = [pl.lit(piece, pl.String) if isinstance(piece, str) else pl.lit(piece) for piece in flat]
    if all(isinstance(piece, str) for piece in flat):
        return pl.Series(["".join(map(str, flat))], dtype=pl.String).new_from_index(0, height)
    return pl.select(pl.concat_str(columns).alias("text"))["text"]
