"""The kinds contracts and outcomes."""

from decimal import Decimal
from typing import Any

from bellwether.portfolio.choices import (
    OutcomeKind,
    OutcomeReason,
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
    Parser,
    Reading,
    one_of,
    text,
)
from bellwether.portfolio.models import ClientOutcome, ContractPeriod
from bellwether.portfolio.reason_codes import LOST, code_of

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


LONGEST_WORDS = 100
_WORDS = text(LONGEST_WORDS)


def _read_reason(value: Any, reading: Reading) -> str:
    words = str(_WORDS.read(value, reading))
    return code_of(words) or words


REASON = Parser(
    "one of " + ", ".join(OutcomeReason.values) + "; or other words, at most 100 characters",
    _read_reason,
    dict(OutcomeReason.choices),
)
"""Words that are not known are no error: they stay words."""


def _prepare_outcome(values: Values, context: RowContext) -> Prepared:
    refuse_deleted(values)
    columns = only_given(values, context, "outcome", "date", "reason", "notes", "arr_before", "arr_after")
    return Prepared(columns=columns | _reason_columns(values, context))


def _reason_columns(values: Values, context: RowContext) -> Values:
    """Return the code and the words where the row says them. The code is that of its own column, else that of the words
    of a term that was lost; where neither is known it stays as it is. Words of its column that are no code join the
    other words."""
    found: Values = {}
    given, words = values.get("reason_code") or "", values.get("reason") or ""
    if given in OutcomeReason.values:
        return {"reason_code": given}
    if given and given != words:
        found["reason"] = f"{given}: {words}" if words else given
        if len(found["reason"]) > LONGEST_WORDS:
            raise RowError(f"reason_code {given!r} is no known reason and does not fit beside reason; map its values")
    code = code_of(words) if values.get("outcome") in LOST else ""
    if code or ("reason_code" in context.given and not given):
        found["reason_code"] = code
    return found


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
            name="reason_code",
            parser=REASON,
            default="",
            aliases=("churnreasoncode", "lostreasoncode", "cancellationcode"),
            about="Why it ended. Budget is read as PRICE, Features as PRODUCT, and so on; words that are not known go"
            " to reason. Without the column, or empty: from the words of reason.",
        ),
        Field(
            name="reason",
            parser=_WORDS,
            default="",
            aliases=("churnreason", "lostreason", "cancellationreason", "closedlostreason"),
            about="Free words beside the code.",
        ),
        Field(name="notes", parser=text(), default="", aliases=("feedbacktext", "feedback", "comment"), about=""),
        Field(name="arr_before", parser=MONEY, aliases=("previousarr", "arrbefore"), about=""),
        Field(name="arr_after", parser=MONEY, aliases=("newarr", "arrafter"), about=""),
        deleted_field(),
    ),
)
