"""Homes that are migrated already: migrating an empty one takes seconds, copying one that was takes none."""

import atexit
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import psycopg

COMMAND = [sys.executable, "-c", "from bellwether.cli import main; main()"]


def environment_of(home: Path, **more: str) -> dict[str, str]:
    """Return this process's environment for a product in `home`, without what was set for the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BELLWETHER_")}
    return kept | {"BELLWETHER_HOME": str(home), "DJANGO_SETTINGS_MODULE": "bellwether.config.settings"} | more


def make_migrated(home: Path) -> None:
    """Put into `home` what `bellwether migrate` makes of an empty folder."""
    shutil.copytree(_template(), home, dirs_exist_ok=True)


def make_migrated_database(url: str, name: str) -> None:
    """Create the PostgreSQL database `name`, migrated, on the server of `url`."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {_template_database(url)}")


def with_database(url: str, name: str) -> str:
    """Return `url` with another database name; its options stay."""
    address, _, options = url.partition("?")
    return f"{address.rsplit('/', 1)[0]}/{name}" + (f"?{options}" if options else "")


@cache
def _template() -> Path:
    home = Path(tempfile.mkdtemp(prefix="bellwether-home-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    subprocess.run([*COMMAND, "migrate"], env=environment_of(home), check=True, capture_output=True)
    return home


@cache
def _template_database(url: str) -> str:
    name = f"bellwether_template_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    atexit.register(_drop, url, name)
    with tempfile.TemporaryDirectory(prefix="bellwether-home-") as home:
        environment = environment_of(Path(home), BELLWETHER_DATABASE_URL=with_database(url, name))
        subprocess.run([*COMMAND, "migrate"], env=environment, check=True, capture_output=True)
    return name


def _drop(url: str, name: str) -> None:
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
