"""Counts how often a row was met before, in memory that grows by twelve bytes a distinct row."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.uint32]


@dataclass
class Occurrences:
    """Remembers 64-bit keys of rows in sorted runs, which are merged as they become alike in size."""

    _runs: list[tuple[Keys, Counts]] = field(default_factory=list)

    def before(self, keys: Keys) -> Counts:
        """Return how often each of `keys` was added by earlier calls, and add them. A key may stand in `keys` often."""
        earlier = np.zeros(len(keys), dtype=np.uint32)
        for known, counts in self._runs:
            place = np.minimum(np.searchsorted(known, keys), len(known) - 1)
            earlier += np.where(known[place] == keys, counts[place], np.uint32(0)).astype(np.uint32)
        if len(keys):
            distinct, here = np.unique(keys, return_counts=True)
            self._runs.append((distinct, here.astype(np.uint32)))
            self._merge()
        return earlier

    def _merge(self) -> None:
        while len(self._runs) > 1 and len(self._runs[-1][0]) * 2 > len(self._runs[-2][0]):
            (left, left_counts), (right, right_counts) = self._runs.pop(), self._runs.pop()
            keys, place = np.unique(np.concatenate([left, right]), return_inverse=True)
            counts = np.bincount(place, weights=np.concatenate([left_counts, right_counts])).astype(np.uint32)
            self._runs.append((keys, counts))
