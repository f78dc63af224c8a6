"""The features of a client as CSV."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime

from bellwether.common.spreadsheets import safe
from bellwether.health.adoption import FeatureLine

COLUMNS = (
    "feature_key", "feature_name", "module", "category", "is_licensed", "licensed_at", "is_configured", "configured_at",
    "level", "use", "period_days", "expected", "use_30d", "use_before_30d", "usage_trend", "first_used_at",
    "last_used_at", "peers", "peers_using", "percentile",
)  # fmt: skip


def csv_text(lines: Sequence[FeatureLine]) -> str:
    """Return the features with a header line. Instants are ISO in UTC, shares 0-1; what is not known is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for line in lines:
        spec, licence, peers = line.spec, line.licence, line.peers
        writer.writerow([
            spec.key, safe(spec.name), safe(spec.module), safe(line.category), licence.is_licensed, licence.licensed_at,
            licence.is_configured, licence.configured_at, line.level.name if line.level is not None else "", line.use,
            spec.days, line.expected, line.use_30d, line.use_before_30d, line.trend, _iso(line.first_used),
            _iso(line.last_used), peers.peers, None if peers.using is None else round(peers.using, 4), peers.percentile,
        ])  # fmt: skip
    return buffer.getvalue()


def _iso(instant: datetime | None) -> str:
    return instant.isoformat() if instant else ""
