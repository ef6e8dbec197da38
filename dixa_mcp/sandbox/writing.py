"""Messages: what may be written where, how it is kept, and what leaves (notes §9)."""

from dixa_mcp.sandbox import acts
from dixa_mcp.sandbox.clock import parse
from dixa_mcp.sandbox.events import emit, in_payload, leave, log
from dixa_mcp.sandbox.organisation import Organisation, mail_contact
from dixa_mcp.sandbox.searching import text_of
from dixa_mcp.sandbox.wire import BAD_MESSAGE, Json, Refusal, listed

UNSUPPORTED = "Unsupported ConversationChannel"
#: Attributes a message of a conversation gets; what isn't here can't be written to.
ATTRIBUTES = {
    "EmailConversation": "EmailAttributes",
    "ContactFormConversation": "EmailAttributes",
    "ChatConversation": "ChatAttributes",
    "MessengerConversation": "ChatAttributes",
    "SmsConversation": "SmsAttributes",
    "WhatsAppConversation": "WhatsAppAttributes",
}
OUTBOX_KIND = {"ChatAttributes": "chat", "SmsAttributes": "sms", "WhatsAppAttributes": "whatsapp"}
WHATSAPP_FILES = (".jpg", ".jpeg", ".png", ".pdf", ".doc", ".docx", ".pptx", ".xlsx")


def check(org: Organisation, conversation: Json, message: Json) -> None:
    """Refuse a message that this conversation's channel can't take, before anything is changed."""
    kind, inbound = ATTRIBUTES.get(conversation["_type"]), message["_type"] == "Inbound"
    attachments = listed(message, "attachments")
    if kind is None:
        raise Refusal(400, UNSUPPORTED)
    org.check_message(message)
    if not inbound:
        org.agent_id(message["agentId"])
        if message.get("content") is None and not (kind == "WhatsAppAttributes" and attachments):
            raise Refusal(400, BAD_MESSAGE)
    if kind == "SmsAttributes" and inbound:
        raise Refusal(400, BAD_MESSAGE)
    if kind == "WhatsAppAttributes":
        _check_whatsapp(org, conversation, message, attachments)
    if kind == "EmailAttributes":
        _endpoint(org, message.get("integrationEmail") or conversation.get("integrationEmail"))
        mail_contact(org.sender(conversation))
        org.addresses([*(listed(message, "cc")), *(listed(message, "bcc"))])
    elif message.get("cc") or message.get("bcc"):
        raise Refusal(400, BAD_MESSAGE)


def _check_whatsapp(org: Organisation, conversation: Json, message: Json, attachments: list[Json]) -> None:
    content = message.get("content")
    expires = conversation.get("transportExpiresAt")
    if (
        message["_type"] == "Inbound"
        or (content and content["_type"] != "Markdown")
        or len(attachments) > 1
        or any(not str(item["url"]).lower().endswith(WHATSAPP_FILES) for item in attachments)
        or (expires and parse(expires) <= org.at())
    ):
        raise Refusal(400, BAD_MESSAGE)


def _endpoint(org: Organisation, address: str | None) -> Json | None:
    """Return the mailbox of an address; refuse one that isn't the organisation's."""
    if address is None:
        return None
    endpoint = org.endpoints.get(address)
    if endpoint is None or endpoint["_type"] != "EmailEndpoint":
        raise Refusal(400, BAD_MESSAGE)
    return endpoint


