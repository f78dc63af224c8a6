"""Which groups may be shown to somebody who does not see all clients. Pure. Why it is so: docs/adr/0025.

Whoever knows the values of some clients can subtract them, and can add and subtract what several groups came to. So
it is decided for all groups together what may be shown, and on who is in which group alone, never on values.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from bellwether.benchmarks.cohorts import Group, Mask
from bellwether.benchmarks.metrics import Floats
from bellwether.benchmarks.percentiles import AT_LEAST

ROUNDING = 1e-9
ENOUGH_WEIGHT = 1 / (AT_LEAST - 1) - 1e-6


def shown_groups(family: Sequence[Group], masks: Mapping[Group, Mask], unseen: Mask) -> set[Group]:
    """Return the groups of `family` that may be shown, decided in its order, to a viewer to whom `unseen` are unknown.

    `unseen` are the clients that report the metric and that the viewer may not see. Each group is a row of ones and
    zeros over them; whatever can be calculated from sums or counts of the shown groups is in the span of their rows.
    A group is left out if with it any client had a weight of a quarter or more, its weight being the diagonal element
    of the projection onto that span (its leverage). So nothing about one to four clients can be calculated: a row in
    the span that is not zero for at most four clients would give one of them a weight of at least 1/4. That holds for
    one group alone, the difference of two, all less some, and every longer sum with whatever factors.

    A group without unseen clients tells nothing new and is shown.
    """
    places = np.flatnonzero(unseen)
    basis = np.zeros((min(len(family), len(places)), len(places)))
    weight: Floats = np.zeros(len(places))
    rows = 0
    shown: set[Group] = set()
    for group in family:
        inside = masks[group][places]
        rest: Floats = inside.astype(np.float64)
        for _ in range(2):  # the second time takes away what rounding left
            rest = rest - basis[:rows].T @ (basis[:rows] @ rest)
        size = float(rest @ rest)
        if size > ROUNDING:  # else it follows from what is shown, or holds nobody unseen
            heavier = weight + rest**2 / size
            if float(heavier.max()) > ENOUGH_WEIGHT:
                continue
            basis[rows], weight, rows = rest / np.sqrt(size), heavier, rows + 1
        shown.add(group)
    return shown
