"""The kind clients, and the fields that it shares with contracts."""

from datetime import date
from typing import Any

from bellwether.portfolio.choices import AlertLevel, ContractTier, PaymentStatus
from bellwether.portfolio.importing.columns import Field, folded_column
from bellwether.portfolio.importing.countries import COUNTRY
from bellwether.portfolio.importing.kinds import (
    CLIENT_ID_ALIASES,
    Kind,
    Prepared,
    RowContext,
    RowError,
    Values,
    archived,
    deleted_field,
    only_given,
    staff_member,
)
from bellwether.portfolio.importing.values import (
    BOOLEAN,
    DATE,
    EMAIL,
    MONEY,
    PERCENT,
    WHOLE,
    WORDS,
    Parser,
    one_of,
    text,
)
from bellwether.portfolio.models import Client

TIER = one_of(
    dict(ContractTier.choices),
    {
        "basic": "STARTER",
        "free": "STARTER",
        "small": "STARTER",
        "smb": "STARTER",
        "pro": "PROFESSIONAL",
        "business": "PROFESSIONAL",
        "growth": "PROFESSIONAL",
        "team": "PROFESSIONAL",
        "standard": "PROFESSIONAL",
        "ent": "ENTERPRISE",
        "premium": "ENTERPRISE",
        "other": "CUSTOM",
    },
)
PAYMENT = one_of(
    dict(PaymentStatus.choices),
    {"paid": "current", "active": "current", "ok": "current", "good": "current", "trialing": "current"}
    | {"past due": "late", "delayed": "late", "unpaid": "overdue", "uncollectible": "overdue", "in default": "overdue"},
)
ALERT_LEVEL = one_of(
    dict(AlertLevel.choices),
    {"off": "NONE", "no": "NONE", "false": "NONE", "dashboard": "DASHBOARD_ONLY", "plg": "DASHBOARD_ONLY"}
    | {"product led": "DASHBOARD_ONLY", "on": "PROACTIVE", "yes": "PROACTIVE", "true": "PROACTIVE"}
    | {"high touch": "PROACTIVE"},
)
SHARED_ACCOUNT_FIELDS = (
    Field(
        name="contract_tier",
        parser=TIER,
        default=ContractTier.CUSTOM.value,
        aliases=("tier", "plan", "plantier", "planname", "subscriptionplan", "subscriptiontier", "edition", "package"),
        about="Basic is read as STARTER, Pro as PROFESSIONAL.",
    ),
    Field(
        name="annual_recurring_revenue",
        parser=MONEY,
        aliases=("arr", "arramount", "annualvalue", "annualcontractvalue", "acv", "contractvalue", "currentarr"),
        about="Per year. Salesforce's AnnualRevenue is the customer's own turnover and is never taken by itself.",
    ),
    Field(
        name="licensed_user_count",
        parser=WHOLE,
        aliases=("seats", "licenses", "licences", "licensedseats", "seatcount", "licensedusers", "quantity"),
        about="Seats.",
    ),
    Field(
        name="licensed_modules",
        parser=WORDS,
        default=[],
        aliases=("modules", "products"),
        about="Modules that the client pays for.",
    ),
    Field(name="auto_renew", parser=BOOLEAN, aliases=("autorenewflag", "autorenewal", "renewsautomatically"), about=""),
)
TAG = Parser(
    WORDS.label + ", at most 60 characters each",
    lambda value, reading: _short(WORDS.read(value, reading), 60),
)


def _short(words: list[str], most: int) -> list[str]:
    if long := next((word for word in words if len(word) > most), None):
        raise ValueError(f"has a word of more than {most} characters ('{long[:20]}…')")
    return words


def _prepare_client(values: Values, context: RowContext) -> Prepared:
    columns = only_given(
        values,
        context,
        "industry",
        "employee_count",
        "region",
        "location",
        "country",
        "segment",
        "contract_tier",
        "contract_start_date",
        "contract_end_date",
        "annual_recurring_revenue",
        "licensed_user_count",
        "licensed_modules",
        "auto_renew",
        "payment_status",
        "renewal_probability",
        "go_live_date",
        "next_renewal_date",
        "salesforce_account_id",
        "hubspot_company_id",
        "alert_level",
    )
    if {"contract_start_date", "contract_end_date"} <= columns.keys():
        start, end = columns["contract_start_date"], columns["contract_end_date"]
        if start and end and end < start:
            raise RowError(f"contract_end_date {end} is before contract_start_date {start}")
    if columns.get("contract_end_date") and "next_renewal_date" not in context.given:
        columns["next_renewal_date"] = columns["contract_end_date"]
    if "name" in context.given:
        columns["name"] = values["name"] or values["organization_id"]
    for name, column in (("csm_email", "csm_user"), ("ae_email", "ae_user")):
        if name in context.given:
            user = staff_member(values, name, context)
            columns[f"{column}_id"] = user.pk if user else None
    columns |= archived(values, context)
    links = values["tags"] if "tags" in context.given else None
    return Prepared(columns=columns, on_create={"name": values["organization_id"]}, links=links)


