"""What must hold for any portfolio (formulas.md, section 8)."""

from dataclasses import fields, replace
from datetime import date, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from bellwether.health.feature_use import feature_levels
from bellwether.health.inputs import CLIENT_DAYS, MeasureInputs
from bellwether.health.measuring import measure
from bellwether.health.reading_facts import FoldedPast, read_facts
from bellwether.usage import facts
from bellwether.usage.lake import Lake
from tests.health.builders import WEEKDAYS, D, back
from tests.health.portfolios import DATES, SETTINGS, portfolio

SEEDS = range(6)
TIMES = {
    "contracts": "start_date", "readings": "date", "activities": "completed_at", "tickets": "opened_at",
    "surveys": "answered_at", "client_days": "date", "event_days": "date", "user_days": "date",
}  # fmt: skip


def shuffled(inputs: MeasureInputs, seed: int) -> MeasureInputs:
    return MeasureInputs(
        **{f.name: getattr(inputs, f.name).sample(fraction=1, shuffle=True, seed=seed) for f in fields(inputs)}
    )


def ordered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort("client_id", "date")


@pytest.mark.parametrize("seed", SEEDS)
class TestMeasure:
    def test_does_not_care_about_the_order_of_clients_and_records(self, seed: int) -> None:
        inputs = portfolio(seed)
        assert_frame_equal(
            ordered(measure(inputs, DATES, SETTINGS)),
            ordered(measure(shuffled(inputs, seed), DATES, SETTINGS)),
            check_exact=True,
        )

    def test_gives_a_client_the_same_values_alone(self, seed: int) -> None:
        inputs = portfolio(seed)
        whole = measure(inputs, DATES, SETTINGS)
        parts = [
            measure(replace(inputs, clients=inputs.clients.slice(n, 2)), DATES, SETTINGS)
            for n in range(0, inputs.clients.height, 2)
        ]
        assert_frame_equal(whole, pl.concat(parts), check_exact=True)

    def test_gives_a_date_the_same_values_alone(self, seed: int) -> None:
        inputs = portfolio(seed)
        whole = measure(inputs, DATES, SETTINGS)
        for day in DATES[::7]:
            assert_frame_equal(whole.filter(pl.col("date") == day), measure(inputs, [day], SETTINGS), check_exact=True)

    def test_knows_nothing_of_what_happens_after_the_date(self, seed: int) -> None:
        inputs, day = portfolio(seed), back(61)
        known = {
            name: getattr(inputs, name).filter(pl.col(column).cast(pl.Date) <= day) for name, column in TIMES.items()
        }
        assert_frame_equal(
            measure(inputs, [day], SETTINGS), measure(replace(inputs, **known), [day], SETTINGS), check_exact=True
        )


def store(lake: Lake, inputs: MeasureInputs) -> None:
    """Write the facts of `inputs` as months of the lake."""
    extra = {"service_actions": 0, "new_users": 0, "users": 1, "modules": 0, "actions_by_hour": None}
    for kind in ("client_days", "event_days", "user_days"):
        frame = getattr(inputs, kind)
        if kind == "event_days":
            keys = ["organization_id", "date", "event", "module", "feature", "label", "is_service"]
            frame = frame.group_by(keys).agg(pl.col("events").sum())
        schema = facts.KINDS[kind]
        missing = [pl.lit(extra.get(name)).alias(name) for name in schema if name not in frame.columns]
        full = frame.with_columns(missing).with_columns(month=pl.col("date").dt.strftime("%Y-%m"))
        for (month,), part in full.partition_by("month", as_dict=True).items():
            facts.store_month(lake, kind, str(month), part.drop("month"))


@pytest.mark.parametrize("seed", SEEDS)
class TestReadFacts:
    def test_folds_the_past_without_changing_a_measure(self, seed: int, tmp_path: object) -> None:
        inputs, lake = portfolio(seed), Lake(tmp_path)  # type: ignore[arg-type]
        store(lake, inputs)
        past = FoldedPast()
        for first, last in ((back(120), back(60)), (back(30), D), (back(3), D), (back(200), back(190)), (D, D)):
            wanted = [day for day in DATES if first <= day <= last]
            if not wanted:
                continue
            read = read_facts(lake, wanted[0], wanted[-1], SETTINGS, past=past)
            folded = replace(inputs, client_days=read.client_days, event_days=read.event_days, user_days=read.user_days)
            assert_frame_equal(measure(folded, wanted, SETTINGS), measure(inputs, wanted, SETTINGS), check_exact=True)

    def test_folds_the_past_without_changing_a_level(self, seed: int, tmp_path: object) -> None:
        inputs, lake = portfolio(seed), Lake(tmp_path)  # type: ignore[arg-type]
        store(lake, inputs)
        read = read_facts(lake, back(3), D, SETTINGS)
        folded = replace(inputs, client_days=read.client_days, event_days=read.event_days)
        found = feature_levels(inputs, [back(3), D], SETTINGS)
        assert_frame_equal(feature_levels(folded, [back(3), D], SETTINGS), found, check_exact=True)
        assert found.filter(pl.col("use") > 0)["feature_key"].n_unique() == len(SETTINGS.features)


