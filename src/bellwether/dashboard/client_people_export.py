"""The people of a client as CSV. Text that a spreadsheet would run as a formula is quoted with an apostrophe."""

import csv
import io

from bellwether.common.spreadsheets import safe
from bellwether.usage.people import People

COLUMNS = (
    "user",
    "role",
    "contact",
    "contact_role",
    "first_seen",
    "last_login",
    "days_since_login",
    "sessions_30d",
    "actions_30d",
    "actions_previous_30d",
    "active_days_30d",
    "minutes_30d",
    "status",
    "champion_by_use",
    "potential_champion",
    "power_user",
)


def csv_text(people: People) -> tuple[str, int]:
    """Return all people as CSV with a header line, the most engaged first, and how many there are.

    `user` is the whole pseudonym; names are those of linked contacts; there is no e-mail address. Dates are ISO, days
    the workspace's.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    rows = people.frame.sort("rank", "user_key", nulls_last=True)
    for row in rows.iter_rows(named=True):
        contact = None if row["link"] is None else people.contacts[row["link"]]
        writer.writerow(
            (
                safe(row["user_key"]),
                safe(row["role"]),
                safe(contact.name) if contact else "",
                contact.role if contact else "",
                row["first_seen"],
                row["last_login"],
                row["days_since_login"],
                row["sessions"],
                row["actions"],
                row["actions_before"],
                row["active_days"],
                round(row["minutes"], 1),
                row["status"],
                "yes" if row["is_champion"] else "no",
                "yes" if row["is_potential_champion"] else "no",
                "yes" if row["is_power_user"] else "no",
            )
        )
    return buffer.getvalue(), rows.height