def _turnover_notice(ignored: tuple[str, ...]) -> list[str]:
    return [
        f"{column} is left out: it is usually the customer's own turnover, not what they pay. "
        f"If it is ARR here: --map {column}=annual_recurring_revenue"
        for column in ignored
        if folded_column(column) == "annualrevenue"
    ]


def client_affected(client: Any) -> date | None:
    """Return None: tier, seats and names of a client are read for every day of its history."""
    return None


CLIENTS = Kind(
    name="clients",
    about="Client organisations.",
    model=Client,
    key_text="organization_id",
    key_column="organization_id",
    link="tags",
    prepare=_prepare_client,
    affected=client_affected,
    notices=_turnover_notice,
    fields=(
        Field(
            name="organization_id",
            parser=text(200),
            required=True,
            aliases=(*CLIENT_ID_ALIASES, "id"),
            about="The account id that usage events name.",
        ),
        Field(
            name="name",
            parser=text(200),
            default="",
            aliases=("accountname", "companyname", "clientname", "customername", "organizationname", "company"),
            about="The organization id when empty.",
        ),
        Field(name="industry", parser=text(100), default="", aliases=("sector", "vertical"), about=""),
        Field(
            name="employee_count",
            parser=WHOLE,
            aliases=("numberofemployees", "employees", "numberemployees", "headcount"),
            about="",
        ),
        Field(name="region", parser=text(100), default="", aliases=("territory", "salesregion", "geo"), about=""),
        Field(name="location", parser=text(200), default="", aliases=("city", "billingcity"), about=""),
        Field(
            name="country",
            parser=COUNTRY,
            default="",
            aliases=("billingcountrycode", "billingcountry", "countrycode"),
            about="Stored as its two-letter code.",
        ),
        Field(name="segment", parser=text(100), default="", aliases=("customersegment", "accountsegment"), about=""),
        *SHARED_ACCOUNT_FIELDS,
        Field(
            name="contract_start_date",
            parser=DATE,
            aliases=("contractstart", "startdate", "signupdate", "customersince", "contractstartedat"),
            about="",
        ),
        Field(name="contract_end_date", parser=DATE, aliases=("contractend", "enddate", "contractenddate"), about=""),
        Field(
            name="next_renewal_date",
            parser=DATE,
            aliases=("renewaldate", "nextrenewal", "renewal", "renewsat", "currentperiodend"),
            about="The contract's end when the file has no such column.",
        ),
        Field(name="payment_status", parser=PAYMENT, aliases=("paymentstate", "billingstatus"), about=""),
        Field(name="renewal_probability", parser=PERCENT, aliases=("renewallikelihood",), about=""),
        Field(name="go_live_date", parser=DATE, aliases=("golive", "launchdate", "onboardedat"), about=""),
        Field(
            name="csm_email",
            parser=EMAIL,
            aliases=("csm", "csmuser", "csmuseremail", "successmanager", "customersuccessmanager", "owneremail"),
            about="A member of staff.",
        ),
        Field(
            name="ae_email",
            parser=EMAIL,
            aliases=("ae", "aeuser", "aeuseremail", "accountexecutive", "salesrep", "salesowner"),
            about="A member of staff.",
        ),
        Field(name="tags", parser=TAG, default=[], aliases=("labels", "tag"), about="Replaces the client's tags."),
        Field(
            name="salesforce_account_id",
            parser=text(40),
            default="",
            aliases=("salesforceid", "sfid", "sfdcid"),
            about="",
        ),
        Field(name="hubspot_company_id", parser=text(40), default="", aliases=("hubspotid",), about=""),
        Field(
            name="alert_level",
            parser=ALERT_LEVEL,
            default=AlertLevel.DASHBOARD_ONLY.value,
            aliases=("alerts", "alertsenabled", "touchmodel"),
            about="Who is told: PROACTIVE tells its CSM, DASHBOARD_ONLY only shows. High touch is read as PROACTIVE.",
        ),
        deleted_field(),
    ),
)
