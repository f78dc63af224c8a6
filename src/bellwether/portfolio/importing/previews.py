"""The first rows of an import as they would be stored, in words."""

from datetime import date, datetime
from typing import Any

from bellwether.portfolio.importing.columns import Mapping
from bellwether.portfolio.importing.kinds import Kind
from bellwether.portfolio.importing.plan import Plan, PlannedRow

SHOWN = 12
LONGEST = 80
SECRET = frozenset({"user_key"})


class Preview:
    """Watches the plans of an import; `rows` are the first ones as row, action, client and cells by `fields`."""

    def __init__(self, kind: Kind, mapping: Mapping) -> None:
        columns = {f.name for f in kind.model._meta.concrete_fields}
        given = [f.name for f in kind.fields if f.name in mapping.given and f.name in columns]
        made = [name for name in ("name", "status") if name in columns and name not in given]
        self.kind, self.fields = kind, [name for name in [*given, *made] if name not in SECRET]
        self.rows: list[dict[str, Any]] = []

    def watch(self, plan: Plan) -> None:
        """Take the first rows of a chunk."""
        names = {client.pk: client.name for client in plan.clients.values()}
        for planned in plan.rows:
            if len(self.rows) >= SHOWN:
                return
            if planned.record is not None:
                self.rows.append(self._row(planned, names, plan))

    def _row(self, planned: PlannedRow, names: dict[Any, str], plan: Plan) -> dict[str, Any]:
        record = planned.record
        before = plan.before.get(record.pk) if planned.action == "updated" else None
        cells = {name: _text(getattr(record, name)) for name in self.fields}
        old = {
            name: _text(getattr(before, name))
            for name in self.fields
            if before is not None and name in planned.changed and hasattr(before, name)
        }
        client = "" if self.kind.name == "clients" else names.get(record.client_id, "")
        return {"row": planned.row, "action": planned.action, "client": client, "cells": cells, "before": old}


def _text(value: Any) -> str:
    if value is None or value == "" or value == []:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)[:LONGEST]
    text = str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
