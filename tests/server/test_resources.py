"""Resources, completions and prompts: each resource is a call of its twin tool, through the same frame."""

from typing import Any

import anyio
import pytest
from front_door import MIA, desk
from mcp import MCPError
from mcp.types import PromptReference, ResourceTemplateReference

from dixa_mcp.server.prompts import JOBS
from dixa_mcp.server.resources import TWINS
from dixa_mcp.tools import TOOLS

EXAMPLES = {
    "entity": "conversation",
    "channel": "Email",
    "name": "Billing disputes",
}
IDS = {
    "dixa://conversation/{id}": "10401",
    "dixa://conversation/{id}/transcript": "10401",
    "dixa://customer/{id}": "C-100231",
    "dixa://article/{id}": "351d1fdf-693f-48ac-a893-f30a545fcbbc",
    "dixa://metric/{id}": "csat",
}


def example(uri: str) -> str:
    """A URI with its variable filled in."""
    for name, value in EXAMPLES.items():
        uri = uri.replace(f"{{{name}}}", value.replace(" ", "%20"))
    return uri.replace("{id}", IDS.get(uri, ""))


def test_every_twin_is_a_tool_that_only_reads() -> None:
    """A resource never asks and never writes."""
    effects = {tool.name: tool.worst for tool in TOOLS}
    for twin in TWINS:
        assert effects[twin.tool] == "read", twin.uri


@pytest.mark.parametrize("uri", [twin.uri for twin in TWINS])
async def test_a_resource_says_what_its_tool_says(uri: str, era: str) -> None:
    """Design §5: each has a tool twin."""
    async with desk(era=era) as d:
        listed = [str(one.uri) for one in (await d.client.list_resources()).resources]
        templates = [one.uri_template for one in (await d.client.list_resource_templates()).resource_templates]
        assert uri in (templates if "{" in uri else listed)
        (content,) = (await d.client.read_resource(example(uri))).contents
        assert len(content.text) > 20  # type: ignore[union-attr]
        assert "{" not in content.text[:1]  # type: ignore[union-attr]
        assert not d.writes


@pytest.mark.parametrize(
    "uri",
    [
        "dixa://nope",
        "dixa://conversation/",
        "dixa://conversation/abc",
        "dixa://conversation/99999999",
        "dixa://conversation/1%2F..%2F..%2Fendusers%2F1d66b93e-ab14-43d4-89fb-b94a217c6ac0",
        "dixa://conversation/../status",
        "dixa://queue/Nowhere",
        "dixa://custom-attributes/banana",
        "dixa://flows/Pigeon",
    ],
)
async def test_a_wrong_uri_is_refused_in_words(uri: str, era: str) -> None:
    """Unknown and malformed URIs reach no other endpoint and no other resource."""
    async with desk(era=era) as d:
        with pytest.raises(MCPError) as refused:
            await d.client.read_resource(uri)
        assert len(refused.value.message) > 15
        assert not [request for request in d.sandbox.requests if "endusers" in request.path]


async def test_what_is_excluded_as_a_tool_is_excluded_as_a_resource(era: str) -> None:
    """Personal data, exclusions, scopes and queues apply to resources (design §4.2)."""
    async with desk("--exclude-tools", "dixa_get_thread", era=era) as d:
        templates = [one.uri_template for one in (await d.client.list_resource_templates()).resource_templates]
        assert "dixa://conversation/{id}/transcript" not in templates
        with pytest.raises(MCPError, match="switched off"):
            await d.client.read_resource("dixa://conversation/10401/transcript")
    async with desk("--read-queues", "VIP", era=era) as d:
        with pytest.raises(MCPError, match="VIP"):
            await d.client.read_resource("dixa://conversation/10401")


async def test_catalogues_may_be_kept_for_five_minutes_and_conversations_not() -> None:
    """Cache hints: private, five minutes for catalogues (design §5)."""
    async with desk() as d:
        tags = await d.client.read_resource("dixa://catalogue/tags")
        assert (tags.ttl_ms, tags.cache_scope) == (300_000, "private")
        thread = await d.client.read_resource("dixa://conversation/10401")
        assert not thread.ttl_ms


