"""What is allowed at all. One function decides; the tool list and every call ask it."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property

from dixa_mcp.errors import Refused, SettingsError
from dixa_mcp.guardrails.call import Caller
from dixa_mcp.settings import Settings, flag
from dixa_mcp.toolbox import Effect, Inventory, Tool

DEFAULT_TOOLSETS = ("conversations", "context", "triage", "replies", "customers", "workforce", "analytics", "knowledge")


class Policy:
    """The operator's settings against the inventory of tools.

    Raises:
        SettingsError: A setting names a tool or toolset that doesn't exist.
    """

    def __init__(self, settings: Settings, inventory: Inventory) -> None:
        self.settings = settings
        self._inventory = inventory
        self._excluded = self._names("exclude_tools", settings.exclude_tools)
        self._unattended = self._names("unattended", settings.unattended)
        self._chosen = self._choice()

    @cached_property
    def tools(self) -> Mapping[str, Tool]:
        """All tools there are, offered or not, by name."""
        return {tool.name: tool for tool in self._inventory}

    def listed(self, caller: Caller) -> list[Tool]:
        """The tools a caller sees, by name."""
        return [tool for tool in self._chosen.values() if self.why_not(tool, tool.effect, caller) is None]

    def offered(self) -> list[Tool]:
        """The tools that some caller of this server may see; only these are built."""
        return self.listed(Caller())

    def why_unknown(self, name: str, caller: Caller) -> str:
        """Say why a tool that isn't offered can't be called, or that there is none of this name."""
        if tool := self.tools.get(name):
            return self.why_not(tool, tool.effect, caller) or f"{name} isn't offered here."
        close = get_close_matches(name, self.tools, 3, 0.5)
        hint = f" Did you mean {' or '.join(close)}?" if close else ""
        return f"There is no tool {name}.{hint}"

    def check(self, tool: Tool, effect: Effect, caller: Caller) -> None:
        """Refuse what is above the cap.

        Raises:
            Refused: With the setting that forbids it.
        """
        if reason := self.why_not(tool, effect, caller):
            raise Refused("policy", reason)

    def why_not(self, tool: Tool, effect: Effect, caller: Caller) -> str | None:
        """Say why a call of this tool with this effect isn't allowed; None when it is."""
        settings = self.settings
        if tool.name in self._excluded:
            return f"{tool.name} is switched off here (--exclude-tools)."
        if gone := [use.tool for use in tool.uses if use.always and use.tool in self._excluded]:
            return f"{tool.name} does what {gone[0]} does, which is switched off here (--exclude-tools)."
        if tool.name not in self._chosen:
            return f"{tool.name} isn't offered here; it belongs to the toolset {tool.toolset} (--toolsets)."
        if effect is Effect.READ:
            return None
        if settings.mode == "read-only":
            return f"This server is read-only (--mode read-only), so {tool.name} can't run."
        if effect > caller.cap:
            return f"Your credentials allow {caller.cap} calls at most; this one is {effect}."
        if settings.internal_only and effect > Effect.INTERNAL:
            return f"Only internal changes are allowed here (--internal-only); this call is {effect}."
        if effect is Effect.IRREVERSIBLE and not settings.allow_irreversible:
            return "This can't be taken back, and the operator hasn't allowed such calls (--allow-irreversible)."
        if effect is Effect.IRREVERSIBLE and settings.mode == "unattended":
            return "This can't be taken back, so it never runs unattended."
        asks = effect > Effect.INTERNAL or tool.always_ask
        if asks and settings.mode == "unattended" and tool.name not in self._unattended:
            return f"Nobody can be asked in unattended mode, and {tool.name} isn't named in --unattended."
        return None

    def why_not_by_the_way(self, tool: Tool, effect: Effect) -> str | None:
        """Say why another tool may not do this one's work with this effect; None when it may.

        Whether this tool is among those offered doesn't matter: what was chosen instead may do it.
        """
        if tool.name in self._excluded:
            return f"This would do what {tool.name} does, which is switched off here (--exclude-tools)."
        asks = effect > Effect.INTERNAL or (tool.always_ask and effect > Effect.READ)
        if asks and self.settings.mode == "unattended" and tool.name not in self._unattended:
            return f"This would do what {tool.name} does unattended, and that isn't named in --unattended."
        return None

    def needs_person(self, tool: Tool, effect: Effect) -> bool:
        """Whether a person has to agree to a call of this tool with this effect."""
        asks = effect > Effect.INTERNAL or (tool.always_ask and effect > Effect.READ)
        return asks and self.settings.mode != "unattended"

    def _names(self, setting: str, given: Sequence[str]) -> frozenset[str]:
        for name in given:
            self._known(setting, name, list(self.tools))
        return frozenset(given)

    def _known(self, setting: str, name: str, known: Sequence[str]) -> None:
        if name not in known:
            close = get_close_matches(name, known, 1, 0.5)
            hint = f" Did you mean {close[0]}?" if close else f" There are: {', '.join(known)}."
            raise SettingsError(f"{flag(setting)} names {name!r}, which doesn't exist.{hint}")

    def _choice(self) -> Mapping[str, Tool]:
        """The tools of `--tools` or `--toolsets`, by name; what isn't among them needn't be loaded."""
        if self.settings.tools:
            chosen = self._names("tools", self.settings.tools)
            return {name: tool for name, tool in self.tools.items() if name in chosen}
        toolsets: set[str] = set()
        for name in self.settings.toolsets:
            self._known("toolsets", name, ["default", *sorted(self._inventory.toolsets)])
            toolsets |= set(DEFAULT_TOOLSETS) if name == "default" else {name}
        return {tool.name: tool for tool in self._inventory.of(toolsets)}
