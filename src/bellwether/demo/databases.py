"""The database of a demo: which one it is, whether it holds anything, and how it is emptied to start over."""

from pathlib import Path

from django.db import connection, connections

from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser

SQLITE_SUFFIXES = ("", "-wal", "-shm", "-journal")


def database_name() -> str:
    """Return what tells this database from others, without user and password."""
    settings = connection.settings_dict
    place = f"{settings['HOST']}:{settings['PORT']}/" if settings["HOST"] else ""
    return f"{connection.vendor}:{place}{settings['NAME']}"


def rows_present() -> dict[str, int]:
    """Return how many clients and members of staff the database holds; both 0 for one without tables."""
    tables = set(connection.introspection.table_names())
    counted = (("clients", Client), ("members of staff", StaffUser))
    return {name: model._default_manager.count() if model._meta.db_table in tables else 0 for name, model in counted}


def remove_everything() -> None:
    """Remove the files of SQLite databases, or all tables of a PostgreSQL one. The caller has made sure whose it is."""
    for alias in connections:
        database = connections[alias]
        if database.vendor == "sqlite":
            database.close()
            for suffix in SQLITE_SUFFIXES:
                Path(f"{database.settings_dict['NAME']}{suffix}").unlink(missing_ok=True)
        else:
            with database.cursor() as cursor:
                for table in database.introspection.table_names(cursor):
                    cursor.execute(f"DROP TABLE IF EXISTS {database.ops.quote_name(table)} CASCADE")
