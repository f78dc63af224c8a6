"""From what a cell holds to a value: dates, money, yes and no, percentages, words of a vocabulary.

Every parser takes a cell that is not empty (text, or what a typed file gave) and a Reading, and returns the value or
raises ValueError with the end of a sentence ("is not a date"), which the importer puts after the field and the cell.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Literal

from bellwether.portfolio.importing.calendar_text import read_date, read_instant

EMPTY_WORDS = frozenset({"", "null", "\\n", "n/a", "#n/a", "nan", "nat"})
YES = frozenset({"true", "t", "yes", "y", "1", "1.0", "on", "x", "ja", "si", "oui"})
NO = frozenset({"false", "f", "no", "n", "0", "0.0", "off", "nein", "non"})
LARGEST_WHOLE = 2_147_483_647
_MONEY_WORDS = re.compile(r"(?i)\b(usd|eur|gbp|chf|cad|aud|jpy|inr)\b|us\$|[$€£¥₹]")
_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]{2,}")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How this file writes what can be read two ways.

    `zone` is that of times without one. `date_order` decides 03/04/2026; None refuses what is ambiguous.
    `decimal` is the mark before the cents. `csat_scale` is the lowest and highest answer of a CSAT question.
    """

    zone: tzinfo = UTC
    date_order: Literal["dmy", "mdy"] | None = None
    decimal: Literal[".", ","] = "."
    csat_scale: tuple[float, float] = (0.0, 100.0)


@dataclass(frozen=True)
class Parser:
    """A reader of cells; `label` names what it accepts, for the reference page. `choices` are the words of a
    vocabulary with their labels, empty for everything else."""

    label: str
    read: Callable[[Any, Reading], Any]
    choices: Mapping[str, str] = field(default_factory=dict)


def is_empty(value: Any) -> bool:
    """Return whether a cell holds nothing: null, NaN, blank text or a word that exports write for null."""
    if value is None:
        return True
    if isinstance(value, float):
        return math.isnan(value)
    return isinstance(value, str) and value.strip().lower() in EMPTY_WORDS


def plain(value: Any) -> str:
    """Return a cell as trimmed text: whole floats without ".0", so that an id that a sheet made a number stays one."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value).strip()


def text(most: int | None = None) -> Parser:
    """Return a parser of text of at most `most` characters."""

    def read(value: Any, reading: Reading) -> str:
        found = plain(value)
        if "\x00" in found:
            raise ValueError("contains a NUL character")
        if most is not None and len(found) > most:
            raise ValueError(f"is longer than {most} characters ({len(found)})")
        return found

    return Parser(f"text, at most {most} characters" if most else "text", read)


def _number(value: Any, reading: Reading) -> Decimal:
    """Return an exact number from text with thousands marks, currency and accountants' brackets."""
    if isinstance(value, bool):
        raise ValueError("is not a number")
    if isinstance(value, int | float | Decimal):
        number = Decimal(str(value))
        if not number.is_finite():
            raise ValueError("is not a finite number")
        return number
    cell = _MONEY_WORDS.sub("", str(value)).replace("\u2212", "-").strip()
    negative = cell.startswith("(") and cell.endswith(")")
    cell = re.sub(r"[\s'\u2019\u00a0\u202f]", "", cell.strip("()"))
    cell = _with_point(cell, reading.decimal)
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?", cell, re.ASCII) or len(cell) > 40:
        raise ValueError("is not a number")
    number = Decimal(cell)
    return -number if negative else number


def _with_point(cell: str, decimal: str) -> str:
    """Return digits with a point before the decimals; thousands marks must group three digits, or it is no number."""
    if "," not in cell and (decimal == "." or "." not in cell):
        return cell
    if "," in cell and "." in cell:
        decimal = max(",.", key=cell.rfind)
    elif decimal == "." and cell.count(",") == 1 and not re.fullmatch(r"[+-]?\d{1,3},\d{3}", cell):
        decimal = ","
    thousands = "," if decimal == "." else "."
    whole, _, cents = cell.partition(decimal)
    if thousands in whole and not re.fullmatch(rf"[+-]?\d{{1,3}}([{thousands}]\d{{2,3}})*[{thousands}]\d{{3}}", whole):
        raise ValueError("is not a number")
    return whole.replace(thousands, "") + ("." + cents if cents else "")