class TestFoldedPast:
    def test_sees_a_late_event_in_an_old_month(self, tmp_path: object) -> None:
        inputs, lake, past = portfolio(1), Lake(tmp_path), FoldedPast()  # type: ignore[arg-type]
        store(lake, inputs)
        read_facts(lake, D, D, SETTINGS, past=past)
        late = {
            "organization_id": "o-c1",
            "date": back(400),
            "event": "Assigned",
            "module": None,
            "label": None,
            "feature": None,
        }
        row = pl.DataFrame([late | {"is_service": False, "events": 1000}], schema=inputs.event_days.schema)
        more = replace(inputs, event_days=pl.concat([inputs.event_days, row]))
        store(lake, more)
        read = read_facts(lake, D, D, SETTINGS, past=past)
        folded = replace(inputs, client_days=read.client_days, event_days=read.event_days, user_days=read.user_days)
        assert_frame_equal(measure(folded, [D], SETTINGS), measure(more, [D], SETTINGS), check_exact=True)

    def test_reads_an_empty_lake(self, tmp_path: object) -> None:
        read = read_facts(Lake(tmp_path), D, D, SETTINGS)  # type: ignore[arg-type]
        assert read.client_days.schema == CLIENT_DAYS
        assert (read.client_days.height, read.event_days.height, read.last_seen.height) == (0, 0, 0)


def twin_nps(inputs: MeasureInputs, client: str, day: date) -> float | None:
    last: dict[object, tuple] = {}
    for index, row in enumerate(inputs.surveys.iter_rows(named=True)):
        if row["client_id"] == client and row["kind"] == "NPS" and row["answered_at"].date() <= day:
            who = row["respondent"] or index
            last[who] = max(last.get(who, (row["answered_at"], row["score"])), (row["answered_at"], row["score"]))
    scores = [score for instant, score in last.values() if (day - instant.date()).days < 365]
    return sum(scores) / len(scores) if scores else None


def twin_mean_users(inputs: MeasureInputs, client: str, day: date, window: int) -> float | None:
    rows = inputs.client_days.filter(pl.col("organization_id") == f"o-{client}", pl.col("date") <= day)
    if rows.is_empty():
        return None
    dau = dict(rows.select("date", "dau").iter_rows())
    days = [day - timedelta(days=n) for n in range(window)]
    working = [d for d in days if d.isoweekday() in WEEKDAYS and d >= min(dau)]
    return sum(dau.get(d, 0) for d in working) / len(working) if working else None


def twin_coverage(inputs: MeasureInputs, client: str, day: date) -> float | None:
    done = [a for a in inputs.activities.iter_rows(named=True) if a["completed_at"] and a["completed_at"].date() <= day]
    if not done:
        return None
    links = set(inputs.activity_contacts.rows())
    there = [
        person
        for person in inputs.contacts.iter_rows(named=True)
        if person["client_id"] == client
        and person["role"] in {"CHAMPION", "EXECUTIVE_SPONSOR", "ADMIN"}
        and (person["is_active"] or person["left_at"])
        and (person["known_since"] is None or person["known_since"] <= day)
        and (person["left_at"] is None or person["left_at"].date() > day)
    ]
    recent = [
        a
        for a in done
        if a["activity_type"] != "INTERNAL_DISCUSSION"
        and a["client_id"] == client
        and (day - a["completed_at"].date()).days < 90
    ]
    met = sum(any((a["activity_id"], person["contact_id"]) in links for a in recent) for person in there)
    return met / len(there) if there else None


@pytest.mark.parametrize("seed", SEEDS)
class TestTwins:
    """The vectorised measures against plain loops over the records."""

    def test_agree(self, seed: int) -> None:
        inputs = portfolio(seed)
        for row in measure(inputs, DATES, SETTINGS).iter_rows(named=True):
            client, day = row["client_id"], row["date"]
            assert row["nps_latest"] == pytest.approx(twin_nps(inputs, client, day)), (client, day)
            assert row["dau_avg_7d"] == twin_mean_users(inputs, client, day, 7), (client, day)
            assert row["dau_avg_90d"] == twin_mean_users(inputs, client, day, 90), (client, day)
            assert row["stakeholder_coverage_90d"] == pytest.approx(twin_coverage(inputs, client, day)), (client, day)
