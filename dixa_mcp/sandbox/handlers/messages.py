"""Messages of a conversation (notes §9)."""

from dixa_mcp.sandbox import writing
from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.registry import handles
from dixa_mcp.sandbox.wire import BAD_MESSAGE, Answer, Json, Refusal, Request, data


@handles("list_messages")
def list_messages(org: Organisation, request: Request) -> Answer:
    org.conversation(request.csid())
    return data(org.messages.get(request.csid(), []))


@handles("add_message")
def add_message(org: Organisation, request: Request) -> Answer:
    conversation = org.conversation(request.csid())
    if conversation["_type"] == "AnonymizedConversation":
        raise Refusal(400, BAD_MESSAGE)
    message = request.body
    writing.check(org, conversation, message)
    written = writing.write(org, conversation, message)
    answer: Json = {"content": message["content"]} if message.get("content") else {}
    answer |= {"direction": message["_type"], "authorId": written["authorId"]}
    if "externalId" in written:
        answer["externalId"] = written["externalId"]
    return data(answer | {"messageId": written["id"], "createdAt": written["createdAt"]})
