"""Text from outside, made safe for every database."""

from typing import Annotated

from pydantic import BeforeValidator


def storable_text(text: str, length: int | None = None) -> str:
    """Return `text` without characters that PostgreSQL or UTF-8 refuse (NUL, lone surrogates), cut to `length`."""
    clean = text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    return clean if length is None else clean[:length]


def _clean(value: object) -> object:
    return storable_text(value).strip() if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_clean)]
"""A string field of an HTTP interface: stripped, and without characters that a database refuses."""
