"""The documents point at things that exist."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")


class TestLinks:
    def test_lead_to_files_that_exist(self) -> None:
        pages = [*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")]
        broken = [
            f"{page.relative_to(PROJECT)} -> {target}"
            for page in pages
            for target in LINK.findall(page.read_text())
            if not (page.parent / target).exists()
        ]
        assert broken == []
