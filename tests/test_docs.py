"""The documents say what is so: tables are generated, commands run, messages and tests named in them exist."""

import ast
import os
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from test_surface import BUDGETS, cost, seen

from dixa_mcp import cli
from dixa_mcp.guardrails.call import Caller
from dixa_mcp.guardrails.policy import DEFAULT_TOOLSETS, Policy
from dixa_mcp.install.clients import CLIENTS, STDIO
from dixa_mcp.operations import operations
from dixa_mcp.settings import Settings, flag, metavar
from dixa_mcp.tools import TOOLS

ROOT = Path(__file__).parents[1]
PROGRAM = Path(sys.executable).parent / "dixa-mcp"
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "manifests/README.md")
THEIRS = 14_473
"""Tokens of Dixa's own tool list, counted once in the same way (design §11)."""


def text_of(name: str) -> str:
    """A document."""
    return (ROOT / name).read_text(encoding="utf-8")


def figures() -> str:
    """What the tool list costs."""
    rows = ["| `tools/list` | Tools | Tokens |", "|---|---:|---:|"]
    for title, flags in zip(("read-only", "confirm, the default", "everything"), BUDGETS, strict=True):
        listed = Policy(Settings.load(flags, {}), TOOLS).listed(Caller())
        shown = [seen(tool) for tool in listed]
        total = sum(cost(one["name"], one["description"], one["inputSchema"]) for one in shown)
        rows.append(f"| dixa-mcp, {title} | {len(shown)} | {total:,} |")
    rows.append(f"| Dixa's own server | 82 | {THEIRS:,} |")
    return "\n".join(rows)


def clients() -> str:
    """A line for each client that keeps a file."""
    rows = ["| Client | Line | The token |", "|---|---|---|"]
    rows += [f"| {client.title} | `dixa-mcp install {name}` | {client.told} |" for name, client in CLIENTS.items()]
    return "\n".join(rows)


def tools() -> str:
    """Every tool: name, effect, what it does."""
    rows = ["| Toolset | Tool | Effect | For |", "|---|---|---|---|"]
    toolsets = [*DEFAULT_TOOLSETS, *sorted({tool.toolset for tool in TOOLS} - set(DEFAULT_TOOLSETS))]
    for toolset in toolsets:
        shown = toolset if toolset in DEFAULT_TOOLSETS else f"{toolset} (off)"
        for tool in (tool for tool in TOOLS if tool.toolset == toolset):
            effect = str(tool.effect) + (f" to {tool.worst}" if tool.worst is not tool.effect else "")
            about = tool.summary.replace("|", "\\|")
            rows.append(f"| {shown} | `{tool.name}` | {effect} | {about} |")
    return "\n".join(rows)


def settings() -> str:
    """Every setting: flag, values, default, help."""
    tables: list[str] = []
    for names in (STDIO, tuple(name for name in Settings.model_fields if name not in STDIO)):
        rows = ["| Flag | Value | Default | |", "|---|---|---|---|"]
        for name in names:
            field = Settings.model_fields[name]
            value = "" if field.annotation is bool else f"`{metavar(name)}`".replace("|", "\\|")
            about = (field.description or "").replace("|", "\\|")
            rows.append(f"| `{flag(name)}` | {value} | {_default(field.default)} | {about} |")
        tables.append("\n".join(rows))
    return "\n\nOver HTTP, and with several replicas:\n\n".join(tables)


