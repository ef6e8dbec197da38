"""Customers: Dixa calls them end users."""

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.paths import at
from dixa_mcp.client.records import read_all
from dixa_mcp.client.workspace import EndUser
from dixa_mcp.errors import InvalidArgument, NotFound
from dixa_mcp.render.people import Customers
from dixa_mcp.toolbox import Effect, tool
from dixa_mcp.tools._params import Cursor, Format, Limit


@tool(Effect.READ)
async def find_customers(
    dixa: Dixa,
    email: str = "",
    phone: str = "",
    external_id: str = "",
    limit: Limit = 50,
    cursor: Cursor = "",
    format: Format = "concise",
) -> Customers:
    """Find customers by e-mail, phone or external id, or list all. Dixa can't look them up by name."""
    filters = {"email": email.strip(), "phone": phone.strip().replace(" ", ""), "externalId": external_id.strip()}
    given = {name: text for name, text in filters.items() if text}
    if len(given) > 1:
        raise InvalidArgument("Dixa takes one of email, phone and external_id at a time.")
    try:
        page = await dixa.page(at("/endusers"), limit=limit, key=cursor or None, **given)
    except NotFound:  # a filter that fits nobody may answer so (notes §4)
        return Customers([], _asked(given))
    return Customers(read_all(EndUser, page.items), _asked(given), page.next_key)


def _asked(given: dict[str, str]) -> str:
    return " and ".join(f"{name} {text}" for name, text in given.items()) or "been found"
