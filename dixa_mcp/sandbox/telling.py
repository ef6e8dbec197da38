"""Write out a generated conversation: its messages, notes and log."""

import html
import random

from dixa_mcp.sandbox.organisation import FILES, Organisation
from dixa_mcp.sandbox.stories import CALL, LETTERS, UTTERANCE, Story, book, written_ms
from dixa_mcp.sandbox.wire import Json

CHATTED = {"WidgetChat": "ChatAttributes", "WhatsApp": "WhatsAppAttributes", "Sms": "SmsAttributes"}
#: One in so many first letters and chats comes with a picture.
WITH_PICTURE = 12


def fresh_id(dice: random.Random) -> str:
    """Return a version 4 uuid, without the cost of the class."""
    digits = f"{dice.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def tell(org: Organisation, story: Story) -> None:
    """Put the messages, notes and log of a story into the tables."""
    dice, csid = random.Random(story.seed), story.csid
    org.messages.told[csid] = _call(org, story, dice) if story.channel == CALL else _messages(org, story, dice)
    if story.noted:
        text = book().notes[story.seed % len(book().notes)].replace("{number}", str(story.number))
        note = {"id": fresh_id(dice), "authorId": story.agent, "createdAt": written_ms(story.answered)}
        org.notes.told[csid] = [note | {"csid": csid, "message": text}]
    org.activity.told[csid] = _log(org, story, dice)


def _messages(org: Organisation, story: Story, dice: random.Random) -> list[Json]:
    messages: list[Json] = []
    for turn, text in enumerate(story.texts()):
        ours = turn % 2 == 1
        shape = _letter if story.channel in LETTERS else _chat
        attributes = shape(org, story, text, turn) | {"direction": "Outbound" if ours else "Inbound"}
        author, at = story.agent if ours else story.customer, written_ms(story.said_at(turn))
        messages.append({"id": fresh_id(dice), "authorId": author, "createdAt": at, "attributes": attributes})
    return messages


def _chat(org: Organisation, story: Story, text: str, turn: int) -> Json:
    kind = CHATTED[story.channel]
    attributes: Json = {"_type": kind, "content": {"_type": "Text", "value": text}}
    attributes["attachments"] = [] if story.channel == "Sms" else _pictures(org, story, turn)
    return attributes | ({"isAutomated": False} if story.channel == "WidgetChat" else {})


def _letter(org: Organisation, story: Story, text: str, turn: int) -> Json:
    conversation = org.conversations[story.csid]
    theirs = {"email": conversation["fromEmail"], "name": story.name}
    ours = {"email": conversation["toEmail"]}
    content = {"_type": "Text", "value": text}
    if turn == 0 and story.seed & 1:
        paragraphs = "".join(f"<p>{html.escape(item)}</p>" for item in text.split("\n\n"))
        content = {"_type": "Html", "value": paragraphs.replace("\n", "<br>")}
    sender, to = (ours, theirs) if turn % 2 else (theirs, ours)
    attributes: Json = {
        "_type": "EmailAttributes" if story.channel == "Email" else "ContactFormAttributes",
        "emailContent": {"_type": "Regular", "content": content},
        "from": sender,
        "to": [to],
        "cc": [],
        "bcc": [],
        "isAutoReply": False,
        "inlineImages": [],
        "attachments": _pictures(org, story, turn),
    }
    return attributes | ({"replyDefaultToEmails": [theirs]} if story.channel == "ContactForm" else {})


def _pictures(org: Organisation, story: Story, turn: int) -> list[Json]:
    if turn or story.seed % WITH_PICTURE:
        return []
    return [{"url": f"{place_of(org, story.csid)}/photo.png", "prettyName": "photo.png"}]


def place_of(org: Organisation, csid: int) -> str:
    """Return where the files of a generated conversation are."""
    return f"https://{FILES}/private/{org.details['subdomain']}/generated/{csid}"


def line_of(org: Organisation) -> str:
    """Return the number that generated calls come in on."""
    return next(key for key, value in org.endpoints.items() if value["_type"] == "TelephonyEndpoint")


def _call(org: Organisation, story: Story, dice: random.Random) -> list[Json]:
    number = org.end_users[story.customer].get("phoneNumber", "")
    duration = story.ended - story.created
    head: Json = {
        "_type": "PhoneAttributes",
        "from": number,
        "to": line_of(org),
        "direction": "Inbound",
        "duration": duration,
    }
    said: list[tuple[str, int, Json]] = [(story.customer, story.created, head)]
    for turn, text in enumerate(story.texts()):
        start = 1000 * UTTERANCE * turn
        span = {"utterance_start_ms": start, "utterance_end_ms": start + 900 * UTTERANCE}
        utterance = {"_type": "TranscriptAttributes", "content": {"_type": "Text", "value": text}} | span
        said.append((story.agent if turn % 2 else story.customer, story.said_at(turn), utterance))
    recording = {"_type": "CallRecordingAttributes", "duration": duration}
    said.append((story.customer, story.ended, recording | {"recording": f"{place_of(org, story.csid)}/recording"}))
    return [
        {"id": fresh_id(dice), "authorId": author, "createdAt": written_ms(at), "attributes": attributes}
        for author, at, attributes in said
    ]


def _log(org: Organisation, story: Story, dice: random.Random) -> list[Json]:
    tags, entries = iter(story.tags), list[Json]()
    for kind, at, who in story.log():
        head = {"id": fresh_id(dice), "conversationId": story.csid, "activityTimestamp": written_ms(at)}
        entry: Json = head | {"activityType": f"{kind}ActivityType", "_type": kind}
        if author := org.person(who):
            entry["author"] = author
        match kind:
            case "ConversationCreatedByCustomer" if subject := org.conversations[story.csid].get("subject"):
                entry["attributes"] = {"_type": "ConversationCreatedAttribute", "subject": subject}
            case "ConversationAssigned":
                assigned = {"_type": "ConversationAssignedAttribute", "agentId": who}
                entry["attributes"] = assigned | {"agentName": story.agent_name}
            case "TagAdded":
                entry["attributes"] = {"_type": "TagAddedAttribute", "tag": next(tags)}
            case "NoteAdded":
                entry["attributes"] = {
                    "_type": "NoteAddedAttribute",
                    "message": org.notes.told[story.csid][0]["message"],
                }
            case _:
                pass
        entries.append(entry)
    return entries
