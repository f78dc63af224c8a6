"""The smaller parts of the client page: key figures, contract, contacts, notes; every text ready to be shown."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from markupsafe import Markup

from bellwether.common.time import day_of
from bellwether.dashboard.client_notes_view import rendered
from bellwether.health.risk_factors import PAYMENT_SEVERITY
from bellwether.portfolio.choices import KEY_ROLES
from bellwether.portfolio.contacting import LastContact, gone
from bellwether.portfolio.masking import masked_email, masked_phone
from bellwether.portfolio.models import Client, Contact, ContractPeriod, Note
from bellwether.web.formatting import (
    DASH,
    Delta,
    change,
    day,
    days_ago,
    days_short,
    full_day,
    initials,
    money,
    number,
    percent,
    plural,
)

FRESH_LOGIN_DAYS, QUIET_LOGIN_DAYS = 7, 14
CONTACTS_SHOWN = 4
PAYMENT_STATUS = {"current": "healthy", **PAYMENT_SEVERITY}
ROLE_ORDER: dict[str, int] = {role: place for place, role in enumerate(KEY_ROLES)}


@dataclass(frozen=True)
class Figure:
    """A key figure. `value` None: not known, `reason` says why. `change` stands before the note."""

    key: str
    label: str
    value: str | None
    unit: str = ""
    note: str = ""
    reason: str = ""
    change: Delta | None = None


@dataclass(frozen=True)
class Term:
    """A fact of the contract; `status` colours it as a badge."""

    label: str
    value: str
    status: str = ""


@dataclass(frozen=True)
class ContractCard:
    """The contract: its facts, and the terms before the current one."""

    terms: list[Term]
    modules: list[str]
    earlier: list[str]
    known: bool


@dataclass(frozen=True)
class ContactItem:
    """A stakeholder. `email` and `phone` are masked unless revealed."""

    contact_id: UUID
    name: str
    initials: str
    role: str
    title: str
    email: str
    phone: str
    status: str
    state: str
    state_words: str
    icon: str


@dataclass(frozen=True)
class ContactCard:
    """The stakeholders shown, how many there are, and whether their e-mail and phone stand there in clear."""

    items: list[ContactItem]
    total: int
    hidden: int
    revealed: bool


@dataclass(frozen=True)
class NoteItem:
    """A note; `html` is its text, safe to be placed."""

    title: str
    html: Markup
    kind: str
    byline: str
    private: bool
    pinned: bool


def arr_figure(client: Client, inputs: Mapping[str, Any], today: date) -> Figure:
    """Return ARR with the contract year and the seats in use."""
    parts = []
    if client.contract_start_date and client.contract_start_date <= today:
        parts.append(f"Year {contract_year(client.contract_start_date, today)}")
    used = inputs.get("mau")
    if client.licensed_user_count:
        of = number(client.licensed_user_count)
        parts.append(f"{number(used)} of {of} seats used" if used is not None else f"{of} seats")
    value = money(client.annual_recurring_revenue) if client.annual_recurring_revenue is not None else None
    return Figure("arr", "ARR", value, note=", ".join(parts), reason="No contract value is recorded.")


def contract_year(start: date, today: date) -> int:
    """Return which year of the contract `today` is in, from 1; a year begins on the day and month of `start`."""
    passed = today.year - start.year - ((today.month, today.day) < (start.month, start.day))
    return passed + 1


def renewal_figure(client: Client, today: date, *, ended: bool) -> Figure:
    """Return the days to the renewal."""
    on = client.next_renewal_date
    if on is None or ended:
        reason = "The contract has ended." if ended else "No renewal date is recorded."
        return Figure("renewal", "Renewal", None, reason=reason)
    auto = {True: ", auto-renew", False: ", no auto-renew", None: ""}[client.auto_renew]
    days = (on - today).days
    note = f"{full_day(on)}{auto}"
    if days < 0:
        return Figure("renewal", "Renewal", number(-days), "days overdue" if days < -1 else "day overdue", note)
    if days == 0:
        return Figure("renewal", "Renewal", "Today", note=note)
    return Figure("renewal", "Renewal", number(days), "days" if days > 1 else "day", note)


def contact_figure(last: LastContact | None, today: date, zone: ZoneInfo) -> Figure:
    """Return the days since the last completed contact."""
    if last is None:
        return Figure("contact", "Last contact", None, reason="No completed contact is recorded.")
    on = day_of(last.at, zone)
    days = (today - on).days
    note = f"{last.label}, {day(on, today)}" if last.label else day(on, today)
    if days < 2:
        return Figure("contact", "Last contact", days_ago(days).capitalize(), note=note)
    return Figure("contact", "Last contact", number(days), "days ago", note)


def usage_figure(inputs: Mapping[str, Any], *, measured: str) -> Figure:
    """Return the weekly and monthly active users with the change of daily use; `measured` is the day, "" for today."""
    week, month, moved = inputs.get("wau"), inputs.get("mau"), inputs.get("dau_change")
    if week is None and month is None:
        return Figure("usage", "Weekly users", None, reason="No usage has been measured for this client.")
    delta = None
    if moved is not None:
        notable = "up" if abs(moved) >= 0.1 else ""
        delta = change(round(moved, 2), better=notable, text=percent(abs(moved)))
    notes = [f"{number(month)} in 30 days" if month is not None else "", f"on {measured}" if measured else ""]
    note = ", ".join(part for part in notes if part)
    return Figure("usage", "Weekly users", number(week), "people" if week != 1 else "person", note, change=delta)


def contract_card(
    client: Client, periods: Sequence[ContractPeriod], inputs: Mapping[str, Any], today: date
) -> ContractCard:
    """Return the facts of the contract; what is not recorded is left out, except value and dates."""
    start, end = client.contract_start_date, client.contract_end_date
    used, seats = inputs.get("mau"), client.licensed_user_count
    terms = [
        Term("Tier", str(client.get_contract_tier_display())),
        Term("Start", full_day(start)),
        Term("End", full_day(end)),
        Term("Term", _term(*_current_term(periods, today, start, end))),
        Term("ARR", money(client.annual_recurring_revenue)),
    ]
    if seats:
        in_use = (
            f"{number(used)} of {number(seats)} used ({percent(used / seats)})" if used is not None else number(seats)
        )
        terms.append(Term("Seats", in_use))
    if client.payment_status:
        label = str(client.get_payment_status_display())
        terms.append(Term("Payment", label, PAYMENT_STATUS.get(client.payment_status, "")))
    if client.renewal_probability is not None:
        terms.append(Term("Renewal probability", f"{client.renewal_probability}%, from the CRM"))
    if client.auto_renew is not None:
        terms.append(Term("Auto-renew", "Yes" if client.auto_renew else "No"))
    earlier = [period_text(period) for period in reversed(periods) if period.end_date and period.end_date < today]
    known = any((start, end, client.annual_recurring_revenue, seats, periods))
    return ContractCard(
        terms=[term for term in terms if term.value != DASH or term.label == "ARR"],
        modules=[str(module) for module in client.licensed_modules or []],
        earlier=earlier,
        known=bool(known),
    )


def _current_term(
    periods: Sequence[ContractPeriod], today: date, start: date | None, end: date | None
) -> tuple[date | None, date | None]:
    """Return start and end of the term that holds `today`, the contract's own where no term is recorded."""
    current = [p for p in periods if p.start_date <= today and (p.end_date is None or p.end_date >= today)]
    return (current[-1].start_date, current[-1].end_date) if current else (start, end)


