"""The contract tab of a client: shown, exported, and everything that can be done to terms and outcomes."""

from datetime import date, datetime
from typing import TypeVar, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bellwether.common.time import day_of
from bellwether.dashboard import client_selectors as read
from bellwether.dashboard.client_access import answer, client_or_404, head_of
from bellwether.dashboard.client_contract_forms import ChurnForm, FactsForm, OutcomeForm, RenewForm, TermForm, today_or
from bellwether.dashboard.client_contract_view import contract_page
from bellwether.dashboard.record_forms import act, answer_form
from bellwether.dashboard.records_export import export_response, term_columns
from bellwether.health.configs import main_scorecard
from bellwether.portfolio import contracts, outcomes
from bellwether.portfolio.models import Client, ClientOutcome, ContractPeriod
from bellwether.portfolio.record_changes import Made
from bellwether.portfolio.terms import Term, next_term, term_on
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import full_day, money

FORMS = ("GET", "POST")
R = TypeVar("R", ContractPeriod, ClientOutcome)


@require_GET
@login_required
def contract(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show the contract of a client that the reader may see."""
    user, now, today, client = _opened(request, client_id)
    periods = contracts.periods_of(client)
    ended = list(ClientOutcome.objects.filter(client=client).order_by("date", "created_at"))
    page = contract_page(client, periods, ended, used_seats=_used(client), today=today)
    audit.record(
        actor=user, action="client.contract", object_type="client", object_id=client.pk, client_id=client.pk, now=now
    )
    head = head_of(request, client, user=user, tab="client_contract", now=now)
    values = {"page": page, "head": head, "client_id": client.pk, "today": full_day(today)}
    return answer(request, "dashboard/client_contract_tab.html", values)


@require_GET
@login_required
def export(request: HttpRequest, client_id: UUID, kind: str) -> HttpResponse:
    """Return the terms and outcomes as CSV or XLSX."""
    user, now, today, client = _opened(request, client_id)
    ended = list(ClientOutcome.objects.filter(client=client).order_by("date"))
    sheets = term_columns(client, contracts.periods_of(client), ended)
    audit.record(
        actor=user, action="client.contract_export", object_type="client", object_id=client.pk, client_id=client.pk,
        now=now,
    )  # fmt: skip
    return export_response(f"contract-{client.organization_id}-{today}", kind, sheets)


@require_http_methods(FORMS)
@login_required
def term(request: HttpRequest, client_id: UUID, term_id: UUID | None = None) -> HttpResponse:
    """Add a term, or change one."""
    user, now, today, client = _opened(request, client_id)
    period = _of(ContractPeriod, client, term_id) if term_id else None
    overlaps = request.method == "POST" and "allow_overlap" in request.POST
    initial = TermForm.shown(contracts.term_of(period)) if period else _first_term(client, today)
    form = TermForm(request.POST if request.method == "POST" else None, initial=initial, overlaps=overlaps)

    def save(values: dict[str, object]) -> Made[ContractPeriod]:
        given = TermForm.term(values)
        allow = bool(values.get("allow_overlap"))
        if period is None:
            return contracts.add_term(client, given, actor=user, today=today, now=now, allow_overlap=allow)
        return contracts.change_term(period, given, actor=user, today=today, now=now, allow_overlap=allow)

    extra: dict[str, object] = {"offer_overlap": True}
    if period is not None:
        extra["remove"] = reverse("contract_term_remove", args=[client.pk, period.pk])
    return answer_form(
        request,
        form,
        title="Change the term" if period else "Add a term",
        submit="Save",
        said="The term is saved." if period else "The term is added.",
        back=_back(client),
        save=save,
        extra=extra,
    )


@require_POST
@login_required
def remove_term(request: HttpRequest, client_id: UUID, term_id: UUID) -> HttpResponse:
    """Take a term away."""
    user, now, today, client = _opened(request, client_id)
    period = _of(ContractPeriod, client, term_id)
    return act(
        request,
        _back(client),
        "The term is removed.",
        lambda: contracts.remove_term(period, actor=user, today=today, now=now),
    )


@require_http_methods(FORMS)
@login_required
def renew(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Renew the contract: the usual next term is filled in."""
    user, now, today, client = _opened(request, client_id)
    current = term_on([contracts.term_of(one) for one in contracts.periods_of(client)], today)
    lead = "No term is recorded yet that could be renewed."
    initial: dict[str, object] = {}
    if current is not None:
        following = next_term(current, today=today)
        initial = TermForm.shown(following) | {"decided_on": today_or(current.end_date, today)}
        arr = money(current.annual_recurring_revenue)
        end = f"ends on {full_day(current.end_date)}" if current.end_date else "is open-ended"
        lead = f"The present term of {arr} {end}. Less ARR is recorded as a downgrade, all else as a renewal."
    form = RenewForm(request.POST if request.method == "POST" else None, initial=initial, before=current)
    return answer_form(
        request,
        form,
        title=f"Renew {client.name}",
        lead=lead,
        submit="Renew",
        said=lambda made: f"Renewed: {made.change.summary if made.change else ''}.",
        back=_back(client),
        save=lambda values: contracts.renew(client, RenewForm.renewal(values), actor=user, today=today, now=now),
    )


@require_http_methods(FORMS)
@login_required
def churn(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Mark the client as churned."""
    user, now, today, client = _opened(request, client_id)
    form = ChurnForm(request.POST if request.method == "POST" else None, initial={"date": today})
    return answer_form(
        request,
        form,
        title=f"Mark {client.name} as churned",
        lead="Its terms end on the last day, and from then on it has no new scores. Terms that would begin later are "
        "taken away.",
        submit="Mark as churned",
        said=lambda made: f"{made.change.summary}." if made.change else "",
        back=_back(client),
        save=lambda values: contracts.mark_churned(client, ChurnForm.churn(values), actor=user, today=today, now=now),
        extra={"danger": True},
    )


@require_http_methods(FORMS)
@login_required
def facts(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Change payment, renewal probability, go-live and modules."""
    user, now, today, client = _opened(request, client_id)
    form = FactsForm(request.POST if request.method == "POST" else None, initial=FactsForm.shown(client))

    def save(values: dict[str, object]) -> Made[Client]:
        given = FactsForm.commercials(values)
        return contracts.change_commercials(client, given, actor=user, today=today, now=now)

    return answer_form(
        request, form, title="Change the contract facts", submit="Save", said="The contract facts are saved.",
        back=_back(client), save=save,
    )  # fmt: skip


@require_http_methods(FORMS)
@login_required
def outcome(request: HttpRequest, client_id: UUID, outcome_id: UUID | None = None) -> HttpResponse:
    """Add an outcome on its own, or change one."""
    user, now, today, client = _opened(request, client_id)
    known = _of(ClientOutcome, client, outcome_id) if outcome_id else None
    initial = OutcomeForm.shown(known) if known else {"date": today}
    form = OutcomeForm(request.POST if request.method == "POST" else None, initial=initial)

    def save(values: dict[str, object]) -> Made[ClientOutcome]:
        ending = OutcomeForm.ending(values)
        if known is None:
            return outcomes.add_outcome(client, ending, actor=user, today=today, now=now)
        return outcomes.change_outcome(known, ending, actor=user, today=today, now=now)

    return answer_form(
        request,
        form,
        title="Change the outcome" if known else "Add an outcome",
        lead=""
        if known
        else "For what has happened before. To renew now, or to mark as churned, use the buttons of "
        "the tab: they take care of the terms.",
        submit="Save",
        said="The outcome is saved." if known else "The outcome is added.",
        back=_back(client),
        save=save,
        extra={"remove": reverse("contract_outcome_remove", args=[client.pk, known.pk])} if known else None,
    )


@require_POST
@login_required
def remove_outcome(request: HttpRequest, client_id: UUID, outcome_id: UUID) -> HttpResponse:
    """Take an outcome away."""
    user, now, today, client = _opened(request, client_id)
    known = _of(ClientOutcome, client, outcome_id)
    return act(
        request,
        _back(client),
        "The outcome is removed.",
        lambda: outcomes.remove_outcome(known, actor=user, today=today, now=now),
    )


@require_POST
@login_required
def take(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Make the client's own record say what its terms say."""
    user, now, today, client = _opened(request, client_id)
    return act(
        request,
        _back(client),
        "The client's record says what its terms say.",
        lambda: contracts.take_terms(client, actor=user, today=today, now=now),
    )


@require_POST
@login_required
def restore(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Bring an archived client back to the lists."""
    user, now, today, client = _opened(request, client_id)
    return act(
        request,
        _back(client),
        f"{client.name} is back on the lists.",
        lambda: contracts.restore_client(client, actor=user, today=today, now=now),
    )


def _opened(request: HttpRequest, client_id: UUID) -> tuple[StaffUser, datetime, date, Client]:
    user = cast(StaffUser, request.user)
    now = timezone.now()
    return user, now, day_of(now, settings.BELLWETHER_WORKSPACE_ZONE), client_or_404(user, client_id)


def _of(model: type[R], client: Client, pk: UUID) -> R:
    found: R | None = model._default_manager.select_related("client").filter(pk=pk, client=client).first()
    if found is None:
        raise Http404
    return found


def _back(client: Client) -> str:
    return reverse("client_contract", args=[client.pk])


def _used(client: Client) -> int | None:
    """Return the users of 30 days that the newest score rests on."""
    if client.scored_on is None:
        return None
    scorecard = main_scorecard()
    row = read.newest_rows(client, {scorecard: client.scored_on}).get(scorecard)
    used = row.inputs.get("mau") if row else None
    return None if used is None else int(used)


def _first_term(client: Client, today: date) -> dict[str, object]:
    """Return what the form for a new term shows: after the last one, else what the client's record says."""
    terms = [contracts.term_of(one) for one in contracts.periods_of(client)]
    if terms:
        return TermForm.shown(next_term(terms[-1], today=today))
    return TermForm.shown(
        Term(
            start_date=client.contract_start_date or today,
            end_date=client.contract_end_date,
            annual_recurring_revenue=client.annual_recurring_revenue,
            contract_tier=client.contract_tier,
            licensed_user_count=client.licensed_user_count,
            licensed_modules=tuple(client.licensed_modules or ()),
            auto_renew=client.auto_renew,
        )
    )
