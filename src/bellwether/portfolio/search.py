"""Finds clients, contacts and records by their words: every word of the query, each as the beginning of a word."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models.expressions import RawSQL

from bellwether.portfolio.models import (
    Activity,
    Client,
    Contact,
    Note,
    SearchEntry,
    SupportTicket,
    SurveyResponse,
)
from bellwether.portfolio.search_index import ENTRIES, WORDS
from bellwether.portfolio.search_words import WORD, folded, words_of
from bellwether.staff.models import StaffUser

MODELS: dict[str, Any] = {
    "client": Client,
    "contact": Contact,
    "note": Note,
    "activity": Activity,
    "ticket": SupportTicket,
    "answer": SurveyResponse,
}
KINDS = tuple(MODELS)
RELATED = {"note": ("created_by",), "activity": ("performed_by",)}
# Beyond this many, what a reader may see is checked row by row instead of being part of what is looked for.
MOST_NAMED = 400
RANKED = {"client": 5_000, "contact": 1_000}
RANKED_RECORDS = 400
"""How many of the newest matches are ranked; a multiple of every page's length, so that pages do not overlap."""
MOST_COUNTED = 1_000
"""Totals are counted up to here: a word that is everywhere would be counted for as long as it takes to read it all."""
SMALLEST_WORD = 2
"""Words of records are looked for from two letters on, those of clients and contacts from the first."""


@dataclass(frozen=True)
class Hits:
    """Found records of one kind, the best first; `total` is how many there are, up to MOST_COUNTED."""

    kind: str
    rows: list[Any]
    total: int


def search(
    user: StaffUser,
    text: str,
    *,
    kinds: Collection[str] = KINDS,
    limit: int = 5,
    offset: int = 0,
    count: bool = True,
) -> list[Hits]:
    """Return what `user` may see and `text` describes, for each of `kinds` that has any; any text is a valid query.

    Words of the title weigh more than others, whole words more than beginnings; then the newest come first. Archived
    clients and records are left out, private notes are their author's alone. A contact is found by its whole e-mail
    address too. Without `count`, `total` is that of `rows`.
    """
    words = words_of(text)
    if not words or not user.is_active:
        return []
    scope = _visible(user)
    found = []
    for kind in kinds:
        if kind not in {"client", "contact"} and max(map(len, words)) < SMALLEST_WORD:
            continue
        ids = [] if scope is not None and not scope else _ids(user, kind, words, scope, limit=limit, offset=offset)
        total = len(ids) if not count or (not offset and len(ids) < limit) else _count(user, kind, words, scope)
        rows = _rows(user, kind, ids)
        if kind == "contact" and "@" in text and not offset:
            own = {row.pk for row in rows}
            more = [row for row in by_email(user, text) if row.pk not in own]
            rows, total = [*more, *rows][:limit], total + len(more)
        if rows:
            found.append(Hits(kind, rows, total))
    return found


def by_email(user: StaffUser, address: str) -> list[Contact]:
    """Return the contacts whose whole e-mail address is `address`, whatever its case."""
    held = Contact.objects.visible_to(user).filter(email__iexact=address.strip(), archived_at__isnull=True)
    return list(held.filter(client__archived_at__isnull=True).select_related("client")[:20])


def matching_ids(kind: str, words: Sequence[str], client_id: UUID) -> RawSQL:
    """Return the ids of a client's records of `kind` that have all of `words`, for a filter `pk__in`."""
    if connections["default"].vendor == "sqlite":
        sql = f"SELECT e.object_id FROM {WORDS} JOIN {ENTRIES} e ON e.id = {WORDS}.rowid WHERE {WORDS} MATCH %s"
        return RawSQL(sql, [_match(words, [f"k{kind}"], [f"c{client_id.hex}"])])  # noqa: S611
    sql = f"SELECT object_id FROM {ENTRIES} WHERE words @@ to_tsquery('simple', %s) AND kind = %s AND client_id = %s"
    return RawSQL(sql, [_tsquery(words), kind, client_id])  # noqa: S611


def _visible(user: StaffUser) -> list[UUID] | None:
    """Return the clients that the user may see where they are few; None where rows have to be checked one by one."""
    if user.sees_all_clients:
        return None
    ids = list(Client.objects.visible_to(user).active().values_list("pk", flat=True)[: MOST_NAMED + 1])
    return ids if len(ids) <= MOST_NAMED else None


