"""Finding the one customer somebody means."""

from typing import Any, Literal

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.paths import at, uuid
from dixa_mcp.client.records import read, read_all
from dixa_mcp.client.workspace import EndUser
from dixa_mcp.errors import InvalidArgument, NotFound, Unresolved
from dixa_mcp.text.contacts import phone


async def customer(dixa: Dixa, given: str) -> EndUser:
    """Find the one customer of an id, e-mail address, phone number or external id, custom attributes included.

    Raises:
        InvalidArgument: Nobody has it.
        Unresolved: Several people have it.
    """
    text = given.strip()
    try:
        return read(EndUser, await dixa.get(at("/endusers/{id}", id=uuid(text))))
    except (InvalidArgument, NotFound):  # an external id may look like one of Dixa's
        pass
    field = "email" if "@" in text else "phone" if text.startswith("+") else "externalId"
    found = await customers(dixa, field, (phone(text) or text) if field == "phone" else text)
    if len(found) > 1:
        raise Unresolved("customer", given, [person.email or person.id for person in found], ambiguous=True)
    if not found:
        raise InvalidArgument(
            f"No customer has the e-mail, phone, external id or id {given!r}.",
            "Dixa can't look customers up by name; dixa_find_customers lists them.",
        )
    return read(EndUser, await dixa.get(at("/endusers/{id}", id=found[0].id)))


async def customers(dixa: Dixa, field: Literal["email", "phone", "externalId"], value: str) -> list[EndUser]:
    """List the customers that have this e-mail, phone or external id; a 404 means nobody has (notes §4)."""
    query: dict[str, Any] = {field: value}
    try:
        return read_all(EndUser, (await dixa.page(at("/endusers"), **query)).items)
    except NotFound:
        return []
