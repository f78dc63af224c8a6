"""Does the promised load of alerts come true? Run on a copy of a demo, which it changes:

    bellwether demo --no-serve
    cp -a "$BELLWETHER_HOME" /tmp/promise && BELLWETHER_HOME=/tmp/promise python -m benches.alerts_promise [--days 90]

The promise is the replay of the past year as it would have been made so many days ago. Then alerts are looked for on
each day since, as the job does, and those that opened are counted. Exit status 1 where the load of all rules together
is more than 10 % off, or where what was stored is not what a replay of the same days finds.
"""

# ruff: noqa: E402 (Django is set up before its models are imported)
import argparse
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bellwether.config.settings")
import django

django.setup()

from datetime import UTC, datetime, time, timedelta

from django.db.models import Count
from django.utils import timezone

from bellwether.alerts.models import Alert, AlertEvent, DetectionCheckpoint
from bellwether.alerts.replaying import Load, Replay
from bellwether.alerts.replays import facts_for, replay_rules
from bellwether.alerts.services import evaluate
from bellwether.portfolio.models import Client

TOLERANCE = 0.10


def main() -> int:
    """Print promise, stored and replayed loads a week by type; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--every", type=int, default=1, help="Look for alerts every so many days.")
    asked = parser.parse_args()
    now = timezone.now()
    last = now.date() - timedelta(days=1)
    made_on = last - timedelta(days=asked.days)
    promise = replay_rules(now=now, first=made_on - timedelta(days=363), last=made_on).present
    AlertEvent.objects.all().delete()
    Alert.objects.all().delete()
    DetectionCheckpoint.objects.all().delete()
    for day in range(0, asked.days + 1, asked.every):
        evaluate(now=datetime.combine(made_on + timedelta(days=day), time(18), UTC))
    evaluate(now=datetime.combine(last, time(18), UTC))
    begin = made_on + timedelta(days=1)
    stored = dict(
        Alert.objects.filter(opened_on__range=(begin, last), is_silent=False)
        .order_by()
        .values_list("alert_type")
        .annotate(Count("pk"))
    )
    facts = facts_for(begin, last)
    replayed = replay_rules(now=now, first=begin, last=last, facts=facts).present
    # The job looks at clients that are clients now; those that left meanwhile were looked at while they were there.
    still = [pk.hex for pk in Client.objects.active().values_list("pk", flat=True)]
    of_these = replay_rules(now=now, first=begin, last=last, facts=facts.of(still)).present
    weeks, same = asked.days / 7, True
    print(f"promise made on {made_on} from {promise.weeks:.0f} weeks; then {asked.days} days as the job does")
    print(f"{'a week':26} {'promised':>9} {'came':>9} {'off':>7}   {'stored':>7} {'replayed':>9} (clients of today)")
    for one in (promise.total, *promise.types):
        came = _of(replayed, one.alert_type).per_week
        kept = (stored.get(one.alert_type, 0) if one.alert_type else sum(stored.values())) / weeks
        again = _of(of_these, one.alert_type).per_week
        same = same and abs(kept - again) < 1 / weeks / 2
        off = f"{one.per_week / came - 1:+.0%}" if came else ""
        name = one.alert_type or "all"
        print(f"{name:26} {one.per_week:>9.2f} {came:>9.2f} {off:>7}   {kept:>7.2f} {again:>9.2f}")
    true = abs(promise.total.per_week / replayed.total.per_week - 1) <= TOLERANCE
    print("The promise came true." if true else "The promise did not come true.")
    print("What the job stored is what the replay finds." if same else "The job stored something else than the replay.")
    return 0 if true and same else 1


def _of(replay: Replay, alert_type: str) -> Load:
    return (replay.of(alert_type) if alert_type else None) or replay.total


if __name__ == "__main__":
    sys.exit(main())
