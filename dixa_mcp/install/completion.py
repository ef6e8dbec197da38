"""`dixa-mcp completion bash|zsh|fish`: a script made from the tables of commands, settings, tools and clients.

Static, so that pressing Tab starts no Python; it is right for the version that printed it.
"""

from collections.abc import Iterable, Mapping

from dixa_mcp.errors import SettingsError
from dixa_mcp.install.clients import CLIENTS
from dixa_mcp.install.command import OWN
from dixa_mcp.settings import Settings, flag, metavar

SHELLS = ("bash", "zsh", "fish")

_BASH = """\
_dixa_mcp() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} words=
  if [ "$COMP_CWORD" = 1 ]; then words="{commands} {flags}"
  else case "$before" in
{values}
    *) case "${{COMP_WORDS[1]}}" in
{after}
      *) words="{flags}" ;;
    esac ;;
  esac fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _dixa_mcp dixa-mcp
"""


def script(shell: str, commands: Iterable[str], tools: Iterable[str]) -> str:
    """The script for one shell.

    Raises:
        SettingsError: There is none for this shell.
    """
    second: dict[str, list[str]] = {
        "call": list(tools),
        "install": [*CLIENTS, *(f"--{word}" for word in OWN)],
        "audit": ["verify"],
        "completion": list(SHELLS),
    }
    match shell:
        case "bash":
            return _bash(list(commands), second)
        case "zsh":
            return "autoload -Uz bashcompinit && bashcompinit\n" + _bash(list(commands), second)
        case "fish":
            return _fish(list(commands), second)
        case _:
            raise SettingsError("Completion for which shell?", f"There are: {', '.join(SHELLS)}.")


def _flags() -> list[str]:
    return [flag(name) for name in Settings.model_fields]


def _choices() -> dict[str, list[str]]:
    """Flags with few values."""
    texts = {flag(name): metavar(name) for name in Settings.model_fields}
    return {name: text.split("|") for name, text in texts.items() if "|" in text and text.islower()}


def _bash(commands: list[str], second: Mapping[str, list[str]]) -> str:
    values = "\n".join(f'    {name}) words="{" ".join(words)}" ;;' for name, words in _choices().items())
    flags = " ".join(_flags())
    after = "\n".join(f'      {name}) words="{" ".join(words)} {flags}" ;;' for name, words in second.items())
    return _BASH.format(commands=" ".join(commands), flags=flags, values=values, after=after)


def _fish(commands: list[str], second: Mapping[str, list[str]]) -> str:
    first = f"complete -c dixa-mcp -n __fish_use_subcommand -f -a '{' '.join(commands)}'"
    lines = [first]
    lines += [
        f"complete -c dixa-mcp -n '__fish_seen_subcommand_from {name}' -f -a '{' '.join(words)}'"
        for name, words in second.items()
    ]
    for name in _flags():
        choices = f" -x -a '{' '.join(_choices()[name])}'" if name in _choices() else ""
        lines.append(f"complete -c dixa-mcp -l {name.removeprefix('--')}{choices}")
    return "\n".join(lines) + "\n"
