from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from bellwether.usage import facts
from bellwether.usage.lake import Lake

INSTANT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def client_days(*rows: tuple[str, str, int]) -> pl.DataFrame:
    made = [
        dict.fromkeys(facts.CLIENT_DAYS, 0)
        | {"organization_id": organization, "date": date.fromisoformat(day), "mau": mau, "actions_by_hour": [0] * 24}
        for day, organization, mau in rows
    ]
    return pl.DataFrame(made, schema=facts.CLIENT_DAYS)


def keep(lake: Lake, *rows: tuple[str, str, int]) -> None:
    frame = client_days(*rows)
    for (month,), of_month in frame.group_by(pl.col("date").dt.strftime("%Y-%m")):
        facts.store_month(lake, "client_days", str(month), of_month)


class TestRead:
    @pytest.mark.parametrize(
        ("read", "schema"),
        [
            (facts.read_client_days, facts.CLIENT_DAYS),
            (facts.read_event_days, facts.EVENT_DAYS),
            (facts.read_user_days, facts.USER_DAYS),
        ],
    )
    def test_returns_no_rows_with_the_right_columns_from_an_empty_lake(self, lake: Lake, read, schema) -> None:  # type: ignore[no-untyped-def]
        frame = read(lake, date(2026, 1, 1), date(2026, 12, 31))
        assert frame.is_empty()
        assert dict(frame.schema) == schema

    def test_returns_the_days_from_first_to_last_in_order(self, lake: Lake) -> None:
        keep(lake, ("2026-02-28", "b", 1), ("2026-03-01", "b", 2), ("2026-03-01", "a", 3), ("2026-03-02", "a", 4))
        rows = facts.read_client_days(lake, date(2026, 2, 28), date(2026, 3, 1))
        assert rows.select("date", "organization_id", "mau").rows() == [
            (date(2026, 2, 28), "b", 1),
            (date(2026, 3, 1), "a", 3),
            (date(2026, 3, 1), "b", 2),
        ]

    def test_returns_the_given_clients_only(self, lake: Lake) -> None:
        keep(lake, ("2026-03-01", "a", 1), ("2026-03-01", "b", 2))
        march = date(2026, 3, 1), date(2026, 3, 31)
        assert facts.read_client_days(lake, *march, organization_ids=["b", "zzz"])["mau"].to_list() == [2]
        assert facts.read_client_days(lake, *march, organization_ids=[]).is_empty()

    def test_returns_nothing_for_a_range_that_ends_before_it_begins(self, lake: Lake) -> None:
        keep(lake, ("2026-03-01", "a", 1))
        assert facts.read_client_days(lake, date(2026, 3, 2), date(2026, 3, 1)).is_empty()

    def test_opens_the_months_asked_for_and_no_others(self, lake: Lake) -> None:
        keep(lake, ("2026-03-01", "a", 1))
        broken = facts.facts_path(lake, "client_days", "2026-04")
        broken.parent.mkdir(parents=True)
        broken.write_bytes(b"no Parquet")
        assert facts.read_client_days(lake, date(2026, 3, 1), date(2026, 3, 31)).height == 1


class TestStoreMonth:
    def test_leaves_a_file_alone_that_holds_the_rows_already(self, lake: Lake) -> None:
        rows = client_days(("2026-03-01", "a", 1), ("2026-03-01", "b", 2))
        assert facts.store_month(lake, "client_days", "2026-03", rows)
        path = facts.facts_path(lake, "client_days", "2026-03")
        before = path.stat()
        assert not facts.store_month(lake, "client_days", "2026-03", rows.reverse())
        assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)

    def test_makes_the_same_bytes_of_the_same_rows(self, lake: Lake, tmp_path: Path) -> None:
        rows = client_days(("2026-03-01", "a", 1), ("2026-03-02", "b", 2))
        other = Lake(tmp_path / "other")
        facts.store_month(lake, "client_days", "2026-03", rows)
        facts.store_month(other, "client_days", "2026-03", rows.reverse())
        paths = [facts.facts_path(where, "client_days", "2026-03") for where in (lake, other)]
        assert paths[0].read_bytes() == paths[1].read_bytes()

    def test_takes_the_file_of_an_empty_month_away(self, lake: Lake) -> None:
        keep(lake, ("2026-03-01", "a", 1))
        assert facts.store_month(lake, "client_days", "2026-03", client_days())
        assert facts.stored_months(lake, "client_days") == []
        assert not facts.store_month(lake, "client_days", "2026-03", client_days())
