"""The state of one organisation: everything in the form Dixa would answer it, keyed by id."""

import copy
import random
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dixa_mcp.sandbox.clock import Clock
from dixa_mcp.sandbox.threads import Threads, Untold
from dixa_mcp.sandbox.wire import BAD_MESSAGE, NO_AGENT, NO_USER, Json, Refusal, listed, missing, part, stamp, stamp_ms

#: The host of Dixa's own files.
FILES = "files.dixa.io"


def _by_id() -> dict[str, Json]:
    return {}


def _lists() -> dict[int, list[Json]]:
    return {}


@dataclass
class Organisation:
    """One Dixa account with memory.

    Tables hold wire forms: `org.conversations[10401]` is what GET /conversations/10401 has under `data`.
    Side tables are keyed by conversation id (messages, notes, ratings, activity) or by the id of the thing.
    """

    clock: Clock
    #: Shared by all organisations of a sandbox: everything that would have left (see `events.leave`).
    outbox: list[Json]
    seed: int = 1

    details: Json = field(default_factory=dict[str, Any])
    #: timezone; survey_channels: closing a conversation on one of these schedules a survey.
    settings: Json = field(default_factory=dict[str, Any])
    #: token → {owner, limited?, burst?}
    tokens: dict[str, Json] = field(default_factory=_by_id)

    agents: dict[str, Json] = field(default_factory=_by_id)
    #: agent id → presence without requestTime
    presence: dict[str, Json] = field(default_factory=_by_id)
    end_users: dict[str, Json] = field(default_factory=_by_id)
    teams: dict[str, Json] = field(default_factory=_by_id)
    #: team id → agent ids
    team_members: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    queues: dict[str, Json] = field(default_factory=_by_id)
    #: queue id → [{agentId, priority?}]
    queue_members: dict[str, list[Json]] = field(default_factory=dict[str, list[Json]])
    #: queue id → outcomes of the bot channels
    availability: dict[str, list[Json]] = field(default_factory=dict[str, list[Json]])
    tags: dict[str, Json] = field(default_factory=_by_id)
    #: address or number → contact endpoint
    endpoints: dict[str, Json] = field(default_factory=_by_id)
    widgets: dict[str, Json] = field(default_factory=_by_id)
    flows: dict[str, Json] = field(default_factory=_by_id)
    #: custom attribute definitions
    attributes: dict[str, Json] = field(default_factory=_by_id)

    conversations: dict[int, Json] = field(default_factory=dict[int, Json])
    messages: Threads = field(default_factory=Threads)
    notes: Threads = field(default_factory=Threads)
    ratings: dict[int, list[Json]] = field(default_factory=_lists)
    activity: Threads = field(default_factory=Threads)
    #: conversation → tag ids in the order they were put on
    tagged: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    #: conversation → when its follow-up ends
    followups: dict[int, str] = field(default_factory=dict[int, str])
    #: parent → linked children
    linked: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    #: externalIds of messages and imports that are taken
    external_ids: set[str] = field(default_factory=set[str])

    templates: dict[str, Json] = field(default_factory=_by_id)
    #: business hours in our arrangement (seeds/fernway/desk.toml)
    schedules: dict[str, Json] = field(default_factory=_by_id)
    collections: dict[str, Json] = field(default_factory=_by_id)
    #: categories and articles in our arrangement (seeds/fernway/knowledge.toml)
    categories: dict[str, Json] = field(default_factory=_by_id)
    articles: dict[str, Json] = field(default_factory=_by_id)
    help_center: Json = field(default_factory=dict[str, Any])
    webhooks: dict[str, Json] = field(default_factory=_by_id)
    #: webhook id → event → deliveries, newest last
    deliveries: dict[str, dict[str, list[Json]]] = field(default_factory=dict[str, dict[str, list[Json]]])
    #: requests; what is still to be done for one is a job
    anonymizations: dict[str, Json] = field(default_factory=_by_id)
    #: anonymised conversation → what statistics keep of it (notes §20)
    statistics: dict[int, Json] = field(default_factory=dict[int, Json])
    #: metrics and records by id in our arrangement (seeds/fernway/analytics.toml)
    metrics: dict[str, Json] = field(default_factory=_by_id)
    records: dict[str, Json] = field(default_factory=_by_id)
    #: channel → [analytics value, label]
    channel_labels: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    #: acts that are due later: {due, act, …} (see `later.py`)
    jobs: list[Json] = field(default_factory=list[Json])
    files_stored: int = 0
    #: place of an uploaded file below its host → media, size, sha256; `keep` has the bytes
    uploads: dict[str, Json] = field(default_factory=_by_id)

    def __post_init__(self) -> None:
        #: generated conversations nobody has looked at (`scale.grow`)
        self.untold = Untold(lambda _: None)
        self._random = random.Random(self.seed)
        self._contents: dict[str, bytes] = {}
        self._newest: list[int] = []

    # --- ids and times

    def new_id(self) -> str:
        """Return a fresh uuid; the same seed and the same calls give the same ones."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def new_csid(self) -> int:
        """Return the next conversation number."""
        return max(self.conversations, default=10_000) + 1

    def newest(self) -> list[int]:
        """Return the numbers of all conversations, the newest first; kept until there is another one."""
        if len(self._newest) != len(self.conversations):
            made = sorted(((item["createdAt"], csid) for csid, item in self.conversations.items()), reverse=True)
            self._newest = [csid for _, csid in made]
        return self._newest

    def now(self) -> str:
        """Return the present time in whole seconds, as conversations carry it."""
        return stamp(self.clock.now())

    def now_ms(self) -> str:
        """Return the present time in milliseconds, as messages and notes carry it."""
        return stamp_ms(self.clock.now())

    def at(self) -> datetime:
        """Return the present time."""
        return self.clock.now()

    # --- finding things: ids of the path give 404, ids in a body give 400 (notes §4)

    def conversation(self, csid: int) -> Json:
        """Return a conversation of the path, or refuse with 404."""
        if csid not in self.conversations:
            raise missing()
        return self.conversations[csid]

    def living(self, csid: int) -> Json:
        """Return a conversation that can still be worked on: 404 if unknown, 400 if anonymised (ours)."""
        conversation = self.conversation(csid)
        if conversation["_type"] == "AnonymizedConversation":
            raise Refusal(400, "Conversation is anonymized")
        return conversation

    def acting(self, user: str | None, owner: str) -> str:
        """Return the agent who acts: the one named, else the token's owner (notes §11)."""
        return owner if user is None else self.agent_id(user)

    def end_user(self, user: str) -> Json:
        """Return an end user of the path, or refuse with 404; an agent isn't one."""
        if user not in self.end_users:
            raise missing()
        return self.end_users[user]

    def remembered(self, user: str) -> Json:
        """Return an end user of the path that can be changed: 404 if unknown, 400 if anonymised (ours)."""
        if self.anonymised(user):
            raise Refusal(400, "User is anonymized")
        return self.end_user(user)

    def anonymised(self, target: str) -> bool:
        """Whether a request to anonymise exactly this was carried out."""
        return any(item["targetEntityId"] == target and "processedAt" in item for item in self.anonymizations.values())

    def agent(self, user: str) -> Json:
        """Return an agent of the path, or refuse with 404."""
        if user not in self.agents:
            raise missing()
        return self.agents[user]

    def agent_id(self, user: str) -> str:
        """Return the id of an agent named in a body, or refuse with 400."""
        if user in self.agents:
            return user
        raise Refusal(400, NO_AGENT if user in self.end_users else NO_USER)

    def sender(self, conversation: Json) -> Json:
        """Return the requester of a conversation."""
        return self.end_users.get(conversation["requesterId"], {"id": conversation["requesterId"]})

    def person(self, user: str | None) -> Json | None:
        """Return a user as the activity log shows one; None if there is none."""
        someone = self.agents.get(user or "") or self.end_users.get(user or "")
        if not someone:
            return None
        shown = {"id": someone["id"], "name": name_of(someone)}
        shown |= {key: someone[key] for key in ("email", "phoneNumber") if someone.get(key)}
        return shown

    def default_queue(self) -> str | None:
        """Return the id of the default queue."""
        return next((key for key, queue in self.queues.items() if queue["isDefault"]), None)

    def queue_for(self, channel: str, point: str) -> str | None:
        """Return the queue that a contact point of a channel feeds, else the default one."""
        for key, queue in self.queues.items():
            if point in part(part(queue, "usages"), "usages").get(channel, []):
                return key
        return self.default_queue()

    def tag_named(self, name: str) -> Json | None:
        """Return the tag of that name."""
        return next((tag for tag in self.tags.values() if tag["name"] == name), None)

    def new_tag(self, name: str, color: str | None = None) -> Json:
        """Create an active tag."""
        tag: Json = {"id": self.new_id(), "name": name}
        if color:
            tag["color"] = color
        self.tags[tag["id"]] = tag | {"state": "Active"}
        return self.tags[tag["id"]]

    def children(self, csid: int) -> list[Json]:
        """Return the conversations linked to a parent, in the order they were linked."""
        return [self.conversations[child] for child in self.linked.get(csid, [])]

    def link(self, child: int, parent: int, kind: str) -> None:
        """Link a conversation to a parent; `kind` is the name a link is read by (notes §9)."""
        self.conversations[child]["link"] = {"_type": kind, "parentId": parent}
        self.linked.setdefault(parent, []).append(child)

    # --- files

    def check_message(self, message: Json) -> None:
        """Refuse attachments that can't be fetched and an externalId that is taken (notes §9).

        Nothing is fetched. Ours: an address that isn't http(s), or whose host ends in `.invalid`, can't be.
        """
        for attachment in listed(message, "attachments"):
            url = str(attachment["url"])
            host = url.partition("://")[2].partition("/")[0].partition(":")[0]
            if not url.startswith(("https://", "http://")) or host.endswith(".invalid"):
                raise Refusal(400, "Failure to download attachment")
        if message.get("externalId") in self.external_ids:
            raise Refusal(400, "Duplicate externalId")

    def store(self, attachments: Iterable[Json]) -> list[Json]:
        """Copy attachments as Dixa would and return them with addresses of its own."""
        stored: list[Json] = []
        for attachment in attachments:
            self.files_stored += 1
            place = f"{self.details['subdomain']}/attachment/{1000 + self.files_stored}"
            name = attachment.get("prettyName") or str(attachment["url"]).rpartition("/")[2]
            stored.append({"url": f"https://{FILES}/private/{place}", "prettyName": name})
        return stored

    def keep(self, place: str, content: bytes) -> None:
        """Keep the bytes of an uploaded file, for `kept`."""
        self._contents[place] = content

    def kept(self, place: str) -> bytes | None:
        """Return the bytes of an uploaded file, None if there is none at that place."""
        return self._contents.get(place)

    def addresses(self, users: Iterable[str]) -> list[Json]:
        """Return the e-mail contacts of end users named in a body (notes §9: cc and bcc are ids)."""
        contacts: list[Json] = []
        for user in users:
            if user not in self.end_users:
                raise Refusal(400, NO_USER)
            contacts.append(mail_contact(self.end_users[user]))
        return contacts

    def state(self) -> Json:
        """Return everything as JSON: equal states give equal bytes."""
        hidden = ("clock", "outbox", "tokens", "untold")
        shown = {key: value for key, value in vars(self).items() if key not in hidden and not key.startswith("_")}
        return copy.deepcopy(shown | {"external_ids": sorted(self.external_ids)})


def name_of(someone: Json) -> str:
    """Return what a person is called: display name, e-mail or number."""
    return str(someone.get("displayName") or someone.get("email") or someone.get("phoneNumber") or "Unknown")


def mail_contact(user: Json) -> Json:
    """Return a person as an e-mail contact, or refuse because there is no address."""
    if not user.get("email"):
        raise Refusal(400, BAD_MESSAGE)
    return {"email": user["email"]} | ({"name": user["displayName"]} if user.get("displayName") else {})


def without_attributes(thing: Json) -> Json:
    """Return a conversation or end user as lists show it (notes §9, §15)."""
    return {key: value for key, value in thing.items() if key != "customAttributes"}
