"""What people mainly do: words, order, limits. The reading of parts is tested with the pages."""

from datetime import date, timedelta

import polars as pl
import pytest

from bellwether.usage import recent_parts as module
from bellwether.usage.lake import Lake
from bellwether.usage.main_activities import main_activities, named
from tests.usage.people_cast import put_events

TODAY = date(2026, 6, 30)
SCHEMA = {"user_key": pl.String, "module": pl.String, "event": pl.String, "n": pl.Int64}


def words(*rows: tuple[str | None, str, int], **given: frozenset[str]) -> tuple[str, ...] | None:
    counts = pl.DataFrame([("u", *row) for row in rows], schema=SCHEMA, orient="row")
    return named(counts, modules={"Case Closed": "Cases"}, **given).get("u")


class TestNamed:
    def test_gives_two_modules_by_actions(self) -> None:
        rows = (
            ("Reports", "Export", 5),
            ("Cases", "Case Created", 4),
            ("Cases", "Case Read", 4),
            ("Policies", "Read", 3),
        )
        assert words(*rows) == ("Cases", "Reports")

    def test_ties_go_by_the_alphabet(self) -> None:
        assert words(("Reports", "Export", 5), ("Cases", "Case Created", 5)) == ("Cases", "Reports")

    @pytest.mark.parametrize(("n", "expected"), [(10, ("Cases", "Reports")), (9, ("Cases",))])
    def test_the_second_needs_a_tenth(self, n: int, expected: tuple[str, ...]) -> None:
        assert words(("Cases", "Case Created", 100 - n), ("Reports", "Export", n)) == expected

    def test_an_event_without_a_module_has_that_of_the_catalogue(self) -> None:
        assert words((None, "Case Closed", 2), ("", "Case Closed", 1), ("Reports", "Export", 2)) == ("Cases", "Reports")

    def test_events_count_where_no_module_was_used(self) -> None:
        assert words((None, "commit", 9), (None, "Signed In", 5), without=frozenset({"Signed In"})) == ("commit",)
        assert words((None, "commit", 9), ("Cases", "Case Created", 1)) == ("Cases",)

    def test_signing_in_alone_is_nothing(self) -> None:
        assert words((None, "Signed In", 5), without=frozenset({"Signed In"})) is None


class TestRead:
    def test_stops_at_so_many_bytes_newest_days_first(self, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
        lake = Lake(tmp_path)  # type: ignore[arg-type]
        put_events(lake, [("acme", "u", TODAY, "New", "Newest")])
        put_events(lake, [("acme", "u", TODAY - timedelta(days=1), "Old", "Older")] * 9)
        assert main_activities(lake, "acme", TODAY, modules={}).by_user == {"u": ("Older", "Newest")}
        monkeypatch.setattr(module, "MOST_BYTES", 1)
        assert main_activities(lake, "acme", TODAY, modules={}).by_user == {"u": ("Newest",)}

    def test_a_name_with_a_quote_is_only_a_name(self, tmp_path: object) -> None:
        lake = Lake(tmp_path)  # type: ignore[arg-type]
        put_events(lake, [("o'hara", "u", TODAY, "New", "Cases"), ("x", "v", TODAY, "New", "Other")])
        assert main_activities(lake, "o'hara", TODAY, modules={}).by_user == {"u": ("Cases",)}
        assert main_activities(lake, "' OR 1=1 --", TODAY, modules={}).by_user == {}

    def test_without_events_there_is_nothing(self, tmp_path: object) -> None:
        found = main_activities(Lake(tmp_path), "acme", TODAY, modules={})  # type: ignore[arg-type]
        assert (found.by_user, found.events) == ({}, 0)
