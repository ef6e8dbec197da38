"""Prompts: jobs a person starts by name. They only tell the model how to go about it; nothing runs here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mcp import MCPError
from mcp.types import INVALID_PARAMS, GetPromptResult, Prompt, PromptArgument, PromptMessage, TextContent

from dixa_mcp.guardrails.call import Caller
from dixa_mcp.guardrails.policy import Policy


@dataclass(frozen=True, slots=True)
class Job:
    """One prompt: `{name}` in the text is an argument, `{name?}` one that may be left out."""

    name: str
    title: str
    about: str
    text: str
    tools: tuple[str, ...]
    """What it needs; it is offered where all of these are."""
    completes: tuple[tuple[str, str], ...] = ()
    """Argument → kind of the catalogue, or values with `|` between them."""

    @property
    def arguments(self) -> dict[str, bool]:
        """Arguments, and whether each is required."""
        found = re.findall(r"\{(\w+)(\??)\}", self.text)
        return {name: not mark for name, mark in found}


JOBS = (
    Job(
        "draft_reply",
        "Draft a reply",
        "Write an answer to a conversation and show it before anything is sent.",
        "Read conversation {conversation_id} with dixa_get_thread (format detailed if history matters). Draft a reply "
        "in the customer's language; tone: {tone?}; language: {language?}. Look for facts in the knowledge base and "
        "in the notes; invent none. Show me the draft and say what you are unsure of. Send nothing: I decide.",
        ("dixa_get_thread", "dixa_search_knowledge"),
        (("tone", "friendly|formal|apologetic|brief"),),
    ),
    Job(
        "find_duplicates",
        "Find duplicates",
        "Find other conversations about the same matter.",
        "Read conversation {conversation_id}. Search for other open conversations of the same customer, and of other "
        "customers about the same incident (same words, order number, dates). List them with the reason for each. "
        "Propose which to link; link none before I say so.",
        ("dixa_get_conversation", "dixa_search_conversations"),
    ),
    Job(
        "gdpr_request",
        "Prepare a GDPR request",
        "Find everything Dixa holds about a customer, list what would be anonymised, and stop.",
        "A customer asked to be forgotten: {customer}. Find the person, list their data and all their conversations "
        "(number, date, channel, state), and say which are still open. List what anonymising would remove for ever. "
        "Then stop. Anonymise nothing.",
        ("dixa_get_customer", "dixa_search_conversations"),
    ),
    Job(
        "knowledge_gap",
        "Find gaps in the knowledge base",
        "Compare what customers ask with what the articles answer.",
        "Look at conversations tagged {tag} of {period?} (last month if nothing is said). Group the questions, search "
        "the knowledge base for each group, and report: answered, outdated, missing. For the missing ones propose "
        "titles and an outline.",
        ("dixa_search_conversations", "dixa_search_knowledge"),
        (("tag", "tag"), ("period", "last week|last month|this month|7d|30d")),
    ),
    Job(
        "qa_review",
        "Review quality",
        "Review a sample of an agent's closed conversations.",
        "Take a sample of {sample?} (10 if nothing is said) closed conversations of {agent} in {period?} (last week if "
        "nothing is said). For each: was the question answered, tone, speed, anything promised. Then strengths and two "
        "things to improve, with conversation numbers as evidence. Be fair; quote little.",
        ("dixa_search_conversations", "dixa_get_thread"),
        (("agent", "agent"), ("period", "last week|last month|this month|7d|30d")),
    ),
    Job(
        "queue_standup",
        "Queue stand-up",
        "How a queue stands right now.",
        "Report on the queue {queue}: who is working, how many wait and since when, the oldest five with one line "
        "each, anything urgent or angry, and what you would do first. Numbers from dixa_get_queue_status; read "
        "threads only where one line isn't enough.",
        ("dixa_get_queue_status", "dixa_search_conversations"),
        (("queue", "queue"),),
    ),
    Job(
        "summarise_for_handover",
        "Summarise for hand-over",
        "A summary the next colleague can act on.",
        "Read conversation {conversation_id} and write a hand-over: what the customer wants, what was done and "
        "promised, what is open, what to do next and by when. At most ten lines. Offer to add it as an internal note.",
        ("dixa_get_thread", "dixa_get_conversation"),
    ),
    Job(
        "triage_conversation",
        "Triage a conversation",
        "Decide where a conversation belongs and what it needs.",
        "Read conversation {conversation_id}. Say in one line what it is about, how urgent it is, and in which "
        "language. Propose queue, tags and attributes from those that exist, with the reason. Apply them when I agree.",
        ("dixa_get_conversation", "dixa_lookup"),
    ),
    Job(
        "weekly_report",
        "Weekly report",
        "Last week's figures against the week before.",
        "Report on {period?} (last week if nothing is said): volume, response time, satisfaction, by channel and by "
        "queue, each against the period before. Take every number from dixa_query_metric; find the metrics with "
        "dixa_find_metrics. Close with the three changes that matter and a guess at why, marked as a guess.",
        ("dixa_query_metric", "dixa_find_metrics"),
        (("period", "last week|last month|this month|7d|30d"),),
    ),
)


def offered(policy: Policy, caller: Caller) -> list[Prompt]:
    """The prompts whose tools this caller may use."""
    listed = {tool.name for tool in policy.listed(caller)}
    return [
        Prompt(
            name=job.name,
            title=job.title,
            description=job.about,
            arguments=[PromptArgument(name=name, required=required) for name, required in job.arguments.items()],
        )
        for job in JOBS
        if listed.issuperset(job.tools)
    ]


def get(name: str, arguments: Mapping[str, str]) -> GetPromptResult:
    """Fill a prompt in.

    Raises:
        MCPError: There is none of this name, or an argument is missing or unknown.
    """
    job = next((job for job in JOBS if job.name == name), None)
    if job is None:
        raise MCPError(INVALID_PARAMS, f"No prompt {name}. There are: {', '.join(job.name for job in JOBS)}.")
    if unknown := sorted(set(arguments) - set(job.arguments)):
        raise MCPError(INVALID_PARAMS, f"{name} has no argument {', '.join(unknown)}; it takes {_takes(job)}.")
    missing = [each for each, required in job.arguments.items() if required and not arguments.get(each, "").strip()]
    if missing:
        raise MCPError(INVALID_PARAMS, f"{name} needs {', '.join(missing)}; it takes {_takes(job)}.")
    text = re.sub(r"\{(\w+)\??\}", lambda found: " ".join(arguments.get(found[1], "").split()) or "not said", job.text)
    return GetPromptResult(description=job.about, messages=[PromptMessage(role="user", content=TextContent(text=text))])


def _takes(job: Job) -> str:
    return ", ".join(name if required else f"{name} (optional)" for name, required in job.arguments.items())
