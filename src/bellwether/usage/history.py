"""Which records of usage keep a history of changes (django-auditlog): the catalogue and what clients have licensed.

Bulk imports are logged as one line of the access log.
"""

from auditlog.registry import auditlog

from bellwether.usage.models import Feature, FeatureAdoption


def keep_history() -> None:
    """Register the models; called once when Django starts."""
    for model in (Feature, FeatureAdoption):
        auditlog.register(model, exclude_fields=["updated_at"])
