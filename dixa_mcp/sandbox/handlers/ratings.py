"""Ratings: surveys of Dixa's own, and results recorded from elsewhere (notes §16)."""

from dixa_mcp.sandbox.clock import parse
from dixa_mcp.sandbox.events import emit, log
from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.registry import handles
from dixa_mcp.sandbox.wire import NO_AGENT, NO_USER, Answer, Json, Refusal, Request, data, invalid, part, stamp

SCORES = {"Csat": range(1, 6), "Nps": range(11), "ThumbsUpOrDown": range(2)}


@handles("list_ratings", "list_ratings_deprecated")
def list_ratings(org: Organisation, request: Request) -> Answer:
    org.conversation(request.csid())
    return data(org.ratings.get(request.csid(), []))


@handles("offer_rating")
def offer_rating(org: Organisation, request: Request) -> Answer:
    """Record that a survey was offered elsewhere; nothing is sent. Left out, user and agent are the conversation's."""
    csid = request.csid()
    conversation = org.living(csid)
    user = request.field("userId", conversation["requesterId"])
    agent = request.field("agentId", part(conversation, "assignment").get("agentId"))
    if user not in org.end_users:
        raise Refusal(400, NO_USER)
    if agent not in org.agents:
        raise Refusal(400, NO_AGENT if agent in org.end_users else NO_USER)
    if request.field("ratingType") not in SCORES:
        raise invalid("body (ratingType)")
    offered = stamp(parse(request.field("offeredAt"))) if request.field("offeredAt") else org.now()
    rating: Json = {
        "id": org.new_id(),
        "ratingType": request.field("ratingType"),
        "conversationChannel": conversation["channel"],
        "agentId": agent,
        "userId": user,
        "ratingStatus": "Offered",
        "timestamps": {"created_at": org.now(), "offered_at": offered},
    }
    org.ratings.setdefault(csid, []).append(rating)
    attributes = {
        "_type": "ConversationRatingOfferedAttribute",
        "agent": org.person(agent),
        "user": org.person(user),
    }
    log(org, csid, "ConversationRatingOffered", agent, attributes)
    shown = {key: rating[key] for key in ("id", "userId", "agentId", "ratingType")}
    return data(shown | {"offeredAt": offered}, 201)


@handles("submit_rating")
def submit_rating(org: Organisation, request: Request) -> Answer:
    """The result of an offer. The contract knows no 404 here: what isn't on offer is a 400 (ours)."""
    csid, rating_id = request.csid(), request.path["ratingId"]
    if csid in org.conversations:
        org.living(csid)
    result = request.field("ratingResult")
    rating = next(
        (
            item
            for item in org.ratings.get(csid, [])
            if (item["id"], item["ratingType"], item["ratingStatus"]) == (rating_id, result["_type"], "Offered")
        ),
        None,
    )
    if rating is None:
        raise Refusal(400, "Rating offer does not exist")
    if result["value"] not in SCORES[result["_type"]]:
        raise invalid("body (ratingResult.value)")
    submitted = stamp(parse(request.field("submittedAt"))) if request.field("submittedAt") else org.now()
    rating |= {"ratingScore": result["value"], "ratingStatus": "Rated"}
    if comment := request.field("comment"):
        rating["ratingComment"] = comment
    rating["timestamps"] |= {"rated_at": submitted, "modified_at": org.now()}
    attributes: Json = {"_type": "ConversationRatedAttribute", "score": result["value"]}
    attributes |= {"message": comment} if comment else {}
    if agent := org.person(rating.get("agentId")):
        attributes["agent"] = agent
    log(org, csid, "ConversationRated", rating["userId"], attributes)
    emit(org, "ConversationRated", csid, rating={"id": rating_id, "score": result["value"]})
    answer: Json = {"ratingId": rating_id, "userId": rating["userId"], "ratingResult": result}
    return data(answer | ({"comment": comment} if comment else {}) | {"submittedAt": submitted}, 201)
