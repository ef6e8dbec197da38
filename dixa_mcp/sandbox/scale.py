"""Large organisations: generated conversations, the same ones for the same seed.

Conversations, customers, tags and ratings are made at once; what was said is drawn as a `Story` and written
out when somebody looks at it, so that a hundred thousand conversations start in a few seconds.
"""

import gc
import math
import random
from collections.abc import Sequence
from functools import partial
from typing import Any, TypeVar

from dixa_mcp.sandbox.organisation import Organisation, name_of
from dixa_mcp.sandbox.stories import CALL, LETTERS, UTTERANCE, Speech, Story, book, written
from dixa_mcp.sandbox.telling import fresh_id, tell
from dixa_mcp.sandbox.threads import Threads, Untold
from dixa_mcp.sandbox.wire import Json, listed, part

T = TypeVar("T")

#: Conversations a generated customer has on average.
EACH = 4
#: How far back they go.
DAYS = 180
#: Of a hundred conversations. Those that need a telephone number go to customers who have one.
CHANNELS = {"Email": 50, "ContactForm": 12, "WidgetChat": 20, "WhatsApp": 6, "Sms": 4, CALL: 8}
KINDS = {
    "Email": "EmailConversation", "ContactForm": "ContactFormConversation", "WidgetChat": "ChatConversation",
    "WhatsApp": "WhatsAppConversation", "Sms": "SmsConversation", CALL: "PstnPhoneConversation",
}  # fmt: skip
#: Average number of messages after the first two; one thread in a hundred is five times as long.
LENGTH = {"Email": 2.2, "ContactForm": 1.6, "WidgetChat": 7.0, "WhatsApp": 5.0, "Sms": 1.5, CALL: 8.0}
LONGEST = 150
#: Seconds until the first reply, on average; letters wait longer.
REPLY = {"Email": 14_000, "ContactForm": 18_000, "WidgetChat": 90, "WhatsApp": 1500, "Sms": 2400, CALL: 35}
#: Messages by the hour of the day, UTC.
HOURS = [
    h for h, n in enumerate((1, 1, 0, 0, 1, 2, 4, 7, 9, 9, 8, 7, 6, 7, 7, 6, 5, 5, 6, 6, 5, 4, 2, 1)) for _ in range(n)
]
#: Numbers kept free for fiction (fixtures).
NUMBERS = [f"+447700900{number:03}" for number in range(1000)]
#: Share of the last three days' conversations that nobody has answered yet.
BACKLOG = 0.35
BROWSERS = ("Firefox", "Chrome", "Safari")
DAY = 86_400


class Dice(random.Random):
    """Chances, quickly."""

    def pick(self, things: Sequence[T]) -> T:
        """Return one of several things."""
        return things[int(self.random() * len(things))]

    def chance(self, share: float) -> bool:
        """Return True in a share of the cases."""
        return self.random() < share

    def about(self, average: float) -> float:
        """Return a number that is mostly small and sometimes large."""
        return -average * math.log(1 - self.random())


def grow(org: Organisation, count: int, seed: int) -> None:
    """Add `count` conversations with customers, messages, notes, tags, ratings, attributes and activity."""
    untold = Untold(partial(tell, org))
    org.untold = untold
    for name in ("messages", "notes", "activity"):
        setattr(org, name, Threads(getattr(org, name).told, untold))
    collecting = gc.isenabled()
    gc.disable()  # nothing made here is garbage, and looking for some takes a quarter of the time
    try:
        _House(org, Dice(seed), untold).fill(count)
    finally:
        if collecting:
            gc.enable()


