"""The adoption of one client, feature by feature, and how it stands among its tier (formulas.md, sections 3 and 5).

Pure. Peers are the other clients of the same tier that have events. A peer uses a feature if it has any use of it in
the feature's period, whatever its licence; nothing is said about fewer than AT_LEAST peers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median

import polars as pl

from bellwether.common.rounding import half_up
from bellwether.health.cohorts import AT_LEAST
from bellwether.health.feature_use import TREND_DAYS, Level, fits
from bellwether.health.inputs import FeatureSpec
from bellwether.usage.licence import NOTHING, Licence

UNUSED = (Level.NOT_CONFIGURED, Level.NOT_USED)


@dataclass(frozen=True)
class TierUse:
    """The clients of a tier that have events, and per feature what is compared: use (whole) and share of the target.

    `scores` are adoption scores 0-100, None for clients of which nothing is known to be licensed.
    """

    client_ids: list[str]
    use: dict[str, list[int]]
    share: dict[str, list[float]]
    scores: list[float | None]


@dataclass(frozen=True)
class PortfolioUse:
    """All clients on a day: the use of each tier, and per feature how many clients are at each level (a Level's name;
    clients without events are left out) and how many have any use, whatever their licence."""

    tiers: dict[str, TierUse]
    levels: dict[str, dict[str, int]]
    using: dict[str, int]


@dataclass(frozen=True)
class PeerUse:
    """How many peers there are, which share of them uses a feature (0-1), and the client's percentile 0-100.

    `held_back`: there are enough, but the reader may not be shown them (health.published_groups).
    """

    peers: int
    using: float | None = None
    percentile: int | None = None
    held_back: bool = False


@dataclass(frozen=True)
class FeatureLine:
    """One feature of a client. `level` is None while the client has no events; `use` is over the feature's period."""

    spec: FeatureSpec
    category: str
    level: Level | None
    level_before: Level | None
    licence: Licence
    use: int
    expected: float | None
    share: float | None
    use_30d: int
    use_before_30d: int
    trend: str
    first_used: datetime | None
    last_used: datetime | None
    peers: PeerUse

    @property
    def adopted(self) -> bool:
        """Whether the feature was ever used: the binary flag of the operations scorecard."""
        return self.first_used is not None

    @property
    def is_used(self) -> bool:
        """Whether it is licensed and in light, active or power use."""
        return self.level is not None and self.level >= Level.LIGHT

    @property
    def is_unused(self) -> bool:
        """Whether it is paid for but not used."""
        return self.level in UNUSED

    @property
    def change(self) -> float | None:
        """Use of the last 30 days over that of the 30 before, less 1; None without use before."""
        return self.use_30d / self.use_before_30d - 1 if self.use_before_30d else None


@dataclass(frozen=True)
class Adoption:
    """The adoption of a client on a day. `score` 0-100 half-up, None without licensed features or without events."""

    day: date
    lines: list[FeatureLine]
    has_events: bool
    knows_licences: bool
    licensed: int
    used: int
    score: int | None
    unused: int
    unused_before: int
    peers: int
    percentile: int | None
    median: int | None
    held_back: bool = False

    @property
    def adopted(self) -> int:
        """Features of the catalogue that were ever used."""
        return sum(line.adopted for line in self.lines)


def portfolio_of(levels: pl.DataFrame, tiers: Mapping[str, str]) -> PortfolioUse:
    """Return the use of all clients from feature_levels of one day; `tiers` is by id of active clients."""
    known = levels.filter(pl.col("level").is_not_null() & pl.col("client_id").is_in(list(tiers)))
    if known.is_empty():
        return PortfolioUse({}, {}, {})
    of_tier = known.with_columns(pl.col("client_id").replace_strict(tiers).alias("tier"))
    counted: dict[str, dict[str, int]] = {}
    for key, level, clients in known.group_by("feature_key", "level").len().iter_rows():
        counted.setdefault(key, {})[level] = clients
    using = known.filter(pl.col("use") > 0).group_by("feature_key").len()
    return PortfolioUse(
        {str(tier): _tier_use(rows) for (tier,), rows in of_tier.partition_by("tier", as_dict=True).items()},
        counted,
        dict(using.iter_rows()),
    )


def _tier_use(rows: pl.DataFrame) -> TierUse:
    used = pl.col("level").is_in([level.name for level in Level if level >= Level.LIGHT])
    counts = rows.group_by("client_id", maintain_order=True).agg(
        pl.col("licensed").sum().alias("licensed"), used.sum().alias("used")
    )
    clients = counts["client_id"]
    use, share = {}, {}
    for (key,), part in rows.partition_by("feature_key", as_dict=True).items():
        at = clients.to_frame().join(part, on="client_id", how="left", maintain_order="left")
        use[str(key)] = at["use"].fill_null(0).to_list()
        share[str(key)] = at["share"].fill_null(0.0).to_list()
    scores = [100 * row["used"] / row["licensed"] if row["licensed"] else None for row in counts.iter_rows(named=True)]
    return TierUse(clients.to_list(), use, share, scores)