def _whole(value: Any, reading: Reading) -> int:
    number = _number(value, reading)
    if number != number.to_integral_value():
        raise ValueError("is not a whole number")
    if not 0 <= number <= LARGEST_WHOLE:
        raise ValueError(f"is not between 0 and {LARGEST_WHOLE}")
    return int(number)


def _money(value: Any, reading: Reading) -> Decimal:
    try:
        amount = _number(value, reading).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    except InvalidOperation:
        raise ValueError("is too large an amount") from None
    if amount < 0:
        raise ValueError("is a negative amount")
    if amount >= Decimal(10) ** 12:
        raise ValueError("is too large an amount")
    return amount


def _percent(value: Any, reading: Reading) -> int:
    """Return 0-100. "40%" and 40 are forty; a value with decimals up to 1 (0.4, 1.0) is a share."""
    marked = isinstance(value, str) and value.strip().endswith("%")
    number = _number(value.strip().removesuffix("%") if marked else value, reading)
    share = isinstance(value, float) or (isinstance(value, str) and re.search(r"[.,]", value) is not None)
    if share and not marked and number <= 1:
        number *= 100
    if not 0 <= number <= 100:
        raise ValueError("is not a percentage from 0 to 100")
    return int(number.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _boolean(value: Any, reading: Reading) -> bool:
    word = str(value).strip().lower()
    if word in YES:
        return True
    if word in NO:
        return False
    raise ValueError("is neither yes nor no")


def _email(value: Any, reading: Reading) -> str:
    address = str(value).strip().lower().removeprefix("mailto:")
    if len(address) > 254 or not _EMAIL.fullmatch(address):
        raise ValueError("is not an e-mail address")
    return address


def _date(value: Any, reading: Reading) -> date:
    return read_date(value, order=reading.date_order)


def _instant(value: Any, reading: Reading) -> datetime:
    return read_instant(value, zone=reading.zone, order=reading.date_order)


def _end_instant(value: Any, reading: Reading) -> datetime:
    """Return an instant; a bare date means its last second, so that an end on the same day is not before its start."""
    instant = _instant(value, reading)
    bare = type(value) is date or (isinstance(value, str) and ":" not in value and "T" not in value)
    epoch = not isinstance(value, str) or re.fullmatch(r"\d{9,}", value.strip())
    return instant + timedelta(hours=24, seconds=-1) if bare and (type(value) is date or not epoch) else instant


def _words(value: Any, reading: Reading) -> list[str]:
    """Return the distinct words of a list written as ["a","b"], a;b, a|b or a,b, in the order given."""
    if isinstance(value, list | tuple):
        parts: Iterable[Any] = value
    else:
        cell = str(value).strip()
        if cell.startswith("[") and cell.endswith("]"):
            cell = cell[1:-1]
        mark = next((mark for mark in ";|" if mark in cell), ",")
        parts = cell.split(mark)
    words = [str(part).strip().strip("\"'").strip() for part in parts if part is not None]
    if any("\x00" in word for word in words):
        raise ValueError("contains a NUL character")
    return list(dict.fromkeys(word for word in words if word))


def folded(word: str) -> str:
    """Return a word without case, spaces and punctuation, for comparing ("At risk" = "AT_RISK")."""
    return re.sub(r"[\W_]+", "", word.lower())


def one_of(names: Mapping[str, str], synonyms: Mapping[str, str] | None = None) -> Parser:
    """Return a parser for a vocabulary. `names` maps stored values to labels, `synonyms` other words to values."""
    known = {folded(word): value for value, label in names.items() for word in (value, label)}
    known |= {folded(word): value for word, value in (synonyms or {}).items()}

    def read(value: Any, reading: Reading) -> str:
        word = folded(plain(value))
        if word not in known:
            raise ValueError(f"is none of {', '.join(names)}")
        return known[word]

    return Parser("one of " + ", ".join(names), read, dict(names))


WHOLE = Parser("whole number", _whole)
MONEY = Parser("amount, with or without currency and thousands marks", _money)
NUMBER = Parser("number", lambda value, reading: float(_number(value, reading)))
PERCENT = Parser("percentage: 40, 40% or 0.4", _percent)
BOOLEAN = Parser("yes or no", _boolean, {"yes": "Yes", "no": "No"})
EMAIL = Parser("e-mail address", _email)
DATE = Parser("date", _date)
INSTANT = Parser("date and time", _instant)
END_INSTANT = Parser("date and time; a bare date means its end", _end_instant)
WORDS = Parser("list, separated by ; or | or ,", _words)
