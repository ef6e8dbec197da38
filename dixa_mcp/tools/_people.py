"""Who is who: names for the ids that conversations, messages and notes carry."""

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.models import Conversation
from dixa_mcp.client.paths import at, csid, uuid
from dixa_mcp.client.people import customer, customers
from dixa_mcp.client.records import read
from dixa_mcp.client.workspace import Agent, EndUser
from dixa_mcp.errors import DixaMcpError
from dixa_mcp.text.clean import line
from dixa_mcp.text.contacts import LONGEST_ADDRESS

__all__ = ["agents", "conversation", "customer", "customer_name", "customers", "queue_name", "recipient"]

BY_PHONE = frozenset({"Sms", "WhatsApp", "PstnPhone", "Callback", "Voicemail"})
"""Channels that reach a customer by telephone number."""


async def conversation(dixa: Dixa, conversation_id: int) -> Conversation:
    """Read one conversation."""
    return read(Conversation, await dixa.get(at("/conversations/{id}", id=csid(conversation_id))))


async def customer_name(dixa: Dixa, user_id: str) -> str:
    """A customer's name, or a plain word where it can't be read (anonymised, deleted)."""
    try:
        return read(EndUser, await dixa.get(at("/endusers/{id}", id=uuid(user_id)))).name or "the customer"
    except DixaMcpError:
        return "the customer"


async def recipient(dixa: Dixa, conversation: Conversation) -> str:
    """Whom a message in this conversation reaches, for a person to judge: name and address or number."""
    try:
        person = read(EndUser, await dixa.get(at("/endusers/{id}", id=uuid(conversation.requester_id))))
    except DixaMcpError:
        return line(conversation.from_email or conversation.to_number, LONGEST_ADDRESS) or "the customer"
    reach = person.phone_number if conversation.channel in BY_PHONE else person.email
    return reached(person.name, reach)


def reached(name: str, reach: str) -> str:
    """A person and where a message reaches them, the address to its very end: its end says whose it is."""
    whole = line(reach, LONGEST_ADDRESS)
    return whole if reach == name else line(name, 60) + (f" <{whole}>" if whole else "")


async def agents(dixa: Dixa) -> dict[str, Agent]:
    """All agents by id, from the catalogue; empty where they can't be read, since names are a courtesy."""
    try:
        return {agent.id: agent for agent in await dixa.catalogue.agents()}
    except DixaMcpError:
        return {}


async def queue_name(dixa: Dixa, queue_id: str) -> str:
    """A queue's name, or its id where it can't be read."""
    try:
        return next((queue.name for queue in await dixa.catalogue.queues() if queue.id == queue_id), queue_id)
    except DixaMcpError:
        return queue_id
