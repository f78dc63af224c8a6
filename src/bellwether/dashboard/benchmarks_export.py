"""A comparison as CSV. What may not be shown is empty, with the reason beside it."""

import csv
import io
import math
from datetime import date

from bellwether.benchmarks.asking import Comparison
from bellwether.common.spreadsheets import safe

COLUMNS = (
    "client", "group", "date", "metric", "unit", "value", "peers", "percentile", "p25", "median", "p75", "mean",
    "minimum", "maximum", "gap", "gap_points", "hidden",
)  # fmt: skip


def csv_text(found: Comparison, day: date | None, *, sees_all: bool) -> str:
    """Return one line a metric under a header line. Numbers are in the metric's unit; "never" is not reached yet."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for one in found.positions:
        spread = one.spread
        quartiles = (spread.p25, spread.median, spread.p75, spread.mean) if spread else (None,) * 4
        ends = (spread.lowest, spread.highest) if spread and sees_all else (None, None)
        writer.writerow([
            safe(found.client.name), safe(found.choice.title), day, one.metric.key, one.metric.unit, _number(one.value),
            one.peers, _number(one.percentile), *map(_number, quartiles), *map(_number, ends), _number(one.gap),
            _number(one.gap_points), one.hidden,
        ])  # fmt: skip
    return buffer.getvalue()


def _number(value: float | None) -> object:
    if value is None or math.isnan(value):
        return None
    return "never" if math.isinf(value) else round(value, 4)
