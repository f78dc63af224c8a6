"""From when on something about the data is worth a finding: all thresholds, in one place. Pure."""

from datetime import timedelta

RECENT_DAYS = 30
WEEK_DAYS = 7
USUAL_WEEKS = 8
FEWEST_SAME_WEEKDAYS = 4
SPARK_DAYS = 14

FEWEST_EVENTS = 20
"""A share of fewer events says nothing; a weekday with fewer is usually quiet."""

SILENT_HOURS = 26.0
"""A source that sends every day is silent after so long; a day off passes by the weekday's usual number."""

SILENT_CRITICAL_DAYS = 2

STALE_DAYS = 4
"""Longer than a weekend: when nothing newer has happened anywhere, it is the data that stopped, not the clients."""

UNUSUAL_DEVIATIONS = 4.0
UNUSUAL_SHARE = 0.5
"""A day is unusual beyond 4 robust deviations and half of the usual number."""

LATE_SHARE, VERY_LATE_SHARE = 0.05, 0.25
"""Of the events of a week, received more than a day after they happened."""

DUPLICATE_SHARE, HIGH_DUPLICATE_SHARE = 0.05, 0.20
REJECT_SHARE, HIGH_REJECT_SHARE, CRITICAL_REJECT_SHARE = 0.002, 0.05, 0.25
AHEAD_SHARE = 0.01
UNASSIGNED_SHARE, HIGH_UNASSIGNED_SHARE = 0.01, 0.10
USERLESS_SHARE = 0.20
SERVICE_SHARE = 0.50
SEVERAL_SHARE = 0.05
UNKNOWN_SHARE = 0.25
"""Of the events of 30 days, by names that nothing uses."""

SILENT_CLIENT_DAYS = 30
SIMILAR = 0.75
"""How alike two names must be (0-1, difflib) for one to be suggested for the other."""

OWED_MINUTES, OWED_CRITICAL_MINUTES = 10, 60
SPOOL_MINUTES = 5
WORKER_MINUTES = 10
NEW_KEY = timedelta(days=1)
REASONS = 40
"""Reasons for rejects that are told apart."""

SHOWN = 8
"""Names, clients or sources that a finding lists."""
