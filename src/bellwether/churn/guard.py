"""Triggers that keep predictions and versions of the churn model as they were stored, on SQLite and on PostgreSQL.

A prediction is never updated. It may be removed only where an earlier one of the same client, version and ISO week
stays, or where its client is noted as removed. Of a version only the state changes. The triggers are made after each
migration, because SQLite drops them with a table that is remade (docs/adr/0049).
"""

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

PREDICTIONS, VERSIONS, REMOVALS = "churn_churnprediction", "churn_churnmodel", "churn_predictionremoval"
NO_CHANGE = "A churn prediction stays as it was made"
NO_VERSION_CHANGE = "A version of the churn model stays as it was trained"
KEPT = (
    "id", "version", "kind", "trained_at", "first_as_of", "last_as_of", "rows", "clients", "churned_clients",
    "feature_version", "data_digest", "parameters", "card", "reason", "seconds",
)  # fmt: skip
"""Columns of a version that never change."""
REMOVABLE = (
    f"EXISTS (SELECT 1 FROM {REMOVALS} r WHERE r.client_id = OLD.client_id) OR EXISTS (SELECT 1 FROM {PREDICTIONS} p "
    "WHERE p.client_id = OLD.client_id AND p.model_id = OLD.model_id AND p.as_of < OLD.as_of AND p.as_of >= {monday})"
)


def installed(connection: BaseDatabaseWrapper) -> bool:
    """Return whether the tables are in this database."""
    return {PREDICTIONS, VERSIONS, REMOVALS} <= set(connection.introspection.table_names())


def install(connection: BaseDatabaseWrapper) -> None:
    """Make the triggers; doing it again changes nothing."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for statement in _functions():
                cursor.execute(statement)
        for name, table, rest in _triggers(connection.vendor):
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}" + ("" if connection.vendor == "sqlite" else f" ON {table}"))
            cursor.execute(f"CREATE TRIGGER {name} {rest}")


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers away: while tables are remade, and for tests that empty them."""
    with connection.cursor() as cursor:
        for name, table, _ in _triggers(connection.vendor):
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}" + ("" if connection.vendor == "sqlite" else f" ON {table}"))


def missing(connection: BaseDatabaseWrapper) -> set[str]:
    """Return the names of triggers that should be there and are not."""
    if connection.vendor == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
    with connection.cursor() as cursor:
        cursor.execute(query)
        present = {str(row[0]) for row in cursor.fetchall()}
    return {name for name, _, _ in _triggers(connection.vendor)} - present


def _triggers(vendor: str) -> Iterator[tuple[str, str, str]]:
    """Yield (name, table, the rest of CREATE TRIGGER)."""
    yield from _sqlite() if vendor == "sqlite" else _postgresql()


def _sqlite() -> Iterator[tuple[str, str, str]]:
    def refuse(sentence: str) -> str:
        return f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"

    removable = REMOVABLE.format(monday="date(OLD.as_of, 'weekday 0', '-6 days')")
    changed = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in KEPT)
    other_active = f"NEW.state = 'ACTIVE' AND EXISTS (SELECT 1 FROM {VERSIONS} WHERE state = 'ACTIVE' AND id <> NEW.id)"
    # INSERT OR REPLACE removes the row that is in the way without asking the triggers about removals.
    same = "id = NEW.id OR (client_id = NEW.client_id AND as_of = NEW.as_of AND model_id = NEW.model_id)"
    yield f"{PREDICTIONS}_no_update", PREDICTIONS, f"BEFORE UPDATE ON {PREDICTIONS} {refuse(NO_CHANGE)}"
    yield (
        f"{PREDICTIONS}_no_delete",
        PREDICTIONS,
        f"BEFORE DELETE ON {PREDICTIONS} WHEN NOT ({removable}) {refuse(NO_CHANGE)}",
    )
    yield (
        f"{PREDICTIONS}_no_replace",
        PREDICTIONS,
        f"BEFORE INSERT ON {PREDICTIONS} WHEN EXISTS (SELECT 1 FROM {PREDICTIONS} WHERE {same}) {refuse(NO_CHANGE)}",
    )
    yield (
        f"{VERSIONS}_no_update",
        VERSIONS,
        f"BEFORE UPDATE ON {VERSIONS} WHEN {changed} OR ({other_active}) {refuse(NO_VERSION_CHANGE)}",
    )
    yield f"{VERSIONS}_no_delete", VERSIONS, f"BEFORE DELETE ON {VERSIONS} {refuse(NO_VERSION_CHANGE)}"
    yield (
        f"{VERSIONS}_no_replace",
        VERSIONS,
        f"BEFORE INSERT ON {VERSIONS} WHEN ({other_active}) OR EXISTS "
        f"(SELECT 1 FROM {VERSIONS} WHERE id = NEW.id OR version = NEW.version) {refuse(NO_VERSION_CHANGE)}",
    )


def _functions() -> Iterator[str]:
    raised = "RAISE EXCEPTION '{}' USING ERRCODE = 'integrity_constraint_violation'"
    removable = REMOVABLE.format(monday="date_trunc('week', OLD.as_of)::date")
    bodies = {
        f"{PREDICTIONS}_refuse": f"{raised.format(NO_CHANGE)};",
        f"{PREDICTIONS}_refuse_delete": f"IF NOT ({removable}) THEN {raised.format(NO_CHANGE)}; END IF; RETURN OLD;",
        f"{VERSIONS}_refuse": f"{raised.format(NO_VERSION_CHANGE)};",
    }
    for name, body in bodies.items():
        yield f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"


def _postgresql() -> Iterator[tuple[str, str, str]]:
    changed = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in KEPT)

    def row(table: str, what: str, function: str, when: str = "") -> tuple[str, str, str]:
        only = f" WHEN ({when})" if when else ""
        rest = f"BEFORE {what} ON {table} FOR EACH ROW{only} EXECUTE FUNCTION {function}()"
        return f"{table}_no_{what.lower()}", table, rest

    yield row(PREDICTIONS, "UPDATE", f"{PREDICTIONS}_refuse")
    yield row(PREDICTIONS, "DELETE", f"{PREDICTIONS}_refuse_delete")
    yield row(VERSIONS, "UPDATE", f"{VERSIONS}_refuse", changed)
    yield row(VERSIONS, "DELETE", f"{VERSIONS}_refuse")
    for table in (PREDICTIONS, VERSIONS):
        rest = f"BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()"
        yield f"{table}_no_truncate", table, rest
