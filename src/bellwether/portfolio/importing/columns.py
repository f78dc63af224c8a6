"""Which column of a foreign file means which of our fields: as told, else by name and by names seen in the wild."""

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bellwether.common.errors import InvalidInputError
from bellwether.portfolio.importing.values import Parser


class MappingError(InvalidInputError):
    """The columns of a file cannot be matched to the fields of the kind."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field of a kind. `aliases` are folded names other systems use; `default` stands in for an empty cell."""

    name: str
    parser: Parser
    about: str
    required: bool = False
    default: Any = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """`columns`: our field → their column. `constants`: our field → one value for every row. `ignored`: the rest.
    `values`: our field → their word → the word that is read instead."""

    columns: dict[str, str]
    constants: dict[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    values: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def given(self) -> frozenset[str]:
        """The fields that this import says something about."""
        return frozenset(self.columns) | frozenset(self.constants)


def folded_column(name: str) -> str:
    """Return a column name without case and punctuation, without HubSpot's `property_` and Salesforce's `__c`."""
    name = re.sub(r"^(property_|properties\.|properties_)(hs_)?", "", name.strip(), flags=re.IGNORECASE)
    name = re.sub(r"_+c$", "", name, flags=re.IGNORECASE)
    return re.sub(r"[\W_]+", "", name.lower())


def parse_pairs(pairs: Sequence[str], *, option: str) -> list[tuple[str, str]]:
    """Return (before, after) of each `a=b`. The last `=` divides a --map (columns may hold one), the first a --set."""
    parsed = []
    for pair in pairs:
        before, mark, after = pair.rpartition("=") if option == "--map" else pair.partition("=")
        if not mark or not before.strip():
            shape = "THEIRS=OURS" if option == "--map" else "OURS=VALUE"
            raise MappingError(f"{option} {pair!r} is not of the form {shape}.")
        parsed.append((before.strip(), after.strip()))
    return parsed


def map_columns(
    columns: Sequence[str],
    fields: Sequence[Field],
    *,
    given: Iterable[tuple[str, str]] = (),
    constants: Iterable[tuple[str, str]] = (),
    infer: Callable[[dict[str, str]], dict[str, str]] = lambda columns: {},
) -> Mapping:
    """Return the mapping of `columns` to `fields`.

    `given` are (theirs, ours) pairs and win; an empty ours ignores the column, and one column may feed several fields.
    Then each field takes the first free column with its name, then with one of its aliases in their order; last,
    `infer` may turn the mapping so far into constants for fields that are still without a column.
    Raises MappingError for names that do not exist, with the likely spelling, and for required fields without column.
    """
    names = {f.name for f in fields}
    fixed = dict(constants)
    chosen: dict[str, str] = {}
    spoken_for: set[str] = set()
    for theirs, ours in given:
        column = _column(theirs, columns)
        spoken_for.add(column)
        if not ours:
            continue
        _check_field(ours, names)
        if chosen.get(ours, column) != column:
            raise MappingError(f"--map gives {ours} two columns: {chosen[ours]} and {column}. Choose one.")
        chosen[ours] = column
    for ours in fixed:
        _check_field(ours, names)
        if ours in chosen:
            raise MappingError(f"{ours} has both --map {chosen[ours]}={ours} and --set {ours}. Choose one.")
    free = {folded_column(column): column for column in reversed(columns) if column not in spoken_for}
    wanting = [f for f in fields if f.name not in chosen and f.name not in fixed]
    for f in wanting:
        _take(f, (folded_column(f.name),), free, chosen)
    for f in wanting:
        _take(f, f.aliases, free, chosen)
    fixed = {name: value for name, value in infer(chosen).items() if name not in chosen} | fixed
    _check_required(fields, chosen, fixed, columns)
    used = set(chosen.values()) | {c for c in spoken_for if c in chosen.values()}
    return Mapping(columns=chosen, constants=fixed, ignored=tuple(c for c in columns if c not in used))


def _take(f: Field, names: Iterable[str], free: dict[str, str], chosen: dict[str, str]) -> None:
    for name in names:
        if f.name not in chosen and name in free:
            chosen[f.name] = free.pop(name)


def _column(theirs: str, columns: Sequence[str]) -> str:
    if theirs in columns:
        return theirs
    alike = [c for c in columns if folded_column(c) == folded_column(theirs)]
    if len(alike) == 1:
        return alike[0]
    raise MappingError(
        f"--map names the column {theirs!r}, which the file does not have{_meant(theirs, columns)} "
        f"It has {', '.join(columns)}."
    )


def _check_field(ours: str, names: set[str]) -> None:
    if ours not in names:
        raise MappingError(
            f"There is no field {ours!r} here{_meant(ours, sorted(names))} The fields are {', '.join(sorted(names))}."
        )


def _meant(word: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, names, n=1)
    return f" (did you mean {close[0]}?)." if close else "."


def _check_required(
    fields: Sequence[Field], chosen: dict[str, str], fixed: dict[str, str], columns: Sequence[str]
) -> None:
    missing = [f.name for f in fields if f.required and f.name not in chosen and f.name not in fixed]
    if missing:
        raise MappingError(
            f"No column of the file is {' or '.join(missing) if len(missing) == 1 else ' and '.join(missing)}. "
            f"It has {', '.join(columns)}. Name the column with --map THEIRS={missing[0]}, "
            f"or give every row the same value with --set {missing[0]}=VALUE."
        )
