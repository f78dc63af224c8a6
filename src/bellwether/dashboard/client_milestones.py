"""The card with a client's milestones: what was reached, and what comes next."""

from dataclasses import dataclass
from datetime import date

from django.urls import reverse

from bellwether.dashboard.milestones_page import when_text
from bellwether.milestones import selectors as read
from bellwether.milestones.models import MilestoneProgress
from bellwether.portfolio.models import Client
from bellwether.web.formatting import day

SHOWN = 5


@dataclass(frozen=True)
class ReachedItem:
    """A milestone in the card."""

    href: str
    name: str
    on: str
    celebrated: bool


@dataclass(frozen=True)
class NextItem:
    """A milestone that may come next."""

    name: str
    text: str
    when: str
    percent: int


@dataclass(frozen=True)
class MilestonesCard:
    """The card: the newest ones, how many more there are with the address of all, and the next steps."""

    reached: list[ReachedItem]
    more: int
    all_href: str
    coming: list[NextItem]


def milestones_card(client: Client, today: date) -> MilestonesCard:
    """Return the card of a client that the reader may see, its milestones prefetched; two queries."""
    rows = list(client.milestones.all())
    progress = MilestoneProgress.objects.filter(client=client).first()
    steps = read.steps_of(progress, read.rules_and_names()) if progress and client.archived_at is None else []
    return MilestonesCard(
        reached=[
            ReachedItem(
                reverse("milestone", args=[one.pk]),
                one.name,
                f"{'' if one.exact else 'by '}{day(one.achieved_on, today)}",
                one.celebrated_at is not None,
            )
            for one in rows[:SHOWN]
        ],
        more=max(0, len(rows) - SHOWN),
        all_href=reverse("client_milestones", args=[client.pk]),
        coming=[NextItem(step.name, step.text, when_text(step, today), round(100 * step.share)) for step in steps[:2]],
    )
