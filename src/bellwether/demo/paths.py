"""Latent health from day to day: the planted falls, recoveries and growth of each client, and noise. Pure."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bellwether.demo.plan import DemoPlan
from bellwether.demo.stories import RISE_DAYS, Story

LOWEST, HIGHEST = 0.04, 0.98
NOISE, KEEP = 0.035, 0.97
Floats = npt.NDArray[np.float64]


def latent_health(plan: DemoPlan, stories: Sequence[Story], *, before: int = 0) -> npt.NDArray[np.float32]:
    """Return the latent health (LOWEST to HIGHEST), clients × days, from `before` days before the first day on.

    It is defined also outside a client's contract. Before the first day the noise of that day holds.
    """
    noise = _autoregressive(plan.stream("latent"), len(stories), plan.days)
    noise = np.concatenate([np.repeat(noise[:, :1], before, axis=1), noise], axis=1)
    base = np.array([story.base for story in stories])[:, None]
    path = base - lost_health(plan, stories, before=before) + noise
    return np.asarray(np.clip(path, LOWEST, HIGHEST), np.float32)


def lost_health(
    plan: DemoPlan, stories: Sequence[Story], *, before: int = 0, trigger: str | None = None
) -> npt.NDArray[np.float64]:
    """Return how much latent health each client has lost to its falls, clients × days; with `trigger` to those falls
    alone that it set off. Growth is a negative loss."""
    days = np.arange(-before, plan.days)
    lost = np.zeros((len(stories), len(days)))
    for row, story in enumerate(stories):
        for fall in story.falls:
            if trigger is None or fall.trigger == trigger:
                lost[row] += fall.depth * smooth_step((days - fall.turn) / fall.days)
                if fall.rise:
                    lost[row] -= fall.rise * smooth_step((days - fall.rise_turn) / RISE_DAYS)
    return lost


def smooth_step(progress: np.ndarray) -> np.ndarray:
    """Return 0 before 0, 1 after 1, and a smooth rise between."""
    x = np.clip(progress, 0.0, 1.0)
    return np.asarray(x * x * (3 - 2 * x))


def _autoregressive(rng: np.random.Generator, rows: int, columns: int) -> Floats:
    """Return AR(1) noise of standard deviation NOISE along the second axis."""
    steps = rng.normal(0.0, NOISE * np.sqrt(1 - KEEP**2), (rows, columns))
    steps[:, 0] = rng.normal(0.0, NOISE, rows)
    for day in range(1, columns):
        steps[:, day] += KEEP * steps[:, day - 1]
    return steps
