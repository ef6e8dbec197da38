"""The house: imports point one way, files stay small, and nothing disarms consent."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "dixa_mcp"
FILES = sorted(PACKAGE.rglob("*.py"))
LAYERS = [
    ["operations", "text"],
    ["errors"],
    ["toolbox"],
    ["settings"],
    ["state"],
    ["client"],
    ["guardrails", "render"],
    ["tools"],
    ["server"],
    ["http"],
    ["startup"],
    ["cli", "commands", "demo", "install", "__main__"],
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
LONGEST = 350
SPEAK_MCP = {"server", "http", "cli", "commands", "demo"}
SPEAK_HTTP = {"client", "sandbox"}


def layer(file: Path) -> str:
    """The first part of a module's name below the package."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def imports(file: Path) -> frozenset[str]:
    """All modules a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update(f"{node.module}.{name.name}" for name in node.names)
    return frozenset(found)


def ours(file: Path) -> Iterator[str]:
    """The layers of ours a file imports."""
    for module in imports(file):
        parts = module.split(".")
        if parts[0] == "dixa_mcp" and len(parts) > 1 and parts[1] != "__version__":
            yield parts[1]


def test_imports_point_to_the_left() -> None:
    """Design §6: a layer imports itself and what stands left of it; the sandbox only the operations."""
    for file in FILES:
        here, there = layer(file), set(ours(file))
        if here in {"__init__", "sandbox"}:
            assert there <= ({"sandbox", "operations"} if here == "sandbox" else set()), file
            continue
        assert "sandbox" not in there or here in {"startup", "commands", "demo"}, file
        for name in there - {here, "sandbox"}:
            assert RANK[name] < RANK[here] or RANK[name] == RANK["cli"], f"{file} imports {name}"


def test_files_stay_small_enough_to_be_read() -> None:
    """Design §6: a file budget of 350 lines."""
    for file in FILES:
        assert len(file.read_text(encoding="utf-8").splitlines()) <= LONGEST, file


def test_annotations_are_real_so_that_consent_stays_hidden() -> None:
    """With postponed annotations the SDK exposes hidden parameters: the model could consent (design §6)."""
    for file in FILES:
        assert "__future__.annotations" not in imports(file), file


def test_only_the_server_speaks_mcp_and_only_the_client_http() -> None:
    """Design §2 and §6: each protocol has one home."""
    for file in FILES:
        roots = {module.split(".")[0] for module in imports(file)}
        assert "mcp" not in roots or layer(file) in SPEAK_MCP, file
        assert "httpx" not in roots or layer(file) in SPEAK_HTTP, file


def test_httpx_is_imported_by_one_module_of_the_client() -> None:
    """Design §2: the day httpx is replaced, one module changes."""
    assert [file.name for file in FILES if layer(file) == "client" and "httpx" in imports(file)] == ["link.py"]