def adoption_of(
    client_id: str,
    levels: pl.DataFrame,
    spans: pl.DataFrame,
    *,
    day: date,
    before: date,
    features: Sequence[tuple[FeatureSpec, str]],
    licences: Mapping[str, Licence],
    tier: TierUse | None,
    held_back: bool = False,
) -> Adoption:
    """Return the client's adoption on `day` from feature_levels of `day` and `before`, and SPANS of its events.

    `features` are the specs of the catalogue with their category, in order; `licences` by key, as they count on
    `day`. `tier` may hold the client itself; where it is `held_back`, it is None.
    """
    now = {row["feature_key"]: row for row in levels.filter(pl.col("date") == day).iter_rows(named=True)}
    then = {row["feature_key"]: row for row in levels.filter(pl.col("date") == before).iter_rows(named=True)}
    others = [place for place, one in enumerate(tier.client_ids) if one != client_id] if tier else []
    known = [(spec, category) for spec, category in features if spec.key in now]
    used_at = used_between([spec for spec, _ in known], spans)
    lines = [
        _line(
            spec,
            category,
            now[spec.key],
            then[spec.key],
            at,
            licences,
            _peers(spec, now[spec.key], tier, others, held_back),
        )
        for (spec, category), at in zip(known, used_at, strict=True)
    ]
    licensed = sum(row["licensed"] for row in now.values())
    used = sum(line.is_used for line in lines)
    has_events = any(line.level is not None for line in lines)
    exact = 100 * used / licensed if licensed and has_events else None
    peer_scores = [score for place in others if tier and (score := tier.scores[place]) is not None]
    enough = len(peer_scores) >= AT_LEAST
    return Adoption(
        day=day,
        lines=lines,
        has_events=has_events,
        knows_licences=any(one != NOTHING for one in licences.values()),
        licensed=licensed,
        used=used,
        score=None if exact is None else half_up(exact),
        unused=sum(line.is_unused for line in lines),
        unused_before=sum(line.level_before in UNUSED for line in lines),
        peers=len(peer_scores),
        percentile=percentile_of(exact, peer_scores) if exact is not None else None,
        median=half_up(median(peer_scores)) if enough else None,
        held_back=held_back,
    )


def percentile_of(value: float, peers: Sequence[float]) -> int | None:
    """Return the share of peers below `value` plus half of the ties, 0-100 half-up; None under AT_LEAST peers."""
    if len(peers) < AT_LEAST:
        return None
    below, ties = sum(other < value for other in peers), sum(other == value for other in peers)
    return half_up(100 * (below + ties / 2) / len(peers))


def _peers(
    spec: FeatureSpec, row: Mapping[str, object], tier: TierUse | None, others: Sequence[int], held_back: bool
) -> PeerUse:
    if tier is None or len(others) < AT_LEAST or spec.key not in tier.use:
        return PeerUse(len(others), held_back=held_back)
    use = [tier.use[spec.key][place] for place in others]
    by_share = spec.target == "share"
    compared = [tier.share[spec.key][place] for place in others] if by_share else [float(count) for count in use]
    own = row["share"] if by_share else row["use"]
    return PeerUse(
        peers=len(others),
        using=sum(count > 0 for count in use) / len(others),
        percentile=percentile_of(float(own or 0), compared) if row["level"] is not None else None,  # type: ignore[arg-type]
    )


def _line(
    spec: FeatureSpec,
    category: str,
    now: Mapping[str, object],
    then: Mapping[str, object],
    used_at: tuple[datetime | None, datetime | None],
    licences: Mapping[str, Licence],
    peers: PeerUse,
) -> FeatureLine:
    return FeatureLine(
        spec=spec,
        category=category,
        level=_level(now),
        level_before=_level(then),
        licence=licences.get(spec.key, NOTHING),
        use=int(now["use"]),  # type: ignore[call-overload]
        expected=now["expected"],  # type: ignore[arg-type]
        share=now["share"],  # type: ignore[arg-type]
        use_30d=int(now["use_30d"]),  # type: ignore[call-overload]
        use_before_30d=int(now["use_before_30d"]),  # type: ignore[call-overload]
        trend=str(now["use_trend"]),
        first_used=used_at[0],
        last_used=used_at[1],
        peers=peers,
    )


def used_between(specs: Sequence[FeatureSpec], spans: pl.DataFrame) -> list[tuple[datetime | None, datetime | None]]:
    """Return first and last use of each feature from the SPANS of a client; services count only for "any" use."""
    rows = [fits(spec) if spec.target == "any" else fits(spec) & ~pl.col("is_service") for spec in specs]
    found = spans.select(
        *(pl.col("first_ts").filter(here).min().alias(f"first_{place}") for place, here in enumerate(rows)),
        *(pl.col("last_ts").filter(here).max().alias(f"last_{place}") for place, here in enumerate(rows)),
    )
    values = found.row(0) if found.height else ()
    return list(zip(values[: len(specs)], values[len(specs) :], strict=True))


def _level(row: Mapping[str, object]) -> Level | None:
    return None if row["level"] is None else Level[str(row["level"])]


TREND_WINDOW_DAYS = TREND_DAYS
"""How far back the change of unused features looks."""
