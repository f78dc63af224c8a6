"""Sentences of the portfolio in `books`, against hand-written ones."""

from typing import Any

import polars as pl
import pytest

from bellwether.analytics.book import book_on
from bellwether.analytics.figures import breakdown, level_of, movements
from bellwether.analytics.narrative import Facts, narrative
from bellwether.analytics.renewals import forecast, whole
from bellwether.analytics.retention import cohort, retention_of
from bellwether.analytics.values import value_name
from tests.analytics.books import BEFORE, TODAY, records

pytestmark = pytest.mark.one_database


def facts(**more: Any) -> Facts:
    found = records()
    now, before = book_on(found, TODAY), book_on(found, BEFORE)
    values: dict[str, Any] = {
        "now": level_of(now), "before": level_of(before), "retention": retention_of(cohort(found, TODAY), TODAY),
        "retention_before": retention_of(cohort(found, BEFORE), BEFORE), "retention_known": True,
        "groups": [(value_name("tier", one.value, {}), one) for one in breakdown(now, before, "tier")],
        "moves": movements(before, now), "year": whole(now, {}, TODAY), "months": forecast(now, {}, TODAY),
    }  # fmt: skip
    return Facts(**(values | more))


class TestNarrative:
    def test_says_what_happened(self) -> None:
        # Health 61.25 both times. Gross retention 310 of 480; a quarter before it was 350 of 480, that is 8.3 points.
        before = retention_of(cohort(records(), BEFORE), BEFORE)
        assert before.gross == pytest.approx((480 - 80 - 50) / 480)
        assert [one.text for one in narrative(facts())] == [
            "Average health stayed at 61.",
            "ARR at risk rose from $90K to $210K, 53.8% of ARR; 1 client fell to at risk (Birch) and 1 client "
            "recovered.",
            "1 client joined with $60K of ARR and 1 client left with $40K.",
            "Gross retention over 12 months is 64.6%, down 8.3 pts; 2 clients of 6 churned.",
            "$320K of ARR (3 clients) comes up for renewal in 12 months, $150K of it at risk; the most in Dec 2026: "
            "$270K.",
        ]

    def test_every_sentence_has_a_source(self) -> None:
        assert [one.target for one in narrative(facts())] == ["trend", "at_risk", "movements", "retention", "renewals"]

    def test_names_the_group_that_moved_health(self) -> None:
        before = level_of(book_on(records(), BEFORE).filter(book_on(records(), BEFORE)["name"] != "Elm"))
        text = narrative(facts(before=before))[0].text  # 70 of Ash, Birch and Cedar
        assert text == "Average health fell 9 points to 61; Enterprise moved it most (down 22 to 58)."

    def test_says_what_it_cannot_compare(self) -> None:
        assert narrative(facts(before=None))[0].text == (
            "Average health is 61; there are no earlier scores to compare with."
        )

    def test_is_silent_about_nothing(self) -> None:
        empty = book_on(records(), TODAY).clear()
        assert narrative(facts(now=level_of(empty))) == []

    def test_does_not_speak_of_retention_that_nobody_recorded(self) -> None:
        assert not any("retention" in one.text for one in narrative(facts(retention_known=False)))

    def test_counts_clients_where_nobody_knows_an_arr(self) -> None:
        bare = book_on(records(), TODAY).with_columns(arr=pl.lit(None, dtype=pl.Float64))
        assert narrative(facts(now=level_of(bare)))[1].text == "2 clients of 5 are at risk or critical."
