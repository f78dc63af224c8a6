"""The command `bellwether import KIND FILE`."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, cast
from zoneinfo import ZoneInfo

import typer
from django.conf import settings
from django.utils import timezone

from bellwether.common.terminal import terminal_progress
from bellwether.common.time import day_of
from bellwether.portfolio.importing.columns import MappingError, map_columns, parse_pairs
from bellwether.portfolio.importing.kinds import ImportOptions, Kind
from bellwether.portfolio.importing.readers import Source, open_source
from bellwether.portfolio.importing.rejects import Rejects
from bellwether.portfolio.importing.services import KINDS, ImportCounts, import_records, map_source, record_import
from bellwether.portfolio.importing.values import Reading
from bellwether.usage.event_fields import EVENT_FIELDS
from bellwether.usage.import_marks import mark_scores_since
from bellwether.usage.importing import EventCounts, bulk_options, import_events, record_event_import
from bellwether.usage.kind_features import FEATURES
from bellwether.usage.pseudonyms import pseudonym
from bellwether.usage.services import roll_up_dirty
from bellwether.usage.workspace import workspace_lake

RECORD_KINDS: dict[str, Kind] = {kind.name: kind for kind in (*KINDS, FEATURES)}
KIND_NAMES = ("clients", "contacts", "events", "tickets", "surveys", "contracts", "outcomes", "activities", "features")
DEFAULT_SOURCE = "import"

Map = Annotated[
    list[str] | None,
    typer.Option("--map", help="THEIRS=OURS: their column is our field; THEIRS= leaves it out. Repeatable."),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="OURS=VALUE: every row gets this value, such as kind=CSAT. Repeatable."),
]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the operator asked for, checked."""

    source: Source
    maps: list[tuple[str, str]]
    constants: list[tuple[str, str]]
    reading: Reading
    dry_run: bool
    rejects: Path | None
    create_clients: bool
    event_source: str
    rollup: bool
    now: datetime


def import_file(
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(KIND_NAMES)}.")],
    file: Annotated[Path, typer.Argument(help="CSV, XLSX, JSON Lines or Parquet.", exists=True, dir_okay=False)],
    maps: Map = None,
    constants: Set = None,
    dry_run: Annotated[bool, typer.Option(help="Count and complain, but store nothing.")] = False,
    rejects: Annotated[Path | None, typer.Option(help="Where rejected rows go; default FILE.rejects.csv.")] = None,
    create_clients: Annotated[bool, typer.Option(help="Make a bare client for each unknown organization_id.")] = False,
    date_order: Annotated[str | None, typer.Option(help="dmy or mdy: how 03/04/2026 is meant.")] = None,
    decimal: Annotated[str, typer.Option(help="The mark before decimals where a number could mean both: . or ,")] = ".",
    csat_scale: Annotated[str, typer.Option(help="Lowest and highest CSAT answer, such as 1-5.")] = "0-100",
    time_zone: Annotated[str, typer.Option(help="Zone of times that name none.")] = "UTC",
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook; default the first.")] = None,
    source: Annotated[str, typer.Option(help="Events: system that the message ids come from.")] = DEFAULT_SOURCE,
    rollup: Annotated[bool, typer.Option(help="Events: bring the daily facts up to date afterwards.")] = True,
) -> None:
    """Import records of a KIND from FILE. Repeatable: rows are known by their natural keys (docs/how-to)."""
    if kind not in KIND_NAMES:
        raise typer.BadParameter(f"{kind!r} is none of {', '.join(KIND_NAMES)}.", param_hint="KIND")
    if not source.strip() or len(source) > 60:
        raise typer.BadParameter("needs 1 to 60 characters.", param_hint="--source")
    try:
        request = Request(
            source=open_source(file, sheet=sheet),
            maps=parse_pairs(maps or [], option="--map"),
            constants=parse_pairs(constants or [], option="--set"),
            reading=_reading(date_order, decimal, csat_scale, time_zone),
            dry_run=dry_run,
            rejects=rejects,
            create_clients=create_clients,
            event_source=source.strip(),
            rollup=rollup,
            now=timezone.now(),
        )
        counts = _import_events(request) if kind == "events" else _import_records(RECORD_KINDS[kind], request)
    except MappingError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(("Dry run, nothing stored: " if dry_run else "") + counts.line)
    if counts.rejected:
        raise typer.Exit(1)