@pytest.mark.parametrize(
    ("uri", "name", "value", "expected"),
    [
        ("dixa://custom-attributes/{entity}", "entity", "con", ["conversation", "contact"]),
        ("dixa://flows/{channel}", "channel", "W", ["WidgetChat", "WhatsApp"]),
        ("dixa://queue/{name}", "name", "bil", ["Billing disputes"]),
        ("dixa://metric/{id}", "id", "cl", ["closed_conversations"]),
        ("dixa://conversation/{id}", "id", "1", []),
    ],
)
async def test_variables_with_finite_values_complete(
    uri: str, name: str, value: str, expected: list[str], era: str
) -> None:
    """Completions for every variable with a finite catalogue (design §5)."""
    async with desk(era=era) as d:
        found = await d.client.complete(ResourceTemplateReference(uri=uri), {"name": name, "value": value})
        assert found.completion.values == expected


async def test_completing_survives_dixa_being_down(era: str) -> None:
    """A completion is a courtesy."""
    async with desk("--deadline", "1", era=era) as d:
        d.sandbox.faults.add("list_queues", status=500, times=9)
        found = await d.client.complete(
            ResourceTemplateReference(uri="dixa://queue/{name}"), {"name": "name", "value": ""}
        )
        assert found.completion.values == []


@pytest.mark.parametrize(
    ("tool", "arguments", "uris"),
    [
        (
            "add_note",
            {"conversation_id": 10401, "text": "hello"},
            {"dixa://conversation/10401", "dixa://conversation/10401/transcript", "dixa://changes"},
        ),
        (
            "update_customer",
            {"customer": "C-100231", "name": "Olivia H."},
            {"dixa://customer/1d66b93e-ab14-43d4-89fb-b94a217c6ac0", "dixa://changes"},
        ),
    ],
)
async def test_who_listens_to_a_resource_hears_of_a_write(tool: str, arguments: dict[str, Any], uris: set[str]) -> None:
    """Change notifications after writes that touch a listed resource (design §5)."""
    async with desk(*MIA) as d, d.client.listen(resource_subscriptions=sorted(uris)) as heard:
        assert not (await d.call(tool, **arguments)).failed
        told: set[str] = set()
        with anyio.fail_after(5):
            async for event in heard:
                told.add(str(getattr(event, "uri", "")))
                if told >= uris:
                    break
        assert told == uris


# --- prompts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [job.name for job in JOBS])
async def test_a_prompt_tells_how_to_go_about_a_job(name: str, era: str) -> None:
    """Nine jobs a person starts by name (design §5)."""
    async with desk(era=era) as d:
        listed = {prompt.name: prompt for prompt in (await d.client.list_prompts()).prompts}
        arguments = {argument.name: "10401" for argument in listed[name].arguments or []}
        (message,) = (await d.client.get_prompt(name, arguments)).messages
        assert "10401" in message.content.text  # type: ignore[union-attr]
        assert "{" not in message.content.text  # type: ignore[union-attr]
        assert d.sandbox.requests == []


async def test_a_prompt_is_offered_only_with_the_tools_it_needs(era: str) -> None:
    """Generated from what is offered."""
    async with desk("--exclude-tools", "dixa_query_metric", era=era) as d:
        names = {prompt.name for prompt in (await d.client.list_prompts()).prompts}
        assert "weekly_report" not in names
        assert "triage_conversation" in names


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("nope", {}, "draft_reply"),
        ("draft_reply", {}, "conversation_id"),
        ("draft_reply", {"conversation_id": "1", "tune": "x"}, "tone"),
    ],
)
async def test_a_wrong_prompt_request_is_told_what_is_right(
    name: str, arguments: dict[str, str], words: str, era: str
) -> None:
    """Only protocol errors carry a message everywhere."""
    async with desk(era=era) as d:
        with pytest.raises(MCPError, match=words):
            await d.client.get_prompt(name, arguments)


async def test_prompt_arguments_complete_from_the_catalogue(era: str) -> None:
    """Completions for their arguments (design §5)."""
    async with desk(era=era) as d:
        for prompt, name, value, expected in (
            ("queue_standup", "queue", "ret", ["Returns & refunds"]),
            ("qa_review", "agent", "mia", ["Mia Lindqvist"]),
            ("draft_reply", "tone", "f", ["friendly", "formal"]),
        ):
            found = await d.client.complete(PromptReference(name=prompt), {"name": name, "value": value})
            assert found.completion.values == expected
