"""Imports in the browser as plain values: the steps, the columns and what they may become, results in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bellwether.health.component_coverage import ComponentCoverage
from bellwether.portfolio.choices import ImportState
from bellwether.portfolio.importing.columns import Field
from bellwether.portfolio.importing.profiles import ColumnProfile, DateOrderFound, date_order
from bellwether.portfolio.importing.suggest import Suggestion, Word, unreadable, vocabulary
from bellwether.portfolio.models import ImportRun
from bellwether.usage.import_wizard import (
    DELIMITERS,
    ENCODINGS,
    EVENTS,
    date_columns,
    field_label,
    fields_of,
    in_words,
    reading_of,
)
from bellwether.web.formatting import number, plural

KIND_LABELS = {
    "clients": "Clients",
    "contracts": "Contracts",
    "contacts": "Contacts",
    "features": "Licensed features",
    "outcomes": "Outcomes",
    "tickets": "Support tickets",
    "surveys": "Surveys",
    "activities": "Activities",
    "events": "Usage events",
}
KIND_ABOUT = {
    "clients": "accounts, companies",
    "contracts": "terms, subscriptions",
    "contacts": "people at clients",
    "features": "who has licensed what",
    "outcomes": "renewals, churn",
    "tickets": "support cases",
    "surveys": "NPS and CSAT answers",
    "activities": "calls, meetings, e-mails",
    "events": "what users did in the product",
}
STATE_STATUS = {
    ImportState.DONE: "healthy",
    ImportState.FAILED: "critical",
    ImportState.CANCELLED: "risk",
    ImportState.UNDONE: "na",
}
STEPS = ("Files", "Columns", "Check", "Import")
SURE = 0.7
MAINLY = 0.5
"""An import counts as giving a component data when it feeds at least this share of its measures."""


@dataclass(frozen=True)
class Step:
    """A step of the import; `state` is done, here or next."""

    text: str
    state: str


@dataclass(frozen=True)
class Option:
    """A choice of a list."""

    value: str
    text: str
    chosen: bool


@dataclass(frozen=True)
class ColumnRow:
    """A column of the file: samples, what it may become, why, what cannot be read, and the words of a vocabulary."""

    name: str
    place: int
    samples: tuple[str, ...]
    filled: str
    options: tuple[Option, ...]
    reason: str
    wrong: str
    words: tuple[tuple[Word, tuple[Option, ...]], ...]
    more_words: int
    unread_words: int


def steps(run: ImportRun | None, *, mapping: bool = False) -> list[Step]:
    """Return the four steps with where the reader is."""
    if run is None:
        here = 0
    elif mapping or run.state == ImportState.MAPPING:
        here = 1
    elif run.state in (ImportState.CHECKING, ImportState.CHECKED):
        here = 2
    else:
        here = 3
    return [Step(text, "done" if n < here else "here" if n == here else "next") for n, text in enumerate(STEPS)]


def kind_options(chosen: str) -> list[Option]:
    """Return the kinds of records to choose from."""
    first = [] if chosen else [Option("", "Choose…", True)]
    return first + [
        Option(kind, f"{label} ({KIND_ABOUT[kind]})", kind == chosen) for kind, label in KIND_LABELS.items()
    ]


def kind_sentence(run: ImportRun) -> str:
    """Return what the file looks like and why."""
    guesses: Sequence[Mapping[str, Any]] = run.detected.get("guesses", [])
    if not guesses:
        return (
            "It cannot be told from the columns what this file holds. Choose it below. A file that only joins others, "
            "such as tickets with companies, need not be imported: other files can look up their clients in it."
        )
    best = guesses[0]
    sure = "Looks like" if best["confidence"] >= SURE else "May be"
    others = [KIND_LABELS[g["kind"]].lower() for g in guesses[1:] if g["confidence"] >= 0.1]
    rest = f" It may also be {' or '.join(others)}." if others else ""
    return f"{sure} {KIND_LABELS[best['kind']].lower()}: {best['reason']}.{rest}"


def column_rows(
    run: ImportRun, columns: Mapping[str, ColumnProfile], suggestions: Mapping[str, Suggestion]
) -> list[ColumnRow]:
    """Return the rows of the mapping table, in the file's order."""
    fields = fields_of(run.kind)
    by_name = {f.name: f for f in fields}
    return [
        _column_row(run, place, columns[name], by_name, fields, suggestions.get(name))
        for place, name in enumerate(run.columns)
    ]


