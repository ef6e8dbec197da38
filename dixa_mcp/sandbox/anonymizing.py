"""Anonymisation: asked for at once, carried out a little later, final (notes §20).

A request is carried out when its thirty seconds are over by the sandbox's clock, or with the second poll of
its status, because the clock stands still unless it is moved (fixtures §11). Until then everything can be read.
"""

from collections.abc import Callable
from datetime import timedelta

from dixa_mcp.sandbox import acts
from dixa_mcp.sandbox.events import log
from dixa_mcp.sandbox.measuring import contact_point
from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.redacting import blank, files_in, without_person
from dixa_mcp.sandbox.wire import CONFLICT, Json, Refusal, missing, stamp

ACT = "anonymize"
TAKES = timedelta(seconds=30)
#: What an anonymised conversation still shows.
SHOWN = ("id", "requesterId", "channel", "createdAt", "direction", "state", "stateUpdatedAt", "link")
#: Attributes of the activity log that speak of the organisation's own affairs only.
HARMLESS = {
    "ConversationAssignedAttribute", "ConversationAutoReplySentAttribute", "ConversationClaimedAttribute",
    "ConversationLanguageUpdatedAttribute", "ConversationLinkedAttribute", "ConversationOfferedAttribute",
    "ConversationRatingScheduledAttribute", "ConversationReservedAttribute", "ConversationTransferredAttribute",
    "ConversationUnassignedAttribute", "MessageRedactedAttribute", "TagAddedAttribute", "TagRemovedAttribute",
}  # fmt: skip


# --- asking


def ask(org: Organisation, kind: str, target: str, by: str, *, force: bool = False) -> Json:
    """Queue a request and return it; one that waits for the same target already is returned as it is (ours).

    `force` closes open conversations first.

    Raises:
        Refusal: 404 for an unknown target, 409 for open conversations without `force` and (ours) for what
            is anonymised already.
    """
    opened = _open_in(org, kind, target)
    if waiting := next((item for item in org.anonymizations.values() if _is_waiting(item, target)), None):
        return waiting
    if _is_done(org, kind, target) or (opened and not force):
        raise Refusal(409, CONFLICT)
    for conversation in opened:
        acts.close(org, conversation, by)
    request: Json = {
        "id": org.new_id(),
        "_type": kind,
        "entityType": f"{kind}AnonymizationType",
        "initiatedAt": org.now_ms(),
        "targetEntityId": target,
        "requestedBy": by,
    }
    org.anonymizations[request["id"]] = request
    org.jobs.append({"due": stamp(org.at() + TAKES), "act": ACT, "request": request["id"], "polls": 0})
    return request


def poll(org: Organisation, request_id: str) -> Json:
    """Return a request; the second poll finds it carried out."""
    if request_id not in org.anonymizations:
        raise missing()
    job = next((job for job in org.jobs if job["act"] == ACT and job["request"] == request_id), None)
    if job is not None:
        job["polls"] += 1
        if job["polls"] > 1:
            org.jobs.remove(job)
            process(org, request_id)
    return org.anonymizations[request_id]


def _is_waiting(request: Json, target: str) -> bool:
    return request["targetEntityId"] == target and "processedAt" not in request


def _is_done(org: Organisation, kind: str, target: str) -> bool:
    if kind != "User" and org.conversations[int(target.partition("_")[0])]["_type"] == "AnonymizedConversation":
        return True
    return org.anonymised(target)


def _open_in(org: Organisation, kind: str, target: str) -> list[Json]:
    """Return the conversations that are in the way, or refuse an unknown target with 404."""
    if kind == "User":
        org.end_user(target)
        found = _requested_by(org, target)
    else:
        found = [org.conversation(int(target.partition("_")[0]))]
    if kind == "Message":
        _message(org, target)
        return []
    return [conversation for conversation in found if conversation.get("state") != "Closed"]


def _requested_by(org: Organisation, user: str) -> list[Json]:
    return [conversation for conversation in org.conversations.values() if conversation["requesterId"] == user]


def _message(org: Organisation, target: str) -> Json:
    csid, _, message_id = target.partition("_")
    for message in org.messages.get(int(csid), []):
        if message["id"] == message_id:
            return message
    raise missing()


# --- doing


