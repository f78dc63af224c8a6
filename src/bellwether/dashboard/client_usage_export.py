"""The daily usage of a client as CSV."""

import csv
import io

from bellwether.common.spreadsheets import safe
from bellwether.health.usage_reading import Usage

COLUMNS = (
    "organization_id",
    "date",
    "daily_active_users",
    "weekly_active_users",
    "monthly_active_users",
    "total_users",
    "new_users",
    "sessions",
    "session_seconds",
    "actions",
    "expected_low",
    "expected_high",
    "unusual",
    "holiday",
    "before_first_event",
    "logins",
)


def usage_csv(organization_id: str, usage: Usage) -> str:
    """Return the days of the range, oldest first, with the preset's counts as last columns. Dates are ISO.

    Text that a spreadsheet would run as a formula is quoted.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([*COLUMNS, *(safe(name) for name in usage.counted if name != "logins")])
    unusual = {item.day: item.kind for item in usage.unusual if item.kind != "holiday"}
    for item in usage.days:
        low, high = item.interval or ("", "")
        writer.writerow(
            [
                safe(organization_id),
                item.day,
                item.dau,
                item.wau,
                item.mau,
                item.total_users,
                item.new_users,
                item.sessions,
                item.session_seconds,
                item.actions,
                low,
                high,
                unusual.get(item.day, ""),
                safe(usage.holidays.get(item.day, "")),
                "yes" if item.before_start else "",
                item.counts["logins"],
                *(item.counts[name] for name in usage.counted if name != "logins"),
            ]
        )
    return buffer.getvalue()
