"""`python -m tests.write_references` writes the parts of docs/reference that are made from code."""

from pathlib import Path

from bellwether.config.settings_reference import settings_table

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"

if __name__ == "__main__":
    (REFERENCE / "settings.md").write_text(settings_table())
