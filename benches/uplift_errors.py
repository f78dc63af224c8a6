"""How often the figures of playbooks are wrong, by trial: `python -m benches.uplift_errors`.

Prints how many 95 % intervals hold the true difference, and how many playbooks without any effect are ever said to work
or to harm, over all looks from 20 to 1,280 in the smaller arm. docs/reference/uplift.md quotes it.
"""

from collections.abc import Iterable

import numpy as np

from bellwether.playbooks.evidence import FEWEST, WORD_CONFIDENCE
from bellwether.playbooks.uplift import SHOWN_CONFIDENCE, difference_of_means, difference_of_proportions

TRIALS = 4_000
LOOKS = [FEWEST * 2**n for n in range(7)]
SHARES = (5, 10, 20, 30, 50)
RATES = (0.02, 0.1, 0.4, 0.7, 0.95)


def wrong(share: int, rate: float, confidence: float, looks: Iterable[int] = LOOKS) -> float:
    """Return the share of trials without effect in which an interval at any look leaves out zero."""
    rng = np.random.default_rng([share, int(rate * 100)])
    sizes = [(round(look * (100 - share) / share), look) for look in looks]
    steps = np.diff(np.array([(0, 0), *sizes]), axis=0)
    counts = rng.binomial(steps, rate, (TRIALS, len(sizes), 2)).cumsum(axis=1)
    ever = 0
    for trial in counts.tolist():
        found = (
            difference_of_proportions((one, size), (other, held), confidence)
            for (one, other), (size, held) in zip(trial, sizes, strict=True)
        )
        ever += any(one.above or one.below for one in found)
    return ever / TRIALS


def coverage(treated: float, held_out: float, sizes: tuple[int, int]) -> float:
    """Return the share of 95 % intervals of proportions that hold the true difference."""
    rng = np.random.default_rng(1)
    pairs = zip(rng.binomial(sizes[0], treated, TRIALS), rng.binomial(sizes[1], held_out, TRIALS), strict=True)
    found = (difference_of_proportions((int(a), sizes[0]), (int(b), sizes[1])) for a, b in pairs)
    return sum(one.low <= treated - held_out <= one.high for one in found) / TRIALS


def coverage_of_means(sizes: tuple[int, int], spreads: tuple[float, float]) -> float:
    """Return the same of means of normal outcomes whose true difference is 2."""
    rng = np.random.default_rng(2)
    found = (
        difference_of_means(rng.normal(2, spreads[0], sizes[0]), rng.normal(0, spreads[1], sizes[1]))
        for _ in range(TRIALS)
    )
    return sum(one.low <= 2 <= one.high for one in found) / TRIALS


def main() -> None:
    """Print the tables."""
    print("95% intervals that hold the true difference")
    for case in ((0.58, 0.41, (330, 82)), (0.5, 0.5, (80, 20)), (0.9, 0.8, (200, 40)), (0.1, 0.1, (400, 100))):
        print(f"  proportions {case[0]} and {case[1]}, {case[2][0]} and {case[2][1]}: {coverage(*case):.1%}")
    for sizes, spreads in (((90, 20), (12.0, 6.0)), ((200, 50), (8.0, 8.0))):
        print(f"  means, {sizes[0]} and {sizes[1]}, spreads {spreads[0]:g} and {spreads[1]:g}: "
              f"{coverage_of_means(sizes, spreads):.1%}")  # fmt: skip
    for confidence, looks, title in (
        (SHOWN_CONFIDENCE, LOOKS[2:3], "No effect, one look at 80, 95% interval: wrong"),
        (SHOWN_CONFIDENCE, LOOKS, "No effect, looks from 20 to 1,280, 95% interval at each: wrong at any"),
        (WORD_CONFIDENCE, LOOKS, "No effect, looks from 20 to 1,280, the rule in use: wrong at any"),
    ):
        print(f"{title}\n  held out  " + "".join(f"{rate:>8.0%}" for rate in RATES))
        for share in SHARES:
            print(f"  {share:>7}%  " + "".join(f"{wrong(share, rate, confidence, looks):>8.1%}" for rate in RATES))


if __name__ == "__main__":
    main()
