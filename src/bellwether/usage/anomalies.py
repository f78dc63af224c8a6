"""Unusual days in the number of daily active users, against weekday, level and season. Pure, for many clients at once.

A day is compared with what the days before it lead to expect, never with later ones, so that a verdict does not change
afterwards and an alert may use the same numbers as a chart.

1. Weekday profile: the median of the same weekday over the last PROFILE_WEEKS weeks.
2. Level: the median of (people / profile) over the last LEVEL_DAYS days moves the profile to where the client is now.
3. Season: where at least SEASON_CLIENTS clients of SEASON_USERS people and more are given, the median of
   (people / profile) over them is what the day did to everybody (late December, an outage of the source); days are
   divided by it before 1 and 2, and the expectation is multiplied by it. It is taken from the profile without the
   level, because the level would follow a quiet week and make the week after it look like a rush.
4. Spread: counts are compared as 2·sqrt(n + 3/8), which has variance 1 for Poisson counts whatever their size
   (F. J. Anscombe, Biometrika 35, 1948). The client's own spread is 1.4826 · median(|error|) of the expectations of the
   last SPREAD_DAYS days, but not less than what a fixed group of users may have, which varies less than Poisson.
5. Verdict: a day beyond THRESHOLD spreads (the modified z-score of B. Iglewicz and D. C. Hoaglin, 1993, who take 3.5;
   docs/adr/0017 says why more is taken here) that also differs by LEAST_SHARE of what was expected and LEAST_PEOPLE.

Medians and MAD over a seasonal profile are the core of Seasonal Hybrid ESD (J. Hochenbaum, O. S. Vallis, A. Kejariwal,
arXiv:1704.07706); looking back only, and the common season, are this module's. Measured rates are in the ADR.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

WEEK = 7
PROFILE_WEEKS = 8
LEVEL_DAYS = 14
SPREAD_DAYS = 56
HISTORY_DAYS = PROFILE_WEEKS * WEEK + SPREAD_DAYS
"""How many days before the first wanted one are of use; fewer work, with a wider interval."""

LEAST_WEEKS = 4
LEAST_LEVEL_DAYS = 4
LEAST_ERRORS = 20
THRESHOLD = 4.0
MOST_OF_GROUP = 0.5
TELLING = 1.0
UNKNOWN_SPREAD = 1.2
LEAST_SHARE = 0.3
LEAST_PEOPLE = 3.0
SEASON_CLIENTS = 30
SEASON_USERS = 4.0
QUIET_SEASON = 0.4


@dataclass(frozen=True)
class Expectation:
    """What was expected of each client (row) on each day (column), and which days were unusual.

    `expected`, `low` and `high` are people, NaN where the days before do not suffice; `season` is the factor of each
    day, 1.0 where it is not known. `unusual`: beyond the interval, by enough, and not left out.
    """

    expected: Floats
    low: Floats
    high: Floats
    season: Floats
    unusual: Flags


def expectations(counts: Floats, *, left_out: Flags | None = None, season: Floats | None = None) -> Expectation:
    """Return what was expected of `counts` (clients, consecutive days), NaN before a client's first event.

    `left_out` (same shape) are days that neither are judged nor tell about others, such as holidays and a day that is
    not over. `season` gives the factor of each day if it is known already (see common_season), else it is found here.
    """
    ignored = np.zeros(counts.shape, bool) if left_out is None else left_out
    usable = np.where(ignored, np.nan, counts)
    factor = common_season(usable) if season is None else season
    # A day on which hardly anybody came says nothing about the weekday.
    adjusted = usable / np.where(factor < QUIET_SEASON, np.nan, factor)[None, :]
    expected = _expected(adjusted) * factor[None, :]
    centre = stable(expected)
    errors = np.where(expected >= TELLING, stable(usable) - centre, np.nan)
    spread = np.maximum(_spread(errors), _smallest_spread(expected))
    low = people(centre - THRESHOLD * spread)
    high = people(centre + THRESHOLD * spread)
    with np.errstate(invalid="ignore"):
        far = np.abs(counts - expected) >= np.maximum(LEAST_PEOPLE, LEAST_SHARE * expected)
        unusual = ~ignored & far & ((counts < low) | (counts > high))
    return Expectation(expected, low, high, factor, unusual)


def common_season(counts: Floats) -> Floats:
    """Return what each day did to everybody: the median of people / profile; 1.0 with too few clients to tell."""
    usual = _same_weekday(counts, WEEK)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = np.where(usual >= SEASON_USERS, counts / usual, np.nan)
    known = np.isfinite(ratios).sum(axis=0)
    return np.where(known >= SEASON_CLIENTS, np.nan_to_num(_median(ratios.T), nan=1.0), 1.0)


def stable(values: Floats) -> Floats:
    """Return counts on the scale on which Poisson counts have variance 1."""
    return np.asarray(2.0 * np.sqrt(np.maximum(values, 0.0) + 0.375))


def people(values: Floats) -> Floats:
    """Return what `stable` made back as people, at least 0."""
    return np.asarray(np.maximum(0.0, (np.maximum(values, 0.0) / 2.0) ** 2 - 0.375))


def _expected(counts: Floats) -> Floats:
    """Return the weekday profile of the weeks before, moved to the level of the days before."""
    profile = {back: _same_weekday(counts, back) for back in range(1, WEEK + 1)}
    ratios = []
    for back in range(1, LEVEL_DAYS + 1):
        usual = profile[(back - 1) % WEEK + 1]
        with np.errstate(invalid="ignore", divide="ignore"):
            ratios.append(np.where(usual >= 1.0, _before(counts, back) / usual, np.nan))
    stacked = np.stack(ratios, axis=-1)
    level = np.where(np.isfinite(stacked).sum(axis=-1) >= LEAST_LEVEL_DAYS, _median(stacked), np.nan)
    return np.where(np.isfinite(level), profile[WEEK] * level, profile[WEEK])


def _same_weekday(counts: Floats, back: int) -> Floats:
    """Return the median over PROFILE_WEEKS weeks of the weekday of `back` days ago; NaN under LEAST_WEEKS of them."""
    weeks = np.stack([_before(counts, back + WEEK * week) for week in range(PROFILE_WEEKS)], axis=-1)
    return np.where(np.isfinite(weeks).sum(axis=-1) >= LEAST_WEEKS, _median(weeks), np.nan)


def _smallest_spread(expected: Floats) -> Floats:
    """Return the least spread to assume: near that of Poisson where few of the usual users come, less where most do.

    Of a fixed group the share p comes with variance 1 - p on the stable scale; p is at most MOST_OF_GROUP.
    """
    week = np.stack([expected, *(_before(expected, back) for back in range(1, WEEK))], axis=-1)
    busiest = np.max(np.nan_to_num(week), axis=-1)
    share = np.nan_to_num(expected) / np.maximum(busiest, 1.0)
    return np.asarray(np.sqrt(1.0 - MOST_OF_GROUP * np.clip(share, 0.0, 1.0)))


def _spread(errors: Floats) -> Floats:
    """Return the spread of the errors of the SPREAD_DAYS before each day."""
    if errors.shape[1] == 0:
        return errors
    padded = np.concatenate([np.full((errors.shape[0], SPREAD_DAYS), np.nan), np.abs(errors)[:, :-1]], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, SPREAD_DAYS, axis=1)
    found = 1.4826 * _median(windows)
    return np.where(np.isfinite(windows).sum(axis=-1) >= LEAST_ERRORS, found, UNKNOWN_SPREAD)


def _before(values: Floats, days: int) -> Floats:
    """Return the values of `days` earlier, NaN where there is none."""
    gap = np.full((values.shape[0], min(days, values.shape[1])), np.nan)
    return np.concatenate([gap, values[:, : values.shape[1] - gap.shape[1]]], axis=1)


def _median(values: Floats) -> Floats:
    """Return the median over the last axis without NaN; NaN where all are. Faster than numpy.nanmedian on many rows."""
    if values.shape[-1] == 0 or values.size == 0:
        return np.full(values.shape[:-1], np.nan)
    ordered = np.sort(values, axis=-1)
    count = np.isfinite(values).sum(axis=-1)
    middle = np.stack([np.maximum(count - 1, 0) // 2, np.minimum(count // 2, values.shape[-1] - 1)], axis=-1)
    pair = np.take_along_axis(ordered, middle, axis=-1)
    return np.where(count > 0, pair.mean(axis=-1), np.nan)
