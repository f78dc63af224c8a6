"""The contacts of a client as CSV and XLSX. E-mail and phone are masked unless they were revealed."""

import csv
import io
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from bellwether.common.spreadsheets import safe
from bellwether.common.time import day_of
from bellwether.portfolio.masking import masked_email, masked_phone
from bellwether.portfolio.models import Contact

COLUMNS = (
    "name", "title", "role", "email", "phone", "is_primary", "is_billing", "is_technical", "engagement_status",
    "last_platform_login", "last_csm_contact", "known_since", "left_company_on", "notes",
)  # fmt: skip


def csv_text(contacts: Sequence[Contact], *, clear: bool, zone: ZoneInfo) -> str:
    """Return the contacts as CSV with a header line. Days are ISO days of the workspace."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    writer.writerows(_cells(contact, clear=clear, zone=zone) for contact in contacts)
    return buffer.getvalue()


def xlsx_bytes(contacts: Sequence[Contact], *, clear: bool, zone: ZoneInfo) -> bytes:
    """Return the contacts as a workbook with one sheet, its header frozen and filterable; no cell is a formula."""
    import xlsxwriter  # here, because web processes start without it

    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        sheet = book.add_worksheet("Contacts")
        sheet.write_row(0, 0, COLUMNS, book.add_format({"bold": True}))
        for number, contact in enumerate(contacts, start=1):
            sheet.write_row(number, 0, _cells(contact, clear=clear, zone=zone))
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(1, len(contacts)), len(COLUMNS) - 1)
        sheet.set_column(0, len(COLUMNS) - 1, 20)
    return buffer.getvalue()


def _cells(contact: Contact, *, clear: bool, zone: ZoneInfo) -> list[str]:
    days = [
        day_of(instant, zone).isoformat() if instant else ""
        for instant in (contact.last_platform_login, contact.last_csm_contact)
    ]
    left = day_of(contact.left_company_at, zone).isoformat() if contact.left_company_at else ""
    flags = (contact.is_primary, contact.is_billing, contact.is_technical)
    return [
        safe(contact.name),
        safe(contact.title),
        contact.role,
        safe(contact.email if clear else masked_email(contact.email)),
        safe(contact.phone if clear else masked_phone(contact.phone)),
        *("yes" if flag else "no" for flag in flags),
        contact.engagement_status or "",
        *days,
        contact.known_since.isoformat() if contact.known_since else "",
        left,
        safe(contact.notes),
    ]