class _House:
    """What conversations are dealt out to, and the dealing."""

    def __init__(self, org: Organisation, dice: Dice, untold: Untold) -> None:
        self.org, self.dice, self.untold = org, dice, untold
        self.now = int(org.at().timestamp())
        online = [key for key, item in org.presence.items() if item["connectionStatus"] == "Online"]
        self.agents = [(key, name_of(org.agents[key])) for key in online]
        self.tags = {tag["name"]: key for key, tag in org.tags.items()}
        self.speeches = [speech for speech in book().speeches for _ in range(speech.share)]
        self.matters = {
            speech.language: [(matter, book().matters[matter]["tag"]) for matter in speech.asks]
            for speech in book().speeches
        }
        self.channels = [channel for channel, share in CHANNELS.items() for _ in range(share)]
        self.queues = {channel: self._queues(channel) for channel in CHANNELS}
        self.mail = [(key, item) for key, item in org.endpoints.items() if item["_type"] == "EmailEndpoint"]
        self.text_line = next(key for key, item in org.endpoints.items() if "Sms" in listed(item, "functionality"))
        self.attributes = {
            item["identifier"]: {"id": key, "name": item["label"], "identifier": item["identifier"]}
            for key, item in org.attributes.items()
        }

    def _queues(self, channel: str) -> list[str]:
        """Return the queues a channel leads to, else all that are open to everybody."""
        usable = [key for key, queue in self.org.queues.items() if not queue.get("isRestricted")]
        return [key for key in usable if part(part(self.org.queues[key], "usages"), "usages").get(channel)] or usable

    def fill(self, count: int) -> None:
        """Make the customers, then their conversations."""
        taken = {item.get("phoneNumber") for item in (*self.org.agents.values(), *self.org.end_users.values())}
        numbers = [number for number in NUMBERS if number not in taken]
        people = [self._customer(n, numbers[n] if n < len(numbers) else None) for n in range(max(1, count // EACH))]
        reachable = people[: len(numbers)]
        start = self.org.new_csid() + 10_000
        for csid in range(start, start + count):
            channel = self.dice.pick(self.channels)
            customer, speech = self.dice.pick(reachable if channel in ("WhatsApp", "Sms", CALL) else people)
            self._conversation(csid, channel, customer, speech)

    def _customer(self, number: int, phone: str | None) -> tuple[Json, Speech]:
        dice = self.dice
        speech = dice.pick(self.speeches)
        (first, plain_first), (last, plain_last) = dice.pick(speech.first), dice.pick(speech.last)
        user: Json = {
            "id": fresh_id(dice),
            "createdAt": written(self.now - (DAYS + int(dice.random() * 400)) * DAY),
            "displayName": f"{last} {first}" if speech.family_first else f"{first} {last}",
            "email": f"{plain_first}.{plain_last}.{number}@example.org",
            "additionalEmails": [],
            "additionalPhoneNumbers": [],
            "firstName": first,
            "lastName": last,
            "middleNames": [],
            "externalId": f"G-{number:06d}",
            "customAttributes": [],
        }
        if phone:
            user["phoneNumber"] = phone
        if dice.chance(0.4):
            user["customAttributes"] += self._valued(
                "loyalty_tier", [dice.pick(("bronze", "bronze", "silver", "gold"))]
            )
        self.org.end_users[user["id"]] = user
        return user, speech

    def _valued(self, identifier: str, value: Any) -> list[Json]:
        known = self.attributes.get(identifier)
        return [known | {"value": value}] if known else []

    def _conversation(self, csid: int, channel: str, customer: Json, speech: Speech) -> None:
        story = self._story(csid, channel, customer, speech)
        queue = self.dice.pick(self.queues[channel])
        state = "Closed" if story.closed else "Pending" if story.pending else "Open"
        since = story.closed or (story.ended if story.pending else story.created)
        conversation: Json = {
            "_type": KINDS[channel],
            "id": csid,
            "requesterId": story.customer,
            "channel": channel,
            "createdAt": written(story.created),
            "direction": "Inbound",
            "state": state,
            "stateUpdatedAt": written(since),
            "queue": {"id": queue, "queuedAt": written(story.created)},
        }
        if story.answered:
            conversation["assignment"] = {"agentId": story.agent, "assignedAt": written(story.answered)}
        conversation |= self._channelled(story, customer)
        conversation["customAttributes"] = self._attributes(story)
        self.org.conversations[csid] = conversation
        self.untold.stories[csid] = story
        if story.tags:
            self.org.tagged[csid] = [self.tags[name] for name in story.tags]
        if story.closed and self.dice.chance(0.3):
            self.org.ratings[csid] = [self._rating(story)]
        if story.pending:
            ends = written(self.now + 3600 + int(self.dice.random() * 5 * DAY))
            self.org.followups[csid] = ends
            self.org.jobs.append({"due": ends, "act": "end_followup", "csid": csid})

    def _story(self, csid: int, channel: str, customer: Json, speech: Speech) -> Story:
        dice, chance, now = self.dice, self.dice.random, self.now
        matter, tag = dice.pick(self.matters[speech.language])
        created = self._moment()
        answered = created + 5 + int(dice.about(REPLY[channel]))
        turns = min(LONGEST, 2 + int(dice.about(LENGTH[channel]) * (5 if chance() < 0.01 else 1)))
        letter = channel in LETTERS
        lasts = turns * UTTERANCE if channel == CALL else 300 + int(dice.about(100_000 if letter else 2000))
        closed = answered + lasts
        if answered >= now or (now - created < 3 * DAY and chance() < BACKLOG):
            answered = closed = 0
            turns = 1
        elif closed >= now or chance() < 0.01:
            closed = 0
        ended = closed or (min(answered + lasts, now) if answered else created)
        agent, agent_name = dice.pick(self.agents) if answered else ("", "")
        luck = chance()
        return Story(
            csid,
            customer["id"],
            customer["displayName"],
            agent,
            agent_name,
            channel,
            speech,
            matter,
            number=20_000 + int(chance() * 80_000),
            seed=dice.getrandbits(64),
            turns=turns,
            created=created,
            answered=answered,
            reopened=answered + lasts // 2 if closed and letter and chance() < 0.06 else 0,
            closed=closed,
            ended=ended,
            pending=not closed and bool(answered) and chance() < 0.1,
            noted=bool(answered) and chance() < 0.12,
            tags=(tag,) if luck < 0.77 else (tag, "vip") if luck < 0.8 else (),
        )

    def _moment(self) -> int:
        """Return a moment of the last half year: by day more than by night, on weekends half as much."""
        dice = self.dice
        day = self.now - self.now % DAY - int(dice.random() * DAYS) * DAY
        if (day // DAY + 3) % 7 > 4 and dice.chance(0.5):
            day -= 2 * DAY
        moment = day + dice.pick(HOURS) * 3600 + int(dice.random() * 3600)
        return moment if moment < self.now else moment - DAY

    def _channelled(self, story: Story, customer: Json) -> Json:
        """Return what only conversations of this channel have."""
        match story.channel:
            case "Email" | "ContactForm":
                address, endpoint = self.mail[story.seed % len(self.mail)]
                own = endpoint.get("senderOverride") or address
                subject = story.spelt(story.speech.subjects[story.matter])
                shown = {"toEmail": own, "fromEmail": customer["email"], "integrationEmail": address}
                return shown | {"language": story.speech.language, "subject": subject}
            case "WidgetChat":
                browser = {"name": BROWSERS[story.seed % len(BROWSERS)], "version": str(120 + story.seed % 15)}
                browser |= {"ipAddress": f"192.0.2.{story.seed % 254 + 1}"}
                return {"browserInfo": browser, "language": story.speech.language}
            case "Sms":
                return {"fromNumber": self.text_line, "toNumber": customer["phoneNumber"]}
            case "WhatsApp":
                return {"transportExpiresAt": written(story.created + DAY)}
            case _:
                return {}

    def _attributes(self, story: Story) -> list[Json]:
        dice, values = self.dice, list[Json]()
        if dice.chance(0.6):
            values += self._valued("order_number", f"F-{story.number}")
        reason = book().matters[story.matter].get("reason")
        if reason and story.answered and dice.chance(0.8):
            values += self._valued("contact_reason", list(reason))
        if story.closed and dice.chance(0.7):
            values += self._valued(
                "closing_reason", [dice.pick(("solved", "solved", "solved", "no_reply", "duplicate"))]
            )
        return values

    def _rating(self, story: Story) -> Json:
        dice, score = self.dice, self.dice.pick((1, 2, 3, 4, 4, 5, 5, 5))
        offered = min(story.closed + 300, self.now)
        rated = min(offered + int(dice.about(9000)), self.now)
        rating: Json = {"id": fresh_id(dice), "ratingScore": score, "ratingType": "Csat"}
        if dice.chance(0.25):
            rating["ratingComment"] = dice.pick(book().praise if score > 3 else book().blame)
        return rating | {
            "conversationChannel": story.channel,
            "agentId": story.agent,
            "userId": story.customer,
            "ratingStatus": "Rated",
            "language": story.speech.language,
            "timestamps": {"offered_at": written(offered), "rated_at": written(rated)},
        }
