"""How fast one key may send: a token bucket each. Pure: the clock is an argument."""

import math
import threading
from dataclasses import dataclass, field

MAX_WAIT_SECONDS = 300
MAX_BUCKETS = 10_000


@dataclass
class TokenBuckets:
    """Buckets of `burst` requests that refill by `rate` requests a second, one for each name."""

    rate: float
    burst: float
    _levels: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, name: str, now: float) -> int:
        """Take one request from the bucket of `name` at the monotonic time `now` (seconds).

        Returns 0 when there was one, else the whole seconds (1 to 300) after which there will be.
        """
        with self._lock:
            level, since = self._levels.get(name, (self.burst, now))
            level = min(self.burst, level + max(0.0, now - since) * self.rate)
            if level < 1:
                self._levels[name] = (level, now)
                return min(MAX_WAIT_SECONDS, max(1, math.ceil((1 - level) / self.rate)))
            if len(self._levels) >= MAX_BUCKETS and name not in self._levels:
                self._levels.clear()
            self._levels[name] = (level - 1, now)
            return 0
