"""`bellwether measures` at a terminal."""

from datetime import timedelta
from pathlib import Path

import pytest
import typer
from django.utils import timezone
from typer.testing import CliRunner, Result

from bellwether.common.errors import InvalidInputError
from bellwether.health.commands import register
from bellwether.health.models import CustomMeasure
from bellwether.usage.facts import stored_months
from bellwether.usage.lake import Lake
from bellwether.usage.models import CustomFact
from tests.conftest import Clients
from tests.usage.rollup_twin import event, place, refresh

pytestmark = pytest.mark.django_db
TEXT = 'name = "Cases made"\n[definition]\nkind = "{kind}"\nevent = "Case Created"\n'


@pytest.fixture
def file(tmp_path: Path, lake: Lake) -> Path:
    path = tmp_path / "measure.toml"
    path.write_text(TEXT.format(kind="count"), "utf-8")
    return path


def run(*arguments: str) -> Result:
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, ["measures", *arguments], catch_exceptions=True)


class TestAdd:
    def test_makes_and_then_changes(self, file: Path) -> None:
        assert run("add", str(file)).output == "cases_made v1: Number of Case Created events of people in 30 days.\n"
        file.write_text(TEXT.format(kind="users"), "utf-8")
        assert run("add", str(file)).output.startswith("cases_made v2: People with Case Created events in 30 days.\n")
        assert CustomMeasure.objects.get().version == 2

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("name = ", "is not TOML"),
            ('colour = "red"', "colour"),
            ("name = 3", "name must be texts"),
            ('name = "A b"', "definition needs an object"),
            (TEXT.format(kind="median"), "definition.kind is 'median'"),
        ],
        ids=["no TOML", "unknown field", "no text", "no definition", "kind"],
    )
    def test_says_what_is_wrong(self, file: Path, text: str, said: str) -> None:
        file.write_text(text, "utf-8")
        error = run("add", str(file)).exception
        assert isinstance(error, InvalidInputError)
        assert said in str(error)
        assert not CustomMeasure.objects.exists()


class TestList:
    def test_says_how_to_begin(self, lake: Lake) -> None:
        assert "measures add FILE.toml" in run("list").output

    def test_says_what_each_is(self, file: Path) -> None:
        run("add", str(file))
        assert run("list").output.splitlines() == [
            "cases_made v1: Cases made",
            "  Number of Case Created events of people in 30 days.",
            "  no values yet; used by no scorecard",
        ]


class TestPreview:
    def test_shows_clients_and_saves_nothing(self, file: Path, clients: Clients, lake: Lake) -> None:
        now = timezone.now()
        days = place(lake, [event(now - timedelta(days=1)), event(now - timedelta(days=2))])
        refresh(lake, days)
        output = run("preview", str(file)).output
        assert "1 of 4 clients have a value" in output
        assert "Sturdy" in output
        assert not CustomMeasure.objects.exists()


class TestRecount:
    def test_leaves_it_to_the_worker(self, file: Path, lake: Lake) -> None:
        file.write_text(TEXT.format(kind="users"), "utf-8")
        run("add", str(file))
        CustomFact.objects.update(filled_at=CustomFact.objects.get().requested_at)
        assert run("recount").output.startswith("1 selections")
        assert CustomFact.objects.get().filled_at is None
        assert stored_months(lake, "custom_users") == []
