"""A small world worked by hand: days 0, 28, 56, 84; client `a` leaves on day 90, `b` and `c` stay."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from bellwether.health.backtest_alarms import episodes, false_alarms, flagged_losses
from bellwether.health.backtest_evaluation import Watch, evaluate, judge, verdict
from bellwether.health.backtest_outcomes import CHURNS, ROWS, Followed, follow
from bellwether.health.backtest_result import Interval, Sample, for_roles_that_see_some
from bellwether.health.backtest_rules import Candidate, last_login, of_scores, usage_drop
from bellwether.health.scorecard import load_scorecard

D = date(2026, 1, 1)
NAN = float("nan")


def day(n: int) -> date:
    return D + timedelta(days=n)


def scores(values: list[float | None], key: str = "tested") -> Candidate:
    frame = pl.DataFrame({"score": pl.Series(values, dtype=pl.Int32)})
    return of_scores(key, key.title(), frame, load_scorecard("prd-015"))


def world(*, until: int = 400) -> Followed:
    rows = pl.DataFrame([(c, day(n)) for c in "abc" for n in (0, 28, 56, 84)], schema=ROWS, orient="row")
    gone = pl.DataFrame([("a", day(90), 1000.0)], schema=CHURNS, orient="row")
    return follow(rows, gone, horizon=60, until=day(until))


class TestCandidates:
    def test_a_score_below_the_monitor_band_is_a_flag(self) -> None:
        found = scores([59, 60, None])
        assert found.flagged.tolist() == [True, False, False]
        assert found.known.tolist() == [True, True, False]
        assert found.flag == "score below 60"

    def test_no_login_for_fourteen_days(self) -> None:
        found = last_login(pl.DataFrame({"days_since_login": [13, 14, None]}))
        assert found.flagged.tolist() == [False, True, False]
        assert found.values[:2].tolist() == [-13, -14]

    def test_usage_down_thirty_per_cent(self) -> None:
        found = usage_drop(pl.DataFrame({"dau_change": [-0.29, -0.3, None]}))
        assert found.flagged.tolist() == [False, True, False]
        assert usage_drop(pl.DataFrame({"other": [1]})).known.tolist() == [False]


class TestAlarms:
    def test_a_loss_is_flagged_by_the_last_day_before_it_and_lead_begins_with_that_flag(self) -> None:
        followed = world()
        # a: flagged, not, flagged, flagged: the flag that was up went up on day 56, 34 days before day 90.
        candidate = scores([50, 80, 50, 40] + [80] * 8)
        found = flagged_losses(episodes(followed.rows, candidate), followed.losses)
        assert (found.total, found.flagged, found.missed, found.without_score) == (1, 1, 0, 0)
        assert found.lead_days == 34
        assert (found.arr_lost, found.arr_missed) == (1000.0, 0.0)

    def test_a_loss_without_a_score_is_missed_and_said_so(self) -> None:
        followed = world()
        found = flagged_losses(episodes(followed.rows, scores([50, 50, 50, None] + [80] * 8)), followed.losses)
        assert (found.flagged, found.missed, found.without_score) == (0, 1, 1)
        assert found.lead_days is None
        assert found.arr_missed == 1000.0

    def test_days_without_a_score_do_not_end_a_flag(self) -> None:
        followed = world()
        found = flagged_losses(episodes(followed.rows, scores([80, 50, None, 50] + [80] * 8)), followed.losses)
        assert found.lead_days == 62

    def test_false_alarms_are_flags_that_no_churn_follows(self) -> None:
        followed = world()
        # a: up on day 28, followed by churn (days 56 and 84 are within 60 days of it). b: up on day 0 (standing), again
        # on 56: false. c: never. 12 weeks from day 0 to 84, 2 CSMs: 1 / 24.
        candidate = scores([80, 50, 50, 50, 50, 80, 50, 50, 80, 80, 80, 80])
        found = false_alarms(episodes(followed.rows, candidate), first=day(0), watchers=2)
        assert (found.episodes, found.false, found.standing, found.weeks) == (2, 1, 1, 12)
        assert found.rate == pytest.approx(1 / 24)

    def test_flags_that_went_up_too_late_to_judge_are_left_out(self) -> None:
        followed = world(until=84 + 59)  # day 84 is undecided at a horizon of 60
        candidate = scores([80] * 4 + [80, 80, 80, 50] + [80] * 4)
        found = false_alarms(episodes(followed.rows, candidate), first=day(0), watchers=1)
        assert (found.episodes, found.false, found.weeks) == (0, 0, 8)


class TestJudge:
    @pytest.mark.parametrize(
        ("churned", "clients", "state"),
        [(9, 100, "not enough history"), (10, 29, "not enough history"), (10, 30, "few"), (29, 99, "few"),
         (30, 100, "ok"), (31, 40, "not enough history")],
    )  # fmt: skip
    def test_by_churned_clients_and_clients(self, churned: int, clients: int, state: str) -> None:
        sample = Sample(500, clients, churned, 50, 0.1, 0, 0, 0, None, None)
        assert judge(sample, 90)[0] == state

    def test_says_what_is_there_and_what_is_needed(self) -> None:
        found = evaluate(
            world(), [scores([50] * 12)], days=60, label="churned", watch=Watch(1, "CSM"),
            random=np.random.default_rng(1),
        )  # fmt: skip
        assert found.state == "not enough history"
        assert found.message.startswith("Not enough history: 1 of 3 clients left within 60 days")
        assert found.tested is None
        assert found.against == []
        # Days 56 and 84 are within 60 days of day 90, day 28 is 62 days before.
        assert (found.sample.rows, found.sample.churned_rows, found.sample.base_rate) == (12, 2, 2 / 12)


class TestEvaluate:
    @staticmethod
    def large(noise: float) -> tuple[Followed, Candidate, Candidate]:
        """200 clients on two days, 40 leave; the one score sees it with some noise, the other is noise."""
        random = np.random.default_rng(5)
        rows = pl.DataFrame([(f"{c:03}", day(n)) for c in range(200) for n in (0, 28)], schema=ROWS, orient="row")
        gone = pl.DataFrame([(f"{c:03}", day(40), None) for c in range(40)], schema=CHURNS, orient="row")
        leaves = np.repeat(np.arange(200) < 40, 2)
        good = np.where(leaves, 40, 80) + random.normal(0, noise, 400)
        followed = follow(rows, gone, horizon=60, until=day(400))
        return followed, scores(list(good.clip(0, 100).astype(int))), scores(list(random.integers(0, 100, 400)), "dice")

    def test_tells_a_good_score_from_dice(self) -> None:
        followed, good, dice = self.large(20)
        found = evaluate(
            followed, [good, dice], days=60, label="churned", watch=Watch(4, "CSM"), random=np.random.default_rng(1),
            in_use="dice",
        )  # fmt: skip
        assert found.state == "ok"
        assert found.tested is not None
        assert found.in_use is not None
        # Two normals 40 apart with deviation 20: Phi(40 / (20 sqrt 2)) = 0.921.
        assert found.tested.auc.value == pytest.approx(0.921, abs=0.03)
        assert found.in_use.difference is not None
        assert found.in_use.difference.verdict == "better"
        assert found.tested.losses["total"] == 40
        assert found.tested.arr == {"lost": None, "missed": None, "missed_share": None, "unknown": 40}
        assert found.against == []

    def test_is_the_same_for_the_same_seed_and_another_order_of_clients(self) -> None:
        followed, good, dice = self.large(20)

        def run() -> object:
            return evaluate(
                followed, [good, dice], days=60, label="churned", watch=Watch(4, "CSM"),
                random=np.random.default_rng(1), draws=50,
            )  # fmt: skip

        assert run() == run()

    def test_counts_rows_without_a_score_and_leaves_them_out(self) -> None:
        followed, good, _ = self.large(20)
        some = Candidate(good.key, good.kind, good.title, good.flag, good.values.copy(), good.flagged)
        some.values[:4] = NAN  # both rows of the first two clients, who leave
        found = evaluate(
            followed, [some], days=60, label="churned", watch=Watch(4, "CSM"), random=np.random.default_rng(1), draws=20
        )
        assert (found.sample.without_score, found.sample.churned_without_score) == (4, 2)
        assert found.tested is not None
        assert found.tested.rows == 396
        assert found.tested.losses["without_score"] == 2

    def test_a_candidate_that_says_nothing_has_no_figures(self) -> None:
        followed, good, _ = self.large(20)
        found = evaluate(
            followed, [good, scores([None] * 400, "empty")], days=60, label="churned", watch=Watch(4, "CSM"),
            random=np.random.default_rng(1), draws=20,
        )  # fmt: skip
        (empty,) = found.against
        assert (empty.rows, empty.auc.value, empty.tenths, empty.roc) == (0, None, [], [])
        assert empty.difference is not None
        assert empty.difference.verdict == "no clear difference"

    def test_verdict_needs_the_95_percent_interval_clear_of_zero(self) -> None:
        assert verdict(Interval(0.1, 0.05, 0.15, 0.01, 0.2)) == "better"
        assert verdict(Interval(0.1, 0.05, 0.15, -0.01, 0.2)) == "no clear difference"
        assert verdict(Interval(-0.1, -0.2, -0.05, -0.3, -0.01)) == "worse"

    def test_sums_of_arr_are_for_roles_that_see_everyone(self) -> None:
        tested = {"key": "a", "arr": {"lost": 5.0}}
        shown = for_roles_that_see_some({"horizons": [{"tested": tested, "in_use": None, "against": [tested]}]})
        assert shown["horizons"] == [
            {"tested": {"key": "a", "arr": {}}, "in_use": None, "against": [{"key": "a", "arr": {}}]}
        ]