def write(org: Organisation, conversation: Json, message: Json) -> Json:
    """Keep a message that `check` let pass, with everything that follows; return it as it is read.

    Ours: an inbound message opens a closed conversation again, an outbound one leaves the state alone.
    """
    csid, inbound = conversation["id"], message["_type"] == "Inbound"
    stored = org.store(listed(message, "attachments"))
    author = conversation["requesterId"] if inbound else message["agentId"]
    written: Json = {"id": org.new_id(), "authorId": author}
    if message.get("externalId"):
        written["externalId"] = message["externalId"]
        org.external_ids.add(message["externalId"])
    written |= {"createdAt": org.now_ms(), "attributes": attributes_of(org, conversation, message, stored)}
    org.messages.setdefault(csid, []).append(written)
    if not inbound:
        _send(org, conversation, written)
    point = conversation.get("integrationEmail") or conversation.get("fromNumber")
    said = {"_type": "MessageAddedAttribute", "messageId": written["id"]} | ({"fromEndpoint": point} if point else {})
    log(org, csid, "MessageAddedByCustomer" if inbound else "MessageAddedByAgent", author, said)
    tell(org, conversation, written)
    if not inbound and written["attributes"]["_type"] != "ChatAttributes":
        emit(org, "ConversationMessageDeliverySent", csid, message_id=written["id"])
    if inbound and conversation.get("state") == "Closed":
        acts.reopen(org, conversation, None)
    return written


def tell(org: Organisation, conversation: Json, written: Json, origin: str = "") -> None:
    """Tell the webhooks of a message that was added; `origin` is what their filters know it by."""
    emit(
        org, "ConversationMessageAdded", conversation["id"], origin=origin, message_id=written["id"],
        text=text_of(written), created_at=written["createdAt"], author=in_payload(org, written["authorId"]),
    )  # fmt: skip


def attributes_of(org: Organisation, conversation: Json, message: Json, stored: list[Json]) -> Json:
    """Return the attributes of a message as `GET …/messages` shows them."""
    kind = ATTRIBUTES.get(conversation["_type"], "GenericAttributes")
    inbound = message["_type"] in ("Inbound", "InboundImport")
    direction = "Inbound" if inbound else "Outbound"
    content = message.get("content")
    if kind != "EmailAttributes":
        spoken: Json = {"_type": kind} | ({"content": content} if content else {})
        spoken |= {"direction": direction, "attachments": stored}
        return spoken | ({"isAutomated": False} if kind == "ChatAttributes" else {})
    customer = mail_contact(org.sender(conversation))
    mailbox = _mailbox(org, message.get("integrationEmail") or conversation.get("integrationEmail") or "")
    return {
        "_type": kind,
        "emailContent": {"_type": "Regular", "content": content},
        "from": customer if inbound else mailbox,
        "to": [mailbox if inbound else customer],
        "cc": org.addresses(listed(message, "cc")),
        "bcc": org.addresses(listed(message, "bcc")),
        "isAutoReply": False,
        "inlineImages": [],
        "attachments": stored,
        "direction": direction,
    }


def _mailbox(org: Organisation, address: str) -> Json:
    endpoint = org.endpoints.get(address, {"address": address})
    contact: Json = {"email": endpoint.get("senderOverride") or endpoint["address"]}
    return contact | ({"name": endpoint["name"]} if endpoint.get("name") else {})


def _send(org: Organisation, conversation: Json, written: Json) -> None:
    """Put an outbound message in the outbox, with everybody who would have got it."""
    attributes = written["attributes"]
    csid, message, files = conversation["id"], written["id"], attributes["attachments"]
    if attributes["_type"] == "EmailAttributes":
        content = attributes["emailContent"]["content"]
        to, cc, bcc = ([contact["email"] for contact in attributes[line]] for line in ("to", "cc", "bcc"))
        sender, subject = attributes["from"]["email"], conversation.get("subject")
        leave(
            org, "email", to, content["value"], csid,
            sender=sender, cc=cc, bcc=bcc, subject=subject, form=content["_type"], message=message, attachments=files,
        )  # fmt: skip
        return
    content = attributes.get("content") or {"value": "", "_type": ""}
    customer = org.sender(conversation)
    kind = OUTBOX_KIND[attributes["_type"]]
    to = customer["id"] if kind == "chat" else conversation.get("toNumber") or customer.get("phoneNumber", "")
    leave(org, kind, [to], content["value"], csid, form=content["_type"], message=message, attachments=files)
