"""Features by hand: what measures, people, tickets and records come to."""

from datetime import date, timedelta
from math import cos, pi
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from bellwether.churn.additive import predict
from bellwether.churn.factors import FEATURES, SLUGS
from bellwether.churn.features import CLIENTS, FEATURE_ROWS, MEASURES, PEOPLE, TICKETS, feature_frame
from bellwether.churn.features_page import page
from bellwether.churn.fitting import expert_model
from bellwether.churn.people import ACTIVE, CONTACTS, ROWS, SIGHTS, people_features
from bellwether.common.frames import FrameError

pytestmark = pytest.mark.one_database
DAY = date(2026, 4, 1)
WORDS = ("payment_status", "tier")


def measured(**values: Any) -> pl.DataFrame:
    schema = {name: pl.String if name in WORDS else pl.Float64 for name in MEASURES}
    return pl.DataFrame([{"client_id": "a", "date": DAY, **{name: values.get(name) for name in MEASURES}}],
                        schema={"client_id": pl.String, "date": pl.Date, **schema})  # fmt: skip


def of_client(schema: Any, **values: Any) -> pl.DataFrame:
    given = {"client_id": "a", "as_of": DAY} | values
    return pl.DataFrame([{name: given.get(name) for name in schema}], schema=schema)


def features(
    measures: pl.DataFrame, tickets: pl.DataFrame | None = None, people: pl.DataFrame | None = None, **client: Any
) -> dict[str, Any]:
    given = {"first_day": DAY - timedelta(days=400), "first_event": DAY - timedelta(days=390)} | client
    found = feature_frame(
        measures,
        of_client(PEOPLE) if people is None else people,
        pl.DataFrame(schema=TICKETS) if tickets is None else tickets,
        of_client(CLIENTS, **given),
    )
    assert found.schema == pl.Schema(FEATURE_ROWS)
    (row,) = found.iter_rows(named=True)
    return row


class TestFeatureFrame:
    def test_changes_and_ratios(self) -> None:
        found = features(
            measured(dau_avg_30d=6.0, dau_avg_90d=10.0, dau_change=-0.25, features_used=3.0, features_licensed=12.0,
                     tickets_30d=5.0, tickets_norm=2.0, payment_status="overdue", licensed_user_count=40.0,
                     tier="STARTER", days_to_renewal=-3.0),
            arr=12_000.0, industry="Retail",
        )  # fmt: skip
        assert found["usage_change_month"] == pytest.approx(0.6)
        assert found["usage_change_week"] == 0.75
        assert found["daily_users"] == 6
        assert found["feature_share_used"] == 0.25
        assert found["ticket_ratio"] == 2
        assert found["payment_late"] == 2
        assert found["licensed_users"] == 40
        assert found["days_to_renewal"] == -3
        assert found["tenure_days"] == 400
        assert found["season_cos"] == pytest.approx(cos(2 * pi * 90 / 365.25))  # 1 April is the 91st day
        assert found["season_sin"] == pytest.approx(1, abs=1e-3)
        assert (found["tier"], found["industry"], found["arr"]) == ("STARTER", "Retail", 12_000)

    def test_what_is_not_known_is_null_and_counted(self) -> None:
        found = features(measured(licensed_user_count=0.0), first_event=None)
        unknown = set(SLUGS) - {"tenure_days", "season_cos", "season_sin"}
        assert all(found[slug] is None for slug in unknown)
        # 25 of the 27 features have an expert weight; tenure is one of them.
        assert sum(1 for feature in FEATURES if feature.weight) == 25
        assert found["known"] == pytest.approx(1 / 25)

    def test_a_month_of_use_says_nothing_against_a_quarter(self) -> None:
        use = measured(dau_avg_30d=6.0, dau_avg_90d=10.0)
        assert features(use, first_event=DAY - timedelta(days=43))["usage_change_month"] is None
        assert features(use, first_event=DAY - timedelta(days=44))["usage_change_month"] == 0.6

    def test_a_client_never_looks_safer_the_longer_it_is_silent(self) -> None:
        found = []
        for days in (0, 10, 29, 30, 45, 89, 90, 120, 179, 180, 400):
            use = {"dau_avg_30d": max(0.0, 5 - days / 6), "dau_avg_90d": max(0.0, 5 - days / 18)}
            week = {"dau_change": -1.0 if 7 <= days < 30 else None}
            people = {
                "people_lost_share": None if days >= 90 else min(1.0, 0.3 + days / 30),
                "lead_user_quiet_days": None if days >= 180 else float(days),
            }
            row = features(
                measured(**use, **week, days_since_use=float(days), stickiness=0.2 if days < 30 else None),
                people=of_client(PEOPLE, **people),
            )
            found.append(row)
        risk = predict(expert_model(), pl.DataFrame(found, schema=FEATURE_ROWS)).p[:, -1]
        assert np.all(np.diff(risk) >= 0), risk
        last = found[-1]
        assert (last["usage_change_month"], last["usage_change_week"], last["stickiness"]) == (0, 0, 0)
        assert (last["lead_user_quiet_days"], last["people_lost_share"]) == (400, 1)

    def test_no_open_tickets_are_none_only_where_tickets_are_known(self) -> None:
        assert features(measured(tickets_30d=0.0))["open_tickets"] == 0
        assert features(measured())["open_tickets"] is None
        three = of_client(TICKETS, open_tickets=3.0)
        assert features(measured(tickets_30d=1.0), three)["open_tickets"] == 3

    def test_frames_that_lack_a_column_are_told(self) -> None:
        with pytest.raises(FrameError, match="Tickets of features"):
            features(measured(), pl.DataFrame({"client_id": ["a"]}))