def _reading(date_order: str | None, decimal: str, csat_scale: str, time_zone: str) -> Reading:
    if date_order not in {None, "dmy", "mdy"}:
        raise typer.BadParameter("needs dmy or mdy.", param_hint="--date-order")
    if decimal not in {".", ","}:
        raise typer.BadParameter("needs . or ,", param_hint="--decimal")
    low, _, high = csat_scale.partition("-")
    try:
        scale = (float(low), float(high))
    except ValueError:
        raise typer.BadParameter("needs LOWEST-HIGHEST, such as 1-5.", param_hint="--csat-scale") from None
    if not 0 <= scale[0] < scale[1] < float("inf"):
        raise typer.BadParameter("needs LOWEST-HIGHEST, such as 1-5.", param_hint="--csat-scale")
    try:
        zone = ZoneInfo(time_zone)
    except (KeyError, ValueError, OSError):
        raise typer.BadParameter("needs a name such as Europe/Berlin.", param_hint="--time-zone") from None
    order = cast(Literal["dmy", "mdy"] | None, date_order)
    return Reading(zone=zone, date_order=order, decimal=cast(Literal[".", ","], decimal), csat_scale=scale)


def _rejects(request: Request) -> Rejects:
    write = not request.dry_run or request.rejects is not None
    return Rejects(request.source.path, request.source.columns, chosen=request.rejects, write=write)


def _import_records(kind: Kind, request: Request) -> ImportCounts:
    zone: ZoneInfo = settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(request.now, zone)
    key: bytes = settings.BELLWETHER_PSEUDONYM_KEY
    mapping, notices = map_source(kind, request.source, maps=request.maps, constants=request.constants)
    if mapping.ignored:
        notices.append(f"Columns left out: {', '.join(mapping.ignored)}.")
    _say(notices)
    options = ImportOptions(
        now=request.now,
        today=today,
        reading=request.reading,
        dry_run=request.dry_run,
        create_clients=request.create_clients,
        pseudonym=lambda user_id: pseudonym(user_id, key),
    )
    with _rejects(request) as rejects, terminal_progress() as progress:
        counts = import_records(kind, request.source, mapping, options=options, rejects=rejects, progress=progress)
    if not request.dry_run:
        if counts.affected is not None:
            mark_scores_since(counts.affected, today, request.now)
        record_import(kind.name, request.source.path, counts, mapping, now=request.now)
    if counts.clients_created:
        _say([f"{counts.clients_created} bare clients made."])
    _say_rejects(rejects)
    return counts


def _import_events(request: Request) -> EventCounts:
    mapping = map_columns(request.source.columns, EVENT_FIELDS, given=request.maps, constants=request.constants)
    left_out = frozenset(
        column for theirs, ours in request.maps if not ours for column in mapping.ignored if column == theirs
    )
    name = request.source.path.name.split(".")[0]
    _say_events(mapping.given, name)
    options = bulk_options(
        mapping,
        left_out=left_out,
        source=request.event_source,
        now=request.now,
        pseudonym_key=settings.BELLWETHER_PSEUDONYM_KEY,
        service_pattern=settings.BELLWETHER_SERVICE_USER_PATTERN,
        event=name,
        zone=request.reading.zone,
        date_order=request.reading.date_order,
    )
    where: dict[str, Any] = {"lake": workspace_lake(), "zone": settings.BELLWETHER_WORKSPACE_ZONE}
    with _rejects(request) as rejects, terminal_progress() as progress:
        counts = import_events(
            request.source, options=options, dry_run=request.dry_run, rejects=rejects, progress=progress, **where
        )
        if not request.dry_run:
            record_event_import(request.source.path.name, counts, mapping, source=request.event_source, now=request.now)
            if request.rollup:
                roll_up_dirty(now=request.now, progress=progress, wait_seconds=600)
    if counts.unassigned:
        _say(
            [f"{counts.unassigned} events name no client and no user whose client is known: kept, but counted nowhere."]
        )
    _say_rejects(rejects)
    return counts


def _say_events(given: frozenset[str], name: str) -> None:
    if "event" not in given:
        _say([f"No column names the event: every row becomes {name!r} (choose with --set event=NAME)."])
    if not given & {"user_id", "anonymous_id"}:
        _say(["No column names the user: these events count as activity, but for no active user."])


def _say(notices: list[str]) -> None:
    for notice in notices:
        typer.echo(notice, err=True)


def _say_rejects(rejects: Rejects) -> None:
    if not rejects.count:
        return
    for reject in rejects.first:
        typer.echo(str(reject), err=True)
    for reason, count in rejects.tally.most_common(10):
        typer.echo(f"{count} × {reason}", err=True)
    if rejects.path is not None:
        typer.echo(f"Rejected rows with their reasons: {rejects.path}", err=True)
