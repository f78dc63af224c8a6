from collections import Counter
from datetime import date

import numpy as np
import pytest

from bellwether.demo.plan import DemoPlan
from bellwether.demo.stories import ABRUPT, latent_health, make_stories, smooth_step

PLAN = DemoPlan(clients=250, days=400, seed=7, today=date(2026, 6, 30))


class TestMakeStories:
    def test_tells_every_kind_of_story(self) -> None:
        counts = Counter(story.kind for story in make_stories(PLAN))
        assert sum(counts.values()) == 250
        # 6.5 % a year of 250 clients over 400 days: 17.8
        assert counts["churned"] == 18
        assert counts["fading"] == 22
        assert counts["newborn"] == 5
        assert counts["steady"] > 125

    def test_gives_churned_clients_a_cause_and_a_day_in_the_window(self) -> None:
        churned = [story for story in make_stories(PLAN) if story.kind == "churned"]
        assert all(story.cause and story.churn is not None and 0 < story.churn < 399 for story in churned)

    def test_fits_into_the_smallest_plan(self) -> None:
        stories = make_stories(DemoPlan(clients=4, days=60, seed=1, today=date(2026, 6, 30)))
        assert Counter(story.kind for story in stories) == Counter(["fading", "recovering", "newborn", "churned"])


class TestLatentHealth:
    def test_stays_between_its_bounds(self) -> None:
        health = latent_health(PLAN, make_stories(PLAN))
        assert health.shape == (250, 400)
        assert health.min() >= 0.04
        assert health.max() <= 0.98

    def test_falls_before_a_churn_unless_the_client_was_bought(self) -> None:
        stories = make_stories(PLAN)
        health = latent_health(PLAN, stories)
        for row, story in enumerate(stories):
            if story.churn is not None and story.cause != ABRUPT:
                assert health[row, story.churn] < story.base - 0.2

    def test_returns_for_recovering_clients(self) -> None:
        stories = make_stories(PLAN)
        health = latent_health(PLAN, stories)
        recovering = [row for row, story in enumerate(stories) if story.kind == "recovering"]
        lowest = health[recovering].min(axis=1)
        assert np.all(health[recovering, -1] > lowest + 0.1)


class TestSmoothStep:
    def test_rises_from_zero_to_one(self) -> None:
        # x²(3 - 2x) at a quarter: 0.0625 · 2.5
        assert smooth_step(np.array([-1.0, 0.0, 0.25, 0.5, 1.0, 9.0])) == pytest.approx([0, 0, 0.15625, 0.5, 1, 1])
