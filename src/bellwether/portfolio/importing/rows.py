"""Reads the cells of a row as the fields of a kind, collecting every complaint about the row at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bellwether.portfolio.importing.columns import Field, Mapping, MappingError
from bellwether.portfolio.importing.kinds import Values
from bellwether.portfolio.importing.values import Reading, is_empty, plain

SHOWN_CELL = 60


@dataclass(frozen=True)
class ParsedRow:
    """A row as values, or the reason why it is none. `cells` are the file's own, for the rejects file."""

    row: int
    values: Values
    reason: str
    cells: dict[str, Any]


class RowReader:
    """Turns rows of a file into values by a mapping."""

    def __init__(self, fields: Sequence[Field], mapping: Mapping, reading: Reading) -> None:
        self._fields = [f for f in fields if f.name in mapping.given]
        self._mapping, self._reading = mapping, reading
        self._constants = self._read_constants()

    def _read_constants(self) -> Values:
        values: Values = {}
        for f in self._fields:
            if (constant := self._mapping.constants.get(f.name)) is not None:
                try:
                    values[f.name] = f.default if is_empty(constant) else f.parser.read(constant, self._reading)
                except ValueError as error:
                    raise MappingError(f"--set {f.name}: {constant!r} {error}.") from None
        return values

    def read(self, rows: Iterable[tuple[int, dict[str, Any]]]) -> Iterable[ParsedRow]:
        """Yield each (row number, cells) parsed; a row with any unusable cell has a reason that names them all."""
        for row, cells in rows:
            values, complaints = dict(self._constants), []
            for f in self._fields:
                column = self._mapping.columns.get(f.name)
                if column is None:
                    continue
                try:
                    values[f.name] = self._value(f, self._said(f, cells[column]))
                except ValueError as error:
                    complaints.append(f"{_named(f.name, column)} {error}")
            yield ParsedRow(row, values, "; ".join(complaints), cells)

    def _said(self, f: Field, cell: Any) -> Any:
        """Return what a cell is to be read as: its own words, unless the mapping says others."""
        words = self._mapping.values.get(f.name)
        return words.get(plain(cell), cell) if words and cell is not None else cell

    def _value(self, f: Field, cell: Any) -> Any:
        if is_empty(cell):
            if f.required:
                raise ValueError("is empty")
            return f.default
        try:
            return f.parser.read(cell, self._reading)
        except ValueError as error:
            shown = plain(cell)
            shown = shown if len(shown) <= SHOWN_CELL else shown[:SHOWN_CELL] + "…"
            raise ValueError(f"'{shown}' {error}") from None


def _named(name: str, column: str) -> str:
    """Return the field with the column's own name where they differ, so that people find the cell."""
    return name if name == column else f"{name} (column {column})"
