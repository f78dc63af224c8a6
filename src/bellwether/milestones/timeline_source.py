"""What milestones add to the stream of a client."""

from collections.abc import Iterator

from bellwether.milestones.models import Milestone
from bellwether.milestones.rules import rule_from_data, rule_text
from bellwether.milestones.timeline_entries import entries_of
from bellwether.portfolio.timeline_stream import Asked, FewEntries, Made, add_source
from bellwether.web.formatting import moment


def register() -> None:
    """Add the source of this package; called once when Django starts."""
    add_source(FewEntries("milestone", "milestone", _milestones))


def _milestones(asked: Asked) -> Iterator[Made]:
    rows = list(Milestone.objects.filter(client=asked.client).select_related("celebrated_by").order_by("achieved_on"))
    for row, entry in zip(rows, entries_of(rows), strict=True):
        details = [("Reached by", rule_text(rule_from_data(row.detail["rule"])))] if row.detail.get("rule") else []
        if not row.exact:
            details.append(("Day", "The latest possible: older days are not known one by one"))
        by = row.celebrated_by.name if row.celebrated_by else ""
        if row.celebrated_at is not None:
            at = moment(row.celebrated_at, asked.now, asked.zone)
            details.append(("Celebrated", f"{at} by {by}" if by else at))
        yield Made(entry, tuple(details), object_id=str(row.pk), by=by)
