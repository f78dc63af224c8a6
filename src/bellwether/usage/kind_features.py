"""The kind features: what each client has licensed and set up."""

from datetime import date
from typing import Any

from bellwether.portfolio.importing.columns import Field
from bellwether.portfolio.importing.kinds import (
    Kind,
    Prepared,
    RowContext,
    Values,
    client_field,
    deleted_field,
    only_given,
    refuse_deleted,
)
from bellwether.portfolio.importing.values import BOOLEAN, DATE, Parser, Reading, folded, plain
from bellwether.usage.catalogue import features
from bellwether.usage.models import FeatureAdoption


def _feature_key(value: Any, reading: Reading) -> str:
    """Return the key of a feature of the workspace's catalogue, named by its key or its name."""
    catalogue = features()
    known = {folded(word): feature.key for feature in catalogue for word in (feature.name, feature.key)}
    try:
        return str(known[folded(plain(value))])
    except KeyError:
        keys = ", ".join(feature.key for feature in catalogue)
        raise ValueError(f"is no feature of the catalogue, which has {keys}") from None


def _prepare(values: Values, context: RowContext) -> Prepared:
    refuse_deleted(values)
    names = ("is_licensed", "licensed_at", "is_configured", "configured_at")
    return Prepared(columns=only_given(values, context, *names), on_create={"is_licensed": True})


def _affected(adoption: Any) -> date | None:
    return adoption.licensed_at if isinstance(adoption.licensed_at, date) else None


FEATURES = Kind(
    name="features",
    about="What each client has licensed and set up; how much it is used comes from events.",
    model=FeatureAdoption,
    key_text="client and feature_key",
    key_column="feature_key",
    prepare=_prepare,
    affected=_affected,
    fields=(
        client_field(),
        Field(
            name="feature_key",
            parser=Parser("key or name of a feature of the workspace's preset", _feature_key),
            required=True,
            aliases=("feature", "featurename", "key", "name"),
            about="",
        ),
        Field(
            name="is_licensed",
            parser=BOOLEAN,
            default=False,
            aliases=("licensed", "entitled", "enabled"),
            about="Yes when the file has no such column.",
        ),
        Field(name="licensed_at", parser=DATE, aliases=("licensedon", "licensedsince", "entitledat"), about=""),
        Field(name="is_configured", parser=BOOLEAN, default=False, aliases=("configured", "setup"), about=""),
        Field(name="configured_at", parser=DATE, aliases=("configuredon", "setupat"), about=""),
        deleted_field(),
    ),
)
