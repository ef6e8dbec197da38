"""What a text to a customer may mention: the recipient's own, the organisation's, and the operator's hosts.

Stateless on purpose: nothing an earlier call created or read widens it, so it holds over replicas and
restarts, and a record made by a fooled model counts for nothing.
"""

from collections.abc import Iterable

from dixa_mcp.client.models import Conversation
from dixa_mcp.client.paths import at, csid
from dixa_mcp.client.people import customer
from dixa_mcp.client.records import read
from dixa_mcp.client.workspace import EndUser
from dixa_mcp.errors import DixaMcpError
from dixa_mcp.guardrails.call import Call
from dixa_mcp.text.outgoing import Allowed, Mention, foreign, found


async def strangers(call: Call) -> list[Mention]:
    """Find addresses, hosts and numbers in the call's outgoing texts that are nobody's who may be mentioned.

    Where the lists can't be read, everything counts as strange: the answer without evidence is no.
    """
    texts = call.tool.aim_of(call.arguments).texts
    if not call.tool.speaks and not texts:
        return []
    recipient, never_wrote = await _recipient(call)
    strange = [Mention("address", one, one) for one in never_wrote]
    if any(found(text) for text in texts):
        allowed = await _allowed(call, recipient)
        strange += [mention for text in texts for mention in foreign(text, allowed)]
    return strange


async def _allowed(call: Call, recipient: EndUser | None) -> Allowed:
    addresses: set[str] = set()
    hosts = set(call.settings.egress_hosts)
    phones: set[str] = set()
    if recipient:
        addresses |= {recipient.email, *recipient.additional_emails} - {""}
        phones |= {recipient.phone_number, *recipient.additional_phone_numbers} - {""}
    try:
        for endpoint in await call.dixa.catalogue.endpoints():
            addresses |= {endpoint.address, endpoint.sender_override} - {""}
            phones |= {endpoint.number} - {""}
        texts = [template.content for template in await call.dixa.catalogue.templates()]
    except DixaMcpError:
        texts = []
    for mention in _mentions(texts):
        {"address": addresses, "host": hosts, "phone": phones}[mention.kind].add(mention.value)
    return Allowed(addresses, hosts, phones)


async def _recipient(call: Call) -> tuple[EndUser | None, list[str]]:
    """The person the call speaks to, and the address of one who never had a conversation.

    Such a record may have been made by a fooled model a moment ago, so it doesn't vouch for itself.
    """
    try:
        if conversation := next(iter(call.tool.aim_of(call.arguments).conversations), None):
            data = await call.dixa.get(at("/conversations/{id}", id=csid(conversation)))
            person = read(Conversation, data).requester_id
            return read(EndUser, await call.dixa.get(at("/endusers/{id}", id=person))), []
        if given := call.arguments.get("customer"):
            person_of_call = await customer(call.dixa, str(given))
            page = await call.dixa.page(at("/endusers/{id}/conversations", id=person_of_call.id), limit=1)
            return person_of_call, [] if page.items else [
                person_of_call.email or person_of_call.phone_number or person_of_call.id
            ]
    except DixaMcpError:
        pass
    return None, []


def _mentions(texts: Iterable[str]) -> list[Mention]:
    return [mention for text in texts for mention in found(text)]


def warning(strange: list[Mention]) -> str:
    """What a person is told about them."""
    shown = ", ".join(dict.fromkeys(mention.text.strip() for mention in strange))
    return f"Careful: it mentions {shown}, which is neither the customer's nor the organisation's own."
