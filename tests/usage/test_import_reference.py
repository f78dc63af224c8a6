from pathlib import Path

from bellwether.usage.import_reference import import_columns_page

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "import-columns.md"


def test_the_reference_page_says_what_the_kinds_say():
    assert PAGE.read_text() == import_columns_page(), (
        "Refresh it with: bellwether import-columns > docs/reference/import-columns.md"
    )
