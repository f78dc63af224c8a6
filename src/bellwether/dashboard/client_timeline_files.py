"""The timeline of a client as files: a table for spreadsheets, a document to print for a business review."""

import csv
import io
import json
from collections.abc import Sequence
from importlib.resources import files

from bellwether.common.spreadsheets import safe
from bellwether.portfolio.models import Client
from bellwether.portfolio.timeline_reading import SILENCE, WITHOUT_TIME
from bellwether.portfolio.timeline_stream import KINDS, Asked, Item
from bellwether.web.formatting import DASH, full_day, money, plural, status_of

COLUMNS = ("date", "time", "kind", "title", "summary", "by", "details", "record_id")
PRINTED_DETAILS = frozenset(
    {"Description", "Notes", "Next steps", "Decisions", "Follow-up", "Comment", "Note", "Reason"}
)
LONGEST_PRINTED = 1_500


def csv_text(items: Sequence[Item], asked: Asked) -> str:
    """Return the entries as CSV with a header line, newest first, dates and times in the workspace's zone. Text that a
    spreadsheet would run as a formula is quoted with an apostrophe."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for item in items:
        time = "" if item.kind in WITHOUT_TIME else f"{item.place.at.astimezone(asked.zone):%H:%M}"
        row = (
            KINDS[item.kind],
            item.entry.title,
            item.entry.detail,
            item.by,
            "\n".join(f"{label}: {text}" for label, text in item.details),
            item.object_id,
        )
        writer.writerow((item.entry.on.isoformat(), time, *(safe(text) for text in row)))
    return buffer.getvalue()


def pdf_file(
    client: Client, items: Sequence[Item], asked: Asked, *, search: str = "", person: str = "", cut: bool = False
) -> bytes:
    """Return the entries as a PDF with a head about the client, the period and the filters.

    Texts reach the template as data, never as markup, so nothing that somebody wrote can change the document. Private
    notes are left out: a document is made to be handed on.
    """
    import typst  # web processes start without it

    source = files("bellwether.dashboard").joinpath("templates/dashboard/client_timeline.typ").read_bytes()
    data = json.dumps(document(client, items, asked, search=search, person=person, cut=cut), ensure_ascii=False)
    made: bytes = typst.compile(source, format="pdf", sys_inputs={"data": data})
    return made


def document(
    client: Client, items: Sequence[Item], asked: Asked, *, search: str, person: str, cut: bool
) -> dict[str, object]:
    """Return what the document shows, all of it text."""
    items = [item for item in items if not any(label == "Private" for label, _ in item.details)]
    real = [item for item in items if item.kind != SILENCE]
    first = asked.first or (real[-1].entry.on if real else asked.today)
    filters = [
        f"Kinds: {', '.join(text for kind, text in KINDS.items() if kind in asked.kinds)}" if asked.kinds else "",
        f"Words: {search.strip()}" if asked.words else "",
        f"Person: {person or 'somebody who is no longer there'}" if asked.person else "",
    ]
    arr, renewal, score = client.annual_recurring_revenue, client.next_renewal_date, client.current_health_score
    return {
        "client": client.name,
        "facts": [
            ["Health", f"{score}, {status_of(client.health_status).label.lower()}" if score is not None else "N/A"],
            ["ARR", money(arr) if arr is not None else DASH],
            ["Tier", str(client.get_contract_tier_display())],
            ["Renewal", full_day(renewal)],
            ["CSM", client.csm_user.name if client.csm_user else DASH],
        ],
        "period": f"{full_day(first)} to {full_day(asked.last or asked.today)}",
        "count": plural(len(real), "entry", "entries") + (", the newest" if cut else ""),
        "filters": [text for text in filters if text],
        "made": f"{full_day(asked.today)} by {asked.user.name}",
        "months": _months(items, asked),
        "cut": f"Only the newest {len(real):,} entries are printed. Narrow the period for older ones." if cut else "",
    }


def _months(items: Sequence[Item], asked: Asked) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for item in items:
        name = f"{item.entry.on:%B %Y}"
        if not found or found[-1]["name"] != name:
            found.append({"name": name, "entries": []})
        entries: list[dict[str, object]] = found[-1]["entries"]  # type: ignore[assignment]
        detail = "" if item.kind == "note" else item.entry.detail
        entries.append(
            {
                "day": full_day(item.entry.on).rsplit(" ", 1)[0],
                "kind": KINDS.get(item.kind, ""),
                "title": item.entry.title,
                "detail": detail,
                "status": item.entry.status,
                "silence": item.kind == SILENCE,
                "details": [
                    [label, text if len(text) <= LONGEST_PRINTED else f"{text[:LONGEST_PRINTED]}…"]
                    for label, text in item.details
                    if label in PRINTED_DETAILS and text not in detail
                ],
            }
        )
    return found