def people(
    days: dict[str, list[tuple[int, int]]], contacts: list[dict[str, Any]] | None = None, seen: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the features of one client: what each person did (days ago, actions), its contacts, who was ever seen."""
    rows = pl.DataFrame([("a", "org", DAY)], schema=ROWS, orient="row")
    active = [(0, DAY, user, DAY - timedelta(days=ago), n) for user, done in days.items() for ago, n in done]
    defaults = {"role": "CHAMPION", "user_key": "", "is_active": True}
    given = [{"client_id": "a", "as_of": DAY, **defaults, **one} for one in contacts or []]
    schema = {**CONTACTS, "as_of": pl.Date}
    found = people_features(
        rows,
        pl.DataFrame(active, schema=ACTIVE, orient="row"),
        pl.DataFrame([("org", DAY, user) for user in seen], schema=SIGHTS, orient="row"),
        pl.DataFrame([{name: one.get(name) for name in schema} for one in given], schema=schema),
    )
    (row,) = found.iter_rows(named=True)
    return row


class TestPeople:
    def test_who_stopped_and_who_leads(self) -> None:
        found = people({
            "ann": [(29, 30), (100, 100)],  # leads with 130 of half a year
            "bob": [(0, 10), (31, 5)],
            "cy": [(30, 1)],  # the last of the 60 days before
            "dee": [(89, 1)],
            "eve": [(90, 1)],  # before these
        })  # fmt: skip
        assert found["lead_user_quiet_days"] == 29
        assert found["lead_user_share"] == 0.75
        assert found["people_lost_share"] == pytest.approx(2 / 3)

    def test_of_two_who_lead_the_one_who_was_there_last_counts(self) -> None:
        assert people({"ann": [(60, 7)], "bob": [(2, 7)]})["lead_user_quiet_days"] == 2

    def test_nobody_there_is_not_known(self) -> None:
        found = people({})
        assert all(found[name] is None for name in PEOPLE if name not in ("client_id", "as_of"))
        assert people({"ann": [(40, 3)]})["lead_user_share"] is None

    def test_the_champion_who_was_there_last_counts(self) -> None:
        contacts = [
            {"user_key": "ann"},
            {"user_key": "bob", "role": "EXECUTIVE_SPONSOR"},
            {"user_key": "cy", "role": "ADMIN"},
        ]
        days = {"ann": [(50, 1)], "bob": [(12, 1)], "cy": [(0, 1)]}
        assert people(days, contacts)["champion_quiet_days"] == 12

    def test_a_champion_who_was_seen_long_ago_is_quiet_for_half_a_year(self) -> None:
        contacts = [{"user_key": "ann"}]
        assert people({}, contacts, seen=("ann",))["champion_quiet_days"] == 180
        assert people({}, contacts)["champion_quiet_days"] is None
        assert people({}, [{}])["champion_quiet_days"] is None

    @pytest.mark.parametrize(
        ("contact", "there"),
        [
            ({}, True),
            ({"known_since": DAY}, True),
            ({"known_since": DAY + timedelta(days=1)}, False),
            ({"left_on": DAY, "is_active": False}, False),
            ({"left_on": DAY + timedelta(days=1), "is_active": False}, True),
            ({"archived_on": DAY + timedelta(days=1), "is_active": False}, True),
            ({"archived_on": DAY}, False),
            ({"is_active": False}, False),  # gone since nobody knows when
        ],
        ids=["always", "since today", "later", "left", "leaves", "archived later", "archived", "inactive"],
    )
    def test_contacts_count_while_they_are_there(self, contact: dict[str, Any], there: bool) -> None:
        found = people({"ann": [(3, 1)]}, [{"user_key": "ann", **contact}])
        assert found["champion_quiet_days"] == (3 if there else None)

    def test_who_left_counts_for_half_a_year(self) -> None:
        gone = [{"left_on": DAY - timedelta(days=ago), "is_active": False} for ago in (0, 179, 180)]
        assert people({}, [*gone, {"left_on": DAY + timedelta(days=1), "is_active": False}])["key_contacts_left"] == 2
        assert people({}, [{}])["key_contacts_left"] == 0
        assert people({}, [gone[2]])["key_contacts_left"] is None


def test_the_reference_page_is_that_of_the_registry() -> None:
    written = Path(__file__).parents[2] / "docs" / "reference" / "churn-features.md"
    assert written.read_text() == page(), "Write it anew: python -m bellwether.churn.features_page"
