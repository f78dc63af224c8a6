"""Erases a person from the files of the lake: the pseudonym becomes another, random one, and nothing leads back.

Every step replaces whole files and finds nothing to do where it was done before, so a run that was killed is simply
done again. Facts keep their numbers: who it was is all that changes.
"""

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from hashlib import blake2b

import polars as pl

from bellwether.common.progress import Progress
from bellwether.usage.facts import KINDS, facts_path, read_month, remove_made_rows, store_month, stored_months
from bellwether.usage.ids import RecentIds, hashed_ids
from bellwether.usage.lake import EVENT_SCHEMA, Lake, LakePath, write_part
from bellwether.usage.lake_locks import landing_lock

ID_LENGTH = 32
TIDY_AFTER = 32


@dataclass(frozen=True)
class CountedProperties:
    """Properties that are counted, and so stay: of an event by name (labels), and of any event (custom measures)."""

    by_event: Mapping[str, str] = field(default_factory=dict)
    of_any: frozenset[str] = frozenset()

    def keep(self, event: str, properties: str | None) -> str | None:
        """Return of the JSON `properties` of `event` what is counted, null if nothing is."""
        try:
            given = json.loads(properties) if properties else None
        except ValueError:
            given = None
        if not isinstance(given, dict):
            return None
        names = self.of_any | ({self.by_event[event]} if event in self.by_event else set())
        kept = {name: value for name, value in given.items() if name in names}
        return json.dumps(kept, ensure_ascii=False, separators=(",", ":")) if kept else None