def _term(start: date | None, end: date | None) -> str:
    if start is None or end is None:
        return DASH
    months = round((end - start).days / 30.44)
    return plural(months // 12, "year") if months >= 12 and months % 12 == 0 else plural(months, "month")


def period_text(period: ContractPeriod) -> str:
    """Return an earlier term in a line: "1 Jul 2024 to 30 Jun 2025, $96,000, Professional"."""
    parts = [f"{full_day(period.start_date)} to {full_day(period.end_date)}"]
    if period.annual_recurring_revenue is not None:
        parts.append(money(period.annual_recurring_revenue))
    parts.append(str(period.get_contract_tier_display()))
    if period.licensed_user_count:
        parts.append(plural(period.licensed_user_count, "seat"))
    return ", ".join(parts)


def contact_card(
    contacts: Sequence[Contact], *, today: date, zone: ZoneInfo, everyone: bool, revealed: Collection[UUID] = ()
) -> ContactCard:
    """Return the stakeholders, key roles first and those who left last; the first CONTACTS_SHOWN unless `everyone`."""
    ranked = sorted(
        contacts,
        key=lambda c: (gone(c, today, zone), ROLE_ORDER.get(c.role, len(ROLE_ORDER)), not c.is_primary, c.name),
    )
    shown = ranked if everyone else ranked[:CONTACTS_SHOWN]
    items = [_contact_item(contact, today, zone, clear=contact.pk in revealed) for contact in shown]
    return ContactCard(items, len(ranked), len(ranked) - len(shown), bool(revealed))


def _contact_item(contact: Contact, today: date, zone: ZoneInfo, *, clear: bool) -> ContactItem:
    status, state, state_words, icon = _contact_state(contact, today, zone)
    return ContactItem(
        contact_id=contact.pk,
        name=contact.name,
        initials=initials(contact.name),
        role=str(contact.get_role_display()),
        title=contact.title,
        email=contact.email if clear else masked_email(contact.email),
        phone=contact.phone if clear else masked_phone(contact.phone),
        status=status,
        state=state,
        state_words=state_words,
        icon=icon,
    )


def _contact_state(contact: Contact, today: date, zone: ZoneInfo) -> tuple[str, str, str, str]:
    """Return status word, short state, state in words and icon: the last login, else the last contact."""
    if gone(contact, today, zone):
        on = day_of(contact.left_company_at, zone) if contact.left_company_at else None
        return "na", "Left", f"Left {day(on, today)}" if on else "No longer active", "user-round-x"
    if contact.last_platform_login is not None:
        days = max(0, (today - day_of(contact.last_platform_login, zone)).days)
        words = f"Last login {days_ago(days)}"
        if days <= FRESH_LOGIN_DAYS:
            return "healthy", days_short(days), words, "circle-check"
        if days < QUIET_LOGIN_DAYS:
            return "monitor", days_short(days), words, "eye"
        return "critical" if contact.role == "CHAMPION" else "risk", days_short(days), words, "user-round-x"
    if contact.last_csm_contact is not None:
        days = max(0, (today - day_of(contact.last_csm_contact, zone)).days)
        return "na", days_short(days), f"Last contact {days_ago(days)}, no login known", "message-square"
    return "na", DASH, "No login and no contact known", "circle-dashed"


def note_items(notes: Sequence[Note], *, now: datetime, zone: ZoneInfo) -> list[NoteItem]:
    """Return the notes in their order."""
    today = day_of(now, zone)
    return [
        NoteItem(
            title=note.title,
            html=rendered(note.content),
            kind=str(note.get_note_type_display()),
            byline=f"{note.created_by.name}, {day(day_of(note.created_at, zone), today)}",
            private=note.is_private,
            pinned=note.is_pinned,
        )
        for note in notes
    ]
