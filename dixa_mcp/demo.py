"""The main job, end to end: a real MCP client, the real server as a child on stdio, and Dixa's imitation.

Nothing here is canned: every line printed is what the server answered or what the sandbox holds afterwards.
"""

import os
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from mcp import Client, StdioServerParameters
from mcp.types import ElicitRequestParams, ElicitResult, TextContent

from dixa_mcp.sandbox import Sandbox, serving

CUSTOMER = "olivia.hart@example.com"
CONVERSATION = 10401
REPLY = "Dear Olivia,\n\nyour parcel is in Hamburg and will be with you on Monday.\n\nMia"


BOLD, GREEN, YELLOW, BLUE = 1, 32, 33, 36


class Story:
    """What is told, step by step; in colour at a terminal (NO_COLOR and FORCE_COLOR are heeded)."""

    def __init__(self) -> None:
        self.steps = 0
        self.failed = False
        self.coloured = bool(os.environ.get("FORCE_COLOR") or (sys.stdout.isatty() and not os.environ.get("NO_COLOR")))

    def step(self, title: str) -> None:
        """Begin a step."""
        self.steps += 1
        print(f"\n{self._paint(f'{self.steps}. {title}', BOLD)}")

    def show(self, text: str, style: int = 0) -> None:
        """Show what came back."""
        print("\n".join(f"   {self._paint(line, style)}" for line in text.splitlines()))

    def expect(self, truth: bool, otherwise: str) -> None:
        """Remember that something isn't as the story says."""
        if not truth:
            self.failed = True
            print(f"   ✗ {otherwise}")

    def end(self) -> int:
        """Say how it came out; returns the command's status."""
        said = "Something is wrong; see ✗ above." if self.failed else "Everything came out as it should."
        print(f"\n{self._paint(said, YELLOW if self.failed else GREEN)}")
        return int(self.failed)

    def _paint(self, text: str, style: int) -> str:
        return f"\033[{style}m{text}\033[0m" if style and self.coloured else text


class Person:
    """The person at the client: sees each question and gives the answer that is due."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.agrees = True

    async def answer(self, context: Any, params: ElicitRequestParams) -> ElicitResult:
        """Answer a form."""
        self.story.show("The person is asked:")
        self.story.show("\n".join(f"  | {line}" for line in params.message.splitlines()), YELLOW)
        self.story.show(f"and answers: {'yes' if self.agrees else 'no'}")
        return ElicitResult(action="accept", content={"agree": self.agrees})


@asynccontextmanager
async def agent(base_url: str, state: str, person: Person, *flags: str) -> AsyncGenerator[Client]:
    """Start the server as an agent's host does, and connect."""
    child = StdioServerParameters(
        command=sys.executable,
        args=[
            "-m",
            "dixa_mcp",
            "--base-url",
            base_url,
            "--state-dir",
            state,
            "--acting-agent",
            "Mia Lindqvist",
            *flags,
        ],
        env={"DIXA_API_KEY": "sandbox-admin-token"},
    )
    async with Client(child, elicitation_callback=person.answer) as client:
        yield client


async def demo() -> int:
    """Play the story; returns 0 when everything came out as told."""
    story = Story()
    sandbox = Sandbox(rate=10)
    person = Person(story)
    with tempfile.TemporaryDirectory() as state:
        async with serving(sandbox) as base_url:
            async with agent(base_url, state, person) as client:
                await _work(story, client, person)
            async with agent(base_url, state, person, "--mode", "read-only") as client:
                await _refused(story, client)
    _account(story, sandbox)
    return story.end()


async def _work(story: Story, client: Client, person: Person) -> None:
    story.step(f"An agent connects over stdio; the server speaks MCP {client.protocol_version}")
    tools = (await client.list_tools()).tools
    story.show(f"{len(tools)} tools")

    story.step(f"It finds the customer {CUSTOMER}")
    await _call(story, client, "dixa_find_customers", email=CUSTOMER)
    story.step("It reads the conversation")
    read = await _call(story, client, "dixa_get_thread", conversation_id=CONVERSATION)
    newest = read.rsplit("Newest message: ", 1)[-1].strip()
    story.step("It adds a note for colleagues")
    await _call(story, client, "dixa_add_note", conversation_id=CONVERSATION, text="Told the customer: Monday.")
    story.step("It changes tags, by name")
    await _call(story, client, "dixa_update_tags", conversation_id=CONVERSATION, add=["refund"], remove=["vip"])
    story.step("It hands over to a queue, by name")
    await _call(
        story, client, "dixa_transfer_conversation", conversation_id=CONVERSATION, queue="VIP", reason="A gold customer"
    )
    story.step("It asks for a number")
    await _call(story, client, "dixa_query_metric", metric="closed_conversations", period="this month")

    story.step("It wants to answer the customer; the person says no")
    person.agrees = False
    await _reply(story, client, newest)
    story.step("It asks again; the person says yes")
    person.agrees = True
    await _reply(story, client, newest)


async def _reply(story: Story, client: Client, newest: str) -> None:
    await _call(story, client, "dixa_send_reply", conversation_id=CONVERSATION, text=REPLY, after_message=newest)


async def _refused(story: Story, client: Client) -> None:
    story.step("The same server, read-only: a write is refused")
    result = await client.call_tool("dixa_add_note", {"conversation_id": CONVERSATION, "text": "Must not appear."})
    story.show("\n".join(block.text for block in result.content if isinstance(block, TextContent)))
    story.expect(bool(result.is_error), "a write ran in read-only mode")


async def _call(story: Story, client: Client, tool: str, **arguments: Any) -> str:
    given = ", ".join(f"{name}={value!r}" for name, value in arguments.items() if name != "text")
    story.show(f"→ {tool}({given})", BLUE)
    result = await client.call_tool(tool, arguments)
    text = "\n".join(block.text for block in result.content if isinstance(block, TextContent))
    story.show(text)
    story.expect(not result.is_error, f"{tool} failed")
    return text


def _account(story: Story, sandbox: Sandbox) -> None:
    organisation = sandbox.organisation
    conversation = organisation.conversations[CONVERSATION]
    story.step(f"What changed in {organisation.details['name']}")
    queue = organisation.queues[conversation["queue"]["id"]]["name"]
    tags = sorted(organisation.tags[tag]["name"] for tag in organisation.tagged[CONVERSATION])
    notes = [note["message"] for note in organisation.notes[CONVERSATION]]
    story.show(f"Conversation {CONVERSATION}: queue {queue}; tags {', '.join(tags)}")
    story.show("Notes: " + " | ".join(notes))
    story.expect(queue == "VIP" and "refund" in tags and "vip" not in tags, "queue or tags are not as they should be")
    story.expect("Must not appear." not in notes, "a refused note was written")

    story.step("What left the organisation (the outbox)")
    for item in sandbox.outbox:
        story.show(f"{item['kind']} to {', '.join(item['to'])}: {' '.join(str(item['text']).split())}")
    story.expect(len(sandbox.reached_customers) == 1, "exactly one message should have reached a customer")
