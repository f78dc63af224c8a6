"""One small demo for the whole package: made once, read by many."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from bellwether.demo.behaviour import make_events
from bellwether.demo.plan import DemoPlan
from bellwether.demo.portfolio import Portfolio, make_messages, make_portfolio

PLAN = DemoPlan(clients=60, days=200, seed=11, today=date(2026, 6, 30))
UNTIL = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def portfolio() -> Portfolio:
    return make_portfolio(PLAN, until=UNTIL)


@pytest.fixture(scope="session")
def events(portfolio: Portfolio) -> pl.DataFrame:
    return make_events(portfolio.world)


@pytest.fixture(scope="session")
def messages(portfolio: Portfolio) -> pl.DataFrame:
    return make_messages(portfolio)
