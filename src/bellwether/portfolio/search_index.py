"""The index of the words of clients and their records, kept by triggers of the database (docs/adr/0030).

One row of `portfolio_searchentry` for each record that can be found. SQLite has its words in an FTS5 table, PostgreSQL
in a tsvector column. Triggers on the records keep the rows, so that bulk imports and hand-written SQL are covered too.

Django remakes tables on SQLite, which loses triggers and refuses those that name a table that is away for a moment:
so they are taken away before migrations and made again, with the whole index, afterwards.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

ENTRIES, WORDS = "portfolio_searchentry", "portfolio_searchwords"
COLUMNS = "kind, object_id, client_id, author_id, title, body, scope"
TAGS = (
    "(SELECT {agg}(t.name, ' ') FROM portfolio_client_tags ct JOIN portfolio_tag t ON t.id = ct.tag_id "
    "WHERE ct.client_id = {row}.id)"
)


@dataclass(frozen=True)
class Document:
    """A kind of record that can be found: its table, what is looked for first (`title`) and next (`body`) as SQL over
    {row}, which rows (`kept`), and the columns that matter."""

    kind: str
    table: str
    title: str
    body: str
    columns: tuple[str, ...]
    kept: str = ""
    client: str = "{row}.client_id"
    author: str = "NULL"


LIST_WORDS = {
    "sqlite": "(SELECT group_concat(value, ' ') FROM json_each({row}.tags))",
    "postgresql": "CASE WHEN jsonb_typeof({row}.tags) = 'array' THEN (SELECT string_agg(value, ' ') "
    "FROM jsonb_array_elements_text({row}.tags)) END",
}
AGGREGATE = {"sqlite": "group_concat", "postgresql": "string_agg"}
DOCUMENTS = (
    Document(
        "client",
        "portfolio_client",
        "{row}.name",
        "{row}.organization_id || ' ' || COALESCE({tags}, '')",
        ("name", "organization_id", "archived_at"),
        "{row}.archived_at IS NULL",
        "{row}.id",
    ),
    Document(
        "contact",
        "portfolio_contact",
        "{row}.name",
        "{row}.title",
        ("name", "title", "client_id", "archived_at"),
        "{row}.archived_at IS NULL",
    ),
    Document(
        "note",
        "portfolio_note",
        "{row}.title",
        "{row}.content",
        ("title", "content", "client_id", "is_private", "created_by_id", "archived_at"),
        "{row}.archived_at IS NULL",
        author="CASE WHEN {row}.is_private THEN {row}.created_by_id END",
    ),
    Document(
        "activity",
        "portfolio_activity",
        "{row}.subject",
        "{row}.description || ' ' || {row}.outcome_notes || ' ' || {row}.next_steps || ' ' || {row}.label || ' ' || "
        "REPLACE({row}.activity_type, '_', ' ') || ' ' || COALESCE({words}, '')",
        (
            "subject",
            "description",
            "outcome_notes",
            "next_steps",
            "label",
            "activity_type",
            "tags",
            "client_id",
            "archived_at",
        ),
        "{row}.archived_at IS NULL",
    ),
    Document(
        "ticket",
        "portfolio_supportticket",
        "{row}.external_id || ' ' || {row}.subject",
        "''",
        ("subject", "external_id", "client_id"),
    ),
    Document(
        "answer",
        "portfolio_surveyresponse",
        "{row}.kind",
        "{row}.comment",
        ("kind", "comment", "client_id"),
    ),
)
FOLD = """CREATE OR REPLACE FUNCTION portfolio_search_fold(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT regexp_replace(
  lower(normalize(regexp_replace(normalize(value, NFD), '[\\u0300-\\u036f]+', '', 'g'), NFC)),
  '[\\u0001-\\u002f\\u003a-\\u0040\\u005b-\\u0060\\u007b-\\u00a9\\u00ab-\\u00b4\\u00b6-\\u00b9\\u00bb-\\u00bf\\u2000-\\u206f]+',
  ' ', 'g') $$"""
# A tsvector holds at most a megabyte; nobody looks for the end of such a text.
POSTGRESQL_WORDS = f"""ALTER TABLE {ENTRIES} ADD COLUMN IF NOT EXISTS words tsvector GENERATED ALWAYS AS (
  setweight(to_tsvector('simple'::regconfig, portfolio_search_fold(left(title, 2000))), 'A') ||
  setweight(to_tsvector('simple'::regconfig, portfolio_search_fold(left(body, 100000))), 'B')) STORED"""
SQLITE_WORDS = (
    f"CREATE VIRTUAL TABLE IF NOT EXISTS {WORDS} USING fts5(title, body, scope, content='{ENTRIES}', "
    "content_rowid='id', tokenize='unicode61 remove_diacritics 2', prefix='1 2 3')"
)


def installed(connection: BaseDatabaseWrapper) -> bool:
    """Return whether the table of the index is in this database; it is in the main one only."""
    return ENTRIES in connection.introspection.table_names()


def missing(connection: BaseDatabaseWrapper) -> set[str]:
    """Return the names of triggers that should keep the index and are not there."""
    if connection.vendor == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
    with connection.cursor() as cursor:
        cursor.execute(query)
        present = {str(row[0]) for row in cursor.fetchall()}
    return {name for name, _, _ in _triggers(connection.vendor)} - present


def ensure(connection: BaseDatabaseWrapper) -> bool:
    """Make triggers and index if they are not whole; return whether something was made."""
    if not installed(connection) or not missing(connection):
        return False
    rebuild(connection)
    return True


def rebuild(connection: BaseDatabaseWrapper | None = None) -> dict[str, int]:
    """Make the triggers and the whole index anew, in one transaction; return how many records of each kind it holds."""
    used: Any = connection or connections["default"]
    remove(used)
    with transaction.atomic(using=used.alias), used.cursor() as cursor:
        if used.vendor == "sqlite":
            cursor.execute(f"DROP TABLE IF EXISTS {WORDS}")
        else:
            cursor.execute(FOLD)
            cursor.execute(POSTGRESQL_WORDS)
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {ENTRIES}_words ON {ENTRIES} USING gin (words)")
            cursor.execute(f"LOCK TABLE {ENTRIES} IN SHARE ROW EXCLUSIVE MODE")
        _install(cursor, used.vendor, before=True)
        cursor.execute(f"DELETE FROM {ENTRIES}")
        for document in DOCUMENTS:
            cursor.execute(_insert(document, used.vendor, "r", f"FROM {document.table} r"))
        if used.vendor == "sqlite":
            cursor.execute(SQLITE_WORDS)
            cursor.execute(f"INSERT INTO {WORDS}({WORDS}) VALUES ('rebuild')")
        _install(cursor, used.vendor, before=False)
        cursor.execute(f"SELECT kind, COUNT(*) FROM {ENTRIES} GROUP BY kind")
        counts = dict(cursor.fetchall())
    return {document.kind: counts.get(document.kind, 0) for document in DOCUMENTS}


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers away; `ensure` makes them and the index again."""
    with connection.cursor() as cursor:
        for name, table, _ in _triggers(connection.vendor):
            cursor.execute(
                f"DROP TRIGGER IF EXISTS {name}"
                if connection.vendor == "sqlite"
                else f"DROP TRIGGER IF EXISTS {name} ON {table}"
            )


def differences(connection: BaseDatabaseWrapper) -> dict[str, tuple[int, int]]:
    """Return (records, records in the index) of each kind where the two differ."""
    found = {}
    with connection.cursor() as cursor:
        for document in DOCUMENTS:
            where = f" WHERE {document.kept.format(row='r')}" if document.kept else ""
            cursor.execute(f"SELECT COUNT(*) FROM {document.table} r{where}")
            records = int(cursor.fetchone()[0])
            cursor.execute(f"SELECT COUNT(*) FROM {ENTRIES} WHERE kind = %s", [document.kind])
            entries = int(cursor.fetchone()[0])
            if records != entries:
                found[document.kind] = (records, entries)
    return found


def _install(cursor: Any, vendor: str, *, before: bool) -> None:
    """Make the triggers: on PostgreSQL before the rows are read, because others write meanwhile; on SQLite nobody can,
    and each row would be indexed on its own."""
    if before != (vendor == "postgresql"):
        return
    if vendor == "postgresql":
        for statement in _functions():
            cursor.execute(statement)
    for _, _, statement in _triggers(vendor):
        cursor.execute(statement)


def _expressions(document: Document, vendor: str, row: str) -> tuple[str, str, str, str]:
    """Return client, author, title and body of a row as SQL."""
    tags = TAGS.format(agg=AGGREGATE[vendor], row=row)
    values = {"row": row, "tags": tags, "words": LIST_WORDS[vendor].format(row=row)}
    return (
        document.client.format(**values),
        document.author.format(**values),
        document.title.format(**values),
        document.body.format(**values),
    )


def _insert(document: Document, vendor: str, row: str, source: str = "") -> str:
    client, author, title, body = _expressions(document, vendor, row)
    plain = "REPLACE(CAST({0} AS text), '-', '')"
    scope = (
        f"'k{document.kind} c' || {plain.format(client)} || ' ' || COALESCE('u' || {plain.format(author)}, 'everyone')"
    )
    where = f" WHERE {document.kept.format(row=row)}" if document.kept else ""
    object_id, owner = f"{row}.id", author
    if vendor == "postgresql" and author == "NULL":
        owner = "NULL::uuid"
        scope = scope.replace("CAST(NULL AS text)", "NULL::text")
    return (
        f"INSERT INTO {ENTRIES} ({COLUMNS}) "
        f"SELECT '{document.kind}', {object_id}, {client}, {owner}, {title}, {body}, {scope} {source}{where}"
    )


def _triggers(vendor: str) -> Iterator[tuple[str, str, str]]:
    """Yield name, table and statement of every trigger."""
    yield from _sqlite_triggers() if vendor == "sqlite" else _postgresql_triggers()


def _changed(document: Document, differs: str) -> str:
    return " OR ".join(f"OLD.{column} {differs} NEW.{column}" for column in document.columns)


def _sqlite_triggers() -> Iterator[tuple[str, str, str]]:
    fields, new, old = "rowid, title, body, scope", "NEW.id, NEW.title, NEW.body, NEW.scope", ""
    old = new.replace("NEW", "OLD")
    add = f"INSERT INTO {WORDS}({fields}) VALUES ({new});"
    take = f"INSERT INTO {WORDS}({WORDS}, {fields}) VALUES ('delete', {old});"
    for event, body in (("INSERT", add), ("DELETE", take), ("UPDATE", take + add)):
        name = f"{ENTRIES}_{event.lower()}"
        yield name, ENTRIES, f"CREATE TRIGGER {name} AFTER {event} ON {ENTRIES} BEGIN {body} END"
    for document in DOCUMENTS:
        take = f"DELETE FROM {ENTRIES} WHERE kind = '{document.kind}' AND object_id = OLD.id;"
        add = _insert(document, "sqlite", "NEW") + ";"
        events = {
            "insert": ("INSERT", "", add),
            "delete": ("DELETE", "", take),
            "update": (f"UPDATE OF {', '.join(document.columns)}", f" WHEN {_changed(document, 'IS NOT')}", take + add),
        }
        for event, (what, when, body) in events.items():
            name = f"portfolio_search_{document.kind}_{event}"
            statement = f"CREATE TRIGGER {name} AFTER {what} ON {document.table} FOR EACH ROW{when} BEGIN {body} END"
            yield name, document.table, statement
    for event, row in (("insert", "NEW"), ("delete", "OLD")):
        name = f"portfolio_search_tags_{event}"
        change = _tagged("sqlite", f"{row}.client_id")
        statement = f"CREATE TRIGGER {name} AFTER {event.upper()} ON portfolio_client_tags BEGIN {change}; END"
        yield name, "portfolio_client_tags", statement
    name = "portfolio_search_tag_named"
    change = _tagged("sqlite", "(SELECT client_id FROM portfolio_client_tags WHERE tag_id = NEW.id)", "IN")
    yield name, "portfolio_tag", f"CREATE TRIGGER {name} AFTER UPDATE OF name ON portfolio_tag BEGIN {change}; END"


def _tagged(vendor: str, client: str, compared: str = "=") -> str:
    """Return the statement that reads the words of clients anew whose tags changed."""
    body = _expressions(DOCUMENTS[0], vendor, "c")[3]
    return (
        f"UPDATE {ENTRIES} SET body = (SELECT {body} FROM portfolio_client c WHERE c.id = {ENTRIES}.object_id) "
        f"WHERE kind = 'client' AND object_id {compared} {client}"
    )


def _functions() -> Iterator[str]:
    """Yield the functions of PostgreSQL that the triggers call."""
    frame = (
        "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$"
    )
    for document in DOCUMENTS:
        take = f"DELETE FROM {ENTRIES} WHERE kind = '{document.kind}' AND object_id = OLD.id;"
        add = _insert(document, "postgresql", "NEW") + ";"
        body = f"IF TG_OP <> 'INSERT' THEN {take} END IF; IF TG_OP <> 'DELETE' THEN {add} END IF;"
        yield frame.format(name=f"portfolio_search_{document.kind}", body=body)
    new, old = _tagged("postgresql", "NEW.client_id"), _tagged("postgresql", "OLD.client_id")
    body = f"IF TG_OP = 'INSERT' THEN {new}; ELSE {old}; END IF;"
    yield frame.format(name="portfolio_search_tags", body=body)
    change = _tagged("postgresql", "(SELECT client_id FROM portfolio_client_tags WHERE tag_id = NEW.id)", "IN")
    yield frame.format(name="portfolio_search_tag", body=f"{change};")


def _postgresql_triggers() -> Iterator[tuple[str, str, str]]:
    def made(name: str, when: str, table: str, condition: str, function: str) -> tuple[str, str, str]:
        statement = (
            f"CREATE TRIGGER {name} AFTER {when} ON {table} FOR EACH ROW{condition} EXECUTE FUNCTION {function}()"
        )
        return name, table, statement

    for document in DOCUMENTS:
        function = f"portfolio_search_{document.kind}"
        yield made(f"{function}_made", "INSERT OR DELETE", document.table, "", function)
        changed = f" WHEN ({_changed(document, 'IS DISTINCT FROM')})"
        yield made(f"{function}_update", f"UPDATE OF {', '.join(document.columns)}", document.table, changed, function)
    yield made("portfolio_search_tags_set", "INSERT OR DELETE", "portfolio_client_tags", "", "portfolio_search_tags")
    yield made("portfolio_search_tag_named", "UPDATE OF name", "portfolio_tag", "", "portfolio_search_tag")
