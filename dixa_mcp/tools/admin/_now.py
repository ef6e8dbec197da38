"""What an undo compares before it takes an administrator's change back (`_present.differences`)."""

from collections.abc import Mapping
from typing import Any

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.paths import at
from dixa_mcp.client.records import read
from dixa_mcp.client.reports import Webhook
from dixa_mcp.client.workspace import Tag
from dixa_mcp.tools.admin import people, webhooks


async def tag_now(dixa: Dixa, arguments: Mapping[str, Any]) -> str:
    """Whether a tag is in use."""
    tag = read(Tag, await dixa.get(at("/tags/{id}", id=arguments["name"])))
    return "active" if tag.is_active else "inactive"


async def members_now(dixa: Dixa, arguments: Mapping[str, Any]) -> dict[str, str]:
    """Who is in a queue or team, by agent id."""
    kind = "queue" if arguments.get("queue") else "team"
    return dict.fromkeys(await people.member_ids(dixa, kind, arguments[kind]), "member")


async def presence_now(dixa: Dixa, arguments: Mapping[str, Any]) -> dict[str, str]:
    """The channel groups an agent is offered."""
    return dict.fromkeys(people.groups(await people.presence(dixa, arguments["agent"])), "working")


async def webhook_now(dixa: Dixa, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What a webhook sends, and where."""
    return webhooks.facts(read(Webhook, await dixa.get(at("/webhooks/{id}", id=arguments["webhook"]))))


READERS = {"tag": tag_now, "members": members_now, "presence": presence_now, "webhook": webhook_now}
