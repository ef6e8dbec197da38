"""A page that stands in for a host of MCP Apps: it frames our page as hosts do and keeps what it says.

The frame has an opaque origin and the strictest policy a host may set: no network, inline script and style
(MCP Apps 2026-01-26).
"""

import json
import os
import shutil
from dataclasses import dataclass, field
from typing import Any

POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"
PAGE = """<!doctype html><meta charset="utf-8">
<style>body { margin: 0; background: %s } iframe { border: 0; width: 100%%; display: block }</style>
<iframe id="app" sandbox="allow-scripts"></iframe><script>{
const frame = document.getElementById("app");
window.said = []; window.answers = %s;
window.send = message => frame.contentWindow.postMessage({ jsonrpc: "2.0", ...message }, "*");
addEventListener("message", ({ source, data }) => {
  if (source !== frame.contentWindow) return;
  said.push(data);
  if (data.method === "ui/notifications/size-changed") frame.style.height = data.params.height + "px";
  const answer = answers[data.method] || { error: { code: -32601, message: "no" } };
  if (data.id && data.method) send({ id: data.id, ...answer });
});
frame.srcdoc = %s;
}</script>"""
NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
BACKGROUND = {"light": "#ffffff", "dark": "#1d1d20"}


def browser_program() -> str | None:
    """The Chromium of this machine, or the one that CHROMIUM names."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@dataclass
class FakeHost:
    """Our page in its frame, on a browser's page."""

    page: Any
    html: str
    theme: str = "light"
    context: dict[str, Any] = field(default_factory=dict[str, Any])
    capabilities: dict[str, Any] = field(default_factory=dict[str, Any])
    answers: dict[str, Any] = field(default_factory=dict[str, Any])
    """Method the page calls → what the host answers: `{"result": …}` or `{"error": …}`."""

    async def open(self) -> None:
        """Show the page and wait until it said it is ready."""
        began = {
            "protocolVersion": "2026-01-26",
            "hostInfo": {"name": "fake", "version": "1"},
            "hostCapabilities": self.capabilities,
            "hostContext": {"theme": self.theme, "locale": "en-GB", **self.context},
        }
        answers = {"ui/initialize": {"result": began}, **self.answers}
        policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        framed = json.dumps(self.html.replace("<head>", f"<head>{policy}", 1)).replace("</", "<\\/")
        await self.page.set_content(PAGE % (BACKGROUND[self.theme], json.dumps(answers), framed))
        await self.heard("ui/notifications/initialized")

    @property
    def frame(self) -> Any:
        """What is inside the frame."""
        return self.page.frame_locator("#app")

    async def notify(self, method: str, params: dict[str, Any]) -> None:
        """Tell the page something."""
        await self.page.evaluate("([method, params]) => send({ method, params })", [method, params])

    async def give(self, result: dict[str, Any], **arguments: Any) -> None:
        """Hand the page a tool's arguments and its result, as hosts do."""
        await self.notify("ui/notifications/tool-input", {"arguments": arguments})
        await self.notify("ui/notifications/tool-result", result)

    async def request(self, id_: str, method: str) -> Any:
        """Ask the page something and return its answer."""
        await self.page.evaluate("([id, method]) => send({ id, method, params: {} })", [id_, method])
        await self.page.wait_for_function("id => said.some(each => each.id === id && !each.method)", arg=id_)
        return await self.page.evaluate("id => said.find(each => each.id === id && !each.method)", id_)

    async def heard(self, method: str) -> dict[str, Any]:
        """Wait for a message of the page and return the newest of its kind."""
        await self.page.wait_for_function("method => said.some(each => each.method === method)", arg=method)
        return await self.page.evaluate("method => said.filter(each => each.method === method).at(-1)", method)
