"""Settings for processes that tests of the access log start."""

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a PostgreSQL server: BELLWETHER_TEST_POSTGRES_URL, or one that runs for these tests."""
    url = os.environ.get("BELLWETHER_TEST_POSTGRES_URL") or os.environ.get("BELLWETHER_DATABASE_URL", "")
    if url.startswith("postgres"):
        yield url
        return
    folder = tempfile.mkdtemp(prefix="bellwether-pg-")  # not under pytest's folder: the server's user may not enter it
    server = pytest.importorskip("pgserver").get_server(folder)
    logging.getLogger("pgserver").disabled = True  # it logs at exit, when stderr may be closed
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def environment_of(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], dict[str, str]]:
    """Return the variables for a fresh workspace on `sqlite` or `postgresql`."""

    def variables(database: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("BELLWETHER_", "DJANGO_"))}
        kept["BELLWETHER_HOME"] = str(tmp_path / "home")
        if database == "postgresql":
            kept["BELLWETHER_DATABASE_URL"] = _fresh_database(request.getfixturevalue("postgres_url"))
        return kept

    return variables


def _fresh_database(url: str) -> str:
    """Return the URL of a new database on the server of `url`."""
    name = f"bellwether_{uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    head, _, query = url.partition("?")
    return head.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")
