"""Tells the outside (webhooks) that clients were made or changed. Called in the transaction that changes them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from bellwether.portfolio.models import ChangeEntry, Client, Tag
from bellwether.webhooks.outbox import Told, tell, wanted

Changes = Mapping[str, Sequence[Any]]
LABEL = "portfolio.client"


def client_data(client: Client) -> dict[str, Any]:
    """Return how events name a client."""
    return {"id": str(client.pk), "organization_id": client.organization_id, "name": client.name}


def tell_made(clients: Iterable[Client], *, now: datetime) -> int:
    """Tell that clients were made; return how many events are new."""
    return tell("client.created", [Told({"client": client_data(one)}, one.pk) for one in clients], now=now)


def tell_changed(client: Client, changes: Changes, *, now: datetime) -> int:
    """Tell the fields of a client that changed, each with its value before and after."""
    if not changes:
        return 0
    told = {name: {"from": before, "to": after} for name, (before, after) in changes.items()}
    return tell("client.changed", [Told({"client": client_data(client), "changes": told}, client.pk)], now=now)


def tell_entries(entries: Iterable[ChangeEntry], *, now: datetime, undone: bool = False) -> int:
    """Tell what the entries of a Change did to clients; `undone`: what taking them back did."""
    ours = [entry for entry in entries if entry.model == LABEL and entry.client_id is not None]
    if not ours:
        return 0
    made = [entry for entry in ours if entry.before is None]
    edited = [entry for entry in ours if entry.before is not None and entry.after is not None]
    clients = Client.objects.in_bulk({UUID(entry.object_id) for entry in ours})
    count = 0
    if made and not undone:
        count += tell_made([clients[pk] for entry in made if (pk := UUID(entry.object_id)) in clients], now=now)
    if edited and wanted("client.changed"):
        tags = _tag_names(edited)
        events = []
        for entry in edited:
            client = clients.get(UUID(entry.object_id))
            before, after = (entry.after, entry.before) if undone else (entry.before, entry.after)
            if client is None or before is None or after is None:
                continue
            changes = {
                name: {"from": _shown(name, before.get(name), tags), "to": _shown(name, after[name], tags)}
                for name in after
            }
            events.append(Told({"client": client_data(client), "changes": changes}, client.pk))
        count += tell("client.changed", events, now=now)
    return count


def _tag_names(entries: Iterable[ChangeEntry]) -> dict[Any, str]:
    ids = {
        tag for entry in entries for values in (entry.before, entry.after) if values for tag in values.get("tags", ())
    }
    return dict(Tag.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}


def _shown(name: str, value: Any, tags: Mapping[Any, str]) -> Any:
    return sorted(tags[tag] for tag in value if tag in tags) if name == "tags" and value is not None else value
