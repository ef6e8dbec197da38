"""What can happen to a conversation, each with its log entries, webhooks and outbox (notes §11, §21)."""

from datetime import timedelta

from dixa_mcp.sandbox import sla
from dixa_mcp.sandbox.events import emit, leave, log
from dixa_mcp.sandbox.organisation import Organisation, name_of
from dixa_mcp.sandbox.wire import Json, listed, part, stamp

#: Minutes between closing and offering a survey (as in the seeded rating of 10405).
SURVEY_AFTER = timedelta(minutes=5)


def set_state(org: Organisation, conversation: Json, state: str) -> None:
    """Change the state and when it changed."""
    conversation["state"] = state
    conversation["stateUpdatedAt"] = org.now()


def enqueue(org: Organisation, conversation: Json, queue: str | None) -> None:
    """Put a conversation into a queue, at its end and with nobody assigned."""
    if queue:
        conversation["queue"] = {"id": queue, "queuedAt": org.now()}
        emit(org, "ConversationEnqueued", conversation["id"])
        sla.start(org, conversation)


def assign(org: Organisation, conversation: Json, agent: str, by: str | None, origin: str = "") -> None:
    """Give a conversation to an agent; `origin` is what webhook filters know it by."""
    conversation["assignment"] = {"agentId": agent, "assignedAt": org.now()}
    attributes = {
        "_type": "ConversationAssignedAttribute",
        "agentId": agent,
        "agentName": name_of(org.agents[agent]),
    }
    log(org, conversation["id"], "ConversationAssigned", by, attributes)
    emit(org, "ConversationAssigned", conversation["id"], origin=origin)
    sla.stop(org, conversation["id"], "SLAEvaluationAchieved")


def unassign(org: Organisation, conversation: Json, by: str | None) -> None:
    """Take a conversation from its agent, if it has one."""
    if assignment := conversation.pop("assignment", None):
        person = org.person(assignment["agentId"]) or {"id": assignment["agentId"]}
        attributes = {"_type": "ConversationUnassignedAttribute", "agent": person}
        log(org, conversation["id"], "ConversationUnassigned", by, attributes)
        emit(org, "ConversationUnassigned", conversation["id"])


def claim(org: Organisation, conversation: Json, agent: str) -> None:
    """Give a conversation to an agent without an offer, whoever had it."""
    former = part(conversation, "assignment").get("agentId")
    if former == agent:
        return
    queue = part(conversation, "queue").get("id")
    attributes: Json = {"_type": "ConversationClaimedAttribute"}
    if former in org.agents:
        attributes |= {"claimedFromLabel": name_of(org.agents[former]), "claimedFromType": "Agent"}
    elif queue in org.queues:
        attributes |= {"claimedFromLabel": org.queues[queue]["name"], "claimedFromType": "Queue"}
    log(org, conversation["id"], "ConversationClaimed", agent, attributes)
    assign(org, conversation, agent, agent)


def close(org: Organisation, conversation: Json, by: str | None) -> None:
    """Close a conversation; one that is closed stays as it is. A survey follows where one is configured."""
    if conversation.get("state") == "Closed":
        return
    csid = conversation["id"]
    end_followup(org, csid, by, "FollowupRemoved")
    set_state(org, conversation, "Closed")
    log(org, csid, "ConversationClosed", by)
    sla.stop(org, csid, "SLAEvaluationVoided")
    if "assignment" not in conversation and not _was_assigned(org, csid):
        emit(org, "ConversationAbandoned", csid)
    emit(org, "ConversationClosed", csid)
    if conversation["channel"] in listed(org.settings, "survey_channels"):
        _schedule_survey(org, conversation)


def _was_assigned(org: Organisation, csid: int) -> bool:
    return any(entry["_type"] == "ConversationAssigned" for entry in org.activity.get(csid, []))


def reopen(org: Organisation, conversation: Json, by: str | None) -> None:
    """Open a conversation again in its former queue, else in the default one; the agent isn't kept."""
    if conversation.get("state") == "Open":
        return
    csid = conversation["id"]
    end_followup(org, csid, by, "FollowupRemoved")
    set_state(org, conversation, "Open")
    log(org, csid, "ConversationReopened", by)
    emit(org, "ConversationOpen", csid)
    unassign(org, conversation, by)
    enqueue(org, conversation, part(conversation, "queue").get("id") or org.default_queue())


