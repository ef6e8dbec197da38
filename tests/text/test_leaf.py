"""The package is a leaf and light: others import it at start-up (design §6, §10)."""

import subprocess
import sys

MODULES = (
    "clean, contacts, fence, hidden, markdown, markup, moments, names, outgoing, periods, pseudonyms, quotes, times"
)


def test_importing_it_costs_the_standard_library_only() -> None:
    """Anything that isn't needed to answer `tools/list` is imported late (design §10)."""
    code = (
        f"import sys; before = set(sys.modules); from dixa_mcp.text import {MODULES}; "
        "tops = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(top for top in tops - sys.stdlib_module_names if not top.startswith('_sysconfigdata')))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "['dixa_mcp']"


def test_it_imports_nothing_else_of_ours() -> None:
    """`operations` and `text` are leaves (design §6)."""
    code = (
        f"import sys; from dixa_mcp.text import {MODULES}; "
        "print(sorted(n for n in sys.modules if n.startswith('dixa_mcp.') and not n.startswith('dixa_mcp.text')))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "[]"
