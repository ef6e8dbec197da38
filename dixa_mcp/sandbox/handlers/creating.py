"""New conversations: created, or imported from elsewhere (notes §9, §10)."""

from dixa_mcp.sandbox import acts, writing
from dixa_mcp.sandbox.clock import parse
from dixa_mcp.sandbox.events import emit, leave, log
from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.registry import handles
from dixa_mcp.sandbox.wire import (
    BAD_MESSAGE,
    Answer,
    Json,
    Refusal,
    Request,
    data,
    listed,
    missing,
    part,
    stamp,
    stamp_ms,
)

#: What webhook filters call an import (notes §19).
ORIGIN = "ApiImport"


@handles("create_conversation")
def create_conversation(org: Organisation, request: Request) -> Answer:
    """A requester, endpoint, widget or queue of the body that doesn't exist is a 404 here (notes §4)."""
    body = request.body
    if body["requesterId"] not in org.end_users or org.anonymised(body["requesterId"]):
        raise missing()
    fields, point = BUILDERS[body["_type"]](org, body)
    message = body.get("message")
    inbound = (message["_type"] if message else body["direction"]) == "Inbound"
    conversation = _conversation(org, fields, body["requesterId"], "Inbound" if inbound else "Outbound")
    csid = conversation["id"]
    if message:
        writing.check(org, conversation, message)
    org.conversations[csid] = conversation
    author = body["requesterId"] if inbound else part(body, "message").get("agentId", request.owner)
    created = {"_type": "ConversationCreatedAttribute"} | ({"subject": body["subject"]} if "subject" in body else {})
    log(org, csid, f"ConversationCreatedBy{'Customer' if inbound else 'Agent'}", author, created)
    emit(org, "ConversationCreated", csid)
    if not message:
        acts.enqueue(org, conversation, body["queueId"])
        leave(org, "call", [point], "", csid, queue=org.queues[body["queueId"]]["name"])
        return data({"id": csid}, 201)
    if inbound:
        acts.enqueue(org, conversation, org.queue_for(conversation["channel"], point))
    else:
        acts.assign(org, conversation, message["agentId"], message["agentId"])
    writing.write(org, conversation, message)
    return data({"id": csid}, 201)


def _conversation(org: Organisation, fields: Json, requester: str, direction: str) -> Json:
    now = org.now()
    return {
        "_type": fields.pop("_type"),
        "id": org.new_csid(),
        "requesterId": requester,
        "channel": fields.pop("channel"),
        "createdAt": now,
        "direction": direction,
        "state": "Open",
        "stateUpdatedAt": now,
        **fields,
        "customAttributes": [],
    }


def _mail(org: Organisation, body: Json) -> tuple[Json, str]:
    address = body["emailIntegrationId"]
    endpoint = org.endpoints.get(address)
    if endpoint is None or endpoint["_type"] != "EmailEndpoint":
        raise missing()
    customer = org.end_users[body["requesterId"]].get("email")
    if not customer:
        raise Refusal(400, BAD_MESSAGE)
    ours = endpoint.get("senderOverride") or address
    inbound = body["message"]["_type"] == "Inbound"
    kind = body["_type"]
    fields: Json = {
        "_type": f"{kind}Conversation",
        "channel": kind,
        "toEmail": ours if inbound else customer,
        "fromEmail": customer if inbound else ours,
        "integrationEmail": address,
        "subject": body["subject"],
    }
    return fields | ({"language": body["language"]} if body.get("language") else {}), address


def _chat(org: Organisation, body: Json) -> tuple[Json, str]:
    if body["widgetId"] not in org.widgets:
        raise missing()
    fields: Json = {"_type": "ChatConversation", "channel": "WidgetChat"}
    fields |= {key: body[key] for key in ("browserInfo", "language") if body.get(key)}
    return fields, body["widgetId"]


def _line(org: Organisation, body: Json, need: str) -> tuple[str, str]:
    """Return the organisation's number and the customer's; `need` is what the line must be able to do."""
    number = body["contactEndpointId"]
    endpoint = org.endpoints.get(number)
    if endpoint is None or endpoint["_type"] != "TelephonyEndpoint":
        raise missing()
    customer = org.end_users[body["requesterId"]].get("phoneNumber")
    if need not in endpoint["functionality"] or not customer:
        raise Refusal(400, BAD_MESSAGE)
    return number, customer


def _sms(org: Organisation, body: Json) -> tuple[Json, str]:
    ours, customer = _line(org, body, "Sms")
    return {"_type": "SmsConversation", "channel": "Sms", "fromNumber": ours, "toNumber": customer}, customer


def _callback(org: Organisation, body: Json) -> tuple[Json, str]:
    _, customer = _line(org, body, "VoiceOutbound")
    if body["queueId"] not in org.queues:
        raise missing()
    return {"_type": "PstnPhoneConversation", "channel": "Callback"}, customer


BUILDERS = {"Email": _mail, "ContactForm": _mail, "Chat": _chat, "Sms": _sms, "Callback": _callback}


