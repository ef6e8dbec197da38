"""One customer."""

from typing import Annotated

from pydantic import Field

from dixa_mcp.client.models import Conversation
from dixa_mcp.client.paths import at
from dixa_mcp.client.records import read_all
from dixa_mcp.errors import DixaMcpError
from dixa_mcp.guardrails.call import Call
from dixa_mcp.render.people import CustomerPage
from dixa_mcp.toolbox import Effect, tool
from dixa_mcp.tools import _attributes, _hits, _people
from dixa_mcp.tools._params import Cursor, Customer


@tool(Effect.READ)
async def get_customer(
    call: Call, customer: Customer, limit: Annotated[int, Field(ge=1, le=50)] = 10, cursor: Cursor = ""
) -> CustomerPage:
    """Show a customer: details, attributes and newest conversations. Several: dixa_find_customers."""
    person = await _people.customer(call.dixa, customer)
    attributes = await _attributes.labelled(call.dixa, person.custom_attributes)
    try:
        page = await call.dixa.page(at("/endusers/{id}/conversations", id=person.id), limit=limit, key=cursor or None)
    except DixaMcpError as error:  # the person is worth showing without them
        return CustomerPage(person, attributes, [], [f"conversations ({error.what})"])
    found = await _hits.within(call, read_all(Conversation, page.items))
    found.sort(key=lambda each: (each.created_at is not None, each.created_at, each.id), reverse=True)
    names = {person.id: ""}  # it is this person's page, so no line repeats the name
    return CustomerPage(person, attributes, await _hits.hits(call, found, people=names), next_cursor=page.next_key)
