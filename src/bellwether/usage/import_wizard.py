"""Imports in the browser, up to the mapping: what was sent, how it is read, and which column is which field."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.conf import settings

from bellwether.common.errors import InvalidInputError
from bellwether.portfolio.choices import ImportState
from bellwether.portfolio.importing.columns import Field, MappingError
from bellwether.portfolio.importing.columns import Mapping as ColumnMapping
from bellwether.portfolio.importing.delimited import detect_layout
from bellwether.portfolio.importing.detect import ORDER, Guess, detect_kind
from bellwether.portfolio.importing.kinds import Kind
from bellwether.portfolio.importing.profiles import ColumnProfile, csat_scale, date_order, profiles
from bellwether.portfolio.importing.readers import Layout, Source, is_text, open_source, sheet_names
from bellwether.portfolio.importing.services import KINDS
from bellwether.portfolio.importing.suggest import DATES, suggest
from bellwether.portfolio.importing.values import Reading, plain
from bellwether.portfolio.models import Client, ContractPeriod, ImportRun
from bellwether.staff.models import StaffUser
from bellwether.usage.event_fields import EVENT_FIELDS
from bellwether.usage.import_files import folder_of, keep, stored_name
from bellwether.usage.kind_features import FEATURES

RECORD_KINDS: dict[str, Kind] = {kind.name: kind for kind in (*KINDS, FEATURES)}
EVENTS = "events"
KIND_NAMES = ORDER
COUNT_AT_ONCE = 50_000
CONTRACTS_ASKED = 200
REMEMBERED = 50
PASTED = "pasted rows"
MAPPED_STATES = (ImportState.CHECKED, ImportState.DONE, ImportState.UNDONE, ImportState.IMPORTING)
ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "cp1252": "Windows (Western)",
    "latin-1": "Latin 1",
    "utf-16": "UTF-16",
    "cp1250": "Windows (Central European)",
    "mac_roman": "Macintosh",
}
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}


def fields_of(kind: str) -> tuple[Field, ...]:
    """Return the fields of a kind, those of events among them with the client required. Empty for no kind."""
    if kind == EVENTS:
        return EVENT_FIELDS
    return RECORD_KINDS[kind].fields if kind in RECORD_KINDS else ()


def receive(
    files: Sequence[tuple[str, Iterable[bytes]]], *, user: StaffUser, now: datetime
) -> tuple[list[ImportRun], list[str]]:
    """Keep the files that were sent and return an import for each that can be read, in the order they should be
    imported, and a sentence about each that cannot."""
    batch, runs, refused = uuid4(), [], []
    for name, chunks in files:
        shown = Path(name).name[:200] or PASTED
        run = ImportRun(batch=batch, made_by=user, created_at=now, file_name=shown)
        try:
            run.stored_name = stored_name(shown if name != PASTED else "pasted.tsv")
            run.size = keep(run.pk, run.stored_name, shown, chunks)
            look_at(run)
        except InvalidInputError as error:
            refused.append(in_words(str(error), run))
            continue
        run.save()
        runs.append(run)
    runs.sort(key=lambda run: ORDER.index(run.kind) if run.kind in ORDER else len(ORDER))
    return runs, refused


def again_as(run: ImportRun, kind: str, *, user: StaffUser, now: datetime) -> ImportRun:
    """Return a new import of the same file as records of another kind, such as the answers in a file of tickets."""
    made = ImportRun(batch=run.batch, made_by=user, created_at=now, file_name=run.file_name)
    made.stored_name, made.settings = run.stored_name, _layout_settings(run)
    made.size = keep(made.pk, made.stored_name, run.file_name, [path_of(run).read_bytes()])
    look_at(made, kind=kind)
    made.save()
    return made


def path_of(run: ImportRun) -> Path:
    """Return where the file of an import lies. Raises InvalidInputError when it was removed, a week after it came."""
    path = folder_of(run.pk) / run.stored_name
    if not path.exists():
        raise InvalidInputError(f"The file {run.file_name} is no longer kept. Send it again.")
    return path


def _layout_settings(run: ImportRun) -> dict[str, Any]:
    return {name: run.settings.get(name) for name in ("encoding", "delimiter", "header", "sheet")}


def look_at(run: ImportRun, *, kind: str | None = None) -> None:
    """Find out how the file of `run` is laid out, what it holds and how its columns may be mapped; nothing is saved.

    What `run.settings` say about the layout is kept. With `kind` the file is taken to hold that. Raises
    InvalidInputError when it cannot be read.
    """
    path, chosen = path_of(run), _layout_settings(run)
    detected: dict[str, Any] = {}
    if is_text(path):
        found = detect_layout(path)
        given = Layout(encoding=chosen["encoding"], delimiter=chosen["delimiter"], header=chosen["header"])
        used = detect_layout(path, given)
        detected["layout"] = {"encoding": found.encoding, "delimiter": found.delimiter, "header": found.header}
        chosen |= {"encoding": used.encoding, "delimiter": used.delimiter, "header": used.header}
    elif sheets := sheet_names(path):
        detected["sheets"] = sheets
        chosen["sheet"] = chosen["sheet"] if chosen["sheet"] in sheets else sheets[0]
    run.settings = chosen
    source = plain_source(run)
    run.columns = source.columns
    run.rows_total = source.total if source.total is not None else _count(source)
    guesses = detect_kind(source.columns, run.file_name, {name: fields_of(name) for name in KIND_NAMES})
    detected["guesses"] = [_guess(guess) for guess in guesses[:3]]
    if kind is None and (earlier := _earlier_mapping(run)) is not None:
        run.kind = earlier.kind
        run.settings |= {name: earlier.settings[name] for name in MAPPING_SETTINGS if name in earlier.settings}
        run.settings["through"] = (
            "" if str(run.settings.get("through")).startswith("file:") else run.settings["through"]
        )
        detected["mapped_as"] = {"file": earlier.file_name, "on": earlier.created_at.isoformat()}
    else:
        run.kind = kind if kind is not None else (guesses[0].kind if guesses else "")
        run.settings |= suggested_settings(run, profiles(source))
    run.detected = detected


MAPPING_SETTINGS = (
    "columns",
    "constants",
    "values",
    "date_order",
    "decimal",
    "time_zone",
    "csat_scale",
    "create_clients",
    "through",
)


def _guess(guess: Guess) -> dict[str, Any]:
    return {"kind": guess.kind, "confidence": round(guess.confidence, 2), "reason": guess.reason}


def _count(source: Source) -> int:
    return sum(len(batch.rows) + len(batch.unreadable) for batch in source.read(COUNT_AT_ONCE))


def _earlier_mapping(run: ImportRun) -> ImportRun | None:
    """Return the newest import of a file with the same columns whose mapping was used."""
    newest = ImportRun.objects.filter(state__in=MAPPED_STATES).exclude(kind="").defer("check_result", "result")
    return next((one for one in newest[:REMEMBERED] if one.columns == run.columns), None)


def suggested_settings(run: ImportRun, columns: Mapping[str, ColumnProfile]) -> dict[str, Any]:
    """Return how the columns should be mapped and read, as `run.settings` keep it."""
    fields = fields_of(run.kind)
    order = date_order(cell for profile in columns.values() for cell in profile.cells)
    reading = Reading(zone=settings.BELLWETHER_WORKSPACE_ZONE, date_order=cast(Any, order.order or "dmy"))
    known = set(Client.objects.values_list("organization_id", flat=True)) if fields else set()
    found = suggest(columns, fields, reading=reading, known_clients=known)
    mapped = {column: one.field for column, one in found.items()}
    chosen = {field: column for column, field in mapped.items() if field}
    through = ""
    if fields and run.kind != "clients" and "organization_id" not in chosen:
        named = _names_a_contract(columns)
        if named:
            mapped |= {column: "" for column, field in mapped.items() if column == named}
            mapped[named], through = "organization_id", "contracts"
            chosen = {field: column for column, field in mapped.items() if field}
    infer = RECORD_KINDS[run.kind].infer(chosen) if run.kind in RECORD_KINDS else {}
    scale = csat_scale(columns[chosen["score"]].cells) if run.kind == "surveys" and "score" in chosen else (0.0, 100.0)
    return {
        "columns": mapped,
        "constants": {name: value for name, value in infer.items() if name not in chosen},
        "values": {},
        "date_order": order.order,
        "decimal": ".",
        "time_zone": str(settings.BELLWETHER_WORKSPACE_ZONE),
        "csat_scale": list(scale),
        "create_clients": False,
        "through": through,
    }


def _names_a_contract(columns: Mapping[str, ColumnProfile]) -> str:
    """Return the column most of whose values are ids of imported contracts, "" if there is none."""
    best, most = "", 0.5
    for name, profile in columns.items():
        texts = {plain(cell) for cell in profile.cells[:CONTRACTS_ASKED]}
        known = ContractPeriod.objects.filter(external_id__in=texts).values("external_id").distinct().count()
        if texts and known / len(texts) > most:
            best, most = name, known / len(texts)
    return best


def layout_of(run: ImportRun) -> Layout:
    """Return the layout that was found or chosen for a text file."""
    return Layout(
        encoding=run.settings.get("encoding"),
        delimiter=run.settings.get("delimiter"),
        header=run.settings.get("header", True),
    )


def plain_source(run: ImportRun) -> Source:
    """Return the file of an import as it is, opened."""
    path = path_of(run)
    return open_source(path, sheet=run.settings.get("sheet"), layout=layout_of(run) if is_text(path) else None)


def reading_of(run: ImportRun) -> Reading:
    """Return how the file writes what can be read two ways."""
    said = run.settings
    low, high = said.get("csat_scale") or (0.0, 100.0)
    return Reading(
        zone=ZoneInfo(said.get("time_zone") or str(settings.BELLWETHER_WORKSPACE_ZONE)),
        date_order=said.get("date_order") or None,
        decimal=said.get("decimal") or ".",
        csat_scale=(float(low), float(high)),
    )


def mapping_of(run: ImportRun) -> ColumnMapping:
    """Return the mapping that was chosen; raises MappingError with everything that is wrong with it."""
    if wrong := mapping_faults(run):
        raise MappingError(" ".join(wrong))
    chosen = {field: column for column, field in run.settings["columns"].items() if field and column in run.columns}
    constants = {name: value for name, value in run.settings["constants"].items() if value != ""}
    values = {field: words for field, words in (run.settings.get("values") or {}).items() if field in chosen and words}
    used = set(chosen.values())
    return ColumnMapping(
        columns=chosen, constants=constants, ignored=tuple(c for c in run.columns if c not in used), values=values
    )


def mapping_faults(run: ImportRun) -> list[str]:
    """Return a sentence for everything that keeps the mapping of `run` from being used; none: it can be."""
    fields = {f.name: f for f in fields_of(run.kind)}
    if not fields:
        return ["Choose what the file holds."]
    faults: list[str] = []
    taken: dict[str, str] = {}
    for column, name in run.settings.get("columns", {}).items():
        if not name:
            continue
        if name not in fields:
            faults.append(f"There is no field {name} in {run.kind}.")
        elif name in taken:
            faults.append(f"{field_label(name)} has two columns: {taken[name]} and {column}. Leave one out.")
        taken.setdefault(name, column)
    constants = {name: value for name, value in run.settings.get("constants", {}).items() if value != ""}
    for name, value in constants.items():
        if name in taken:
            faults.append(f"{field_label(name)} has a column and a value for every row. Choose one.")
        elif name in fields:
            try:
                fields[name].parser.read(value, reading_of(run))
            except ValueError as error:
                faults.append(f"{field_label(name)}: '{value}' {error}.")
    for name, f in fields.items():
        needed = f.required or (run.kind == EVENTS and name == "organization_id")
        if needed and name not in taken and name not in constants:
            other = " A column that names a contract or a value of another file will do as well: see below." * (
                name == "organization_id" and run.kind != "clients"
            )
            text = f"{field_label(name)} is missing: choose its column, or give every row the same value.{other}"
            faults.append(text)
    return faults


FIELD_LABELS = {
    "organization_id": "Client",
    "external_id": "Id in its source",
    "message_id": "Id in its source",
    "ts": "Time",
    "csm_email": "CSM (e-mail)",
    "ae_email": "Account executive (e-mail)",
    "annual_recurring_revenue": "ARR",
    "monthly_recurring_revenue": "MRR",
    "licensed_user_count": "Seats",
    "is_deleted": "Deleted in the source",
    "opened_at": "Opened",
    "solved_at": "Solved",
    "answered_at": "Answered",
    "occurred_at": "When it took place",
}


def field_label(name: str) -> str:
    """Return the name of a field for people: organization_id is the client."""
    return FIELD_LABELS.get(name) or name.replace("_", " ").replace(" id", " ID").capitalize()


def date_columns(run: ImportRun, columns: Mapping[str, ColumnProfile]) -> list[ColumnProfile]:
    """Return the profiles of the columns that are read as dates."""
    fields = {f.name: f for f in fields_of(run.kind)}
    return [
        columns[column]
        for column, name in run.settings.get("columns", {}).items()
        if name in fields and fields[name].parser in DATES and column in columns
    ]


COMMAND_WORDS = (
    (r" \(import clients first, or add --create-clients\)", " (import clients first, or have missing clients made)"),
    (r"say --date-order dmy or mdy", "say above whether the day or the month comes first"),
    (r"say another with --csat-scale", "choose another scale"),
    (r" \(add them with: bellwether user add\)", ""),
    (r"; default the first", ""),
)


def in_words(text: str, run: ImportRun) -> str:
    """Return a message of the importer without the options of the command line and without the path of the file."""
    text = text.replace(str(folder_of(run.pk) / run.stored_name), run.file_name)
    for pattern, words in COMMAND_WORDS:
        text = re.sub(pattern, words, text)
    return text


@dataclass(frozen=True)
class Batch:
    """The imports of files that were sent together, in the order they should be done."""

    runs: tuple[ImportRun, ...]

    def blocking(self, run: ImportRun) -> ImportRun | None:
        """Return the file of clients of this batch that should be imported before `run`, None if there is none."""
        if run.kind == "clients":
            return None
        waiting = (ImportState.MAPPING, ImportState.CHECKED, ImportState.CHECKING, ImportState.IMPORTING)
        return next((one for one in self.runs if one.kind == "clients" and one.state in waiting), None)

    def next_of(self, run: ImportRun) -> ImportRun | None:
        """Return the first other file of the batch that is still to be mapped or imported."""
        todo = (ImportState.MAPPING, ImportState.CHECKED)
        return next((one for one in self.runs if one.pk != run.pk and one.state in todo and one.kind), None)


def batch_of(batch: UUID) -> Batch:
    """Return the imports of a batch."""
    runs = list(ImportRun.objects.filter(batch=batch).select_related("made_by"))
    runs.sort(key=lambda run: (ORDER.index(run.kind) if run.kind in ORDER else len(ORDER), run.created_at, run.pk))
    return Batch(tuple(runs))
