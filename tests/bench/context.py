"""What the server costs a model: exact, the same on every machine; the tests hold it."""

from front_door import desk
from measured import Row
from peer import Peer
from stdio import serving
from test_figures import ANSWERS, JOBS, answer_share
from test_surface import BUDGETS, cost
from vocabulary import tokens

NAMES = ("read-only", "confirm, the default", "everything")


async def listed_by(peer: Peer | None) -> str:
    """What the peer's list costs, counted like ours."""
    if peer is None:
        return "14,473 tokens (82 tools)"
    async with serving(peer.command) as served:
        await served.open()
        tools = await served.tools()
    total = sum(cost(tool["name"], tool.get("description", ""), tool["inputSchema"]) for tool in tools)
    return f"{total:,} tokens ({len(tools)} tools)"


async def rows(peer: Peer | None) -> list[Row]:
    """Tokens of the list and of answers, and requests of jobs."""
    made = list[Row]()
    for name, (flags, most) in zip(NAMES, BUDGETS.items(), strict=True):
        async with desk(*flags) as d:
            listed = (await d.client.list_tools()).tools
            instructions = tokens(d.client.instructions or "")
        each = {tool.name: cost(tool.name, tool.description or "", tool.input_schema) for tool in listed}
        largest = max(each, key=lambda tool: each[tool])
        title = f"tools/list, {name}: {len(each)} tools, largest {largest} {each[largest]}, instructions {instructions}"
        total, theirs = sum(each.values()), await listed_by(peer) if name == "everything" else ""
        made.append(Row(title, total, "tokens", f"≤ {most:,}", total <= most, dixa=theirs))
    for title, (_, most) in ANSWERS.items():
        ours, whole = await answer_share(title)
        made.append(Row(title, ours, "tokens", f"≤ {most} ×", ours <= most * whole, whole, "Dixa's JSON", ours / whole))
    for title, (name, arguments, most) in JOBS.items():
        async with desk() as d:
            await d.call(name, **arguments)
            before = len(d.sandbox.requests)
            await d.call(name, **arguments)
            count = len(d.sandbox.requests) - before
        made.append(Row(f"{title}, catalogues warm", count, "requests", f"≤ {most}", count <= most))
    return made
