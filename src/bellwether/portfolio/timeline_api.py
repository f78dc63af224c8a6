"""The stream of a client through the staff API: the entries that its timeline shows."""

from datetime import date, datetime
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from bellwether.common.errors import InvalidInputError
from bellwether.common.paging import PageQuery, Pagination, pagination
from bellwether.portfolio.selectors import visible_client
from bellwether.portfolio.timeline_reading import WITHOUT_TIME, asked_of, silence_days
from bellwether.portfolio.timeline_stream import Item, count_kinds, read_all, read_page
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record

router = Router(tags=["timeline"])
DEEPEST = 10_000


class TimelineFilters(PageQuery):
    """What is asked of the stream. All filters that are given must hold."""

    type: list[str] = Field(
        default_factory=list,
        description="Kinds of entries, repeated: activity, ticket, score, alert, milestone, contract, survey, contact, "
        "note, change, configuration. None: all.",
    )
    search: str = Field("", max_length=1000, description="Words that all have to be there, by their beginnings.")
    person: str = Field("", max_length=60, description="staff: or contact: and an id.")
    first: str = Field("", alias="from", max_length=10, description="First workspace day, 2026-02-28.")
    last: str = Field("", alias="to", max_length=10, description="Last workspace day, included.")
    cursor: str = Field("", max_length=200, description="next_cursor of the page before; takes the place of `page`.")


class TimelineDetail(Schema):
    """One thing that is known about an entry."""

    label: str
    text: str


class TimelineEntry(Schema):
    """Something that happened. `occurred_at` is null where only the day is known; `record_id` is the id of the record
    that it is about, where there is one."""

    id: str
    type: str
    date: date
    occurred_at: datetime | None
    title: str
    summary: str
    by: str | None
    status: str | None
    record_id: str | None
    details: list[TimelineDetail]


class TimelinePage(Schema):
    """One page of the stream, newest first. `counts` are the entries of each type, whatever types were asked for.

    `days_without_contact` counts from the newest completed contact to today, null where there never was one.
    """

    data: list[TimelineEntry]
    pagination: Pagination
    next_cursor: str | None
    counts: dict[str, int]
    days_without_contact: int | None


@router.get(
    "/clients/{client_id}/timeline",
    response=TimelinePage,
    operation_id="getClientTimeline",
    summary="What happened with a client",
)
def timeline(request: StaffRequest, client_id: UUID, filters: Query[TimelineFilters]) -> TimelinePage:
    """Return one page of what happened: activities, tickets, score, milestones, contract, surveys, people, notes and
    changes of the client. Private notes are returned to their author alone. Walk on with `cursor`: its pages stay the
    same when something new happens. Archived clients can be read.
    """
    now, client = timezone.now(), visible_client(request.user, client_id)
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    if not filters.cursor and filters.page * filters.limit > DEEPEST:
        raise InvalidInputError(
            f"Pages reach {DEEPEST:,} entries back. Walk on with the cursor.", {"page": "Use cursor for older entries."}
        )
    asked = asked_of(
        client,
        request.user,
        now=now,
        zone=zone,
        kinds=filters.type,
        search=filters.search,
        person=filters.person,
        first=filters.first,
        last=filters.last,
        cursor=filters.cursor,
        limit=filters.limit,
    )
    counts = count_kinds(asked)
    total = sum(count for kind, count in counts.items() if not asked.kinds or kind in asked.kinds)
    if filters.cursor or filters.page == 1:
        page = read_page(asked)
        items, following = page.items, page.next
    else:
        start = (filters.page - 1) * filters.limit
        everything, more = read_all(asked, at_most=start + filters.limit)
        items = everything[start:]
        following = items[-1].place if items and more else None
    record(
        actor=request.user,
        action="client.timeline",
        object_type="client",
        object_id=client.pk,
        client_id=client.pk,
        detail={"count": len(items), "total": total, "types": sorted(asked.kinds), "words": list(asked.words)},
        now=now,
    )
    return TimelinePage(
        data=[_entry(item) for item in items],
        pagination=pagination(page=filters.page, limit=filters.limit, total=total),
        next_cursor=str(following) if following else None,
        counts=counts,
        days_without_contact=silence_days(asked),
    )


def _entry(item: Item) -> TimelineEntry:
    return TimelineEntry(
        id=f"{item.place.source}:{item.place.id}",
        type=item.kind,
        date=item.entry.on,
        occurred_at=None if item.kind in WITHOUT_TIME else item.place.at,
        title=item.entry.title,
        summary=item.entry.detail,
        by=item.by or None,
        status=item.entry.status or None,
        record_id=item.object_id or None,
        details=[TimelineDetail(label=label, text=text) for label, text in item.details],
    )
