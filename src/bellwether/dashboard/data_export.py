"""Rejected events as CSV."""

import csv
import io
import json
from collections.abc import Iterable

from bellwether.common.spreadsheets import safe
from bellwether.usage.models import RejectedEvent
from bellwether.usage.quality_rejects import advice

COLUMNS = ("received_at", "source", "reason", "meaning", "what_to_change", "message_id", "sample")


def reject_csv(rows: Iterable[RejectedEvent]) -> tuple[str, int]:
    """Return the rejected events as CSV with a header line, and how many there are. Times are UTC, ISO 8601."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    count = 0
    for row in rows:
        found = advice(row.reason)
        sample = json.dumps(row.sample, ensure_ascii=False)
        texts = (row.source, row.reason, found.what, found.change, row.message_id, sample)
        writer.writerow([row.received_at.isoformat(), *(safe(text) for text in texts)])
        count += 1
    return buffer.getvalue(), count
