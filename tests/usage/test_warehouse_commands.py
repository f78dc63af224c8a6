from pathlib import Path

import duckdb
import pytest
import typer
from typer.testing import CliRunner

from bellwether.common.errors import InvalidInputError
from bellwether.common.jobs import run_job
from bellwether.usage import facts
from bellwether.usage import jobs as _declares_the_job  # noqa: F401
from bellwether.usage.commands import register
from bellwether.usage.lake import Lake
from bellwether.usage.models import WarehouseSource
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def url(tmp_path: Path) -> str:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE log (account text, person text, name text, happened timestamptz, extra text)")
        connection.execute("INSERT INTO log VALUES ('sturdy', 'ann', 'Signed In', '2026-06-29 10:00:00+00', 'x')")
    return f"duckdb://{path}"


def run(*words: str, enter: str | None = None) -> str:
    app = typer.Typer()
    register(app)
    done = CliRunner().invoke(app, ["source", *words], input=enter, catch_exceptions=True)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


ADD = ("add", "shop", "--table", "log", "--map", "account=organization_id", "--map", "person=user_id")
ADD += ("--map", "happened=ts", "--map", "name=event")


def test_a_source_is_added_listed_tested_read_and_removed(url: str, lake: Lake) -> None:
    added = run(*ADD, enter=url + "\n")
    assert "organization_id  account (string)" in added
    assert "Columns left out: extra." in added
    assert "2026-06-29             1" in added
    assert "not read yet" in run("list")
    assert "1 users of 1 clients" in run("test", "shop")
    assert "1 days counted, 1 events" in run("read", "shop")
    assert facts.read_user_days(lake, NOW.date().replace(day=1), NOW.date())["actions"].to_list() == [1]
    assert "0 days counted" in run("read", "shop")
    assert "1 days counted" in run("read", "shop", "--from", "2026-06-29", "--to", "2026-06-29")
    assert "1 days are counted anew" in run("remove", "shop", "--yes")
    assert "0 sources" in run("list")


def test_a_dry_run_stores_nothing(url: str, lake: Lake) -> None:
    assert "nothing stored" in run(*ADD, "--url", url, "--dry-run")
    assert not WarehouseSource.objects.exists()


def test_an_unknown_name_lists_the_known_ones(url: str, lake: Lake) -> None:
    run(*ADD, "--url", url)
    with pytest.raises(InvalidInputError, match="There are: shop"):
        run("test", "shup")


def test_the_job_reads_what_changed(url: str, lake: Lake) -> None:
    run(*ADD, "--url", url)
    assert run_job("warehouse", now=NOW) == {"days": 1, "events": 1, "failed": 0}
    assert run_job("warehouse", now=NOW) == {"days": 0, "events": 0, "failed": 0}