MANY_COLUMNS = 25


def folded_away(rows: Sequence[ColumnRow]) -> tuple[list[ColumnRow], list[ColumnRow]]:
    """Return the columns to show, and those to fold away: of a wide file the ones that nothing speaks for."""
    if len(rows) <= MANY_COLUMNS:
        return list(rows), []
    shown = [row for row in rows if row.reason or not row.options[0].chosen]
    return shown, [row for row in rows if not row.reason and row.options[0].chosen]


def _column_row(
    run: ImportRun,
    place: int,
    profile: ColumnProfile,
    by_name: Mapping[str, Field],
    fields: Sequence[Field],
    suggestion: Suggestion | None,
) -> ColumnRow:
    chosen = run.settings.get("columns", {}).get(profile.name, "")
    f = by_name.get(chosen)
    said = (run.settings.get("values") or {}).get(chosen, {})
    through = chosen == "organization_id" and run.settings.get("through")
    wrong = unreadable(profile, f, reading_of(run), said) if f is not None and not through else None
    words, more = vocabulary(profile, f, reading_of(run), said) if f is not None and f.parser.choices else ([], 0)
    return ColumnRow(
        name=profile.name,
        place=place,
        samples=tuple(profile.samples),
        filled=_filled(profile),
        options=tuple(_field_options(fields, chosen, run.kind)),
        reason=suggestion.reason if suggestion is not None and suggestion.field == chosen else "",
        wrong=in_words(f"{wrong.count} of {plural(wrong.of, 'value')}: {wrong.example}", run) if wrong else "",
        words=tuple((word, tuple(_word_options(f, word, said))) for word in words) if f is not None else (),
        more_words=more,
        unread_words=sum(not word.read_as for word in words),
    )


def _filled(profile: ColumnProfile) -> str:
    if not profile.filled:
        return "empty"
    return "" if profile.filled == profile.rows else f"{100 * profile.filled / max(profile.rows, 1):.0f}% filled"


def _field_options(fields: Sequence[Field], chosen: str, kind: str) -> list[Option]:
    left_out = "Keep as a property" if kind == EVENTS else "Leave out"
    options = [Option("", left_out, not chosen)]
    for f in fields:
        needed = " (needed)" if f.required else ""
        options.append(Option(f.name, field_label(f.name) + needed, f.name == chosen))
    return options


def _word_options(f: Field, word: Word, said: Mapping[str, str]) -> list[Option]:
    current = said.get(word.text, "")
    read = f.parser.choices.get(word.read_as, word.read_as) if not current else ""
    as_it_is = f"as it is: {read}" if read else "choose…"
    options = [Option("", as_it_is, not current)]
    return options + [Option(value, label, value == current) for value, label in f.parser.choices.items()]


def constant_rows(run: ImportRun) -> list[tuple[str, str, str, bool, list[Option]]]:
    """Return the fields without a column: name, label, the value for every row, whether it is needed, and its words."""
    chosen = {name for name in run.settings.get("columns", {}).values() if name}
    constants = run.settings.get("constants", {})
    rows = []
    for f in fields_of(run.kind):
        if f.name in chosen:
            continue
        value = str(constants.get(f.name, ""))
        words = [Option(w, label, w == value) for w, label in f.parser.choices.items()] if f.parser.choices else []
        needed = f.required or (run.kind == EVENTS and f.name == "organization_id")
        rows.append((f.name, field_label(f.name), value, needed, words))
    return sorted(rows, key=lambda row: (not row[3], not row[2]))


@dataclass(frozen=True)
class DateAdvice:
    """What the dates say about their order; `ask` when only the reader can tell."""

    text: str
    ask: bool


