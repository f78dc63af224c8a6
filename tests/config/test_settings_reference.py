"""The reference of settings is the code's own list."""

from pathlib import Path

from bellwether.config.settings_reference import settings_table

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


class TestSettingsTable:
    def test_is_what_the_docs_say(self) -> None:
        assert PAGE.read_text() == settings_table(), "Write it anew: python -m tests.write_references"
