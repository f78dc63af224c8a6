import pytest
import typer
from typer.testing import CliRunner

from bellwether.demo.commands import register


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    register(app)
    return app


class TestDemo:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--clients", "2"], "clients: 2 is not between 4 and 5000"),
            (["--days", "5"], "days: 5 is not between 30 and 1500"),
            (["--preset", "other"], "preset: 'other' is not one of ethico, operations, suppliers"),
            (["--today", "2999-01-01"], "--today 2999-01-01 lies ahead"),
        ],
    )
    def test_refuses_what_it_cannot_make_as_wrong_usage(
        self, app: typer.Typer, arguments: list[str], said: str
    ) -> None:
        done = CliRunner().invoke(app, [*arguments, "--no-serve"])
        assert done.exit_code == 2
        assert said in done.stderr
