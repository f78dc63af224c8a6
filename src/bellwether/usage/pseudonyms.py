"""Users of the product are known by pseudonym only: an HMAC under the workspace's key, made before anything is kept."""

import hmac

import polars as pl

LENGTH = 32


def pseudonym(user_id: str, key: bytes) -> str:
    """Return the pseudonym of `user_id`: 32 hexadecimal digits, the same for the same id and `key`."""
    return hmac.digest(key, user_id.encode("utf-8", "surrogatepass"), "sha256").hex()[:LENGTH]


def pseudonyms(user_ids: pl.Series, key: bytes) -> pl.Series:
    """Return the pseudonyms of `user_ids` (any dtype that reads as text), nulls kept; each id is hashed once."""
    texts = user_ids.cast(pl.String)
    known = texts.drop_nulls().unique()
    return texts.replace_strict(
        known,
        pl.Series([pseudonym(value, key) for value in known], dtype=pl.String),
        default=None,
        return_dtype=pl.String,
    )