def process(org: Organisation, request_id: str) -> None:
    """Carry a request out: a user with all their conversations, a conversation with all its messages."""
    request = org.anonymizations[request_id]
    target: str = request["targetEntityId"]
    match request["_type"]:
        case "User":
            _forget_user(org, target, request["requestedBy"])
        case "Conversation":
            _forget_conversation(org, int(target), request["requestedBy"])
        case _:
            _forget_message(org, target, request["requestedBy"])
    request["processedAt"] = org.now_ms()


def _forget_user(org: Organisation, user: str, by: str) -> None:
    """Ours: copies to them, and what they wrote in other people's conversations, go as well."""
    for conversation in _requested_by(org, user):
        _forget_conversation(org, conversation["id"], by)
    person = org.end_users[user]
    addresses = {address.casefold() for address in [person.get("email") or "", *person["additionalEmails"]] if address}
    # What nobody has looked at yet (`threads.py`) speaks of its own customer only, who has been dealt with.
    for messages in org.messages.told.values():
        messages[:] = [
            blank(message) if message["authorId"] == user else without_person(message, user, addresses)
            for message in messages
        ]
    for entries in org.activity.told.values():
        entries[:] = [without_person(entry, user, addresses) for entry in entries]
    lists = {key: list[str]() for key in ("additionalEmails", "additionalPhoneNumbers", "middleNames")}
    kept = {"id": user, "createdAt": person["createdAt"]}
    org.end_users[user] = kept | lists | {"customAttributes": []}
    _forget_deliveries(org, lambda delivery: user in delivery["payload"])


def _forget_conversation(org: Organisation, csid: int, by: str) -> None:
    """Leave the frame of a conversation; its figures stay for the statistics (notes §20)."""
    conversation = org.conversations[csid]
    if conversation["_type"] == "AnonymizedConversation":
        return
    acts.close(org, conversation, by)  # it may have been opened since it was asked for
    point = contact_point(org, conversation)
    org.statistics[csid] = {key: conversation[key] for key in ("assignment", "queue") if key in conversation}
    org.statistics[csid] |= {"integrationEmail": point} if point else {}
    frame = {key: conversation[key] for key in SHOWN if key in conversation}
    frame |= {"anonymizedAt": org.now(), "customAttributes": []}
    org.conversations[csid] = {"_type": "AnonymizedConversation", **frame}
    org.jobs[:] = [job for job in org.jobs if job.get("csid") != csid]
    org.messages[csid] = [blank(message) for message in org.messages.get(csid, [])]
    org.notes.pop(csid, None)
    for rating in org.ratings.get(csid, []):
        rating.pop("ratingComment", None)
        if rating["ratingStatus"] == "Scheduled":
            rating["ratingStatus"] = "Cancelled"
            log(org, csid, "ConversationRatingCancelled")
    org.activity[csid] = [_without_words(org, entry) for entry in org.activity.get(csid, [])]
    _forget_deliveries(org, lambda delivery: delivery.get("csid") == csid)


def _without_words(org: Organisation, entry: Json) -> Json:
    """Return an entry of the activity log with nothing of the customer's in it but the id."""
    kept = dict(entry)
    if kept.get("author", {}).get("id") not in org.agents and "author" in kept:
        kept["author"] = {"id": kept["author"]["id"]}
    if kept.get("attributes", {}).get("_type") not in HARMLESS:
        kept.pop("attributes", None)
    return kept


def _forget_message(org: Organisation, target: str, by: str) -> None:
    csid, message = int(target.partition("_")[0]), _message(org, target)
    if org.conversations[csid]["_type"] == "AnonymizedConversation":
        return  # its conversation was faster
    redacted: Json = {"_type": "MessageRedactedAttribute", "messageId": message["id"], "wasTextRedacted": True}
    redacted["numberOfDeletedFiles"] = files_in(message)
    messages = org.messages[csid]
    messages[messages.index(message)] = blank(message)
    log(org, csid, "ConversationMessageRedacted", by, redacted)
    _forget_deliveries(org, lambda delivery: message["id"] in delivery["payload"])


def _forget_deliveries(org: Organisation, concerned: Callable[[Json], bool]) -> None:
    """Empty the payloads that webhook logs keep; that something was delivered stays known."""
    for webhook in org.deliveries:
        for sent in org.deliveries[webhook].values():
            for delivery in sent:
                if concerned(delivery):
                    delivery["payload"] = "{}"
