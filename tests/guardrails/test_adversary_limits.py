"""Limits that a hostile model tried to go around: by another spelling, another tool, or another moment."""

import json
from pathlib import Path
from typing import Any

import anyio
import pytest
from front_door import MIA, Said, desk
from mcp.types import PromptReference, ResourceTemplateReference

from dixa_mcp.sandbox import Sandbox

ALL = ("--toolsets", "default,knowledge_write,bulk,admin,privacy,operations,chatgpt")
ALONE = (*MIA, "--mode", "unattended", "--no-elicitation", "refuse", "--unattended")
REPLY: dict[str, Any] = {"conversation_id": 10401, "text": "On its way.", "after_message": "29c4c258"}
HOOK = "7ce82f73-27ee-48b4-9303-46be9b2ed9e2"
OFF = "06b1bcde-afc0-444f-9a32-7ad07880c447"
LOG = {"webhookSubscriptionId": HOOK, "event": "ConversationCreated"}
MAIL = {
    "_type": "Email",
    "requesterId": "1d66b93e-ab14-43d4-89fb-b94a217c6ac0",
    "emailIntegrationId": "fernway-support@email.dixa.io",
    "subject": "Data",
    "message": {
        "_type": "Outbound",
        "agentId": "039fbf8d-4ab7-46a4-9543-0786d6ebb40f",
        "content": {"_type": "Text", "value": "All of it"},
        "attachments": [],
    },
}


async def delivered() -> Sandbox:
    """Return a sandbox whose webhook was told of a new conversation."""
    sandbox = Sandbox()
    async with desk(*MIA, sandbox=sandbox, answer="yes") as d:
        mail = {"channel": "email", "customer": "C-100231", "subject": "Hi", "text": "t", "endpoint": "Support inbox"}
        assert not (await d.call("start_conversation", **mail)).failed
    return sandbox


# Egress


@pytest.mark.parametrize("body", [{"enabled": True}, {"events": ["ConversationMessageAdded"]}])
async def test_a_raw_call_sends_nothing_to_an_unlisted_host_by_switching_its_webhook_on(
    body: dict[str, Any], era: str
) -> None:
    """Design §4: data leaves only to `--egress-hosts`; a webhook that keeps its URL lets it leave there."""
    async with desk(*MIA, *ALL, era=era, answer="yes") as d:
        said = await d.call("call_operation", operation="update_webhook", path={"id": OFF}, body=body)
        assert said.failed
        assert "--egress-hosts" in said.text
        assert not d.writes


async def test_a_raw_call_may_switch_any_webhook_off() -> None:
    """Design §4: where nothing leaves any more, no host needs to be listed."""
    async with desk(*MIA, *ALL, answer="yes") as d:
        said = await d.call("call_operation", operation="update_webhook", path={"id": HOOK}, body={"enabled": False})
        assert not said.failed, said.text
        assert len(d.writes) == 1


# Once


async def test_a_raw_call_spelt_otherwise_is_the_same_call(era: str) -> None:
    """Design §4.5: what counts is what is sent, not how it was written."""
    async with desk(*ALL, *ALONE, "dixa_call_operation", era=era) as d:
        shouted = {**MAIL, "requesterId": MAIL["requesterId"].upper(), "language": None}
        await d.call("call_operation", operation="create_conversation", body=MAIL)
        for spelt in (
            {"operation": "POST /conversations", "body": MAIL},
            {"operation": "create_conversation", "body": json.dumps(MAIL, indent=2)},
            {"operation": "create_conversation", "body": MAIL, "offset": 1},
            {"operation": "createConversation", "body": shouted},
        ):
            assert (await d.call("call_operation", **spelt)).failed
        assert len(d.sandbox.reached_customers) == 1


async def test_a_raw_call_with_another_text_is_another_call() -> None:
    """Design §4.5: only the same again is the same."""
    async with desk(*ALL, *ALONE, "dixa_call_operation") as d:
        for text in ("One", "Two"):
            body = {"message": text}
            said = await d.call("call_operation", operation="add_note", path={"csid": 10401}, body=body)
            assert not said.failed, said.text
        assert len(d.writes) == 2


# Side effects


async def test_what_is_excluded_is_not_done_by_another_tool(era: str) -> None:
    """Design §4.0: `--exclude-tools` means the work, not the name."""
    async with desk(*MIA, "--exclude-tools", "dixa_change_status", era=era, answer="yes") as d:
        said = await d.call("send_reply", **REPLY, then="close")
        assert "dixa_change_status" in said.text
        assert not d.writes
        assert not (await d.call("send_reply", **REPLY)).failed


async def test_an_excluded_note_is_not_the_reason_of_a_transfer(era: str) -> None:
    """Design §4.0: as above; without a reason a transfer writes no note."""
    async with desk(*MIA, "--exclude-tools", "dixa_add_note", era=era) as d:
        assert (await d.call("transfer_conversation", conversation_id=10401, queue="VIP", reason="x")).failed
        assert not d.writes
        assert not (await d.call("transfer_conversation", conversation_id=10401, queue="VIP")).failed


