"""Finds milestones, keeps them, tells people once, and lets them be celebrated."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import polars as pl
from django.conf import settings
from django.db import transaction
from django.urls import reverse

from bellwether.common.progress import NoProgress, Progress
from bellwether.common.time import day_of
from bellwether.milestones.definitions import definitions, rule_of
from bellwether.milestones.detecting import detect
from bellwether.milestones.frames import Found
from bellwether.milestones.models import Milestone, MilestoneDefinition, MilestoneProgress
from bellwether.milestones.reading import read_all
from bellwether.milestones.rules import Rule
from bellwether.notifications.services import Draft, notify_all
from bellwether.portfolio.changes import changing
from bellwether.portfolio.models import Client
from bellwether.staff.audit import record
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import full_day
from bellwether.webhooks.outbox import Told, tell

NEWS_DAYS = 14
"""What was reached longer ago when it is first found is recorded silently."""
STEPS_KEPT = 3
SOON_DAYS = 180
"""What is expected later than this is ordered by how far a client is, not by its day."""
BATCH = 500


@dataclass(frozen=True)
class Detected:
    """What a run did: new milestones, days that moved earlier, clients with another progress, people told."""

    new: int = 0
    earlier: int = 0
    kept: int = 0
    progress: int = 0
    told: int = 0


def detect_milestones(*, now: datetime, progress: Progress | None = None, whole: bool = True) -> Detected:
    """Find the milestones of all clients in all of the past, keep what is new, and return what that was.

    Doing it again changes nothing. A day that turns out earlier moves as long as nobody celebrated (`kept`: those that
    stay). What was reached stays reached. CSMs are told about the last NEWS_DAYS, and so are webhooks.
    Unless `whole`, older scores are not looked at again (reading.read_all).
    """
    progress = progress or NoProgress()
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(now, zone)
    enabled = definitions(enabled_only=True)
    rules = {row.key: rule_of(row) for row in enabled}
    progress.start("Reading what milestones are found in", None)
    facts = read_all(list(rules.values()), today=today, zone=zone, whole=whole)
    progress.start("Finding milestones", None)
    found = detect(rules, facts)
    return store(found, {row.key: row for row in enabled}, rules, today=today, now=now)


def store(
    found: Found, by_key: Mapping[str, MilestoneDefinition], rules: Mapping[str, Rule], *, today: date, now: datetime
) -> Detected:
    """Keep what was found, in one transaction, and return what changed."""
    with transaction.atomic():
        new, earlier, kept = _store_reached(found.reached, by_key, rules, now)
        steps = _store_progress(found.progress, today, now)
        news = [row for row in new if (today - row.achieved_on).days < NEWS_DAYS]
        told = _tell(news, now)
        if new or earlier:
            detail = {"new": len(new), "earlier": earlier}
            record(actor=None, action="milestone.detect", object_type="milestone", detail=detail, now=now)
    return Detected(new=len(new), earlier=earlier, kept=kept, progress=steps, told=told)


def _store_reached(
    reached: pl.DataFrame, by_key: Mapping[str, MilestoneDefinition], rules: Mapping[str, Rule], now: datetime
) -> tuple[list[Milestone], int, int]:
    known = {
        (row.client_id, row.milestone_type): row for row in Milestone.objects.filter(milestone_type__in=list(by_key))
    }
    names = dict(Client.objects.values_list("pk", "name"))
    new, earlier, kept = [], [], 0
    for client, key, day, exact, value in reached.iter_rows():
        client_id, definition = UUID(client), by_key[key]
        row = known.get((client_id, key))
        if row is None:
            if client_id in names:
                new.append(_milestone(client_id, names[client_id], definition, rules[key], day, exact, value, now))
        elif day < row.achieved_on and row.celebrated_at is None:
            row.detail = {**row.detail, "moved_from": row.achieved_on.isoformat()}
            row.achieved_on, row.exact = day, exact
            earlier.append(row)
        elif day < row.achieved_on:
            kept += 1
    Milestone.objects.bulk_create(new, batch_size=BATCH)
    Milestone.objects.bulk_update(earlier, ["achieved_on", "exact", "detail"], batch_size=BATCH)
    return new, len(earlier), kept


def _milestone(
    client_id: UUID,
    name: str,
    definition: MilestoneDefinition,
    rule: Rule,
    day: date,
    exact: bool,
    value: float,
    now: datetime,
) -> Milestone:
    return Milestone(
        client_id=client_id,
        milestone_type=definition.key,
        name=definition.name,
        sentence=definition.sentence.replace("{client}", name)[:400],
        achieved_on=day,
        exact=exact,
        detail={"value": value, "target": rule.target, "rule": rule.as_data(), "version": definition.version},
        detected_at=now,
    )


def _store_progress(progress: pl.DataFrame, today: date, now: datetime) -> int:
    """Keep the nearest steps of each client: those with a day soon, then those with the greatest share.

    Rows that are as they were are left alone.
    """
    share = (pl.col("value") / pl.col("target")).clip(0, 1).fill_nan(0).fill_null(0)
    nearest = (
        progress.filter(pl.col("target") > 0)
        .with_columns(share=share)
        .filter((pl.col("share") > 0) | pl.col("expected_on").is_not_null())
        .with_columns(soon=pl.when(pl.col("expected_on") <= today + timedelta(days=SOON_DAYS)).then("expected_on"))
        .sort(["client_id", "soon", "share", "key"], descending=[False, False, True, False], nulls_last=True)
        .group_by("client_id", maintain_order=True)
        .head(STEPS_KEPT)
    )
    steps: dict[UUID, list[dict[str, Any]]] = {}
    for client, key, value, target, expected, part in nearest.select(
        "client_id", "key", "value", "target", "expected_on", "share"
    ).iter_rows():
        day = expected.isoformat() if expected else None
        step = {"key": key, "value": round(value, 4), "target": target, "share": round(part, 4), "expected_on": day}
        steps.setdefault(UUID(client), []).append(step)
    known = dict(MilestoneProgress.objects.values_list("client_id", "steps"))
    rows = [
        MilestoneProgress(
            client_id=client_id,
            steps=found,
            next_key=found[0]["key"],
            next_share=found[0]["share"],
            next_on=date.fromisoformat(found[0]["expected_on"]) if found[0]["expected_on"] else None,
            computed_at=now,
        )
        for client_id, found in steps.items()
        if known.get(client_id) != found
    ]
    MilestoneProgress.objects.bulk_create(
        rows,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["client"],
        update_fields=["steps", "next_key", "next_share", "next_on", "computed_at"],
    )
    gone = known.keys() - steps.keys()
    if gone:
        MilestoneProgress.objects.filter(client_id__in=gone).delete()
    return len(rows) + len(gone)


def _tell(news: Sequence[Milestone], now: datetime) -> int:
    """Tell the CSMs and the outside about new milestones; what is stored under the same key is told once."""
    clients = {row.pk: row for row in Client.objects.active().filter(pk__in={one.client_id for one in news})}
    about = [(one, clients[one.client_id]) for one in news if one.client_id in clients]
    drafts = [
        Draft(
            user_id=client.csm_user_id,
            kind="milestone",
            key=f"{client.pk}:{one.milestone_type}",
            title=one.sentence[:200],
            text=f"{one.name}, {day_text(one)}. Celebrate it.",
            href=reverse("milestone", args=[one.pk]),
            client_id=client.pk,
        )
        for one, client in about
        if client.csm_user_id
    ]
    told = [
        Told(
            data={
                "client": {"id": str(client.pk), "organization_id": client.organization_id, "name": client.name},
                "milestone_type": one.milestone_type,
                "name": one.name,
                "achieved_on": one.achieved_on.isoformat(),
            },
            client_id=client.pk,
            key=f"milestone:{client.pk}:{one.milestone_type}",
        )
        for one, client in about
    ]
    tell("milestone.achieved", told, now=now)
    return notify_all(drafts, now=now)


def day_text(milestone: Milestone) -> str:
    """Return "12 Feb 2026", or "on or before 12 Feb 2026" where the day itself is not known."""
    return f"{'' if milestone.exact else 'on or before '}{full_day(milestone.achieved_on)}"


def celebrate(milestone: Milestone, *, actor: StaffUser, now: datetime) -> tuple[Milestone, Any]:
    """Mark a milestone of a client that `actor` may see as celebrated; return it with the change, None if it was
    celebrated before: that stays as it is."""
    with transaction.atomic():
        row = Milestone.objects.select_for_update().get(pk=milestone.pk)
        if row.celebrated_at is not None:
            return row, None
        today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
        with changing(
            actor, kind="milestone.celebrated", summary=f"{row.sentence}: celebrated", today=today, now=now
        ) as work:
            work.keep(row)
            row.celebrated_at, row.celebrated_by = now, actor
            work.save(row)
    return row, work.change


def counts_of(done: Detected, started: float) -> dict[str, int]:
    """Return the counts of a run for its job, with its time since `started` (time.perf_counter)."""
    return asdict(done) | {"milliseconds": round(1000 * (time.perf_counter() - started))}
