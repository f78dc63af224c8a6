from collections import Counter
from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from bellwether.demo.paths import latent_health, lost_health, smooth_step
from bellwether.demo.plan import DemoPlan
from bellwether.demo.stories import CHAMPION_LEFT, RISE_DAYS, Fall, Story, make_stories

PLAN = DemoPlan(clients=250, days=400, seed=7, today=date(2026, 6, 30))
LARGE = DemoPlan(clients=1500, days=500, seed=5, today=date(2026, 6, 30))


class TestMakeStories:
    def test_tells_every_kind_of_story(self) -> None:
        counts = Counter(story.kind for story in make_stories(PLAN))
        assert sum(counts.values()) == 250
        # 10.5 % and 2 % of 250 clients; 6 % a year of 250 over 400 days and 80 before them: 19.7
        assert (counts["fading"], counts["newborn"], counts["stuck"]) == (26, 5, 20)
        assert counts["steady"] > 100

    def test_fits_into_the_smallest_plan(self) -> None:
        stories = make_stories(DemoPlan(clients=4, days=60, seed=1, today=date(2026, 6, 30)))
        assert Counter(story.kind for story in stories) == Counter(["fading", "recovering", "newborn", "steady"])

    def test_lets_falls_follow_one_another_and_begin_at_all_times(self) -> None:
        stories = make_stories(LARGE)
        for story in stories:
            assert all(before.rise_turn + RISE_DAYS <= after.turn for before, after in pairwise(story.falls))
        begins = np.array([fall.turn for story in stories for fall in story.falls if fall.depth > 0.2])
        quarters = np.histogram(begins, bins=[-200, -75, 50, 175, 300])[0]
        assert quarters.min() > 0.75 * quarters.max()

    def test_lets_a_champion_leave_once_at_most(self) -> None:
        for story in make_stories(LARGE):
            assert sum(fall.trigger == CHAMPION_LEFT for fall in story.falls) <= 1


class TestStory:
    STORY = Story(
        kind="fading",
        base=0.8,
        starts=-100,
        falls=(
            Fall(turn=10, depth=0.3, days=40, rise=0.3, rise_turn=80, trigger=CHAMPION_LEFT),
            Fall(turn=200, depth=0.5, days=40),
        ),
    )

    def test_tells_when_the_champion_leaves_and_who_follows(self) -> None:
        assert (self.STORY.champion_leaves, self.STORY.champion_follows) == (10, 80)
        assert self.STORY.settled == pytest.approx(0.3)

    def test_knows_nothing_of_what_comes_after_a_churn(self) -> None:
        left = Story(kind="churned", base=0.8, starts=-100, falls=self.STORY.falls, churn=70, cause="champion left")
        assert (left.champion_leaves, left.champion_follows, left.recovers) == (10, None, None)
        assert left.last == self.STORY.falls[0]


class TestLatentHealth:
    def test_stays_between_its_bounds(self) -> None:
        health = latent_health(PLAN, make_stories(PLAN))
        assert health.shape == (250, 400)
        assert health.min() >= 0.04
        assert health.max() <= 0.98

    def test_begins_earlier_when_asked_to_and_is_the_same_from_the_first_day_on(self) -> None:
        stories = make_stories(PLAN)
        longer = latent_health(PLAN, stories, before=30)
        assert longer.shape == (250, 430)
        assert np.array_equal(longer[:, 30:], latent_health(PLAN, stories))

    def test_returns_for_recovering_clients(self) -> None:
        stories = make_stories(PLAN)
        health = latent_health(PLAN, stories)
        recovering = [row for row, story in enumerate(stories) if story.kind == "recovering"]
        lowest = health[recovering].min(axis=1)
        assert np.all(health[recovering, -1] > lowest + 0.1)

    def test_loses_what_falls_take_and_rises_give_back(self) -> None:
        lost = lost_health(PLAN, [TestStory.STORY])[0]
        # 0.3 from day 50 to 80, nothing from day 140 to 200, 0.5 from day 240 on
        assert lost[[0, 60, 150, 300]] == pytest.approx([0, 0.3, 0, 0.5])
        assert lost_health(PLAN, [TestStory.STORY], trigger=CHAMPION_LEFT)[0][[60, 300]] == pytest.approx([0.3, 0])


class TestSmoothStep:
    def test_rises_from_zero_to_one(self) -> None:
        # x²(3 - 2x) at a quarter: 0.0625 · 2.5
        assert smooth_step(np.array([-1.0, 0.0, 0.25, 0.5, 1.0, 9.0])) == pytest.approx([0, 0, 0.15625, 0.5, 1, 1])
