"""A tool's result as MCP content."""

from base64 import b64encode
from typing import Any

from mcp.types import BlobResourceContents, CallToolResult, EmbeddedResource, ImageContent, TextContent

from dixa_mcp.errors import DixaMcpError, Refused
from dixa_mcp.guardrails.budget import read_records
from dixa_mcp.guardrails.call import Call
from dixa_mcp.render import View, cap, changes, render
from dixa_mcp.render.files import Media
from dixa_mcp.toolbox import Change


async def present(call: Call, result: Any) -> CallToolResult:
    """Render a result; structured content only where the result has any.

    Raises:
        Refused: It shows more personal records than the caller may still read this hour.
    """
    await read_records(call, getattr(result, "personal", 0))
    view = await _view(call, result)
    # Hidden first, cut after: half an address would pass for no address.
    text = view.fence.guard(cap(await call.hidden(render(result, view))))
    brought: tuple[Media, ...] = getattr(result, "media", ())
    if brought and call.personal:
        raise Refused(
            "pii", "Nobody can tell what a picture or file shows, so none is shown here (--pii pseudonymise)."
        )
    return CallToolResult(
        content=[TextContent(text=text), *map(_block, brought)],
        structured_content=await call.hidden(getattr(result, "structured", None)),
    )


def _block(media: Media) -> ImageContent | EmbeddedResource:
    """A picture as one, anything else as a resource that comes along."""
    data = b64encode(media.data).decode()
    if media.media_type.startswith("image/"):
        return ImageContent(data=data, mime_type=media.media_type)
    return EmbeddedResource(resource=BlobResourceContents(uri=media.uri, mime_type=media.media_type, blob=data))


async def _view(call: Call, result: Any) -> View:
    """How this answer is shown. What can't be read for it is left out: the result itself must arrive."""
    view = View(detailed=call.arguments.get("format") == "detailed", bars=not call.shows_charts)
    try:
        view.now, view.zone = await call.now(), await call.zone()
        if isinstance(result, Change):
            agent = await call.acting()
            view.acting = changes.acting((await call.dixa.catalogue.organization()).name, agent.name if agent else "")
    except DixaMcpError:
        pass
    return view
