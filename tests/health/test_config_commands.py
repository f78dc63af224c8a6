"""`bellwether config`, and that what it shows it also saves."""

import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bellwether.common.errors import BellwetherError
from bellwether.common.toml_text import toml_text
from bellwether.health.config_commands import app
from bellwether.health.configs import ensure_default_config
from bellwether.health.models import HealthScoreConfig
from bellwether.health.scorecard import SCORECARDS, shipped_definition
from tests.conftest import NOW


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.one_database
@pytest.mark.parametrize("name", SCORECARDS)
def test_toml_reads_back_the_same(name: str) -> None:
    assert tomllib.loads(toml_text(shipped_definition(name))) == shipped_definition(name)


@pytest.mark.one_database
def test_toml_of_odd_texts_reads_back_the_same() -> None:
    data = {"a b": 'say "no" \\ \n\t\x7f ünï', "list": [1, 2.5, 1e-9], "none": {}, "yes": True}
    assert tomllib.loads(toml_text(data)) == data


@pytest.mark.django_db
def test_from_show_to_roll_back(tmp_path: Path) -> None:
    ensure_default_config("prd-015", now=NOW)
    file = tmp_path / "score.toml"
    text = run("show", "1")
    file.write_text(
        text.replace("weight = 25", "weight = 20").replace(
            'label = "Support"\nweight = 15', 'label = "Support"\nweight = 20'
        )
    )
    assert "Saved as version 2 for all clients" in run("save", str(file), "--reason", "Try")
    assert run("diff", "1", "2") == "Support +5, Usage −5\n"
    assert "in force" in run("activate", "2", "--reason", "Agreed")
    assert "v2: Client health, all clients, in force" in run("list")
    assert "version 1 is in force again" in run("rollback", "--reason", "Wrong")
    assert run("save", str(file), "--tier", "enterprise").startswith("Saved as version 3 for tier enterprise")
    assert HealthScoreConfig.objects.get(version=3).applies_to_tier == "ENTERPRISE"
    same = tmp_path / "same.json"
    same.write_text(run("show", "1", "--json"))
    with pytest.raises(BellwetherError, match="Nothing differs from version 1"):
        run("save", str(same))
    with pytest.raises(BellwetherError, match="no version 9"):
        run("show", "9")