@handles("import_conversation")
def import_conversation(org: Organisation, request: Request) -> Answer:
    """History: nothing leaves. What can't be done with the rest kept is a partial error (notes §4)."""
    body = request.body
    others = [part(item, "attributes").get("requesterId") for item in listed(body, "messages")]
    people = [body["requesterId"], *(other for other in others if other)]
    if any(person not in org.end_users or org.anonymised(person) for person in people):
        raise Refusal(400, "Requester does not exist")
    authors = [item["agentId"] for item in listed(body, "messages") if item.get("agentId")]
    if closing := part(body, "closing"):
        authors.append(closing["closedBy"])
    if any(author not in org.agents for author in authors):
        raise Refusal(400, "Agent does not exist")
    externals = [body.get("externalId"), *(item.get("externalId") for item in listed(body, "messages"))]
    named = [external for external in externals if external]
    if len(set(named)) < len(named) or org.external_ids.intersection(named):
        raise Refusal(400, "Duplicate externalId")
    assignment: Json = part(body, "assignment")
    messages = sorted(listed(body, "messages"), key=lambda item: parse(item["createdAt"]))
    assigned, closed = (
        stamp(parse(at)) if at else "" for at in (assignment.get("assignedAt"), closing.get("closedAt"))
    )
    conversation = _imported(org, body)
    csid = conversation["id"]
    org.conversations[csid] = conversation
    org.external_ids.update(named)
    by_agent = body["direction"] == "Outbound"
    log(
        org,
        csid,
        f"ConversationCreatedBy{'Agent' if by_agent else 'Customer'}",
        None if by_agent else body["requesterId"],
    )
    emit(org, "ConversationCreated", csid, origin=ORIGIN)
    problems = [_import_message(org, conversation, item) for item in messages]
    if assignment:
        if assignment["agentId"] in org.agents:
            acts.assign(org, conversation, assignment["agentId"], None, ORIGIN)
            conversation["assignment"]["assignedAt"] = assigned
        else:
            problems.append("The conversation could not be assigned: agent does not exist")
    if closing:
        conversation |= {"state": "Closed", "stateUpdatedAt": closed}
        log(org, csid, "ConversationClosed", closing["closedBy"])
        emit(org, "ConversationClosed", csid, origin=ORIGIN)
    answer: Json = {"id": csid, "partialErrors": [{"message": problem} for problem in problems if problem]}
    return data(answer, 201)


def _imported(org: Organisation, body: Json) -> Json:
    created = stamp(parse(body["createdAt"]))
    if body["genericChannelName"] == "email":
        attributes = part(body, "attributes")
        address = attributes.get("emailIntegrationId")
        endpoint = org.endpoints.get(address or "", {})
        customer = org.end_users[body["requesterId"]].get("email")
        if endpoint.get("_type") != "EmailEndpoint" or not customer:
            raise Refusal(400, BAD_MESSAGE)
        ours = endpoint.get("senderOverride") or address
        to, sender = (ours, customer) if body["direction"] == "Inbound" else (customer, ours)
        fields: Json = {
            "_type": "EmailConversation",
            "channel": "Email",
            "toEmail": to,
            "fromEmail": sender,
            "integrationEmail": address,
            "subject": attributes.get("subject", ""),
        }
    elif body["genericChannelName"] == "genericapimessaging":
        point = body.get("externalId") or body["requesterId"]
        fields = {
            "_type": "GenericConversation",
            "channel": "Messenger",
            "fromContactPointId": point,
            "toContactPointId": "genericapimessaging",
        }
    else:
        raise Refusal(400, writing.UNSUPPORTED)
    conversation = _conversation(org, fields, body["requesterId"], body["direction"])
    return conversation | {"createdAt": created, "stateUpdatedAt": created}


def _import_message(org: Organisation, conversation: Json, item: Json) -> str:
    """Keep one imported message; return what went wrong with it, "" for nothing."""
    problem, stored = "", list[Json]()
    try:
        org.check_message({"attachments": item.get("attachments")})
        stored = org.store(listed(item, "attachments"))
    except Refusal as refusal:
        problem = refusal.message
    own = part(item, "attributes")
    author = item.get("agentId") or own.get("requesterId") or conversation["requesterId"]
    mail = {key: own[name] for key, name in (("integrationEmail", "emailIntegrationId"),) if own.get(name)}
    plain = {key: value for key, value in item.items() if key != "attributes"}
    attributes = writing.attributes_of(org, conversation, plain | mail, stored)
    if attributes["_type"] == "EmailAttributes":  # here cc and bcc are addresses, not ids (notes §10)
        attributes |= {line: [{"email": address} for address in listed(own, line)] for line in ("cc", "bcc")}
    written: Json = {"id": org.new_id(), "authorId": author}
    if item.get("externalId"):
        written["externalId"] = item["externalId"]
    written |= {"createdAt": stamp_ms(parse(item["createdAt"])), "attributes": attributes}
    org.messages.setdefault(conversation["id"], []).append(written)
    writing.tell(org, conversation, written, ORIGIN)
    return problem
