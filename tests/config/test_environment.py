"""Settings are checked at start, all at once, with the cure."""

import stat
from pathlib import Path

import pytest

from bellwether.config.environment import SettingsError, read_environment


class TestReadEnvironment:
    def test_needs_nothing_to_be_given(self, tmp_path: Path) -> None:
        environment = read_environment({}, cwd=tmp_path)
        assert environment.home == tmp_path / "var"
        assert environment.database == {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(tmp_path / "var/bellwether.sqlite3"),
        }
        assert (str(environment.time_zone), environment.working_days) == ("UTC", frozenset({1, 2, 3, 4, 5}))

    def test_lists_every_problem_with_its_cure(self, tmp_path: Path) -> None:
        variables = {
            "BELLWETHER_PORT": "99999",
            "BELLWETHER_TIME_ZONE": "Mars/Olympus",
            "BELLWETHER_WORKING_DAYS": "mon,funday",
            "BELLWETHER_PRESET": "gold",
            "BELLWETHER_DATABASE_URL": "mysql://x/y",
            "BELLWETHER_DEBUG": "perhaps",
        }
        with pytest.raises(SettingsError) as caught:
            read_environment(variables, cwd=tmp_path)
        text = str(caught.value)
        for variable in variables:
            assert variable in text
        assert "needs a whole number from 1 to 65535" in text
        assert "needs one of ethico, operations, suppliers" in text

    def test_keeps_the_secrets_it_makes_to_their_owner(self, tmp_path: Path) -> None:
        first = read_environment({}, cwd=tmp_path)
        second = read_environment({}, cwd=tmp_path)
        assert first.secret_key == second.secret_key != first.pseudonym_key.decode()
        assert stat.S_IMODE((tmp_path / "var/secret.key").stat().st_mode) == 0o600

    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("", None),
            ("none", []),
            ("usage-only", ["usage-only"]),
            ("operations, usage-only", ["operations", "usage-only"]),
        ],
    )
    def test_reads_the_scorecards_beside_the_main_one(self, tmp_path: Path, text: str, names: list[str] | None) -> None:
        variables = {"BELLWETHER_OTHER_SCORECARDS": text}
        assert read_environment(variables, cwd=tmp_path).other_scorecards == names

    def test_refuses_a_scorecard_that_is_not_known(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match=r"OTHER_SCORECARDS='usage-only,gold' needs none or a list of prd-015"):
            read_environment({"BELLWETHER_OTHER_SCORECARDS": "usage-only,gold"}, cwd=tmp_path)

    def test_reads_a_postgresql_url(self, tmp_path: Path) -> None:
        url = "postgresql://bell:p%40ss@db.example:5433/wether?sslmode=require"
        database = read_environment({"BELLWETHER_DATABASE_URL": url}, cwd=tmp_path).database
        assert database == {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "wether",
            "USER": "bell",
            "PASSWORD": "p@ss",
            "HOST": "db.example",
            "PORT": "5433",
            "OPTIONS": {"sslmode": "require"},
        }

    def test_suggests_the_spelling_of_an_unknown_name(self, tmp_path: Path) -> None:
        unknown = read_environment({"BELLWETHER_TIMEZONE": "UTC"}, cwd=tmp_path).unknown
        assert unknown == ("BELLWETHER_TIMEZONE (did you mean BELLWETHER_TIME_ZONE?)",)

    def test_never_echoes_a_secret(self, tmp_path: Path) -> None:
        variables = {"BELLWETHER_DATABASE_URL": "mysql://u:hush@h/d", "BELLWETHER_EMAIL_URL": "imap://u:hush@h"}
        with pytest.raises(SettingsError) as caught:
            read_environment(variables, cwd=tmp_path)
        assert "hush" not in str(caught.value)

    def test_reads_a_mail_server(self, tmp_path: Path) -> None:
        variables = {"BELLWETHER_EMAIL_URL": "smtp://me:pw@mail.example:587?tls=1"}
        email = read_environment(variables, cwd=tmp_path).email
        assert (email["EMAIL_HOST"], email["EMAIL_PORT"], email["EMAIL_USE_TLS"]) == ("mail.example", 587, True)

    def test_says_what_to_do_about_a_home_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(SettingsError, match="Choose a folder you own"):
            read_environment({"BELLWETHER_HOME": str(tmp_path / "file" / "var")}, cwd=tmp_path)
