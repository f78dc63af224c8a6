"""Field helpers that more than one package uses."""

from django.db import models


def one_of(field: str, choices: type[models.TextChoices], name: str) -> models.CheckConstraint:
    """Return a constraint that keeps `field` (nulls allowed) to the values of `choices`."""
    condition = models.Q(**{f"{field}__in": choices.values}) | models.Q(**{f"{field}__isnull": True})
    return models.CheckConstraint(condition=condition, name=name)
