"""The timeline tab as data: entries under their months, marked words, filters with counts, what is still to come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.urls import NoReverseMatch, reverse

from bellwether.dashboard.addresses import Address
from bellwether.portfolio.search_words import Part, extract, found_in, marked
from bellwether.portfolio.timeline_reading import SILENCE, WITHOUT_TIME, ToCome
from bellwether.portfolio.timeline_stream import KINDS, Asked, Item, Place
from bellwether.web.formatting import clock, day, plural

MONTH_NAMES = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
              "November", "December")  # fmt: skip
PAGES: Mapping[str, tuple[str, str]] = {
    "activity": ("client_activity", "Open the activity"),
    "ticket": ("ticket", "Open the ticket"),
    "survey": ("survey", "Open the answer"),
    "note": ("client_note", "Open the note"),
    "contract": ("client_contract", "Open the contract"),
    "contact": ("client_contact", "Open the contact"),
    "milestone": ("client_milestones", "Open milestones"),
    "configuration": ("scorecard", "Open the health score"),
}
"""Where the record of an entry is shown: the name of the address and what the link says."""
FORMS = frozenset({"ticket", "survey"})


@dataclass(frozen=True)
class Line:
    """An entry as the page shows it; texts are in pieces, of which some are marked. `dialog`: the link opens a form."""

    key: str
    icon: str
    status: str
    title: list[Part]
    detail: list[Part]
    details: list[tuple[str, list[Part]]]
    when: str
    time: str
    iso: str
    by: str
    is_silence: bool
    hidden: bool
    href: str = ""
    link: str = ""
    dialog: bool = False


@dataclass(frozen=True)
class Month:
    """Entries of one month; `name` is empty where the page before has begun it."""

    key: str
    name: str
    lines: list[Line]


@dataclass(frozen=True)
class Choice:
    """A kind that the stream can be narrowed to, with the number of its entries; `href` switches it."""

    text: str
    count: int
    href: str
    current: bool


def months(items: Sequence[Item], asked: Asked, after: Place | None) -> list[Month]:
    """Return the entries under the months of their days; `after` is where the page before ended."""
    started = after.at.astimezone(asked.zone).date() if after else None
    found: list[Month] = []
    for item in items:
        on = item.entry.on
        key = f"{on.year}-{on.month:02}"
        if not found or found[-1].key != key:
            running = started is not None and not found and (on.year, on.month) == (started.year, started.month)
            found.append(Month(key, "" if running else f"{MONTH_NAMES[on.month - 1]} {on.year}", []))
        found[-1].lines.append(line_of(item, asked))
    return found


def line_of(item: Item, asked: Asked) -> Line:
    """Return an entry with the words that were looked for marked; what was found only in its details is said below."""
    words, entry, zone = asked.words, item.entry, asked.zone
    by = item.by if item.by and item.kind in {"activity", "note", "change"} else ""
    ago = (asked.today - entry.on).days
    shown = f"{entry.title} {entry.detail} {by}"
    where = next((text for _, text in item.details if words and found_in_any(text, words)), "")
    detail = entry.detail
    if words and where and not found_in(shown, words):
        detail = extract(where, words)
    href, link, dialog = link_of(item, asked.client.pk)
    return Line(
        key=f"{item.place.source}-{item.place.id}".replace(":", "-").replace("+", "-"),
        icon=entry.icon,
        status=entry.status,
        title=marked(entry.title, words),
        detail=marked(detail, words),
        details=[(label, marked(text, words)) for label, text in item.details],
        when={0: "Today", 1: "Yesterday"}.get(ago, day(entry.on, asked.today)),
        time="" if item.kind in WITHOUT_TIME else clock(item.place.at, zone),
        iso=entry.on.isoformat(),
        by=by,
        is_silence=item.kind == SILENCE,
        hidden=any(label == "Private" for label, _ in item.details),
        href=href,
        link=link,
        dialog=dialog,
    )


def found_in_any(text: str, words: Sequence[str]) -> bool:
    """Return whether one of the words is the beginning of a word of `text`."""
    return any(part.hit for part in marked(text, words))


def link_of(item: Item, client_id: UUID) -> tuple[str, str, bool]:
    """Return the address of the entry's record, what the link says, and whether it opens a form over the page."""
    if item.kind == "score" and item.object_id:
        return f"{reverse('client', args=[client_id])}?on={item.object_id}#trend", "Explain this change", False
    name, text = PAGES.get(item.kind, ("", ""))
    for args in ([client_id, item.object_id], [client_id], []):
        try:
            return (reverse(name, args=args), text, item.kind in FORMS) if name else ("", "", False)
        except NoReverseMatch:
            continue
    return "", "", False


def kind_choices(counts: Mapping[str, int], asked: Asked, address: Address) -> list[Choice]:
    """Return the kinds that the client has, or that are chosen, as switches; several may be on."""
    found = [Choice("All", sum(counts.values()), address.with_(kinds=None, after=None), not asked.kinds)]
    for kind, text in KINDS.items():
        if kind not in counts and kind not in asked.kinds:
            continue
        chosen = asked.kinds ^ {kind}
        value = ",".join(word for word in KINDS if word in chosen)
        on = kind in asked.kinds
        found.append(Choice(text, counts.get(kind, 0), address.with_(kinds=value or None, after=None), on))
    return found


def summary(shown: int, total: int, asked: Asked) -> str:
    """Return what is on the page in a sentence."""
    entries = plural(total, "entry", "entries")
    if asked.before is not None:
        return f"{plural(shown, 'more entry', 'more entries')} of {total:,}"
    return entries if shown >= total else f"The newest {shown:,} of {entries}"


def nothing(asked: Asked) -> tuple[str, str]:
    """Return the heading and the sentence of an empty page."""
    if asked.words:
        return "Nothing found", "No entry has all of these words. Words are found by their beginnings."
    if asked.kinds or asked.person or asked.first or asked.last:
        return "Nothing here", "No entry fits these filters."
    return "Nothing has happened yet", "Log an activity or import records, and they stand here."


def to_come_lines(found: Sequence[ToCome], client_id: UUID) -> list[tuple[ToCome, str]]:
    """Return what is still to come with the address of its activity."""
    return [
        (one, reverse("client_activity", args=[client_id, one.activity_id]) if one.activity_id else "") for one in found
    ]
