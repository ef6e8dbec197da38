"""What a text to a customer may mention: the recipient's own, the organisation's, and the operator's hosts.

Stateless on purpose: nothing an earlier call created or read widens it, so it holds over replicas and
restarts, and a record made by a fooled model counts for nothing.
"""

from collections.abc import Iterable

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.models import Conversation
from dixa_mcp.client.paths import at, csid
from dixa_mcp.client.people import customer
from dixa_mcp.client.records import read
from dixa_mcp.client.workspace import EndUser
from dixa_mcp.errors import DixaMcpError
from dixa_mcp.guardrails.call import Call
from dixa_mcp.text.contacts import regions
from dixa_mcp.text.outgoing import Allowed, Mention, foreign, found

SHORTEST_NUMBER = 6
"""Digits that can be a telephone number in some country."""


async def strangers(call: Call) -> list[Mention]:
    """Find addresses, hosts and numbers in the call's outgoing texts that are nobody's who may be mentioned.

    Where the lists can't be read, everything counts as strange: the answer without evidence is no.
    """
    aim = call.tool.aim_of(call.arguments)
    texts = list(aim.texts)
    if call.tool.words is not None:
        texts += await call.tool.words(call.given(), **call.arguments)
    if not (call.tool.speaks or texts or aim.customer):
        return []
    recipient, never_wrote = await _recipient(call)
    strange = [Mention("address", one, one) for one in never_wrote]
    if any(found(text) or sum(map(str.isdigit, text)) >= SHORTEST_NUMBER for text in texts):
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
    # A number without a country is read as people in the countries of either side would.
    countries = regions(sorted(phones))
    for mention in _mentions(texts, countries):
        {"address": addresses, "host": hosts, "phone": phones}[mention.kind].add(mention.value)
    return Allowed(addresses, hosts, phones, countries)


async def _recipient(call: Call) -> tuple[EndUser | None, list[str]]:
    """The person the call speaks to, and the address of one who never had a conversation.

    Such a record may have been made by a fooled model a moment ago, so it doesn't vouch for itself.
    """
    aim = call.tool.aim_of(call.arguments)
    try:
        if conversation := next(iter(aim.conversations), None):
            data = await call.dixa.get(at("/conversations/{id}", id=csid(conversation)))
            person = read(Conversation, data).requester_id
            return read(EndUser, await call.dixa.get(at("/endusers/{id}", id=person))), []
        if aim.customer:
            person_of_call = await customer(call.dixa, aim.customer)
            wrote = await _ever_wrote(call.dixa, person_of_call)
            return person_of_call, [] if wrote else [
                person_of_call.email or person_of_call.phone_number or person_of_call.id
            ]
    except DixaMcpError:
        pass
    return None, []


async def _ever_wrote(dixa: Dixa, person: EndUser) -> bool:
    """Whether there is a conversation with a person; where that can't be read, there is none."""
    try:
        return bool((await dixa.page(at("/endusers/{id}/conversations", id=person.id), limit=1)).items)
    except DixaMcpError:
        return False


def _mentions(texts: Iterable[str], countries: tuple[str, ...]) -> list[Mention]:
    return [mention for text in texts for mention in found(text, countries)]


def warning(strange: list[Mention]) -> str:
    """What a person is told about them."""
    shown = ", ".join(dict.fromkeys(mention.text.strip() for mention in strange))
    return f"Careful: it mentions {shown}, which is neither the customer's nor the organisation's own."
