"""Custom attributes of a conversation."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from dixa_mcp.client.models import AttributeValue
from dixa_mcp.guardrails.call import Call
from dixa_mcp.toolbox import Change, Effect, Undo, tool
from dixa_mcp.tools import _acts, _attributes
from dixa_mcp.tools._params import ConversationId

Assignments = Annotated[
    list[str], Field(min_length=1, max_length=20, description="Label=value, Label=Parent > Child, Label= clears")
]


@tool(Effect.INTERNAL, idempotent=True)
async def set_attributes(call: Call, conversation_id: ConversationId, attributes: Assignments) -> Change:
    """Set custom attributes of a conversation by label. Colleagues see them. Choices: dixa_lookup attributes."""
    dixa = call.dixa
    wanted = await _attributes.settings(dixa, "Conversation", attributes)
    conversation = await _acts.living(dixa, conversation_id)
    edit = _attributes.edit(conversation.custom_attributes, wanted)
    if not edit.changed:
        return Change(f"Conversation {conversation_id} has these values already.", visible_to="nobody")

    async def again() -> Iterable[AttributeValue]:
        return (await _acts.living(dixa, conversation_id)).custom_attributes

    await _attributes.write(dixa, _attributes.path_of("Conversation", conversation_id), edit, again)
    return Change(
        f"Attributes of conversation {conversation_id} set.",
        visible_to="colleagues",
        target=f"conversation {conversation_id}",
        before=_attributes.listed(edit.was),
        after=_attributes.listed(edit.is_now),
        undo=Undo(
            "dixa_set_attributes",
            {"conversation_id": conversation_id, "attributes": edit.inverse},
            {"attributes": _attributes.wrote(edit)},
        )
        if edit.inverse
        else None,
        cannot_undo=edit.lost,
    )
