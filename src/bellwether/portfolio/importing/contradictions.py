"""What is odd about the rows of an import although each could be stored: told, with examples, and left to people."""

import difflib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Min

from bellwether.portfolio.choices import OutcomeKind
from bellwether.portfolio.importing.columns import folded_column
from bellwether.portfolio.importing.plan import Plan, PlannedRow
from bellwether.portfolio.importing.values import YES, plain
from bellwether.portfolio.models import Client, ClientOutcome, ContractPeriod

EXAMPLES = 5
UNKNOWN_KEPT = 1_000
UNKNOWN_SHOWN = 20
FLAG_NAMES = frozenset({"churnflag", "churned", "ischurned", "haschurned", "churn"})
WHEN = {
    "tickets": "opened_at",
    "surveys": "answered_at",
    "activities": "occurred_at",
    "outcomes": "date",
    "contacts": "",
    "clients": "",
}
Warning_ = dict[str, Any]


@dataclass
class Examples:
    """How often something was seen, with the first few cases in words."""

    count: int = 0
    texts: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Count one more case."""
        self.count += 1
        if len(self.texts) < EXAMPLES:
            self.texts.append(text)


class Contradictions:
    """Watches the plans of an import; `warnings` says at its end what is odd."""

    def __init__(self, kind: str, columns: Sequence[str], *, churned_elsewhere: Iterable[str] = ()) -> None:
        self.kind = kind
        self.flag = next((name for name in columns if folded_column(name) in FLAG_NAMES), None)
        self.flagged: set[str] = set()
        self.unflagged: set[str] = set()
        self.churned_elsewhere = set(churned_elsewhere)
        self.churned: set[str] = set()
        self.repeated = Examples()
        self.early = Examples()
        self.periods: dict[UUID, list[tuple[date, date | None, int, str]]] = defaultdict(list)
        self.names: dict[UUID, str] = {}
        self.unknown: Counter[str] = Counter()
        self._starts: dict[UUID, date] | None = None

    def watch(self, plan: Plan) -> None:
        """Take note of the rows of a chunk."""
        cells = {row.row: row for row in plan.parsed}
        for client in plan.clients.values():
            self.names[client.pk] = client.name
        for planned in plan.rows:
            if planned.repeated:
                self.repeated.add(f"row {planned.row}")
            row = cells.get(planned.row)
            if row is not None:
                self._flags(row.cells, row.values)
            if planned.record is not None:
                self._record(planned)
        for parsed in plan.parsed:
            name = parsed.values.get("organization_id")
            if self.kind != "clients" and name and name not in plan.clients and len(self.unknown) < UNKNOWN_KEPT:
                self.unknown[name] += 1

    def _flags(self, cells: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        if self.kind == "clients" and self.flag is not None:
            said = plain(cells.get(self.flag, "")).lower() in YES
            (self.flagged if said else self.unflagged).add(values["organization_id"])

    def _record(self, planned: PlannedRow) -> None:
        record = planned.record
        if self.kind == "contracts":
            self.periods[record.client_id].append((record.start_date, record.end_date, planned.row, record.external_id))
            return
        if self.kind == "outcomes" and record.outcome == OutcomeKind.CHURNED:
            self.churned.add(str(record.client_id))
        column = WHEN.get(self.kind, "")
        moment = getattr(record, column) if column else None
        if moment is None:
            return
        day = moment.astimezone(UTC).date() if isinstance(moment, datetime) else moment
        start = self._contract_starts().get(record.client_id)
        if start is not None and day < start:
            name = self.names.get(record.client_id, "")
            self.early.add(f"row {planned.row}: {day} is before {name}'s contract of {start}")

    def _contract_starts(self) -> dict[UUID, date]:
        """Return by client the first day of which a contract is known."""
        if self._starts is None:
            own = Client.objects.filter(contract_start_date__isnull=False).order_by()
            starts: dict[UUID, date] = {pk: day for pk, day in own.values_list("pk", "contract_start_date") if day}
            terms = ContractPeriod.objects.order_by().values_list("client_id").annotate(first=Min("start_date"))
            for client_id, first in terms:
                starts[client_id] = min(first, starts.get(client_id, first))
            self._starts = starts
        return self._starts

    def warnings(self) -> list[Warning_]:
        """Return each oddity as text, count and examples, JSON as it is kept with the run."""
        found = []
        if self.repeated.count:
            text = f"The same as an earlier row of the file, taken once: {_rows(self.repeated.count)}."
            found.append(_warning(text, self.repeated))
        if self.early.count:
            text = f"Dated before the client's first contract: {_rows(self.early.count)}."
            found.append(_warning(text, self.early))
        found += self._overlaps()
        found += self._flag_warnings()
        return found

    def _overlaps(self) -> list[Warning_]:
        overlapping, clients = Examples(), set()
        for client_id, periods in self.periods.items():
            periods.sort(key=lambda period: period[0])
            latest: tuple[date, str] = (date.min, "")
            for start, end, row, name in periods:
                if start <= latest[0]:
                    clients.add(client_id)
                    said = self.names.get(client_id, "")
                    overlapping.add(f"row {row}: {name or start} of {said} begins before {latest[1]} has ended")
                latest = max(latest, (end or date.max, name or str(start)))
        if not overlapping.count:
            return []
        text = (
            f"Terms that overlap an earlier one of the same client: {overlapping.count:,}, of "
            f"{_clients(len(clients))}. All are kept; a client's ARR, seats and tier are those of "
            "the term in force that began last, not the sum."
        )
        return [_warning(text, overlapping)]

    def _flag_warnings(self) -> list[Warning_]:
        found = []
        if self.flagged:
            known = set(
                ClientOutcome.objects.filter(outcome=OutcomeKind.CHURNED, client__organization_id__in=self.flagged)
                .values_list("client__organization_id", flat=True)
                .distinct()
            )
            found += _set_warning(
                self.flagged - known, "Flagged by {flag}, but without a recorded churn", flag=self.flag
            )
            churned = set(
                ClientOutcome.objects.filter(outcome=OutcomeKind.CHURNED, client__organization_id__in=self.unflagged)
                .values_list("client__organization_id", flat=True)
                .distinct()
            )
            found += _set_warning(churned, "With a recorded churn, but not flagged by {flag}", flag=self.flag)
        if self.churned and self.churned_elsewhere:
            ids = Client.objects.filter(pk__in=[UUID(pk) for pk in self.churned])
            names = set(ids.values_list("organization_id", flat=True))
            found += _set_warning(
                names - self.churned_elsewhere, "With a churn here, but not flagged in the file of clients"
            )
            found += _set_warning(
                self.churned_elsewhere - names, "Flagged as churned in the file of clients, but without a churn here"
            )
        return found

    def unknown_clients(self) -> list[dict[str, Any]]:
        """Return the names that no client has, the most frequent first, each with clients called like it."""
        if not self.unknown:
            return []
        known: dict[str, str] = {}
        for organization_id, name in Client.objects.values_list("organization_id", "name"):
            known[organization_id.lower()] = known[name.lower()] = (
                name if name == organization_id else f"{name} ({organization_id})"
            )
        found = []
        for name, count in self.unknown.most_common(UNKNOWN_SHOWN):
            close = difflib.get_close_matches(name.lower(), known, n=2, cutoff=0.7)
            found.append({"name": name, "rows": count, "nearest": list(dict.fromkeys(known[one] for one in close))})
        return found


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _clients(count: int) -> str:
    return "1 client" if count == 1 else f"{count:,} clients"


def _warning(text: str, examples: Examples) -> Warning_:
    return {"text": text, "count": examples.count, "examples": examples.texts}


def _set_warning(names: set[str], text: str, **words: Any) -> list[Warning_]:
    if not names:
        return []
    return [
        {
            "text": f"{text.format(**words)}: {_clients(len(names))}.",
            "count": len(names),
            "examples": sorted(names)[:EXAMPLES],
        }
    ]
