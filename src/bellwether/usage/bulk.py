"""From the rows of a foreign file to normalised events, a whole batch at once.

Pure: the clock, the key of the pseudonyms and the pattern of service users are arguments. People are pseudonymised and
personal data is dropped here, before anything is written.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from hashlib import blake2b, sha256

import numpy as np
import polars as pl
import pyarrow as pa

from bellwether.portfolio.importing.values import EMPTY_WORDS, NO, YES
from bellwether.usage.bulk_times import DateOrder, instants
from bellwether.usage.lake import EVENT_SCHEMA
from bellwether.usage.occurrences import Occurrences
from bellwether.usage.pseudonyms import pseudonyms
from bellwether.usage.scrub import is_personal_key, scrub_text
from bellwether.usage.skew import INSTANT, corrected_expr

TYPES = ("track", "identify", "group", "page", "screen", "alias")
LONGEST_NAME = 200
LONGEST_ROLE = 80
LONGEST_ID = 100
TEXT_FIELDS = ("organization_id", "user_id", "anonymous_id", "type", "event", "module", "feature", "role", "message_id")
TIME_FIELDS = ("ts", "received_at", "sent_at")


@dataclass(frozen=True, kw_only=True)
class BulkOptions:
    """How events are read. `columns`: our field → their column. `constants`: our field → one value for every row.
    `left_out`: columns that are not even kept as properties. `event` names track events without a name."""

    columns: Mapping[str, str]
    source: str
    now: datetime
    pseudonym_key: bytes
    service_pattern: str
    event: str
    constants: Mapping[str, str] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    zone: tzinfo = UTC
    date_order: DateOrder = None


@dataclass(frozen=True)
class Normalised:
    """`events` have the columns of EVENT_SCHEMA. `refused`: position in the batch and reason, ascending."""

    events: pa.Table
    refused: list[tuple[int, str]]


def normalise(frame: pl.DataFrame, options: BulkOptions, seen: Occurrences) -> Normalised:
    """Return the rows of `frame` as events, and those that cannot be events with the reasons.

    Rows without a message id get one made of their content and of how many equal rows stood before them in the file,
    which `seen` remembers from batch to batch: the same file gives the same ids, and equal rows stay different events.
    """
    texts = {name: _text(frame, name, options) for name in TEXT_FIELDS}
    times = {name: _time(frame, name, options) for name in TIME_FIELDS}
    refusals = _refusals(frame, texts, times, options)
    work = pl.DataFrame([s.alias(n) for n, s in (texts | times).items()]).with_columns(
        user=pl.coalesce("user_id", "anonymous_id"),
        type=pl.col("type").str.to_lowercase().fill_null("track"),
        received_at=pl.min_horizontal(pl.col("received_at").fill_null(options.now), pl.lit(options.now)).cast(INSTANT),
    )
    corrected = corrected_expr(received_at=pl.col("received_at"), sent_at=pl.col("sent_at"), original_ts=pl.col("ts"))
    work = work.with_columns(original_ts=pl.col("ts"), ts=corrected)
    refusals.append(_reasons(work["ts"].is_null() & work["original_ts"].is_not_null(), "ts lies before 1970"))
    reasons = pl.DataFrame([s.alias(str(i)) for i, s in enumerate(refusals)]).select(
        pl.concat_str(pl.all(), separator="; ", ignore_nulls=True)
    )
    refused = [(i, reason) for i, reason in enumerate(reasons.to_series().to_list()) if reason]
    work = work.with_columns(
        user_key=pseudonyms(work["user"], options.pseudonym_key),
        is_service=_service(frame, work["user"], options),
        message_id=_message_ids(frame, work["message_id"], options, seen),
        event=_event_names(work, options),
        properties=_properties(frame, options),
        source=pl.lit(options.source),
        organization_id=pl.col("organization_id").fill_null(""),
    )
    labels = {name: _cleaned(work[name], most) for name, most in _LABELS.items()}
    kept = work.with_columns(**labels).with_row_index("\x00i").filter(~pl.col("\x00i").is_in([i for i, _ in refused]))
    return Normalised(kept.select(EVENT_SCHEMA.names).to_arrow().cast(EVENT_SCHEMA), refused)


_LABELS = {"event": LONGEST_NAME, "module": LONGEST_NAME, "feature": LONGEST_NAME, "role": LONGEST_ROLE}


def _text(frame: pl.DataFrame, name: str, options: BulkOptions) -> pl.Series:
    """Return the column of a field as trimmed text, empty words as null; whole floats without their .0."""
    if name in options.constants:
        return pl.Series(name, [options.constants[name] or None] * frame.height, dtype=pl.String)
    if name not in options.columns:
        return pl.Series(name, [None] * frame.height, dtype=pl.String)
    column = frame[options.columns[name]]
    if column.dtype.is_float() and (column.drop_nulls() == column.drop_nulls().round()).all():
        column = column.cast(pl.Int64, strict=False)
    text = column.cast(pl.String).str.replace_all("\x00", "", literal=True).str.strip_chars()
    empty = text.str.to_lowercase().is_in(list(EMPTY_WORDS))
    return text.set(empty.fill_null(False), None).alias(name)


def _time(frame: pl.DataFrame, name: str, options: BulkOptions) -> pl.Series:
    if name in options.constants:
        constant = pl.Series(name, [options.constants[name]], dtype=pl.String)
        return instants(constant, zone=options.zone, order=options.date_order).new_from_index(0, frame.height)
    if name not in options.columns:
        return pl.Series(name, [None] * frame.height, dtype=INSTANT)
    return instants(frame[options.columns[name]], zone=options.zone, order=options.date_order).alias(name)


def _refusals(
    frame: pl.DataFrame, texts: dict[str, pl.Series], times: dict[str, pl.Series], options: BulkOptions
) -> list[pl.Series]:
    """Return one column of reasons a rule, null where the row keeps it."""
    kind = texts["type"].str.to_lowercase()
    found = [
        _reasons(
            ~kind.is_in(TYPES).fill_null(True), pl.lit("type '") + texts["type"] + f"' is none of {', '.join(TYPES)}"
        ),
        _reasons(
            (texts["organization_id"].str.len_chars() > LONGEST_NAME).fill_null(False),
            "organization_id is longer than 200 characters",
        ),
        _reasons(
            (kind == "group").fill_null(False) & texts["organization_id"].is_null(),
            "organization_id is empty, which a group event must name",
        ),
    ]
    for name in TIME_FIELDS:
        if name not in options.columns:
            continue
        cells = frame[options.columns[name]].cast(pl.String).str.strip_chars()
        empty = (cells.is_null() | cells.str.to_lowercase().is_in(list(EMPTY_WORDS))).fill_null(True)
        if name == "ts":
            found.append(_reasons(empty, f"ts ({options.columns[name]}) is empty"))
        bad = ~empty & times[name].is_null()
        named = name if options.columns[name] == name else f"{name} (column {options.columns[name]})"
        found.append(_reasons(bad, pl.lit(f"{named} '") + cells.str.slice(0, 60) + "' is not a time"))
    return found


def _reasons(mask: pl.Series, reason: "str | pl.Expr") -> pl.Series:
    text = pl.lit(reason) if isinstance(reason, str) else reason
    return pl.select(pl.when(mask).then(text)).to_series()


def _service(frame: pl.DataFrame, users: pl.Series, options: BulkOptions) -> pl.Series:
    """Return whether each user is a service user: by the file's own column, or by the pattern of ids."""
    search = re.compile(options.service_pattern).search
    ids = [user for user in users.drop_nulls().unique() if search(user)]
    service = users.is_in(ids).fill_null(False)
    if (column := options.columns.get("is_service")) is not None:
        said = frame[column]
        if said.dtype != pl.Boolean:
            said = said.cast(pl.String).str.strip_chars().str.to_lowercase().is_in(list(YES))
        service = service | said.fill_null(False)
    elif options.constants.get("is_service", "").lower() in YES - NO:
        service = pl.Series([True] * frame.height, dtype=pl.Boolean)
    return service


