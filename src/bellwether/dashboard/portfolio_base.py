"""The view that an address of the portfolio names: one of those there always are, or a saved one of the reader's."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from bellwether.dashboard.portfolio_query import Asked, Base, read_query
from bellwether.portfolio.listing import VIEWS
from bellwether.portfolio.models import SavedView
from bellwether.portfolio.preferences import preferences_of
from bellwether.portfolio.saved_views import views_of
from bellwether.staff.models import StaffUser


def asked_by(user: StaffUser, values: Mapping[str, str], views: Sequence[SavedView] | None = None) -> Asked:
    """Return the question in an address as `user` asks it; `views` are the reader's, read where they are needed."""
    home = preferences_of(user).get("view", "all")
    name = values.get("view", "").strip() or home
    if name in VIEWS:
        return read_query(values, Base(name, home=home))
    found = _find(views_of(user) if views is None else views, name)
    if found is not None:
        return read_query(values, Base(str(found.pk), dict(found.query), home))
    if values.get("view", "").strip():
        return read_query(values, Base("all", home=home))  # says that it is not known
    return read_query(values, Base("all"))  # the view it opened with is gone


def _find(views: Sequence[SavedView], name: str) -> SavedView | None:
    try:
        wanted = UUID(name)
    except ValueError:
        return None
    return next((view for view in views if view.pk == wanted), None)
