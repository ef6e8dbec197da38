"""What we are measured against: the smallest server that the same SDK allows, whose one tool makes one HTTP call."""

import os
from typing import Any

from mcp.server.mcpserver import MCPServer

server = MCPServer("one-tool")
_opened: list[Any] = []


@server.tool()
async def get(path: str) -> str:
    """Read something from the API; nothing, without a path."""
    if not path:
        return "pong"
    if not _opened:
        import httpx

        token = {"Authorization": os.environ["DIXA_API_KEY"]}
        _opened.append(httpx.AsyncClient(base_url=os.environ["BASE_URL"], headers=token))
    response = await _opened[0].get(path)
    response.raise_for_status()
    return response.text


if __name__ == "__main__":
    if port := os.environ.get("PORT"):
        server.run(transport="streamable-http", port=int(port))
    else:
        server.run()