def _message_ids(frame: pl.DataFrame, given: pl.Series, options: BulkOptions, seen: Occurrences) -> pl.Series:
    long = given.filter(((given.str.len_chars() > LONGEST_ID) | given.str.contains("@", literal=True)).fill_null(False))
    if len(long):
        names = long.unique()
        given = given.replace(names, pl.Series([sha256(name.encode()).hexdigest() for name in names]))
    lacking = given.is_null()
    if not lacking.any():
        return given
    derived = _derived_ids(frame.filter(lacking), options, seen)
    if lacking.all():
        return derived.alias(given.name)
    place = lacking.cum_sum().cast(pl.Int64) - 1
    return given.zip_with(~lacking, derived.gather(place.clip(0)))


def _derived_ids(frame: pl.DataFrame, options: BulkOptions, seen: Occurrences) -> pl.Series:
    skipped = {options.columns.get(name) for name in ("message_id", "received_at", "sent_at")}
    names = sorted(name for name in frame.columns if name not in skipped and name not in options.left_out)
    constants = "\x1e".join(f"{name}={value}" for name, value in sorted(options.constants.items()))
    parts = [pl.lit(constants), *(pl.col(name).cast(pl.String).fill_null("\x00") for name in names)]
    content = frame.select(_as_text(frame, names)).select(pl.concat_str(parts, separator="\x1f")).to_series()
    digests = [blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in content]
    keys = np.frombuffer(b"".join(digests), dtype="<u8").reshape(-1, 2)[:, 0]
    here = pl.Series("k", keys).to_frame().select(pl.int_range(pl.len()).over("k")).to_series()
    count = here + pl.Series(seen.before(keys).astype(np.int64))
    ids = pl.DataFrame({"id": [digest.hex() for digest in digests], "n": count})
    repeated = pl.format("{}-{}", "id", "n")
    return ids.select(pl.when(pl.col("n") > 0).then(repeated).otherwise(pl.col("id"))).to_series()


