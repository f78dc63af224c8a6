"""What contracts that ended add up to, worked by hand."""

from datetime import date
from decimal import Decimal

import pytest

from bellwether.portfolio.retention_figures import End, quarters, reasons, total

pytestmark = pytest.mark.one_database


def end(outcome: str, day: str, before: int | None = None, after: int | None = None, reason: str = "",
        code: str = "") -> End:  # fmt: skip
    money = [None if amount is None else Decimal(amount) for amount in (before, after)]
    return End(outcome, date.fromisoformat(day), reason, *money, reason_code=code)


ENDS = [
    end("RENEWED", "2026-04-01", 100, 130),
    end("DOWNGRADED", "2026-05-01", 100, 60, "fewer  seats"),
    end("CHURNED", "2026-06-30", 100, None, "Price"),
    end("RENEWED", "2026-06-30", None, 50),
    end("CHURNED", "2026-03-31", 40, 0, "price"),
    end("CHURNED", "2026-07-01", 500, 0, "Later"),
]


def test_quarters_count_their_own_ends_up_to_today() -> None:
    now, before = quarters(ENDS, today=date(2026, 6, 30), count=2)
    assert (now.label, now.renewed, now.downgraded, now.churned) == ("Q2 2026", 2, 1, 1)
    assert (now.clients_kept, now.with_arr) == (0.75, 3)
    assert now.gross == pytest.approx(160 / 300)  # 100 + 60 + 0 of 300
    assert now.net == pytest.approx(190 / 300)  # 130 + 60 + 0
    assert now.lost == 140
    assert (before.label, before.churned, before.gross, before.net) == ("Q1 2026", 1, 0.0, 0.0)


def test_nothing_known_is_no_number() -> None:
    empty = total([], "none")
    assert (empty.clients_kept, empty.gross, empty.net, empty.ended) == (None, None, None, 0)
    assert total([end("RENEWED", "2026-04-01")], "one").gross is None


def test_reasons_are_the_same_in_other_letters_and_most_arr_comes_first() -> None:
    found = reasons(ENDS[:5])
    assert [(one.text, one.churned, one.downgraded, one.lost) for one in found] == [
        ("Price", 2, 0, 140),
        ("Fewer seats", 0, 1, 40),
    ]
    assert reasons([end("CHURNED", "2026-04-01")])[0].text == "Not given"


def test_reasons_with_a_code_are_counted_under_it_whatever_their_words() -> None:
    found = reasons(
        [
            end("CHURNED", "2026-04-01", 100, reason="budget", code="PRICE"),
            end("CHURNED", "2026-04-02", 50, reason="Discount refused", code="PRICE"),
            end("CHURNED", "2026-04-03", 50, reason="discount  refused", code="PRICE"),
            end("DOWNGRADED", "2026-04-04", 60, 50, code="PRICE"),
            end("CHURNED", "2026-04-05", 40, reason="Moved abroad"),
            end("CHURNED", "2026-04-06", 30, reason="unknown"),
            end("CHURNED", "2026-04-07", 20),
        ]
    )
    assert [(one.text, one.code, one.churned, one.downgraded, one.lost, one.words) for one in found] == [
        ("Price or budget", "PRICE", 3, 1, 210, ("discount refused",)),
        ("Not given", "", 2, 0, 50, ()),
        ("Moved abroad", "", 1, 0, 40, ()),
    ]
