"""Levels read the short way, for a page, are those of the whole history; late events are seen."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from bellwether.health.feature_use import feature_levels
from bellwether.health.inputs import MeasureInputs
from bellwether.health.reading_use import KEPT_SECONDS, KeptUse, UseFacts, read_use
from bellwether.usage.lake import Lake
from tests.health.builders import D, back
from tests.health.portfolios import SETTINGS, portfolio
from tests.health.test_measure_properties import store
from tests.health.use_facts import store_use, use

DATES = [back(30), D]
SAID = [
    "client_id",
    "date",
    "feature_key",
    "level",
    "use",
    "expected",
    "share",
    "use_30d",
    "use_before_30d",
    "use_trend",
]


def levels(inputs: MeasureInputs, facts: UseFacts | None = None) -> pl.DataFrame:
    given = replace(inputs, event_days=facts.event_days, client_days=facts.client_days) if facts else inputs
    return feature_levels(given, DATES, SETTINGS, with_last_use=False).select(SAID)


@pytest.mark.parametrize("seed", range(2))
def test_gives_the_levels_of_the_whole_history(seed: int, tmp_path: Path) -> None:
    inputs, lake, kept = portfolio(seed), Lake(tmp_path), KeptUse()
    # A client begins with its first event here, not with its first day.
    starts = inputs.event_days.group_by("organization_id").agg(pl.col("date").min())
    days = inputs.client_days.join(starts, on=["organization_id", "date"], how="semi")
    first = starts.join(days, on=["organization_id", "date"], how="anti").with_columns(
        pl.lit(0, dtype).alias(name) for name, dtype in inputs.client_days.schema.items() if name not in starts.columns
    )
    inputs = replace(inputs, client_days=first.select(inputs.client_days.columns))
    store(lake, inputs)
    whole = levels(inputs)
    assert_frame_equal(levels(inputs, read_use(lake, *DATES, SETTINGS, kept=kept)), whole, check_exact=True)
    for client, organization in inputs.clients.select("client_id", "organization_id").iter_rows():
        facts = read_use(lake, *DATES, SETTINGS, kept=kept, organization_ids=[organization])
        alone = replace(inputs, clients=inputs.clients.filter(pl.col("client_id") == client))
        expected = whole.filter(pl.col("client_id") == client)
        assert_frame_equal(levels(alone, facts), expected, check_exact=True)


def test_sees_the_current_month_at_once_and_older_ones_within_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("bellwether.health.reading_use.monotonic", lambda: clock[0])
    lake, kept = Lake(tmp_path), KeptUse()

    def seen() -> int:
        return int(read_use(lake, *DATES, SETTINGS, kept=kept, organization_ids=["o"]).event_days["events"].sum())

    store_use(lake, [use("o", back(40), "Closed", 1), use("o", D, "Closed", 2)])
    assert seen() == 3
    store_use(lake, [use("o", back(40), "Closed", 10), use("o", D, "Closed", 20)])
    assert seen() == 21
    clock[0] += KEPT_SECONDS + 1
    assert seen() == 30


def test_keeps_the_span_of_use_from_the_first_event_ever(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    store_use(lake, [use("o", back(800), "Closed"), use("o", back(2), "Closed"), use("p", back(900), "Closed")])
    facts = read_use(lake, *DATES, SETTINGS, kept=KeptUse(), organization_ids=["o"])
    assert (facts.spans["first_ts"].dt.date().to_list(), facts.spans["last_ts"].dt.date().to_list()) == (
        [back(800)],
        [back(2)],
    )
    assert facts.client_days["date"].to_list() == [back(800)]


def test_does_not_wait_while_another_thread_reads_the_months_of_all(tmp_path: Path) -> None:
    lake, kept = Lake(tmp_path), KeptUse()
    store_use(lake, [use("o", back(40), "Closed", 1), use("o", D, "Closed", 2), use("p", back(40), "Closed", 4)])
    with kept.lock:
        facts = read_use(lake, *DATES, SETTINGS, kept=kept, organization_ids=["o"])
        assert kept.found is None
    assert facts.event_days["events"].sum() == 3
    again = read_use(lake, *DATES, SETTINGS, kept=kept, organization_ids=["o"])
    assert_frame_equal(again.event_days, facts.event_days, check_row_order=False)
    assert kept.found is not None


def test_shows_an_archived_client_without_losing_what_is_kept_for_the_others(tmp_path: Path) -> None:
    lake, kept = Lake(tmp_path), KeptUse()
    store_use(lake, [use("o", back(200), "Closed", 1), use("o", back(100), "Closed", 2), use("o", D, "Closed", 4)])
    read_use(lake, *DATES, SETTINGS, kept=kept, organization_ids=["o"])
    found = kept.found
    then = read_use(lake, back(130), back(100), SETTINGS, kept=kept, organization_ids=["o"])
    assert then.event_days["events"].sum() == 3
    assert kept.found is found is not None


def test_reads_an_empty_lake(tmp_path: Path) -> None:
    facts = read_use(Lake(tmp_path), *DATES, SETTINGS, kept=KeptUse())
    assert (facts.client_days.height, facts.event_days.height, facts.spans.height) == (0, 0, 0)