def _event_names(work: pl.DataFrame, options: BulkOptions) -> pl.Series:
    """Return the names of events: those given; without one track events get the default, the others their type."""
    unnamed = pl.when(pl.col("type") == "track").then(pl.lit(options.event)).otherwise(pl.col("type"))
    nameless_types = pl.col("type").is_in(["identify", "group", "alias"])
    return work.select(
        pl.when(nameless_types).then(pl.col("type")).otherwise(pl.coalesce("event", unnamed)).alias("event")
    ).to_series()


def _cleaned(labels: pl.Series, most: int) -> pl.Series:
    """Return labels without personal data and cut to `most` characters; each distinct label is looked at once."""
    known = labels.drop_nulls().unique()
    clean = pl.Series([scrub_text(label)[:most] for label in known], dtype=pl.String)
    return labels.replace_strict(known, clean, default=None, return_dtype=pl.String)


def property_columns(columns: Iterable[str], options: BulkOptions) -> list[str]:
    """Return the columns that become properties: those that are no field of ours, not left out, and nobody's datum."""
    used = set(options.columns.values())
    free = [c for c in columns if c not in used and c not in options.left_out]
    return [c for c in free if not is_personal_key(_property_name(c)) and not is_personal_key(c.rpartition(".")[2])]


def _property_name(column: str) -> str:
    return re.sub(r"^(properties|traits)\.", "", column)


def _properties(frame: pl.DataFrame, options: BulkOptions) -> pl.Series:
    """Return the properties as JSON objects without empty values; null where none is left."""
    names = property_columns(frame.columns, options)
    if not names:
        return pl.Series("properties", [None] * frame.height, dtype=pl.String)
    cleaned = [_property(frame[name]).alias(_property_name(name)) for name in names]
    encoded = pl.DataFrame(cleaned).select(pl.struct(pl.all()).struct.json_encode()).to_series()
    # Inside a JSON text a quote is always escaped, so these patterns meet whole members only.
    encoded = encoded.str.replace_all(r',"(?:[^"\\]|\\.)*":null', "")
    encoded = encoded.str.replace(r'^\{"(?:[^"\\]|\\.)*":null,?', "{")
    return encoded.set(encoded == "{}", None)


def _property(column: pl.Series) -> pl.Series:
    if column.dtype == pl.String:
        text = column.str.replace_all("\x00", "", literal=True)
        text = text.set((text.str.strip_chars() == "").fill_null(False), None)
        return _cleaned(text, 2_000)
    if column.dtype.is_temporal() or isinstance(column.dtype, pl.Decimal | pl.Binary):
        return column.cast(pl.String, strict=False)
    if column.dtype.is_float():
        return column.set(~column.is_finite().fill_null(False), None)
    return column


def _as_text(frame: pl.DataFrame, names: list[str]) -> list[pl.Expr]:
    nested = {n for n in names if isinstance(frame.schema[n], pl.List | pl.Array)}
    return [pl.struct(n).struct.json_encode().alias(n) if n in nested else pl.col(n).cast(pl.String) for n in names]
