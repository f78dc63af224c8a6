"""The kind contacts."""

from bellwether.portfolio.choices import ContactRole, EngagementStatus
from bellwether.portfolio.importing.columns import Field
from bellwether.portfolio.importing.kinds import (
    Kind,
    Prepared,
    RowContext,
    RowError,
    Values,
    archived,
    client_field,
    deleted_field,
    external_id_field,
    only_given,
)
from bellwether.portfolio.importing.values import (
    BOOLEAN,
    DATE,
    EMAIL,
    INSTANT,
    one_of,
    text,
)
from bellwether.portfolio.models import Contact

CONTACT_ROLE = one_of(
    dict(ContactRole.choices),
    {
        "sponsor": "EXECUTIVE_SPONSOR",
        "executive": "EXECUTIVE_SPONSOR",
        "executive sponsor": "EXECUTIVE_SPONSOR",
        "economic buyer": "EXECUTIVE_SPONSOR",
        "decision maker": "EXECUTIVE_SPONSOR",
        "administrator": "ADMIN",
        "owner": "ADMIN",
        "power user": "CHAMPION",
        "end user": "USER",
        "member": "USER",
        "finance": "BILLING",
        "influencer": "OTHER",
        "blocker": "OTHER",
    },
)


def _prepare_contact(values: Values, context: RowContext) -> Prepared:
    columns = only_given(
        values,
        context,
        "email",
        "phone",
        "title",
        "role",
        "is_primary",
        "is_billing",
        "is_technical",
        "last_platform_login",
        "engagement_status",
        "notes",
        "is_active",
        "known_since",
        "left_company_at",
        "salesforce_contact_id",
        "hubspot_contact_id",
    )
    parts = [values.get("first_name") or "", values.get("last_name") or ""]
    name = values.get("name") or " ".join(part for part in parts if part) or values.get("email")
    if not name:
        raise RowError("name is empty, and so are first_name, last_name and email")
    if len(name) > 200:
        raise RowError(f"name is longer than 200 characters ({len(name)})")
    columns["name"] = name
    if "user_id" in context.given:
        columns["user_key"] = context.options.pseudonym(values["user_id"]) if values["user_id"] else ""
    columns |= archived(values, context)
    return Prepared(columns=columns)


CONTACTS = Kind(
    name="contacts",
    about="Stakeholders at the clients.",
    model=Contact,
    key_text="client and external_id, else client and e-mail, else client and name",
    identity=("email|name",),
    prepare=_prepare_contact,
    affected=lambda contact: contact.known_since,
    fields=(
        client_field(),
        external_id_field("contactid", "personid"),
        Field(name="name", parser=text(200), default="", aliases=("fullname", "contactname"), about=""),
        Field(name="first_name", parser=text(100), default="", aliases=("firstname", "givenname"), about=""),
        Field(name="last_name", parser=text(100), default="", aliases=("lastname", "surname", "familyname"), about=""),
        Field(name="email", parser=EMAIL, default="", aliases=("emailaddress", "mail", "workemail"), about=""),
        Field(name="phone", parser=text(60), default="", aliases=("phonenumber", "mobilephone", "telephone"), about=""),
        Field(name="title", parser=text(120), default="", aliases=("jobtitle", "position"), about=""),
        Field(
            name="role",
            parser=CONTACT_ROLE,
            default=ContactRole.OTHER.value,
            aliases=("contactrole", "persona", "buyingrole"),
            about="",
        ),
        Field(name="is_primary", parser=BOOLEAN, default=False, aliases=("primary", "primarycontact"), about=""),
        Field(name="is_billing", parser=BOOLEAN, default=False, aliases=("billingcontact",), about=""),
        Field(name="is_technical", parser=BOOLEAN, default=False, aliases=("technicalcontact",), about=""),
        Field(name="last_platform_login", parser=INSTANT, aliases=("lastlogin", "lastloginat", "lastseen"), about=""),
        Field(name="engagement_status", parser=one_of(dict(EngagementStatus.choices)), about=""),
        Field(
            name="user_id",
            parser=text(),
            default="",
            aliases=("userid", "platformuserid", "analyticsid"),
            about="Id of the platform user, stored as its pseudonym.",
        ),
        Field(name="notes", parser=text(), default="", aliases=("description", "comments"), about=""),
        Field(name="is_active", parser=BOOLEAN, default=True, aliases=("active",), about="Still a stakeholder."),
        Field(
            name="known_since",
            parser=DATE,
            aliases=("createdate", "createddate", "createdat", "customersince"),
            about="",
        ),
        Field(name="left_company_at", parser=INSTANT, aliases=("leftcompany", "leftat"), about=""),
        Field(name="salesforce_contact_id", parser=text(40), default="", aliases=("salesforceid", "sfid"), about=""),
        Field(name="hubspot_contact_id", parser=text(40), default="", aliases=("hubspotid", "vid"), about=""),
        deleted_field(),
    ),
)