def date_advice(run: ImportRun, columns: Mapping[str, ColumnProfile]) -> DateAdvice | None:
    """Return what to say about the order of day and month, None where no date could be read two ways."""
    found: DateOrderFound = date_order(cell for one in date_columns(run, columns) for cell in one.cells)
    if not (found.day_first or found.month_first or found.either):
        return None
    if found.day_first and found.month_first:
        text = (
            f"Contradicting: {found.day_first} dates have the day first, {found.month_first} the month. Mend the file."
        )
        return DateAdvice(text, True)
    if found.order:
        first = "day" if found.order == "dmy" else "month"
        count = found.day_first or found.month_first
        return DateAdvice(f"The {first} comes first: {plural(count, 'date')} can only be read so.", False)
    text = f"{plural(found.either, 'date')} such as 03/04/2026 can be read two ways. Say which is meant."
    return DateAdvice(text, not run.settings.get("date_order"))


def layout_words(run: ImportRun) -> str:
    """Return how the file was read, in words."""
    said = run.settings
    parts = [f"{plural(run.rows_total or 0, 'row')}", plural(len(run.columns), "column")]
    if said.get("encoding"):
        parts.append(ENCODINGS.get(str(said["encoding"]), str(said["encoding"])))
        parts.append(f"separated by {DELIMITERS.get(str(said.get('delimiter')), str(said.get('delimiter')))}")
        parts.append("first row names the columns" if said.get("header") else "no header: columns are numbered")
    if said.get("sheet"):
        parts.append(f"sheet {said['sheet']}")
    return ", ".join(parts)


def count_figures(counts: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the figures of a check or an import: label, value, status word."""
    rejected = counts.get("rejected") or 0
    figures = [
        ("Rows read", number(counts.get("read") or 0), ""),
        ("Created", number(counts.get("created") or 0), ""),
        ("Updated", number(counts.get("updated") or 0), ""),
        ("Unchanged", number(counts.get("unchanged") or 0), ""),
        ("Rejected", number(rejected), "critical" if rejected else ""),
    ]
    if counts.get("clients_created"):
        figures.append(("Bare clients made", number(counts["clients_created"]), ""))
    if counts.get("unassigned"):
        figures.append(("Of no client", number(counts["unassigned"]), "risk"))
    return figures


def summary(run: ImportRun) -> str:
    """Return the outcome of an import in a few words, for the list."""
    if run.state in (ImportState.MAPPING, ImportState.CHECKING):
        return plural(run.rows_total or 0, "row")
    counts = run.check_result if run.state == ImportState.CHECKED else run.counts
    parts = [
        f"{number(counts[name])} {name}" for name in ("created", "updated", "unchanged", "rejected") if counts.get(name)
    ]
    return ", ".join(parts) or "nothing"


@dataclass(frozen=True)
class CoverageRow:
    """A component: how many clients have data for it now, and before or after the import."""

    label: str
    weight: str
    first: int
    second: int
    clients: int
    rises: bool


def expected_coverage(coverage: Sequence[ComponentCoverage], run: ImportRun) -> list[CoverageRow]:
    """Return the coverage now and, at most, once the checked file is imported."""
    found = run.check_result
    new = int(found.get("created") or 0) if run.kind == "clients" else 0
    rows = []
    for one in coverage:
        most = one.covered
        if one.kinds.get(run.kind, 0) >= MAINLY:
            gained = int(found.get("clients") or 0)
            most = min(one.clients + new, one.covered + gained)
        rows.append(
            CoverageRow(one.label, f"{one.weight:.0f}%", one.covered, most, one.clients + new, most > one.covered)
        )
    return rows


def achieved_coverage(coverage: Sequence[ComponentCoverage], before: Mapping[str, Any]) -> list[CoverageRow]:
    """Return the coverage before the import and now."""
    covered: Mapping[str, int] = before.get("covered", {})
    return [
        CoverageRow(
            one.label,
            f"{one.weight:.0f}%",
            covered.get(one.key, 0),
            one.covered,
            one.clients,
            one.covered > covered.get(one.key, 0),
        )
        for one in coverage
    ]
