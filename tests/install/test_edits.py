"""Changing other people's files: every byte that isn't ours stays, and what can't be changed safely isn't."""

import json
import tomllib
from difflib import ndiff
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dixa_mcp.install import blocks, jsonc
from dixa_mcp.install.jsonc import Unsafe

ENTRY = {"command": "uvx", "args": ["dixa-mcp==1.2.3", "--queues", 'A "b", c'], "env": {"DIXA_API_KEY": "${X}"}}
FLAT = {"command": "uvx", "args": ["dixa-mcp==1.2.3", "--mode", "read-only"], "env_vars": ["X"], "timeout": 360}

SETTINGS = """\
// My settings
{
    "theme": "One Dark", // comments stay
    /* { "context_servers": {} } */
    "url": "https://example.com//not-a-comment",
    "context_servers": {
        "other": {
            "command": "x", // trailing comma below
            "args": [],
        },
    },
}
"""

TOML = """\
model = "gpt"   # mine

[mcp_servers.other]
command = "x"

[mcp_servers.other.env]
A = "1"

# the end
[profiles.p]
x = 1
"""

YAML = """\
# my config
GOOSE_MODEL: x
extensions:
  # the built-in one
  developer:
    enabled: true
    type: builtin

other: [1, 2]
"""


def test_a_comment_a_trailing_comma_and_the_layout_stay() -> None:
    """The editors' own files are JSON with comments."""
    after = jsonc.put(SETTINGS, ["context_servers", "dixa"], ENTRY)
    assert jsonc.parse(after)["context_servers"] == {"dixa": ENTRY, "other": {"command": "x", "args": []}}
    assert not [line for line in ndiff(SETTINGS.splitlines(), after.splitlines()) if line.startswith("-")]
    assert '        "dixa": {\n            "command": "uvx",' in after


@pytest.mark.parametrize(
    "text", [SETTINGS, '{"context_servers":{"a":{}}}', '{\n\t"x": 1\n}\n', '{"a": {"b": [1, {"c": "}"}]}, "z": null}']
)
def test_what_was_put_in_and_taken_out_leaves_the_file_as_it_was(text: str) -> None:
    """To the byte, where the object for servers was there before."""
    after = jsonc.remove(jsonc.put(text, ["context_servers", "dixa"], ENTRY), ["context_servers", "dixa"])
    assert jsonc.parse(after) == {"context_servers": {}, **jsonc.parse(text)}
    if "context_servers" in jsonc.parse(text):
        assert after == text


@pytest.mark.parametrize("text", ["", "  \n", "{}", "{ }\n", "{\n}\n", "// nothing yet\n{}\n"])
def test_an_empty_file_is_begun(text: str) -> None:
    """A client that was never set up has none, or an empty one."""
    assert jsonc.parse(jsonc.put(text, ["mcpServers", "dixa"], ENTRY)) == {"mcpServers": {"dixa": ENTRY}}


def test_an_entry_that_is_there_is_replaced() -> None:
    """A second install is an update, not a second entry."""
    once = jsonc.put(SETTINGS, ["context_servers", "dixa"], {"command": "old"})
    assert jsonc.put(once, ["context_servers", "dixa"], ENTRY) == jsonc.put(
        SETTINGS, ["context_servers", "dixa"], ENTRY
    )


def test_an_item_of_a_list_is_put_in_once_and_taken_out() -> None:
    """VS Code keeps questions for secrets in a list beside the servers."""
    item = {"id": "dixa_api_key", "password": True}
    for text in ('{\n  "inputs": [\n    {"id": "a"}\n  ]\n}\n', '{\n  "servers": {}\n}\n'):
        after = jsonc.append(jsonc.append(text, "inputs", item), "inputs", item)
        assert [each["id"] for each in jsonc.parse(after)["inputs"]].count("dixa_api_key") == 1
        assert jsonc.parse(jsonc.remove_item(after, "inputs", "dixa_api_key")) == {"inputs": [], **jsonc.parse(text)}


@pytest.mark.parametrize("inputs", ["null", "{}", '"x"'])
def test_a_list_that_is_none_is_refused(inputs: str) -> None:
    """VS Code's `inputs` could be anything in a file written by hand."""
    with pytest.raises(Unsafe, match="isn't a list"):
        jsonc.append(f'{{"inputs": {inputs}}}', "inputs", {"id": "a"})


