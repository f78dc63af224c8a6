"""The figures behind the insights: counted by the very filters that their links list."""

from collections.abc import Collection
from datetime import date
from decimal import Decimal

from django.db.models import Count, Sum

from bellwether.portfolio.insights import RULES, Figures
from bellwether.portfolio.list_words import query_of
from bellwether.portfolio.listing import condition
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser


def insight_figures(user: StaffUser, today: date, without: Collection[str] = ()) -> dict[str, Figures]:
    """Return what each rule finds among the clients of `user`, in one query; rules named in `without` are left out."""
    found = {
        key: condition(user, query_of(rule.filters(today)), today) for key, rule in RULES.items() if key not in without
    }
    if not found:
        return {}
    counts = {f"{key}_count": Count("pk", filter=wanted) for key, wanted in found.items()}
    sums = {f"{key}_arr": Sum("annual_recurring_revenue", filter=wanted) for key, wanted in found.items()}
    read = Client.objects.visible_to(user).active().aggregate(**counts, **sums)
    return {key: Figures(read[f"{key}_count"], read[f"{key}_arr"] or Decimal(0)) for key in found}
