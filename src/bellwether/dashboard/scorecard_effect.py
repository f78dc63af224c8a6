"""The effect of a draft as the health score page and its CSV show it."""

import csv
import io
from dataclasses import dataclass
from uuid import UUID

from bellwether.common.rounding import half_up
from bellwether.common.spreadsheets import safe
from bellwether.health.simulation import BANDS, Effect, changed_only
from bellwether.web.formatting import Delta, change, plural, short_money, status_of

SHOWN, MOST_SHOWN = 9, 500
COLUMNS = ("client_id", "name", "annual_recurring_revenue", "score_now", "score_draft", "change", "status_now",
           "status_draft")  # fmt: skip

ROW = ("client_id", "name", "score_now", "score_draft", "change", "status_now", "status_draft", "direction")


@dataclass(frozen=True)
class ChangeRow:
    """One client in the table of the largest changes."""

    client_id: str
    name: str
    now: int | None
    draft: int | None
    change: Delta | None
    status_now: str | None
    status_draft: str | None

    @property
    def moves(self) -> bool:
        """Whether the client changes band."""
        return self.status_now != self.status_draft

    @property
    def stays(self) -> str:
        """The band that stays, in words."""
        label = status_of(self.status_draft).label
        return "Stays without a score" if self.status_draft is None else f"Stays {label.lower()}"


@dataclass(frozen=True)
class BandCount:
    """How many clients are in a band now and under the draft."""

    status: str | None
    label: str
    now: int
    draft: int


@dataclass(frozen=True)
class EffectView:
    """The effect in the words and numbers of the page."""

    scored: int
    clients: int
    touched: int
    bands: list[BandCount]
    now_text: str
    draft_text: str
    average: int | None
    average_now: int | None
    average_change: Delta | None
    moved: int
    moved_text: str
    arr: str
    arr_now: str
    arr_moved: str
    moves: list[str]
    rows: list[ChangeRow]
    changed: int
    more: bool


def effect_view(effect: Effect, *, everybody: bool = False) -> EffectView:
    """Return what the page shows of `effect`; with `everybody` up to MOST_SHOWN of those that change."""
    changed = changed_only(effect.changes)
    shown = changed.head(MOST_SHOWN if everybody else SHOWN)
    average, before = _whole(effect.average_draft), _whole(effect.average_now)
    bands = [
        BandCount(None if band == "NA" else band, status_of(band).label, effect.now[band], effect.draft[band])
        for band in BANDS
    ]
    moved = effect.worse + effect.better + effect.lost + effect.gained
    return EffectView(
        scored=effect.clients - effect.now["NA"],
        clients=effect.clients,
        touched=effect.touched,
        bands=[band for band in bands if band.status or band.now or band.draft],
        now_text=_sentence([(band.label, band.now) for band in bands]),
        draft_text=_sentence([(band.label, band.draft) for band in bands]),
        average=average,
        average_now=before,
        average_change=None if average is None or before is None else change(average - before),
        moved=moved,
        moved_text=_moved(effect),
        arr=short_money(effect.arr_at_risk_draft),
        arr_now=short_money(effect.arr_at_risk_now),
        arr_moved=short_money(sum(move.arr for move in effect.moves)),
        moves=[
            f"{plural(move.clients, 'client')} with {short_money(move.arr)} from {_word(move.before)} to "
            f"{_word(move.after)}"
            for move in effect.moves
        ],
        rows=[_row(*row) for row in shown.select(ROW).iter_rows()],
        changed=changed.height,
        more=changed.height > len(shown),
    )


def changes_csv(effect: Effect) -> tuple[str, int]:
    """Return the clients whose score or band changes as CSV with a header line, and how many there are."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    rows = changed_only(effect.changes).select(
        "client_id", "name", "arr", "score_now", "score_draft", "change", "status_now", "status_draft"
    )
    for client_id, name, arr, *rest in rows.iter_rows():
        cells = ["" if value is None else value for value in rest]
        writer.writerow([UUID(client_id), safe(name), "" if arr is None else f"{arr:.2f}", *cells])
    return buffer.getvalue(), rows.height


def _row(client_id: str, name: str, now: int | None, draft: int | None, by: int | None, *rest: object) -> ChangeRow:
    before, after, direction = rest
    better = "up" if direction else ""
    return ChangeRow(str(UUID(client_id)), name, now, draft, change(by, better=better), before, after)  # type: ignore[arg-type]


def _whole(value: float | None) -> int | None:
    return None if value is None else half_up(value)


def _moved(effect: Effect) -> str:
    parts = [f"{effect.worse} worse", f"{effect.better} better"]
    if effect.lost:
        parts.append(f"{effect.lost} without a score")
    if effect.gained:
        parts.append(f"{effect.gained} newly scored")
    return ", ".join(parts)


def _word(band: str) -> str:
    return "no score" if band == "NA" else status_of(band).label.lower()


def _sentence(parts: list[tuple[str, int]]) -> str:
    return ", ".join(f"{count} {label if label == 'N/A' else label.lower()}" for label, count in parts if count)