@pytest.mark.parametrize(
    "text", ["[1]", "{", '{"context_servers": []}', '{"context_servers": 1}', "nonsense", '{"a" 1}']
)
def test_a_json_file_that_is_something_else_is_refused(text: str) -> None:
    """Refused, not repaired."""
    with pytest.raises(Unsafe):
        jsonc.put(text, ["context_servers", "dixa"], ENTRY)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    data=st.dictionaries(st.sampled_from(["a", "mcpServers", "dixa", "z"]), _json, max_size=4),
    indent=st.sampled_from([None, 2, 4, "\t"]),
)
def test_any_json_keeps_what_isnt_ours(data: dict[str, Any], indent: Any) -> None:
    """Whatever stands in the file is there afterwards; or the file is refused as it is."""
    text = json.dumps(data, indent=indent, ensure_ascii=False)
    if isinstance(data.get("mcpServers", {}), dict):
        after = jsonc.put(text, ["mcpServers", "dixa"], ENTRY)
        assert json.loads(after) == {**data, "mcpServers": {**data.get("mcpServers", {}), "dixa": ENTRY}}
        assert "dixa" not in json.loads(jsonc.remove(after, ["mcpServers", "dixa"]))["mcpServers"]
    else:
        with pytest.raises(Unsafe):
            jsonc.put(text, ["mcpServers", "dixa"], ENTRY)


def test_a_toml_table_goes_to_the_end_and_out_again() -> None:
    """Everything else stays to the byte."""
    after = blocks.put_toml(TOML, "mcp_servers", "dixa", FLAT)
    assert after.startswith(TOML)
    assert tomllib.loads(after)["mcp_servers"]["dixa"] == FLAT
    assert blocks.put_toml(after, "mcp_servers", "dixa", FLAT) == after
    assert blocks.remove_toml(after, "mcp_servers", "dixa") == TOML


def test_the_tables_below_a_toml_entry_go_with_it() -> None:
    """Somebody may have added an `env` table to ours."""
    text = TOML + '\n[mcp_servers.dixa]\ncommand = "old"\n[mcp_servers.dixa.env]\nA = "1"\n\n[last]\nx = 1\n'
    after = blocks.put_toml(text, "mcp_servers", "dixa", FLAT)
    assert tomllib.loads(after) == {
        **tomllib.loads(TOML),
        "last": {"x": 1},
        "mcp_servers": {**tomllib.loads(TOML)["mcp_servers"], "dixa": FLAT},
    }


@pytest.mark.parametrize(
    "text", ["mcp_servers = {}\n", "[[mcp_servers]]\nx = 1\n", 'mcp_servers.dixa.command = "x"\n', "= 1"]
)
def test_a_toml_file_that_is_something_else_is_refused(text: str) -> None:
    """An inline table can't be added to."""
    with pytest.raises(Unsafe):
        blocks.put_toml(text, "mcp_servers", "dixa", FLAT)


def test_a_yaml_block_goes_below_its_key_and_out_again() -> None:
    """Comments and order stay to the byte."""
    after = blocks.put_yaml(YAML, "extensions", "dixa", ENTRY)
    before = yaml.safe_load(YAML)
    assert yaml.safe_load(after) == {**before, "extensions": {**before["extensions"], "dixa": ENTRY}}
    assert blocks.put_yaml(after, "extensions", "dixa", ENTRY) == after
    assert blocks.remove_yaml(after, "extensions", "dixa") == YAML


@pytest.mark.parametrize(
    "text", ["", "a: 1", "a: 1\n", "extensions: {}\n", "extensions:\n", "extensions: {} # none\nb: 2\n", "---\na: 1\n"]
)
def test_a_yaml_key_that_is_missing_or_empty_is_begun(text: str) -> None:
    """A fresh configuration has none."""
    after = yaml.safe_load(blocks.put_yaml(text, "extensions", "dixa", ENTRY))
    rest = {key: value for key, value in (yaml.safe_load(text) or {}).items() if key != "extensions"}
    assert after == {**rest, "extensions": {"dixa": ENTRY}}


@pytest.mark.parametrize(
    "text",
    [
        "extensions: {a: 1}\n",
        "extensions: &x\n  a: 1\n",
        "extensions:\n- a\n",
        "extensions:\n  - a\n",
        "a: 1\n---\nextensions:\n",
        "extensions:\n\ta: 1\n",
    ],
)
def test_a_yaml_file_in_another_form_is_refused(text: str) -> None:
    """What isn't plain blocks of lines isn't touched."""
    with pytest.raises(Unsafe):
        blocks.put_yaml(text, "extensions", "dixa", ENTRY)
