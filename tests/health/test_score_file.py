"""`bellwether score FILE`: a table of measures in, scores out."""

import json

import pytest

from bellwether.common.errors import InvalidInputError
from bellwether.health.score_file import score_table, to_csv, to_json
from bellwether.health.scorecard import load_scorecard

PRD, OPERATIONS, SUPPLIERS = (load_scorecard(name) for name in ("prd-015", "operations", "suppliers"))


class TestScoreTable:
    def test_scores_in_file_order_and_leaves_what_is_missing_empty(self) -> None:
        text = (
            "client_id,days_since_login,feature_share,client_activity,form_completion_rate,journey_performance\n"
            "b,5,0.5,0.25,0.8,0.3\n"
            "a,,1,,,\n"
        )
        lines = to_csv(score_table(text, SUPPLIERS)).splitlines()
        assert lines[0] == (
            "client_id,loginFrequency,featureAdoption,clientActivity,formCompletionRate,journeyPerformance,"
            "score,status,trend,risk,coverage"
        )
        assert lines[1] == "b,20.0,12.5,6.25,8.0,3.0,50,,FLAT,at_risk,1.0"
        assert lines[2] == "a,0.0,25.0,0.0,0.0,0.0,25,,FLAT,critical,0.25"

    def test_gives_an_empty_score_under_half_coverage(self) -> None:
        row = score_table("client_id,nps_latest\nx,9\n", PRD).rows[0]
        assert (row["score"], row["coverage"], row["contract"]) == (None, 0.15, 90.0)
        assert to_csv(score_table("client_id,nps_latest\nx,9\n", PRD)).splitlines()[1] == "x,,,,,90.0,,,,,,0.15"

    def test_takes_tier_and_seats_or_expected_dau(self) -> None:
        base = ",features_used,features_licensed,nps_latest\nx,{},1,1,10\n"
        by_seats = score_table("client_id,dau_avg_7d,tier,licensed_user_count" + base.format("6,starter,40"), PRD)
        given = score_table("client_id,dau_avg_7d,expected_dau" + base.format("6,8"), PRD)
        assert by_seats.rows[0]["usage"] == given.rows[0]["usage"] == 75.0

    def test_compares_with_a_given_previous_score(self) -> None:
        row = score_table("client_id,tickets_30d,previous_score\nx,4,70\n", OPERATIONS).rows[0]
        assert (row["supportTickets"], row["score"], row["trend"], row["risk"]) == (60, 60, "DECLINING", "MEDIUM")

    def test_rejects_single_rows_with_the_reason(self) -> None:
        scored = score_table("client_id,tickets_30d\na,1\nb,many\n,2\nd,-1\ne,nan\n", OPERATIONS)
        assert [row["client_id"] for row in scored.rows] == ["a"]
        assert [(r.row, r.reason) for r in scored.rejects] == [
            (3, "tickets_30d 'many' is not a number"),
            (4, "client_id is empty"),
            (5, "tickets_30d '-1' is negative"),
            (6, "tickets_30d 'nan' is not a finite number"),
        ]

    def test_names_the_columns_it_does_not_read(self) -> None:
        assert score_table("client_id,tickets_30d,mood\na,1,good\n", OPERATIONS).ignored_columns == ("mood",)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "needs a column client_id"),
            ("name,tickets_30d\n", "needs a column client_id"),
            ("client_id,mood\na,good\n", "No column is a measure"),
            ("client_id,tickets_30d,tickets_30d\n", "more than once"),
        ],
    )
    def test_refuses_a_table_it_cannot_use(self, text: str, message: str) -> None:
        with pytest.raises(InvalidInputError, match=message):
            score_table(text, OPERATIONS)

    def test_scores_an_empty_table(self) -> None:
        assert score_table("client_id,tickets_30d\n", OPERATIONS).rows == []

    def test_writes_json(self) -> None:
        rows = json.loads(to_json(score_table("client_id,nps_latest\nx,9\n", PRD)))
        assert rows[0]["score"] is None
        assert rows[0]["status"] is None
