"""Pages of lists, the same in every HTTP interface: `?page=&limit=` in, `data` and `pagination` out."""

from math import ceil

from ninja import Field, Schema

MOST_PER_PAGE = 200
LAST_PAGE = 1_000_000


class PageQuery(Schema):
    """Which page of a list is asked for."""

    page: int = Field(1, ge=1, le=LAST_PAGE, description="Counts from 1.")
    limit: int = Field(50, ge=1, le=MOST_PER_PAGE, description="Rows per page.")


class Pagination(Schema):
    """The page that was returned; `total` rows fill `pages` pages, at least 1."""

    page: int
    limit: int
    total: int
    pages: int


def pagination(*, page: int, limit: int, total: int) -> Pagination:
    """Return the description of a page."""
    return Pagination(page=page, limit=limit, total=total, pages=max(1, ceil(total / limit)))
