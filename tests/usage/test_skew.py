"""The clock rule of the Segment protocol, worked by hand, and its column form."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from bellwether.usage.skew import INSTANT, corrected, corrected_expr

RECEIVED = datetime(2026, 6, 30, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
CASES = [
    # sent_at, original_ts, corrected
    (None, None, RECEIVED),
    (RECEIVED, None, RECEIVED),
    (None, RECEIVED - HOUR, RECEIVED - HOUR),
    (None, RECEIVED + HOUR, RECEIVED),  # the future is clamped
    (RECEIVED + HOUR, RECEIVED + HOUR / 2, RECEIVED - HOUR / 2),  # clock an hour ahead
    (RECEIVED - HOUR, RECEIVED - 2 * HOUR, RECEIVED - HOUR),  # clock an hour behind
    (RECEIVED, RECEIVED + HOUR, RECEIVED),  # sent before it happened
    (RECEIVED, RECEIVED - timedelta(days=700), RECEIVED - timedelta(days=700)),  # back-dated import
    (RECEIVED, datetime(1, 1, 2, tzinfo=UTC), None),  # an unset date of some languages
    (datetime(2300, 1, 1, tzinfo=UTC), datetime(2000, 1, 1, tzinfo=UTC), None),
]


class TestCorrected:
    @pytest.mark.parametrize(("sent_at", "original_ts", "expected"), CASES)
    def test_follows_the_rule(self, sent_at: datetime | None, original_ts: datetime | None, expected: datetime | None):
        assert corrected(received_at=RECEIVED, sent_at=sent_at, original_ts=original_ts) == expected


class TestCorrectedExpr:
    def test_agrees_with_the_one_by_one_rule(self):
        rows = [(RECEIVED, sent, original) for sent, original, _ in CASES]
        frame = pl.DataFrame(
            rows, schema={"received_at": INSTANT, "sent_at": INSTANT, "original_ts": INSTANT}, orient="row"
        )
        columns = {name: pl.col(name) for name in frame.columns}
        assert frame.select(ts=corrected_expr(**columns))["ts"].to_list() == [expected for *_, expected in CASES]
