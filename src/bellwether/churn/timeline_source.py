"""What the churn risk adds to the stream of a client: days on which its category became another."""

from collections.abc import Iterator

from bellwether.churn.choices import Category, Precision
from bellwether.churn.selectors import history
from bellwether.portfolio.timeline import Entry, Group
from bellwether.portfolio.timeline_stream import Asked, FewEntries, Made, add_source
from bellwether.web.formatting import day

WEIGHT = 7
ORDER = {Category.LOW: 0, Category.MEDIUM: 1, Category.HIGH: 2}
STATUS = {Category.LOW: "healthy", Category.MEDIUM: "risk", Category.HIGH: "critical"}


def register() -> None:
    """Add the source of this package; called once when Django starts."""
    add_source(FewEntries("churn", "churn", _changes))


def _changes(asked: Asked) -> Iterator[Made]:
    """Yield an entry for each prediction with another category than the one before it, and for a first one of High."""
    before = None
    for one in history(asked.client):
        was, before = before, one
        category = Category(one.category)
        if was is None and category != Category.HIGH:
            continue
        if was is not None and was.category == one.category:
            continue
        is_figure = one.precision == Precision.FIGURE
        details = [("Version", f"{one.model.version}, {one.model.get_kind_display().lower()}")]
        if is_figure:
            details.insert(0, ("Within 90 days", f"{one.p90:.0%}, likely {one.p90_low:.0%} to {one.p90_high:.0%}"))
        if was is not None:
            details.insert(0, ("Before", f"{was.get_category_display()} on {day(was.as_of, asked.today)}"))
        rises = was is None or ORDER[category] > ORDER[Category(was.category)]
        text = f"{one.p90:.0%} within 90 days." if is_figure else _without_figure(one.precision_reason)
        if was is not None and was.model_id != one.model_id:
            text += f" Version {one.model.version} of the model was new."
        yield Made(
            Entry(
                key=f"churn-{one.as_of.isoformat()}",
                on=one.as_of,
                group=Group.SCORE,
                icon="trending-down" if rises else "trending-up",
                title=f"Churn risk {'rose' if rises else 'fell'} to {one.get_category_display().lower()}"
                if was is not None
                else "Churn risk is high",
                detail=text,
                status=STATUS[category],
                rank=0.3,
                weight=WEIGHT if category == Category.HIGH else 0,
                mark=f"Churn risk {one.get_category_display().lower()}",
            ),
            tuple(details),
            object_id=str(one.pk),
        )


def _without_figure(reason: str) -> str:
    """Return the sentence in place of a percentage."""
    words = reason.rstrip(".")
    return f"No figure: {words[:1].lower()}{words[1:]}." if words else "No figure."