async def test_an_excluded_note_is_not_the_draft_of_a_reply() -> None:
    """Design §4.0: as above; where nobody can be asked, a reply is kept as a note."""
    async with desk(*MIA, "--exclude-tools", "dixa_add_note") as d:
        assert (await d.call("send_reply", **REPLY)).failed
        assert not d.writes


async def test_a_close_is_not_unattended_because_a_reply_is(era: str) -> None:
    """Design §3: unattended, each tool that reaches customers is named by itself."""
    async with desk(*ALONE, "dixa_send_reply", era=era) as d:
        assert "--unattended" in (await d.call("send_reply", **REPLY, then="close")).text
        assert not d.writes
    async with desk(*ALONE, "dixa_send_reply,dixa_change_status", era=era) as d:
        assert not (await d.call("send_reply", **REPLY, then="close")).failed
        assert any(w.endswith("/close") for w in d.writes)


@pytest.mark.parametrize(
    ("operation", "path", "body", "excluded"),
    [
        ("unpublish_article", {}, None, "dixa_publish_article"),
        ("unpublish_article_translation", {"languageId": "en"}, None, "dixa_publish_article"),
        ("update_article", {}, {"preRelease": True}, "dixa_draft_article"),
    ],
)
async def test_what_is_excluded_is_not_done_by_a_raw_call(
    operation: str, path: dict[str, str], body: Any, excluded: str
) -> None:
    """Design §4.0: the raw way is no way around a tool that is switched off."""
    async with desk(*ALL, "--exclude-tools", excluded, answer="yes") as d:
        path = {"articleId": "351d1fdf-693f-48ac-a893-f30a545fcbbc", **path}
        said = await d.call("call_operation", operation=operation, path=path, body=body)
        assert said.failed
        assert excluded in said.text
        assert not d.writes


async def test_what_is_excluded_is_not_read_by_fetch(era: str) -> None:
    """Design §4.0: as above; an article is no thread."""
    async with desk(*ALL, "--exclude-tools", "dixa_get_thread", era=era) as d:
        assert (await d.client.call_tool("fetch", {"id": "conversation:10401"})).is_error
        assert (await d.client.call_tool("fetch", {"id": "10401"})).is_error
        article = await d.client.call_tool("fetch", {"id": "article:351d1fdf-693f-48ac-a893-f30a545fcbbc"})
        assert not article.is_error


async def test_search_is_not_offered_where_searching_conversations_is_excluded(era: str) -> None:
    """Design §4.0: what every call of a tool would do decides about the tool."""
    async with desk(*ALL, "--exclude-tools", "dixa_search_conversations", era=era) as d:
        assert "search" not in {tool.name for tool in (await d.client.list_tools()).tools}
        assert (await d.client.call_tool("search", {"query": "refund"})).is_error


async def test_search_needs_no_other_toolset() -> None:
    """Design §4.0: what wasn't chosen isn't thereby forbidden."""
    async with desk("--toolsets", "chatgpt") as d:
        assert not (await d.client.call_tool("search", {"query": "refund"})).is_error
        assert not (await d.client.call_tool("fetch", {"id": "conversation:10401"})).is_error


# Queues


async def test_writes_do_not_show_what_may_not_be_read(era: str) -> None:
    """Design §4.0: `--read-queues` holds for everything an answer can show."""
    async with desk(*MIA, "--read-queues", "VIP", era=era, answer="yes") as d:
        said = await d.call("send_reply", **{**REPLY, "after_message": "deadbeef"})
        assert said.failed
        assert "We got your mail" not in said.text
        said = await d.call("update_tags", conversation_id=10401, add=["refund"])
        assert said.failed
        assert "late-delivery" not in said.text
        assert not d.writes


async def test_what_may_be_read_may_be_written_to_and_moved() -> None:
    """Design §4.0: `--read-queues` limits where a write looks, not where it moves something to."""
    async with desk(*MIA, "--read-queues", "General support") as d:
        said = await d.call("transfer_conversation", conversation_id=10401, queue="VIP")
        assert not said.failed, said.text


async def test_deliveries_of_webhooks_keep_to_the_read_queues(era: str) -> None:
    """Design §4.0: deliveries hold conversations of all queues."""
    async with desk(*ALL, "--read-queues", "VIP", era=era, sandbox=await delivered()) as d:
        said = await d.call("get_webhooks", webhook=HOOK, event="ConversationCreated")
        assert said.failed
        assert "olivia.hart@example.com" not in said.text
        assert not (await d.call("get_webhooks")).failed


# The kill switch