@dataclass(frozen=True)
class Substitution:
    """What becomes of the person `user_key`. `secret` keys the new message ids: copies of a message get the same one,
    and once it is forgotten nothing leads from the new id to the old."""

    user_key: str
    replacement: str
    secret: bytes
    counted: CountedProperties

    def message_id(self, source: str, message_id: str) -> str:
        """Return the new id of a message."""
        digest = hmac.digest(self.secret, f"{source}\x1f{message_id}".encode("utf-8", "surrogatepass"), "sha256")
        return f"erased-{digest.hex()[:ID_LENGTH]}"

    @property
    def theirs(self) -> pl.Expr:
        """Return whether a row is the person's."""
        return pl.col("user_key") == self.user_key

    def in_rows(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return `rows` with the replacement as the person's key."""
        key = pl.when(self.theirs).then(pl.lit(self.replacement)).otherwise(pl.col("user_key"))
        return rows.with_columns(key.alias("user_key"))


@dataclass(frozen=True)
class Erased:
    """Events that changed and the parts that held them, rows of facts that changed and the files that held them."""

    events: int = 0
    parts: int = 0
    fact_rows: int = 0
    fact_files: int = 0

    def __add__(self, other: "Erased") -> "Erased":
        return Erased(
            self.events + other.events,
            self.parts + other.parts,
            self.fact_rows + other.fact_rows,
            self.fact_files + other.fact_files,
        )


def count_person(lake: Lake, user_key: str, *, progress: Progress) -> Erased:
    """Return what an erasure of `user_key` would change; nothing is written."""
    days = lake.event_dates()
    progress.start(f"Looking through the events of {len(days):,} days", len(days))
    found = Erased()
    for day in days:
        for _, events in _parts_with(lake, day, user_key):
            found += Erased(events=events, parts=1)
        progress.advance()
    for path in _tallies(lake):
        found += _counted(lake.read(path), user_key)
    for kind in _kinds():
        for month in stored_months(lake, kind):
            found += _counted(read_month(lake, kind, month), user_key)
    return found


def erase_events(
    lake: Lake,
    person: Substitution,
    *,
    index: RecentIds,
    now: datetime,
    progress: Progress,
    note: Callable[[Erased], None],
) -> None:
    """Replace the person in all events of the `lake`; `note` is told after each part.

    The ids that vanish are remembered in the `index` as received `now`, so that a late copy of one of these messages is
    still dropped for 30 days. Only for the process that holds the rollup's lock.
    """
    days = lake.event_dates()
    progress.start(f"Erasing from the events of {len(days):,} days", len(days))
    for day in days:
        # Found without the lock, which landings wait for; what lands meanwhile came after the erasure was asked for.
        if _parts_with(lake, day, person.user_key):
            with landing_lock(lake):
                lake.sweep(lake.events_of(day))
                for path, events in _parts_with(lake, day, person.user_key):
                    _erase_part(lake, path, person, index, now)
                    note(Erased(events=events, parts=1))
        progress.advance()
    with landing_lock(lake):
        index.tidy()


def erase_facts(lake: Lake, person: Substitution, *, progress: Progress) -> Erased:
    """Replace the person in all facts and return what changed. Only for the process that holds the rollup's lock.

    What was made of facts goes with it, to be made again: when a champion was last seen is about one person.
    """
    remove_made_rows(lake)
    months = [(kind, month) for kind in _kinds() for month in stored_months(lake, kind)]
    tallies = _tallies(lake)
    progress.start(f"Erasing from {len(months) + len(tallies):,} files of facts", len(months) + len(tallies))
    done = Erased()
    for kind, month in months:
        path = facts_path(lake, kind, month)
        lake.sweep(path.parent)
        rows = read_month(lake, kind, month)
        found = _counted(rows, person.user_key)
        if found.fact_rows:
            store_month(lake, kind, month, person.in_rows(rows))
            lake.forget_copies(path)
            done += found
        progress.advance()
    for path in tallies:
        rows = lake.read(path)
        found = _counted(rows, person.user_key)
        if found.fact_rows:
            write_part(person.in_rows(rows).to_arrow(), path)
            lake.forget_copies(path)
            done += found
        progress.advance()
    return done


def _erase_part(lake: Lake, path: LakePath, person: Substitution, index: RecentIds, now: datetime) -> None:
    """Write the part anew under another name, then remove it: whoever lands the old name again, as a repeated import
    does, must neither bring the person back nor take away what the person did. In between the person's events lie there
    twice, which no rollup sees (usage.erasure)."""
    rows = lake.read(path)
    theirs = rows.filter(person.theirs)
    keys = hashed_ids(theirs["source"], theirs["message_id"]).with_columns(received_at=pl.lit(now))
    name = blake2b(f"{path.parent.name}/{path.name}".encode(), key=person.secret, digest_size=12).hexdigest()
    index.add(keys, part=f"erased-{name}")
    ids = [person.message_id(*message) for message in theirs.select("source", "message_id").iter_rows()]
    kept = [person.counted.keep(*given) for given in theirs.select("event", "properties").iter_rows()]
    changed = person.in_rows(theirs).with_columns(
        pl.Series("message_id", ids, dtype=pl.String), pl.Series("properties", kept, dtype=pl.String)
    )
    others = rows.filter(person.theirs.not_() | pl.col("user_key").is_null())
    ordered = pl.concat([others, changed]).sort("ts", "source", "message_id").select(EVENT_SCHEMA.names)
    write_part(ordered.to_arrow().cast(EVENT_SCHEMA), path.with_name(f"erased-{name}.parquet"))
    lake.remove([path])
    lake.forget_copies(path)


def _parts_with(lake: Lake, day: date, user_key: str) -> list[tuple[LakePath, int]]:
    """Return the parts of `day` that hold events of `user_key`, with how many."""
    found = []
    for path, _ in lake.parts_of(day):
        mine = lake.scan([path]).filter(pl.col("user_key") == user_key).select(pl.len()).collect().item()
        if mine:
            found.append((path, int(mine)))
    return found


def _counted(rows: pl.DataFrame, user_key: str) -> Erased:
    mine = rows.filter(pl.col("user_key") == user_key).height
    return replace(Erased(), fact_rows=mine, fact_files=int(mine > 0))


def _kinds() -> list[str]:
    return [kind for kind, schema in KINDS.items() if "user_key" in schema]


def _tallies(lake: Lake) -> list[LakePath]:
    """Return the files of what warehouses counted (usage.tallies), which name users too."""
    root = lake.root / "tallies"
    return [
        path
        for source in lake.folders(root)
        for day in lake.folders(root / source)
        for path, _ in lake.files(root / source / day)
    ]
