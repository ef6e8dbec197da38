"""Read an organisation's seed: TOML files in which `@table.key` stands for the id of that entry."""

import json
import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, cast

from dixa_mcp.sandbox.clock import Clock
from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.threads import Threads
from dixa_mcp.sandbox.wire import Json, listed, part

ORGANISATIONS = ("fernway", "tarnbridge")
REFERENCE = re.compile(r"@[a-z_]+(\.[a-z0-9_-]+)?")

#: Tables whose entries carry an `id`, kept by it.
BY_ID = (
    "agents", "teams", "queues", "tags", "widgets", "attributes", "templates", "schedules",
    "collections", "categories", "articles", "webhooks", "anonymizations",
)  # fmt: skip
#: Tables kept as they are.
PLAIN = ("settings", "tokens", "help_center", "metrics", "records", "channel_labels")
#: Tables by conversation number.
BY_CSID = ("conversations", "ratings", "tagged", "followups")
THREADS = ("messages", "notes")
#: Tables by the short name of something else: field → whose names.
BY_OTHER = {"team_members": "teams", "queue_members": "queues", "availability": "queues", "deliveries": "webhooks"}


def load(name: str, clock: Clock, outbox: list[Json], seed: int) -> Organisation:
    """Build an organisation from `seeds/<name>/*.toml`."""
    tables: Json = json.loads(_written_out(name))
    org = Organisation(clock, outbox, seed, details=tables["organisation"])
    for field in PLAIN:
        setattr(org, field, tables.get(field, {}))
    for field in BY_ID:
        setattr(org, field, {entry["id"]: entry for entry in tables.get(field, {}).values()})
    for field in BY_CSID:
        setattr(org, field, {int(key): value for key, value in tables.get(field, {}).items()})
    for field in THREADS:
        setattr(org, field, Threads({int(key): value for key, value in tables.get(field, {}).items()}))
    for field, whose in BY_OTHER.items():
        setattr(org, field, {tables[whose][key]["id"]: value for key, value in tables.get(field, {}).items()})
    org.end_users = {entry["id"]: entry for entry in part(tables, "users").values()}
    org.presence = {entry["userId"]: entry for entry in part(tables, "presence").values()}
    org.endpoints = {entry.get("address") or entry["number"]: entry for entry in listed(tables, "endpoints")}
    org.flows = {entry["id"]: entry for entry in listed(tables, "flows")}
    _finish(org, part(tables, "activity"))
    return org


@cache
def _written_out(name: str) -> str:
    """Read the files once, put ids for references, and keep JSON: each organisation is a copy of its own."""
    raw: Json = {}
    for file in sorted(files("dixa_mcp.sandbox").joinpath("seeds", name).iterdir(), key=lambda file: file.name):
        raw |= tomllib.loads(file.read_text(encoding="utf-8"))
    ids = {f"@{table}.{key}": entry["id"] for table, key, entry in _entries(raw)}
    ids["@organisation"] = raw["organisation"]["id"]
    return json.dumps(_resolve(raw, ids))


def _entries(raw: Json) -> list[tuple[str, str, Json]]:
    tables: list[tuple[str, Json]] = [(name, table) for name, table in raw.items() if name in (*BY_ID, "users")]
    return [(name, key, entry) for name, table in tables for key, entry in table.items()]


def _resolve(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        table = cast("Json", value)
        return {key: _resolve(item, ids) for key, item in table.items()}
    if isinstance(value, list):
        return [_resolve(item, ids) for item in cast("list[Any]", value)]
    if isinstance(value, str) and REFERENCE.fullmatch(value):
        return ids[value]
    return value


def _finish(org: Organisation, activity: Json) -> None:
    """Write out what the seed says briefly: numbers, custom attributes, authors."""
    for csid, written in org.conversations.items():
        org.conversations[csid] = {"_type": written.pop("_type"), "id": csid} | written
        if "link" in written:
            org.linked.setdefault(written["link"]["parentId"], []).append(csid)
    for holder in (*org.conversations.values(), *org.end_users.values()):
        holder["customAttributes"] = _values(org, holder.pop("attributes", {}))
    for csid, entries in activity.items():
        org.activity[int(csid)] = [_entry(org, int(csid), entry) for entry in entries]
    for messages in org.messages.values():
        org.external_ids.update(message["externalId"] for message in messages if "externalId" in message)
    for csid, ends in org.followups.items():
        org.jobs.append({"due": ends, "act": "end_followup", "csid": csid})


def _values(org: Organisation, values: Json) -> list[Json]:
    by_identifier = {definition["identifier"]: definition for definition in org.attributes.values()}
    return [
        {
            "id": by_identifier[identifier]["id"],
            "name": by_identifier[identifier]["label"],
            "identifier": identifier,
            "value": value,
        }
        for identifier, value in values.items()
    ]


def _entry(org: Organisation, csid: int, entry: Json) -> Json:
    author = org.person(entry.get("author"))
    written = {
        "id": entry["id"],
        "conversationId": csid,
        "activityTimestamp": entry["activityTimestamp"],
        "activityType": f"{entry['_type']}ActivityType",
        "_type": entry["_type"],
    }
    if author:
        written["author"] = author
    return written | ({"attributes": entry["attributes"]} if "attributes" in entry else {})