def transfer(org: Organisation, conversation: Json, queue: str, by: str) -> None:
    """Move a conversation to the end of another queue; a closed or pending one is opened (ours)."""
    csid = conversation["id"]
    attributes = {
        "_type": "ConversationTransferredAttribute",
        "transferType": "Queue",
        "destinationType": "Queue",
        "destinationId": queue,
        "destinationLabel": org.queues[queue]["name"],
    }
    log(org, csid, "TransferInitiated", by, attributes)
    if conversation.get("state") != "Open":
        end_followup(org, csid, by, "FollowupRemoved")
        if conversation.get("state") == "Closed":
            log(org, csid, "ConversationReopened", by)
            emit(org, "ConversationOpen", csid)
        set_state(org, conversation, "Open")
    unassign(org, conversation, by)
    enqueue(org, conversation, queue)
    log(org, csid, "TransferSuccessful", by, attributes)
    emit(org, "ConversationTransferred", csid)


def follow_up(org: Organisation, conversation: Json, until: str, by: str) -> None:
    """Put a conversation aside until a time; a second follow-up replaces the first."""
    csid = conversation["id"]
    org.followups[csid] = until
    set_state(org, conversation, "Pending")
    org.jobs[:] = [job for job in org.jobs if (job["act"], job.get("csid")) != ("end_followup", csid)]
    org.jobs.append({"due": until, "act": "end_followup", "csid": csid})
    log(org, csid, "FollowupAdded", by)
    log(org, csid, "ConversationPending", by)
    emit(org, "ConversationPending", csid, until=until)


def end_followup(org: Organisation, csid: int, by: str | None, kind: str) -> bool:
    """End a follow-up, if there is one: `kind` is FollowupExpired or FollowupRemoved. The state is left alone."""
    org.jobs[:] = [job for job in org.jobs if (job["act"], job.get("csid")) != ("end_followup", csid)]
    if org.followups.pop(csid, None) is None:
        return False
    log(org, csid, kind, by)
    return True


def expire_followup(org: Organisation, csid: int) -> None:
    """Bring a conversation back whose follow-up has ended; its agent keeps it (personal offer)."""
    conversation = org.conversations.get(csid)
    if conversation and end_followup(org, csid, None, "FollowupExpired") and conversation["state"] == "Pending":
        set_state(org, conversation, "Open")
        emit(org, "ConversationPendingExpired", csid)


def tag(org: Organisation, csid: int, tag_id: str, by: str | None) -> None:
    """Put a tag on; one that is there already changes nothing."""
    if tag_id not in org.tagged.setdefault(csid, []):
        org.tagged[csid].append(tag_id)
        name = org.tags[tag_id]["name"]
        log(org, csid, "TagAdded", by, {"_type": "TagAddedAttribute", "tag": name})
        emit(org, "ConversationTagAdded", csid, tag={"id": tag_id, "name": name})


def untag(org: Organisation, csid: int, tag_id: str, by: str | None) -> None:
    """Take a tag off; one that isn't there changes nothing."""
    if tag_id in org.tagged.get(csid, []):
        org.tagged[csid].remove(tag_id)
        name = org.tags[tag_id]["name"]
        log(org, csid, "TagRemoved", by, {"_type": "TagRemovedAttribute", "tag": name})
        emit(org, "ConversationTagRemoved", csid, tag={"id": tag_id, "name": name})


def _schedule_survey(org: Organisation, conversation: Json) -> None:
    csid = conversation["id"]
    due = stamp(org.at() + SURVEY_AFTER)
    rating: Json = {
        "id": org.new_id(),
        "ratingType": "Csat",
        "conversationChannel": conversation["channel"],
        "userId": conversation["requesterId"],
        "ratingStatus": "Scheduled",
        "timestamps": {"created_at": org.now(), "scheduled_at": org.now(), "scheduled_for": due},
    }
    if agent := part(conversation, "assignment").get("agentId"):
        rating["agentId"] = agent
    org.ratings.setdefault(csid, []).append(rating)
    attributes = {"_type": "ConversationRatingScheduledAttribute", "ratingScheduledTime": due}
    log(org, csid, "ConversationRatingScheduled", None, attributes)
    # The survey is as good as sent: a test that counts what reaches customers must see it at once.
    leave(
        org,
        "survey",
        [org.sender(conversation).get("email") or conversation["requesterId"]],
        "How did we do?",
        csid,
        due=due,
    )
    org.jobs.append({"due": due, "act": "offer_survey", "csid": csid, "rating": rating["id"]})


def offer_survey(org: Organisation, csid: int, rating_id: str) -> None:
    """Offer a scheduled survey to the customer, once its time has come."""
    for rating in org.ratings.get(csid, []):
        if rating["id"] == rating_id and rating["ratingStatus"] == "Scheduled":
            rating["ratingStatus"] = "Offered"
            rating["timestamps"]["offered_at"] = org.now()
            log(org, csid, "ConversationRatingOffered", None)
