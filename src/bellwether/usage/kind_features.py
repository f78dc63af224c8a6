"""The kind features: what each client has licensed and set up."""

from datetime import date
from typing import Any
from weakref import ref

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


class _Catalogue:
    """The words for features as they were when an import began: its cells are read one by one, the catalogue once."""

    def __init__(self) -> None:
        self._reading: ref[Reading] | None = None
        self._keys: dict[str, str] = {}

    def keys(self, reading: Reading) -> dict[str, str]:
        """Return the key by folded key and name; read anew for every other `reading`, which belongs to one import."""
        if self._reading is None or self._reading() is not reading:
            self._keys = {folded(word): feature.key for feature in features() for word in (feature.name, feature.key)}
            self._reading = ref(reading)
        return self._keys


_CATALOGUE = _Catalogue()


def _feature_key(value: Any, reading: Reading) -> str:
    """Return the key of a feature of the workspace's catalogue, named by its key or its name."""
    known = _CATALOGUE.keys(reading)
    try:
        return known[folded(plain(value))]
    except KeyError:
        keys = ", ".join(sorted(set(known.values())))
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
