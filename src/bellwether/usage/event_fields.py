"""The fields of an event that a file may fill, and the names that other systems give them."""

from bellwether.portfolio.importing.columns import Field
from bellwether.portfolio.importing.kinds import CLIENT_ID_ALIASES
from bellwether.portfolio.importing.values import BOOLEAN, INSTANT, one_of, text
from bellwether.usage.bulk import LONGEST_ID, LONGEST_NAME, LONGEST_ROLE, TYPES

EVENT_FIELDS = (
    Field(
        name="message_id",
        parser=text(LONGEST_ID),
        aliases=("messageid", "eventid", "insertid", "uuid", "usageid", "id"),
        about="What makes an event itself: one that came before is not taken again. Derived from the row when empty.",
    ),
    Field(
        name="organization_id",
        parser=text(LONGEST_NAME),
        aliases=CLIENT_ID_ALIASES,
        about="The client. Empty: that of the user if known, else the event is kept but counted nowhere.",
    ),
    Field(
        name="user_id",
        parser=text(),
        aliases=("userid", "distinctid", "actorid", "authorid", "user"),
        about="Stored as a pseudonym only.",
    ),
    Field(
        name="anonymous_id", parser=text(), aliases=("anonymousid", "deviceid"), about="Used where user_id is empty."
    ),
    Field(
        name="is_service",
        parser=BOOLEAN,
        aliases=("isservice", "isbot", "bot", "isserviceuser"),
        about="Bots are stored but not counted as people. Ids that match BELLWETHER_SERVICE_USER_PATTERN are bots too.",
    ),
    Field(name="type", parser=one_of({t: t for t in TYPES}), aliases=("messagetype",), about="track when empty."),
    Field(
        name="event",
        parser=text(LONGEST_NAME),
        aliases=("eventname", "eventtype", "action", "name"),
        about="The name of the event; the file's name when there is no such column.",
    ),
    Field(name="module", parser=text(LONGEST_NAME), aliases=("category",), about="Part of the product."),
    Field(name="feature", parser=text(LONGEST_NAME), aliases=("featurename",), about="Finer part of the product."),
    Field(name="role", parser=text(LONGEST_ROLE), aliases=("userrole", "traitsrole"), about="The user's role."),
    Field(
        name="ts",
        parser=INSTANT,
        required=True,
        aliases=(
            "timestamp",
            "originaltimestamp",
            "eventtime",
            "occurredat",
            "time",
            "datetime",
            "createdat",
            "invoicets",
            "usagedate",
            "date",
        ),
        about="When it happened; never later than received_at.",
    ),
    Field(
        name="received_at",
        parser=INSTANT,
        aliases=("receivedat", "ingestedat", "loadedat"),
        about="When it became known; the time of the import when empty.",
    ),
    Field(name="sent_at", parser=INSTANT, aliases=("sentat",), about="Corrects the sender's clock, as in intake."),
)
