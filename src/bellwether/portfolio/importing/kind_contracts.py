"""The kinds contracts and outcomes."""

from decimal import Decimal

from bellwether.portfolio.choices import (
    OutcomeKind,
)
from bellwether.portfolio.importing.columns import Field, folded_column
from bellwether.portfolio.importing.kind_clients import SHARED_ACCOUNT_FIELDS
from bellwether.portfolio.importing.kinds import (
    Kind,
    Prepared,
    RowContext,
    RowError,
    Values,
    client_field,
    deleted_field,
    external_id_field,
    only_given,
    refuse_deleted,
)
from bellwether.portfolio.importing.values import (
    DATE,
    MONEY,
    one_of,
    text,
)
from bellwether.portfolio.models import ClientOutcome, ContractPeriod

OUTCOME = one_of(
    dict(OutcomeKind.choices),
    {"renewal": "RENEWED", "renew": "RENEWED", "won": "RENEWED", "closed won": "RENEWED", "retained": "RENEWED"}
    | {"churn": "CHURNED", "cancelled": "CHURNED", "canceled": "CHURNED", "lost": "CHURNED", "closed lost": "CHURNED"}
    | {"terminated": "CHURNED", "downgrade": "DOWNGRADED", "contraction": "DOWNGRADED", "downsell": "DOWNGRADED"},
)


def _prepare_contract(values: Values, context: RowContext) -> Prepared:
    refuse_deleted(values)
    columns = only_given(
        values,
        context,
        "start_date",
        "end_date",
        "annual_recurring_revenue",
        "contract_tier",
        "licensed_user_count",
        "licensed_modules",
        "auto_renew",
    )
    start, end = columns["start_date"], columns.get("end_date")
    if end and end < start:
        raise RowError(f"end_date {end} is before start_date {start}")
    monthly: Decimal | None = values.get("monthly_recurring_revenue")
    if monthly is not None and columns.get("annual_recurring_revenue") is None:
        columns["annual_recurring_revenue"] = monthly * 12
    return Prepared(columns=columns)


CONTRACTS = Kind(
    name="contracts",
    about="Terms of contracts. The current one is copied to the client.",
    model=ContractPeriod,
    key_text="client and external_id, else client and start_date; one period a client and start",
    identity=("start_date",),
    unique=("start_date",),
    prepare=_prepare_contract,
    affected=lambda period: period.start_date,
    fields=(
        client_field(),
        external_id_field("contractid", "subscriptionid", "orderid", "ordernumber", "contractnumber"),
        Field(
            name="start_date",
            parser=DATE,
            required=True,
            aliases=("contractstartdate", "startdate", "start", "startsat", "effectivedate", "currentperiodstart"),
            about="",
        ),
        Field(
            name="end_date",
            parser=DATE,
            aliases=("contractenddate", "enddate", "end", "endsat", "expirationdate", "currentperiodend"),
            about="Empty: open-ended.",
        ),
        *SHARED_ACCOUNT_FIELDS,
        Field(
            name="monthly_recurring_revenue",
            parser=MONEY,
            aliases=("mrr", "mrramount", "monthlyamount"),
            about="Times twelve where annual_recurring_revenue is empty.",
        ),
        deleted_field(),
    ),
)


def _prepare_outcome(values: Values, context: RowContext) -> Prepared:
    refuse_deleted(values)
    return Prepared(
        columns=only_given(values, context, "outcome", "date", "reason", "notes", "arr_before", "arr_after")
    )


def _infer_outcome(columns: dict[str, str]) -> dict[str, str]:
    known = "outcome" in columns
    return {"outcome": "CHURNED"} if not known and "churn" in folded_column(columns.get("date", "")) else {}


OUTCOMES = Kind(
    name="outcomes",
    about="How contracts ended: renewed, churned or downgraded.",
    model=ClientOutcome,
    key_text="client and external_id, else client, date and outcome; one such outcome a client and day",
    identity=("date", "outcome"),
    unique=("date", "outcome"),
    prepare=_prepare_outcome,
    affected=lambda outcome: outcome.date,
    infer=_infer_outcome,
    fields=(
        client_field(),
        external_id_field("outcomeid", "churneventid", "eventid"),
        Field(
            name="outcome",
            parser=OUTCOME,
            required=True,
            aliases=("status", "result", "stagename", "outcometype"),
            about="Without the column: CHURNED if the date's column is named after churn.",
        ),
        Field(
            name="date",
            parser=DATE,
            required=True,
            aliases=("churndate", "outcomedate", "closedate", "churnedat", "cancelledat", "canceledat", "endedat"),
            about="",
        ),
        Field(
            name="reason", parser=text(100), default="", aliases=("reasoncode", "churnreason", "lostreason"), about=""
        ),
        Field(name="notes", parser=text(), default="", aliases=("feedbacktext", "feedback", "comment"), about=""),
        Field(name="arr_before", parser=MONEY, aliases=("previousarr", "arrbefore"), about=""),
        Field(name="arr_after", parser=MONEY, aliases=("newarr", "arrafter"), about=""),
        deleted_field(),
    ),
)