def _default(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        value = ",".join(str(each) for each in value)
    shown = f"{value:g}" if isinstance(value, float) else str(value or "")
    return f"`{shown}`" if shown else ""


MADE: dict[str, Callable[[], str]] = {
    "figures": figures,
    "clients": clients,
    "tools": tools,
    "settings": settings,
}


@pytest.mark.parametrize("name", MADE)
def test_a_generated_part_of_the_readme_is_up_to_date(name: str) -> None:
    """`make surface` rewrites it; a changed table is reviewed as a diff."""
    part = re.compile(rf"(<!-- made: {name} -->\n)(.*?)(<!-- end -->)", re.DOTALL)
    made = f"\n{MADE[name]()}\n\n"
    if os.environ.get("SURFACE") == "update":
        text = part.sub(lambda found: found[1] + made + found[3], text_of("README.md"))
        (ROOT / "README.md").write_text(text, encoding="utf-8")
    found = part.search(text_of("README.md"))
    assert found
    assert found[2] == made


def commands() -> list[str]:
    """Every command a reader is told to type."""
    blocks = re.findall(r"```console\n(.*?)```", "\n".join(text_of(name) for name in DOCUMENTS), re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_documents_runs(command: str, tmp_path: Path) -> None:
    """Of make, the target exists; of ours, it succeeds on the sandbox."""
    words = command.split()
    if words[0] == "make":
        assert re.search(rf"^{re.escape(words[1])}:", text_of("Makefile"), re.MULTILINE)
        return
    assert words[0] == ".venv/bin/dixa-mcp"
    assert cli.run(words[1:], {"DIXA_MCP_STATE_DIR": str(tmp_path)}) == 0


def slug(title: str) -> str:
    """A heading's address."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_inside_the_repository_lead_somewhere(name: str) -> None:
    """Files and headings; other sites can't be asked from a test."""
    text = text_of(name)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("https://", "mailto:")):
            continue
        path, _, heading = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), link
        if heading:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in {slug(each) for each in headings}, link


@pytest.mark.parametrize("name", [*DOCUMENTS, "Makefile"])
def test_no_document_names_a_machine_or_an_index(name: str) -> None:
    """No paths of somebody's machine, no addresses of package registries."""
    assert not re.search(r"/(?:tmp|work|root|home/\w+)/|pypi\.org|registry\.npmjs|files\.pythonhosted", text_of(name))


@cache
def said() -> list[str]:
    """Every text the program can print: strings of the code, `…` for what is filled in."""
    texts: list[str] = []
    for file in (ROOT / "dixa_mcp").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
                texts.append("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return texts


def messages() -> list[str]:
    """The messages that README explains."""
    section = text_of("README.md").split("## Troubleshooting")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


@pytest.mark.parametrize("message", messages())
def test_a_message_that_is_explained_can_occur(message: str) -> None:
    """Word for word, so that a search for it finds the page."""
    pattern = re.compile(re.escape(message).replace("…", ".*"), re.DOTALL)
    assert any(pattern.search(text) for text in said())


def test_every_tool_of_dixas_own_server_has_its_row() -> None:
    """83 in the version this table was made from (82 in the one that was counted); each once."""
    section = text_of("README.md").split("## Coming from Dixa's own server")[1].split("\n## ")[0]
    rows = [row.split("|")[1] for row in section.splitlines() if row.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert len(named) == len(set(named)) == 83


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_tool_operation_and_flag_named_in_the_documents_exists(name: str) -> None:
    """A renamed one is renamed here, too."""
    text = text_of(name)
    known = {tool.name for tool in TOOLS} | {"dixa_mcp"}
    assert set(re.findall(r"`(dixa_\w+)`", text)) <= known
    raw = {word for row in re.findall(r"\*raw\* ([^|\n]+)", text) for word in re.findall(r"`(\w+)`", row)}
    assert raw <= set(operations())
    own = {"--print", "--uninstall", "--sandbox", "--project", "--yes", "--uvx", "--help", "--version", "--file"}
    flags = set(
        re.findall(r"(?<![\w-])--[a-z][a-z-]+", re.sub(r"`(?:uvx|pip|npm|git|gemini|claude|codex)[^`]*`", "", text))
    )
    assert flags <= own | {flag(setting) for setting in Settings.model_fields} | {"--no-audit", "--scale", "--port"}


def test_every_claim_of_the_security_page_names_a_test_that_exists() -> None:
    """`path::name`; a claim without one is an opinion."""
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text_of("SECURITY.md"))
    assert len(named) > 40
    for path, test in named:
        tree = ast.parse(text_of(path))
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert test in names, f"{path}::{test}"


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md"])
def test_every_file_named_in_the_documents_exists(name: str) -> None:
    """Paths in backticks."""
    for path in re.findall(r"`((?:dixa_mcp|tests|manifests)/[\w./-]+?)(?:::\w+)?`", text_of(name)):
        assert (ROOT / path).exists(), path
