"""Who leaves, when and why: drawn from the true hazard of the planted stories. Pure."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bellwether.demo.hazard import (
    CHAMPION_DAYS,
    HORIZONS,
    LEAD_DAYS,
    WAVE_DAYS,
    WAVE_FADES,
    Drivers,
    Floats,
    Hazard,
    cause_on,
    hazard,
    last_days_of_terms,
    leaving_days,
)
from bellwether.demo.paths import latent_health, lost_health
from bellwether.demo.plan import DemoPlan
from bellwether.demo.stories import CHAMPION_LEFT, CHURNED, SUPPORT, Story

AHEAD_DAYS = max(HORIZONS)


def with_leavings(plan: DemoPlan, stories: Sequence[Story]) -> list[Story]:
    """Return the stories of `plan` with who leaves when and why; nobody leaves on the last day."""
    found = true_hazard(plan, stories)
    luck = np.array([plan.stream("leaving", number).random() for number in range(len(stories))])
    days = leaving_days(found.rate[:, :-1], luck)
    return [
        story
        if day >= plan.days - 1
        else replace(story, kind=CHURNED, churn=int(day), cause=cause_on(found, number, int(day)))
        for number, (story, day) in enumerate(zip(stories, days, strict=True))
    ]


def true_hazard(plan: DemoPlan, stories: Sequence[Story]) -> Hazard:
    """Return the hazard of every client and day of the plan, as if nobody had left."""
    return hazard(drivers(plan, stories))


def drivers(plan: DemoPlan, stories: Sequence[Story]) -> Drivers:
    """Return what the hazard of `stories` follows."""
    ahead = np.arange(plan.days + AHEAD_DAYS)
    term_ends = np.zeros((len(stories), len(ahead)), bool)
    for row, story in enumerate(stories):
        term_ends[row, last_days_of_terms(plan.day(story.starts), plan.first, len(ahead))] = True
    starts = np.array([story.starts for story in stories])
    return Drivers(
        health=latent_health(plan, stories, before=LEAD_DAYS).astype(np.float64),
        lost_to_champion=lost_health(plan, stories, before=LEAD_DAYS, trigger=CHAMPION_LEFT),
        lost_to_support=lost_health(plan, stories, before=LEAD_DAYS, trigger=SUPPORT),
        champion_gone=_champion_gone(plan, stories),
        wave=_waves(plan, stories),
        term_ends=term_ends,
        age=(ahead[None, :] - starts[:, None]).astype(np.float64),
    )


def _champion_gone(plan: DemoPlan, stories: Sequence[Story]) -> Floats:
    days = np.arange(plan.days)
    gone = np.zeros((len(stories), plan.days))
    for row, story in enumerate(stories):
        if story.champion_leaves is not None:
            until = story.champion_leaves + CHAMPION_DAYS
            if story.champion_follows is not None:
                until = min(until, story.champion_follows)
            gone[row] = (days >= story.champion_leaves) & (days < until)
    return gone


def _waves(plan: DemoPlan, stories: Sequence[Story]) -> Floats:
    days = np.arange(plan.days)
    weight = np.zeros((len(stories), plan.days))
    for row, story in enumerate(stories):
        for begins in story.waves:
            fading = np.clip(1 - (days - begins - WAVE_DAYS) / WAVE_FADES, 0.0, 1.0)
            weight[row] = np.maximum(weight[row], np.where(days >= begins, fading, 0.0))
    return weight
