"""How many clients a playbook needs before its effect can be told. Pure.

Normal approximation for two arms of unequal size (J. L. Fleiss, Statistical Methods for Rates and Proportions, section
4.2, without continuity correction). The level is that at which the words are decided (evidence.WORD_CONFIDENCE).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf, sqrt
from statistics import NormalDist

from bellwether.playbooks.evidence import FEWEST, WORD_CONFIDENCE

POWER = 0.8
EFFECTS = (0.05, 0.10, 0.15, 0.20)
HORIZONS = (13, 26, 52)


@dataclass(frozen=True)
class Needed:
    """What it takes to detect `effect` (points of a share as 0-1, or units of a mean) in 80 % of cases.

    `treated` and `held_out` are known outcomes, `weeks` the time until then including the outcome's window; inf if
    nobody is enrolled.
    """

    effect: float
    treated: int
    held_out: int
    weeks: float

    @property
    def clients(self) -> int:
        """Both arms."""
        return self.treated + self.held_out


@dataclass(frozen=True)
class Detectable:
    """The smallest effect that is detected in 80 % of cases after `weeks`; None if fewer than 20 are in an arm."""

    weeks: int
    clients: int
    effect: float | None


@dataclass(frozen=True)
class Plan:
    """The prospects of a playbook before it starts."""

    needed: list[Needed]
    detectable: list[Detectable]


def plan(
    *,
    hold_out: float,
    per_week: float,
    window_days: int,
    baseline: float = 0.5,
    spread: float | None = None,
    effects: Sequence[float] = EFFECTS,
) -> Plan:
    """Return what can be told when: `hold_out` percent (0-50) of `per_week` enrolments, outcomes after `window_days`.

    `baseline` is the share (0-1) that reaches the outcome without the playbook; where it is not known, 0.5 asks for the
    most. For a mean give its standard deviation, `spread`, in its unit, and `effects` in that unit.
    """
    needed = [
        _needed(effect, hold_out, per_week, window_days, baseline, spread)
        for effect in effects
        if spread is not None or baseline + effect <= 1
    ]
    return Plan(needed, [_detectable(weeks, hold_out, per_week, window_days, baseline, spread) for weeks in HORIZONS])


def _needed(
    effect: float, hold_out: float, per_week: float, window_days: int, baseline: float, spread: float | None
) -> Needed:
    share = hold_out / 100
    if share <= 0:
        return Needed(effect, 0, 0, inf)
    ratio = (1 - share) / share
    held = max(FEWEST, held_out_for(effect, ratio, baseline=baseline, spread=spread))
    treated = ceil(round(held * ratio, 6))
    weeks = (held + treated) / per_week + window_days / 7 if per_week > 0 else inf
    return Needed(effect, treated, held, weeks)


def held_out_for(
    effect: float,
    ratio: float,
    *,
    baseline: float = 0.5,
    spread: float | None = None,
    confidence: float = WORD_CONFIDENCE,
    power: float = POWER,
) -> int:
    """Return how many held out with a known outcome it takes, with `ratio` times as many treated."""
    return ceil(_held_out(effect, ratio, baseline, spread, confidence, power))


def _held_out(
    effect: float, ratio: float, baseline: float, spread: float | None, confidence: float, power: float
) -> float:
    z_level, z_power = NormalDist().inv_cdf(0.5 + confidence / 2), NormalDist().inv_cdf(power)
    if spread is not None:
        return (z_level + z_power) ** 2 * spread**2 * (1 + 1 / ratio) / effect**2
    share = baseline + effect
    pooled = (baseline + ratio * share) / (1 + ratio)
    under_none = sqrt(pooled * (1 - pooled) * (1 + 1 / ratio))
    under_effect = sqrt(baseline * (1 - baseline) + share * (1 - share) / ratio)
    return (z_level * under_none + z_power * under_effect) ** 2 / effect**2


def detectable_effect(
    treated: int,
    held_out: int,
    *,
    baseline: float = 0.5,
    spread: float | None = None,
    confidence: float = WORD_CONFIDENCE,
    power: float = POWER,
) -> float | None:
    """Return the smallest effect upwards that these arms detect with `power`; None if no possible one is."""
    ratio = treated / held_out
    if spread is not None:
        return sqrt(_held_out(1.0, ratio, baseline, spread, confidence, power) / held_out)
    low, high = 1e-4, 1 - baseline
    if high <= low or _held_out(high, ratio, baseline, None, confidence, power) > held_out:
        return None
    for _ in range(50):
        middle = (low + high) / 2
        if _held_out(middle, ratio, baseline, None, confidence, power) > held_out:
            low = middle
        else:
            high = middle
    return high


def _detectable(
    weeks: int, hold_out: float, per_week: float, window_days: int, baseline: float, spread: float | None
) -> Detectable:
    clients = int(max(0.0, weeks - window_days / 7) * per_week)
    held = int(clients * hold_out / 100)
    if min(held, clients - held) < FEWEST:
        return Detectable(weeks, clients, None)
    return Detectable(weeks, clients, detectable_effect(clients - held, held, baseline=baseline, spread=spread))
