"""On how many days the people of a client used the product, for many clients at once."""

from collections.abc import Iterable
from datetime import date, timedelta

import polars as pl

from bellwether.usage.facts import read_client_days
from bellwether.usage.workspace import workspace_lake

WINDOW_DAYS = 30


def active_days(last: date, organization_ids: Iterable[str] | None = None) -> dict[str, int]:
    """Return the days with at least one active user in the 30 days to `last`, by organization id.

    Clients without such a day are left out. `organization_ids` None means all clients.
    """
    first = last - timedelta(days=WINDOW_DAYS - 1)
    days = read_client_days(
        workspace_lake(), first, last, organization_ids=organization_ids, columns=["organization_id", "date", "dau"]
    )
    counted = days.filter(pl.col("dau") > 0).group_by("organization_id").agg(pl.col("date").n_unique())
    return dict(counted.iter_rows())
