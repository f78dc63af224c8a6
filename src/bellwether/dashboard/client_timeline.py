"""The card with the recent timeline: the stream of records narrowed, cut and dated for the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_trend import Choice
from bellwether.portfolio.timeline import Entry, Group, merge
from bellwether.web.formatting import day, plural

SHOWN, STEPS = 10, (50, 200)
FILTERS = (("All", None), ("Activities", Group.ACTIVITIES), ("Support", Group.SUPPORT), ("Score", Group.SCORE))
NOTHING = {
    None: "Nothing is recorded for this client yet.",
    Group.ACTIVITIES: "No activities are recorded for this client.",
    Group.SUPPORT: "No support tickets are recorded for this client.",
    Group.SCORE: "The score has not changed by 5 points or more within 7 days.",
}


@dataclass(frozen=True)
class TimelineItem:
    """An entry ready to be shown; `iso` is its date."""

    icon: str
    title: str
    detail: str
    status: str
    when: str
    iso: str


@dataclass(frozen=True)
class Timeline:
    """The entries shown, the filters, and where more can be had."""

    items: list[TimelineItem]
    filters: list[Choice]
    nothing: str
    more: str
    more_text: str
    summary: str


def timeline_card(
    entries: Sequence[Entry], *, show: str, limit: int, address: Address, today: date, until: date
) -> Timeline:
    """Return the newest `limit` entries of the group `show` ("": all); contacts are expected up to `until`."""
    group = next((group for _, group in FILTERS if group and group.value == show), None)
    stream = merge(entries, today=until, group=group, limit=limit)
    left = stream.total - len(stream.entries)
    following = next((step for step in STEPS if step > limit), None)
    return Timeline(
        items=[_item(entry, today) for entry in stream.entries],
        filters=[
            Choice(text, address.with_(show=word.value if word else None, timeline=None) + "#timeline", word == group)
            for text, word in FILTERS
        ],
        nothing=NOTHING[group],
        more=address.with_(timeline=following) + "#timeline" if left and following else "",
        more_text=f"Show {plural(min(left, (following or limit) - limit), 'more entry', 'more entries')}",
        summary=f"{len(stream.entries)} of {plural(stream.total, 'entry', 'entries')}",
    )


def _item(entry: Entry, today: date) -> TimelineItem:
    ago = (today - entry.on).days
    when = {0: "Today", 1: "Yesterday"}.get(ago, day(entry.on, today))
    return TimelineItem(entry.icon, entry.title, entry.detail, entry.status, when, entry.on.isoformat())
