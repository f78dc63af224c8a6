"""Which column may be which field: by name, by names like it, and by what the column holds. Pure."""

import difflib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bellwether.portfolio.importing.columns import Field, folded_column
from bellwether.portfolio.importing.profiles import ColumnProfile
from bellwether.portfolio.importing.values import DATE, EMAIL, END_INSTANT, INSTANT, Reading, plain

ALIKE = 0.86
SHORTEST_ALIKE = 5
VALUES_SHOWN = 30
DATES = (DATE, INSTANT, END_INSTANT)
NUMBERS_ARE_IDS = 0.5


@dataclass(frozen=True)
class Suggestion:
    """What a column should become. `field` is "" where it should be left out; `reason` says why, in words."""

    column: str
    field: str
    reason: str


@dataclass(frozen=True)
class Unreadable:
    """Values of a mapped column that its field cannot take, among those looked at, with the first as an example."""

    count: int
    of: int
    example: str


@dataclass(frozen=True)
class Word:
    """A value of a column with a vocabulary: how often it was seen, and what it is read as, "" if it cannot be."""

    text: str
    count: int
    read_as: str


def suggest(
    columns: Mapping[str, ColumnProfile],
    fields: Sequence[Field],
    *,
    reading: Reading,
    known_clients: Collection[str] = (),
) -> dict[str, Suggestion]:
    """Return a suggestion for every column. A column none of whose values its field can take is left out, unless the
    field is required; so is one without any value."""
    found: dict[str, Suggestion] = {}
    refused: dict[str, str] = {}
    free = {folded_column(name): name for name in reversed(list(columns))}
    wanting = {f.name: f for f in fields}
    for way, names_of in (("", _own_name), ("a usual name for it", _aliases), ("", _alike_in(free))):
        for f in list(wanting.values()):
            for name in names_of(f):
                column = free.get(name)
                if column is None or column in found:
                    continue
                if why := _unfit(columns[column], f, reading):
                    refused.setdefault(column, why)
                    continue
                close = way == "" and folded_column(f.name) != name
                found[column] = Suggestion(column, f.name, "a name like it" if close else way or "the same name")
                del wanting[f.name]
                break
    _by_values(columns, wanting, found, reading, known_clients)
    return {name: found.get(name) or Suggestion(name, "", refused.get(name, "")) for name in columns}


def _own_name(f: Field) -> Sequence[str]:
    return (folded_column(f.name),)


def _aliases(f: Field) -> Sequence[str]:
    return f.aliases


def _alike_in(free: Mapping[str, str]) -> Callable[[Field], Iterator[str]]:
    def alike(f: Field) -> Iterator[str]:
        for name in (folded_column(f.name), *f.aliases):
            if len(name) >= SHORTEST_ALIKE:
                yield from difflib.get_close_matches(name, free, n=1, cutoff=ALIKE)

    return alike


def _unfit(profile: ColumnProfile, f: Field, reading: Reading) -> str:
    """Return why a column should not become `f` although it is called so; empty where it should."""
    if f.required:
        return ""
    if not profile.filled:
        return "the column is empty"
    wrong = unreadable(profile, f, reading)
    if wrong is None or wrong.count < wrong.of:
        return ""
    return f"called like {f.name}, but no value can be read: {wrong.example}"


def _by_values(
    columns: Mapping[str, ColumnProfile],
    wanting: Mapping[str, Field],
    found: dict[str, Suggestion],
    reading: Reading,
    known_clients: Collection[str],
) -> None:
    free = [profile for name, profile in columns.items() if name not in found and profile.filled]
    if "organization_id" in wanting and known_clients:
        shares = {p.name: sum(plain(c) in known_clients for c in p.cells) / len(p.cells) for p in free}
        best = max(shares, key=lambda name: shares[name], default="")
        if best and shares[best] >= NUMBERS_ARE_IDS:
            found[best] = Suggestion(best, "organization_id", f"{shares[best]:.0%} of its values are clients")
    for f in wanting.values():
        if f.parser is EMAIL and f.name == "email":
            words = "its values are e-mail addresses"
        elif f.required and f.parser in DATES:
            words = "its values are dates"
        else:
            continue
        fitting = [p for p in free if p.name not in found and _all_readable(p, f, reading)]
        if len(fitting) == 1:
            found[fitting[0].name] = Suggestion(fitting[0].name, f.name, words)


def _all_readable(profile: ColumnProfile, f: Field, reading: Reading) -> bool:
    return unreadable(profile, f, reading) is None and any(isinstance(cell, str) for cell in profile.cells)


def unreadable(
    profile: ColumnProfile, f: Field, reading: Reading, said: Mapping[str, str] | None = None
) -> Unreadable | None:
    """Return what of a column its field cannot take, None if it takes all; `said` are words read as others."""
    count, example = 0, ""
    for cell in profile.cells:
        given = (said or {}).get(plain(cell), cell)
        try:
            f.parser.read(given, reading)
        except ValueError as error:
            count += 1
            example = example or f"'{plain(cell)[:40]}' {error}"
    return Unreadable(count, len(profile.cells), example) if count else None


def vocabulary(
    profile: ColumnProfile, f: Field, reading: Reading, said: Mapping[str, str] | None = None
) -> tuple[list[Word], int]:
    """Return the most frequent values of a column whose field has a vocabulary, and how many more there are."""
    counted = Counter(plain(cell) for cell in profile.cells)
    words = [Word(text, count, _read_as(text, f, reading, said or {})) for text, count in counted.most_common()]
    words.sort(key=lambda word: bool(word.read_as))
    return words[:VALUES_SHOWN], max(0, len(words) - VALUES_SHOWN)


def _read_as(text: str, f: Field, reading: Reading, said: Mapping[str, str]) -> str:
    try:
        value: Any = f.parser.read(said.get(text, text), reading)
    except ValueError:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value[0] if isinstance(value, tuple) else value)
