"""Look-alikes: client-weeks of the past that looked as a client does today, and whether they left. Pure.

What a feature adds to the log-odds (additive.terms_of) makes the space: a difference in it counts as much as the model
says that it matters, and a feature without a coefficient does not count. The distance of two rows is

    sqrt(mean over the intervals of the sum over features of (slope * difference of the terms)^2)

in log-odds: at 0.5 the two differ as much as one feature that changes the odds by the factor 1.6.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from bellwether.churn.additive import AdditiveModel, Floats, terms_of
from bellwether.churn.factors import SLUGS
from bellwether.churn.labelling import Labels
from bellwether.health.inputs import Schema

ALIKE: Schema = {
    "client_id": pl.String,
    "as_of": pl.Date,
    "left": pl.Boolean,  # left within 90 days; else is a client to this day
    "left_on": pl.Date,
    "distance": pl.Float64,
    "shared": pl.List(pl.String),  # slugs in which the two are most alike, the most telling first
    "tier": pl.String,
    "industry": pl.String,
    **dict.fromkeys(SLUGS, pl.Float64),
}
"""Whoever shows a look-alike by name checks that the reader may see that client; tier and industry are for all."""
SHARED = 3
FAR = 3.0
"""Beyond this distance nothing is alike: about a factor of 20 on the odds lies between the two."""


@dataclass(frozen=True)
class _Space:
    """Terms as log-odds: rows × (intervals × features), so that distances are plain."""

    model: AdditiveModel

    def of(self, rows: pl.DataFrame) -> Floats:
        values = self.model.slope * terms_of(self.model, rows).values
        scaled: Floats = np.concatenate(list(values), axis=1) / np.sqrt(len(values))
        return scaled

    def by_feature(self, differences: Floats) -> Floats:
        """Return the size of a difference of each feature over all intervals: rows × features."""
        parts = differences.reshape(len(differences), len(self.model.intervals), len(self.model.features))
        size: Floats = np.sqrt((parts**2).sum(axis=1))
        return size


def alike(
    model: AdditiveModel, client: pl.DataFrame, rows: pl.DataFrame, labels: Labels, left: pl.DataFrame, *, n: int = 3
) -> pl.DataFrame:
    """Return ALIKE: the `n` nearest that left and the `n` nearest that stayed, nearest first, leavers before stayers.

    `client` is one row of FEATURE_ROWS, `rows` FEATURE_ROWS of past days with their `labels` in the same order, `left`
    the leavings (client_id, left_on). Of another client only its nearest row counts, and the client's own rows never
    do. Who left later than 90 days after a row is no example of staying. Fewer where there are not so many within FAR.
    """
    if client.height != 1:
        raise ValueError(f"Look-alikes are of one client, not of {client.height}.")
    decided, leaves = labels.decided[:, -1], labels.left_within[:, -1]
    numbered = rows.select("client_id", "as_of").with_row_index("row").with_columns(pl.Series("left", leaves))
    known = numbered.filter(pl.Series(decided) & (pl.col("client_id") != client["client_id"][0]))
    known = _with_leaving(known, left).filter(pl.col("left") | pl.col("left_on").is_null())
    if known.is_empty():
        return pl.DataFrame(schema=ALIKE)
    space = _Space(model)
    there, here = space.of(rows[known["row"].to_numpy()]), space.of(client)
    apart = there - here
    known = known.with_columns(distance=np.sqrt((apart**2).sum(axis=1)), place=np.arange(known.height))
    nearest = (
        known.filter(pl.col("distance") <= FAR)
        .sort("distance", "as_of", "client_id", descending=[False, True, False])
        .unique("client_id", keep="first", maintain_order=True)
        .group_by("left", maintain_order=True)
        .head(n)
        .sort("left", "distance", "client_id", descending=[True, False, False])
    )
    usual = space.by_feature(there.mean(axis=0, keepdims=True) - here)
    closer = usual - space.by_feature(apart[nearest["place"].to_numpy()])
    found = rows[nearest["row"].to_numpy()].select("tier", "industry", *SLUGS)
    shared = pl.Series("shared", [_telling(model, client, row) for row in closer], dtype=pl.List(pl.String))
    return pl.concat([nearest, found], how="horizontal").with_columns(shared).select(list(ALIKE))


def _with_leaving(rows: pl.DataFrame, left: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with the first day after theirs on which the client left, null where it never did."""
    return (
        rows.sort("as_of", "client_id")
        .join_asof(
            left.select("client_id", "left_on").sort("left_on"), left_on="as_of", right_on="left_on", by="client_id",
            strategy="forward", allow_exact_matches=False, coalesce=False, check_sortedness=False,
        )
        .sort("row")
    )  # fmt: skip


def _telling(model: AdditiveModel, client: pl.DataFrame, closer: Floats) -> list[str]:
    """Return the features in which the row is closer to the client than rows are on average, the closest first."""
    order = [int(place) for place in np.argsort(-closer, kind="stable")]
    slugs = [model.features[place] for place in order if closer[place] > 0]
    return [slug for slug in slugs if client[slug][0] is not None][:SHARED]