def _match(words: Sequence[str], *scopes: Sequence[str]) -> str:
    """Return a query of FTS5; words are letters and digits alone, so there is nothing in them to escape."""
    wanted = " AND ".join(f'"{word}"*' for word in words)
    narrowed = " AND ".join(f"scope : ({' OR '.join(scope)})" for scope in scopes)
    return f"{{title body}} : ({wanted}) AND {narrowed}"


def _tsquery(words: Sequence[str]) -> str:
    return " & ".join(f"'{word}':*" for word in words)


def _parts(user: StaffUser, kind: str, words: Sequence[str], scope: list[UUID] | None) -> tuple[str, list[Any]]:
    """Return FROM and WHERE of the index with their parameters."""
    seen, values = _scoped(user, scope)
    if connections["default"].vendor == "sqlite":
        scopes = [[f"k{kind}"], ["everyone", f"u{user.pk.hex}"]]
        if scope is not None:
            scopes.append([f"c{pk.hex}" for pk in scope])
        sql = (
            f"FROM {WORDS} JOIN {ENTRIES} e ON e.id = {WORDS}.rowid JOIN portfolio_client c ON c.id = e.client_id "
            f"WHERE {WORDS} MATCH %s AND c.archived_at IS NULL{seen}"
        )
        return sql, [_match(words, *scopes), *values]
    sql = (
        f"FROM {ENTRIES} e JOIN portfolio_client c ON c.id = e.client_id "
        "WHERE e.words @@ to_tsquery('simple', %s) AND e.kind = %s AND (e.author_id IS NULL OR e.author_id = %s) "
        f"AND c.archived_at IS NULL{seen}"
    )
    return sql, [_tsquery(words), kind, user.pk, *values]


def _scoped(user: StaffUser, scope: list[UUID] | None) -> tuple[str, list[Any]]:
    if user.sees_all_clients:
        return "", []
    connection = connections["default"]
    if scope is not None and connection.vendor == "sqlite":
        return "", []  # it is part of what is looked for
    visible = Client.objects.visible_to(user).active().order_by().values("pk")
    sql, params = visible.query.get_compiler(connection=connection).as_sql()
    return f" AND e.client_id IN ({sql})", list(params)


def _ids(
    user: StaffUser, kind: str, words: Sequence[str], scope: list[UUID] | None, *, limit: int, offset: int
) -> list[UUID]:
    """Return a page of ids: the newest RANKED by how well their titles fit, older ones by age alone."""
    where, values = _parts(user, kind, words, scope)
    ranked = offset + limit <= RANKED.get(kind, RANKED_RECORDS)
    window = (RANKED.get(kind, RANKED_RECORDS), 0) if ranked else (limit, offset)
    with connections["default"].cursor() as cursor:
        sql = f"SELECT e.object_id, e.title {where} ORDER BY {_newest()} DESC LIMIT {window[0]} OFFSET {window[1]}"
        cursor.execute(sql, values)
        rows = cursor.fetchall()
    if ranked:
        rows = sorted(rows, key=lambda row: -fitness(row[1], words))[offset : offset + limit]
    return [row[0] if isinstance(row[0], UUID) else UUID(row[0]) for row in rows]


def _newest() -> str:
    """Return what orders by age: FTS5 walks its own row ids without looking at every match."""
    return f"{WORDS}.rowid" if connections["default"].vendor == "sqlite" else "e.id"


def fitness(title: str, words: Sequence[str]) -> int:
    """Return how well a title fits: per word 4 where it is there whole, 2 where a word begins with it, and 1 more where
    it is the first; what stands in other fields alone counts nothing."""
    there = WORD.findall(title.lower() if title.isascii() else folded(title))
    points = 0
    for word in words:
        best = 4 if word in there else 2 if any(one.startswith(word) for one in there) else 0
        points += best + (1 if there and there[0].startswith(word) else 0)
    return points


def _count(user: StaffUser, kind: str, words: Sequence[str], scope: list[UUID] | None) -> int:
    where, values = _parts(user, kind, words, scope)
    with connections["default"].cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM (SELECT e.id {where} LIMIT {MOST_COUNTED}) found", values)
        return int(cursor.fetchone()[0])


def _rows(user: StaffUser, kind: str, ids: Sequence[UUID]) -> list[Any]:
    """Return the records in the order of `ids`; scope is checked once more."""
    if not ids:
        return []
    rows = MODELS[kind].objects.visible_to(user).filter(pk__in=ids)
    if kind != "client":
        rows = rows.select_related("client", *RELATED.get(kind, ()))
    by_id = {row.pk: row for row in rows}
    return [by_id[pk] for pk in ids if pk in by_id]


__all__ = ["KINDS", "Hits", "SearchEntry", "by_email", "matching_ids", "search"]
