"""Triggers that refuse to change or remove a row of the access log, on SQLite and on PostgreSQL.

Django remakes a table when a migration alters it on SQLite, and its triggers go with it: such a migration must end with
`install`. `bellwether audit verify` says so if they are missing.
"""

from django.db.backends.base.base import BaseDatabaseWrapper

REFUSAL = "The access log is append-only"
EVENTS, HEAD = "staff_auditevent", "staff_audithead"

SQLITE_INSTALL = (
    f"CREATE TRIGGER IF NOT EXISTS {EVENTS}_no_update BEFORE UPDATE ON {EVENTS} "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    f"CREATE TRIGGER IF NOT EXISTS {EVENTS}_no_delete BEFORE DELETE ON {EVENTS} "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    f"CREATE TRIGGER IF NOT EXISTS {HEAD}_no_delete BEFORE DELETE ON {HEAD} "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    f"CREATE TRIGGER IF NOT EXISTS {HEAD}_one_step BEFORE UPDATE ON {HEAD} WHEN NEW.seq <> OLD.seq + 1 "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
)
SQLITE_REMOVE = tuple(
    f"DROP TRIGGER IF EXISTS {name}"
    for name in (f"{EVENTS}_no_update", f"{EVENTS}_no_delete", f"{HEAD}_no_delete", f"{HEAD}_one_step")
)
POSTGRESQL_INSTALL = (
    f"CREATE OR REPLACE FUNCTION {EVENTS}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$",
    f"CREATE OR REPLACE TRIGGER {EVENTS}_no_change BEFORE UPDATE OR DELETE ON {EVENTS} "
    f"FOR EACH ROW EXECUTE FUNCTION {EVENTS}_refuse()",
    f"CREATE OR REPLACE TRIGGER {EVENTS}_no_truncate BEFORE TRUNCATE ON {EVENTS} "
    f"FOR EACH STATEMENT EXECUTE FUNCTION {EVENTS}_refuse()",
    f"CREATE OR REPLACE TRIGGER {HEAD}_no_delete BEFORE DELETE ON {HEAD} "
    f"FOR EACH ROW EXECUTE FUNCTION {EVENTS}_refuse()",
    f"CREATE OR REPLACE TRIGGER {HEAD}_no_truncate BEFORE TRUNCATE ON {HEAD} "
    f"FOR EACH STATEMENT EXECUTE FUNCTION {EVENTS}_refuse()",
    f"CREATE OR REPLACE TRIGGER {HEAD}_one_step BEFORE UPDATE ON {HEAD} FOR EACH ROW "
    f"WHEN (NEW.seq <> OLD.seq + 1) EXECUTE FUNCTION {EVENTS}_refuse()",
)
POSTGRESQL_REMOVE = (
    f"DROP TRIGGER IF EXISTS {EVENTS}_no_change ON {EVENTS}",
    f"DROP TRIGGER IF EXISTS {EVENTS}_no_truncate ON {EVENTS}",
    f"DROP TRIGGER IF EXISTS {HEAD}_no_delete ON {HEAD}",
    f"DROP TRIGGER IF EXISTS {HEAD}_no_truncate ON {HEAD}",
    f"DROP TRIGGER IF EXISTS {HEAD}_one_step ON {HEAD}",
    f"DROP FUNCTION IF EXISTS {EVENTS}_refuse()",
)
TRIGGERS = {
    "sqlite": {f"{EVENTS}_no_update", f"{EVENTS}_no_delete", f"{HEAD}_no_delete", f"{HEAD}_one_step"},
    "postgresql": {
        f"{EVENTS}_no_change",
        f"{EVENTS}_no_truncate",
        f"{HEAD}_no_delete",
        f"{HEAD}_no_truncate",
        f"{HEAD}_one_step",
    },
}


def install(connection: BaseDatabaseWrapper) -> None:
    """Make the triggers; doing it again changes nothing."""
    _run(connection, SQLITE_INSTALL if connection.vendor == "sqlite" else POSTGRESQL_INSTALL)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers away: for the reverse migration, and for tests that empty the tables or tamper."""
    _run(connection, SQLITE_REMOVE if connection.vendor == "sqlite" else POSTGRESQL_REMOVE)


def missing(connection: BaseDatabaseWrapper) -> set[str]:
    """Return the names of triggers that should be there and are not."""
    if connection.vendor == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
    with connection.cursor() as cursor:
        cursor.execute(query)
        present = {str(row[0]) for row in cursor.fetchall()}
    return TRIGGERS[connection.vendor] - present


def _run(connection: BaseDatabaseWrapper, statements: tuple[str, ...]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
