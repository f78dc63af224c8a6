"""Where a client stands in the CRM, for links that open it there."""

from urllib.parse import quote

from django.conf import settings

from bellwether.portfolio.models import Client


def crm_address(client: Client) -> str:
    """Return the address of the client's record in Salesforce, else HubSpot; empty when not linked or not set up."""
    salesforce, hubspot = settings.BELLWETHER_SALESFORCE_URL, settings.BELLWETHER_HUBSPOT_URL
    if client.salesforce_account_id and salesforce:
        return f"{salesforce}/lightning/r/Account/{quote(client.salesforce_account_id, safe='')}/view"
    if client.hubspot_company_id and hubspot:
        return f"{hubspot}/company/{quote(client.hubspot_company_id, safe='')}"
    return ""