async def test_the_kill_switch_stops_a_bulk_in_the_middle(tmp_path: Path, era: str) -> None:
    """Design §4: the switch stops whatever has not been sent yet; what was done is told."""
    switch, sandbox = tmp_path / "stop", Sandbox()
    sandbox.faults.add("add_note", kind="slow", seconds=0.2, times=30)
    ids = [10401, 10402, 10403, 10404, 10407, 10411, 10412]
    heard: list[Said] = []
    async with desk(*MIA, *ALL, "--kill-switch", str(switch), era=era, sandbox=sandbox, answer="yes") as d:

        async def bulk() -> None:
            heard.append(await d.call("bulk_update", conversation_ids=ids, note="x"))

        async with anyio.create_task_group() as group:
            group.start_soon(bulk)
            while not d.writes:
                await anyio.lowlevel.checkpoint()
            switch.touch()
        assert 0 < len(d.writes) <= 4
        assert "kill switch" in heard[0].text


# Absurd values

DEEP: Any = {"message": "x"}
for _ in range(60):
    DEEP = {"message": DEEP}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ({"conversationId": 10**5000}, {"message": "x"}),
        ({"conversationId": 10401}, "[" * 100_000),
        ({"conversationId": 10401}, DEEP),
        ({"conversationId": 10401}, {"message": "x", "n": 10**5000}),
        ({"conversationId": 10401}, '{"message": "a\\ud800b"}'),
        ({"conversationId": 10401}, '{"message": "x", "n": 1e999}'),
    ],
    ids=["long number", "deep text", "deep body", "long number inside", "half a character", "infinite"],
)
async def test_absurd_values_are_refused_in_words_and_unsent(path: Any, body: Any) -> None:
    """Notes §7: ids have 64 bits; JSON of Dixa's holds whole characters. A refusal says that nothing was done."""
    async with desk(*MIA, *ALL, answer="yes") as d:
        said = await d.call("call_operation", operation="add_note", path=path, body=body)
        assert said.failed
        assert "Nothing was changed" in said.text
        assert not d.writes


# Secrets


async def test_secrets_in_the_address_of_a_webhook_are_hidden(era: str) -> None:
    """Notes §19: a URL can hold a password or a token; a raw read shows no more than dixa_get_webhooks."""
    sandbox = Sandbox()
    sandbox.organisation.webhooks[HOOK]["url"] = "https://bob:pw123@hooks.example.com/x?token=SECRET99"
    flags = (*MIA, *ALL, "--egress-hosts", "example.com")
    async with desk(*flags, era=era, sandbox=sandbox, answer="yes") as d:
        read = await d.call("call_operation", operation="list_webhooks")
        body = {"name": "Other"}
        written = await d.call("call_operation", operation="update_webhook", path={"id": HOOK}, body=body)
        for said in (read, written):
            assert not said.failed, said.text
            assert "hooks.example.com/x" in said.text
            assert "SECRET99" not in said.text
            assert "pw123" not in said.text


async def test_secrets_in_a_delivery_are_hidden_in_a_raw_read() -> None:
    """Notes §19: what was sent is JSON within a text; its secrets are no less secret."""
    sandbox = await delivered()
    for log in sandbox.organisation.deliveries[HOOK].values():
        for each in log:
            each["payload"] = json.dumps({"api_key": "SECRET99", "subject": "Hi"})
    async with desk(*ALL, sandbox=sandbox) as d:
        said = await d.call("call_operation", operation="list_webhook_deliveries", path=LOG)
        assert "subject: Hi" in said.text
        assert "SECRET99" not in said.text


# The budget of reading


async def test_raw_reads_count_as_the_tools_do(era: str) -> None:
    """Design §4.6: `--budget-read` counts records of people, whichever tool shows them."""
    async with desk(*MIA, *ALL, "--budget-read", "0", era=era, sandbox=await delivered()) as d:
        assert (await d.call("get_webhooks", webhook=HOOK, event="ConversationCreated")).failed
        said = await d.call("call_operation", operation="list_webhook_deliveries", path=LOG)
        assert said.failed
        assert "olivia.hart@example.com" not in said.text


async def test_a_refused_reply_counts_what_it_shows(era: str) -> None:
    """Design §4.6: a refusal that quotes messages shows them."""
    stale = {**REPLY, "after_message": "deadbeef"}
    async with desk(*MIA, "--budget-read", "1", era=era) as d:
        assert "We got your mail" in (await d.call("send_reply", **stale)).text
        said = await d.call("send_reply", **stale)
        assert "newest message" in said.text
        assert "We got your mail" not in said.text


# Completions


@pytest.mark.parametrize("excluded", [True, False])
async def test_completions_are_offered_where_their_tool_is(excluded: bool, era: str) -> None:
    """Design §5: what a resource or prompt completes is an answer of the tool behind it."""
    flags = ("--exclude-tools", "dixa_get_queue_status") if excluded else ()
    async with desk(*flags, era=era) as d:
        queue = {"name": "name", "value": ""}
        resource = ResourceTemplateReference(type="ref/resource", uri="dixa://queue/{name}")
        assert bool((await d.client.complete(resource, queue)).completion.values) is not excluded
        prompt = PromptReference(type="ref/prompt", name="queue_standup")
        values = (await d.client.complete(prompt, {"name": "queue", "value": ""})).completion.values
        assert bool(values) is not excluded
