"""Clients of a day, sums, movements and retention of the portfolio in `books`, worked out by hand."""

from datetime import date

import polars as pl
import pytest

from bellwether.analytics.book import Records, book_on, first_terms
from bellwether.analytics.figures import breakdown, histogram, level_of, movements, trend
from bellwether.analytics.retention import by_csm, cohort, retention_of
from tests.analytics.books import BEFORE, MINE, THEIRS, TODAY, key, records

pytestmark = pytest.mark.one_database


def names(book: pl.DataFrame) -> list[str]:
    return sorted(book["name"])


class TestBook:
    def test_today_holds_those_that_are_not_archived(self) -> None:
        assert names(book_on(records(), TODAY)) == ["Ash", "Birch", "Cedar", "Fir", "Hazel"]

    def test_an_earlier_day_holds_those_that_had_begun_and_were_not_gone(self) -> None:
        book = book_on(records(), BEFORE)
        assert names(book) == ["Ash", "Birch", "Cedar", "Elm", "Fir"]
        # Fir's term has no ARR and it has no outcome, so today's stands for it.
        assert dict(book.select("name", "arr").iter_rows())["Fir"] == 10_000

    def test_arr_is_that_of_the_term_in_force(self) -> None:
        arr = dict(book_on(records(), date(2025, 6, 30)).select("name", "arr").iter_rows())
        assert arr == {
            "Ash": 100_000, "Birch": 200_000, "Cedar": 50_000, "Elm": 40_000, "Fir": 10_000, "Oak": 80_000
        }  # fmt: skip

    def test_without_terms_outcomes_tell_the_arr_on_both_sides(self) -> None:
        found = records()
        bare = Records(found.clients, found.periods.clear(), found.outcomes, found.scores, TODAY)
        for day, expected in ((date(2025, 12, 31), 200_000), (date(2026, 1, 1), 150_000)):
            assert dict(book_on(bare, day).select("name", "arr").iter_rows())["Birch"] == expected

    def test_a_churn_that_a_later_term_undoes_is_none(self) -> None:
        found = records()
        back = pl.concat(
            [found.periods, pl.DataFrame({"key": [key("Elm")], "start": [date(2026, 6, 1)], "arr": [9.0]})]
        )
        elm = first_terms(found.clients, back, found.outcomes).filter(pl.col("name") == "Elm").row(0, named=True)
        assert (elm["churned"], elm["gone"]) == (None, date(2026, 5, 1))
        # `gone` came in as that of the first reading: it is not later than before.


class TestLevels:
    def test_sum_what_is_known(self) -> None:
        now = level_of(book_on(records(), TODAY))
        assert (now.clients, now.scored, now.arr) == (5, 4, 390_000)
        assert now.average == pytest.approx((90 + 55 + 70 + 30) / 4)
        assert (now.at_risk, now.arr_at_risk) == (2, 210_000)
        assert now.risk_share == pytest.approx(210 / 390)
        assert now.by_status == {"HEALTHY": 1, "MONITOR": 1, "AT_RISK": 1, "CRITICAL": 1, None: 1}

    def test_bands_of_a_past_day_follow_its_scores(self) -> None:
        before = level_of(book_on(records(), BEFORE))
        assert before.by_status == {"HEALTHY": 1, "MONITOR": 1, "AT_RISK": 1, "CRITICAL": 1, None: 1}
        assert before.arr_at_risk == 50_000 + 40_000

    def test_no_clients_have_no_average(self) -> None:
        nothing = level_of(book_on(records(), TODAY).clear())
        assert (nothing.clients, nothing.average, nothing.risk_share) == (0, None, None)

    def test_groups_are_compared_with_themselves(self) -> None:
        rows = breakdown(book_on(records(), TODAY), book_on(records(), BEFORE), "tier")
        assert [(row.value, row.now.clients, row.before.clients if row.before else 0) for row in rows] == [
            ("ENTERPRISE", 3, 2),
            ("STARTER", 2, 3),
        ]
        assert rows[0].now.average == pytest.approx((90 + 55 + 30) / 3)

    def test_bins_hold_five_points_and_the_last_one_a_hundred(self) -> None:
        book = book_on(records(), TODAY).with_columns(pl.Series("score", [100, 99, 95, 94, 0]))
        bins = histogram(book)
        assert (bins[0], bins[18], bins[19], sum(bins)) == (1, 1, 3, 5)


class TestMovements:
    def test_name_who_came_went_fell_and_recovered(self) -> None:
        moves = movements(book_on(records(), BEFORE), book_on(records(), TODAY))
        for kind, expected in (("joined", ["Hazel"]), ("left", ["Elm"]), ("fell", ["Birch"]), ("rose", ["Cedar"])):
            assert [one.name for one in getattr(moves, kind).named] == expected
        assert (moves.fell.named[0].before, moves.fell.named[0].now) == (75, 55)

    def test_account_for_every_dollar(self) -> None:
        first, last = book_on(records(), date(2025, 6, 30)), book_on(records(), TODAY)
        moves = movements(first, last)
        assert (moves.joined.arr, moves.left.arr, moves.grown, moves.shrunk) == (60_000, 120_000, 20_000, 50_000)
        assert first["arr"].sum() + 60_000 - 120_000 + 20_000 - 50_000 == last["arr"].sum() == 390_000


class TestTrend:
    def test_gives_quartiles_of_the_clients_of_each_day(self) -> None:
        before, now = trend(records(), [BEFORE, TODAY])
        # 35, 50, 75, 85 and 30, 55, 70, 90: linear between ranks.
        assert (before.clients, before.p25, before.median, before.p75) == (4, 46.25, 62.5, 77.5)
        assert (now.clients, now.p25, now.median, now.p75) == (4, 48.75, 62.5, 75.0)

    def test_leaves_out_days_without_scores(self) -> None:
        assert [point.day for point in trend(records(), [date(2026, 2, 1), TODAY])] == [TODAY]


class TestRetention:
    def test_is_what_the_formula_says(self) -> None:
        found = retention_of(cohort(records(), TODAY), TODAY)
        # At start 480,000 of 6 clients; Elm and Oak churned with 120,000; Birch shrank by 50,000, Ash grew by 20,000.
        assert (found.clients, found.lost) == (6, 2)
        assert (found.arr_start, found.arr_churned) == (480_000, 120_000)
        assert (found.arr_contraction, found.arr_expansion) == (50_000, 20_000)
        assert found.gross == pytest.approx(310 / 480)
        assert found.net == pytest.approx(330 / 480)
        assert found.stayed == pytest.approx(4 / 6)

    def test_of_an_earlier_day_knows_only_what_had_happened(self) -> None:
        found = retention_of(cohort(records(), BEFORE), BEFORE)
        assert (found.lost, found.arr_churned) == (1, 80_000)

    def test_counts_a_churned_client_that_is_not_archived_as_lost(self) -> None:
        found = records()
        kept = found.clients.with_columns(active=pl.lit(True), gone=pl.when(pl.col("name") != "Elm").then("gone"))
        rows = cohort(Records(kept, found.periods, found.outcomes, found.scores, TODAY), TODAY)
        assert rows.filter("lost")["name"].sort().to_list() == ["Elm", "Oak"]

    def test_says_nothing_of_fewer_than_five(self) -> None:
        by = by_csm(cohort(records(), TODAY), TODAY)
        assert {csm: (one.clients, one.lost, one.gross) for csm, one in by.items()} == {
            MINE: (3, 1, None), THEIRS: (3, 1, None)
        }  # fmt: skip
