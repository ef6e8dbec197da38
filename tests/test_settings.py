"""Settings: what isn't understood stops the start, in one line that says what to do."""

from pathlib import Path

import pytest
from front_door import desk

from dixa_mcp.errors import SettingsError
from dixa_mcp.settings import Settings, flag, metavar, variable


def test_flags_beat_variables_beat_defaults() -> None:
    """Design §4.0."""
    assert Settings.load([], {}).mode == "confirm"
    assert Settings.load([], {"DIXA_MCP_MODE": "read-only"}).mode == "read-only"
    assert Settings.load(["--mode", "unattended"], {"DIXA_MCP_MODE": "read-only"}).mode == "unattended"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_has_flag_variable_and_help(name: str) -> None:
    """One table: a setting without help or name in one of the ways can't exist."""
    assert Settings.model_fields[name].description
    assert flag(name).startswith("--")
    assert variable(name).startswith("DIXA_MCP_")


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (["--read-only"], {}, "Unknown argument --read-only"),
        (["--mod", "confirm"], {}, "--mode"),
        (["--mode", "readonly"], {}, "--mode"),
        (["--mode"], {}, "--mode"),
        (["stray"], {}, "stray"),
        ([], {"DIXA_MCP_MOD": "read-only"}, "DIXA_MCP_MODE"),
        ([], {"dixa_mcp_mode": "read-only"}, "DIXA_MCP_MODE"),
        ([], {"DIXA_MCP_INTERNAL_ONLY": "maybe"}, "on or off"),
        ([], {"DIXA_MCP_INTERNAL_ONLY": "read_only-true"}, "on or off"),
        (["--timezone", "Copenhagen"], {}, "IANA"),
        (["--budget-internal", "-1"], {}, "--budget-internal"),
        (["--budget-internal", "lots"], {}, "--budget-internal"),
        (["--rate", "11"], {}, "--rate"),
        (["--unattended", "dixa_send_reply"], {}, "--mode unattended"),
    ],
)
def test_a_mistyped_setting_stops_the_start(arguments: list[str], environment: dict[str, str], words: str) -> None:
    """A guard that was mistyped must not be silently off (practice §2: supabase#212)."""
    with pytest.raises(SettingsError, match=words) as refused:
        Settings.load(arguments, environment)
    assert "\n" not in refused.value.what


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--tools", "dixa_send_replies"], "dixa_send_reply"),
        (["--exclude-tools", "send_reply"], "dixa_send_reply"),
        (["--toolsets", "default,privcy"], "There are|mean"),
        (["--mode", "unattended", "--unattended", "dixa_sendreply"], "dixa_send_reply"),
    ],
)
async def test_an_unknown_tool_or_toolset_stops_the_start(flags: list[str], words: str) -> None:
    """Design §4.0: an unknown name in any list stops the start and names the near one."""
    with pytest.raises(SettingsError, match=words):
        async with desk(*flags):
            pass


@pytest.mark.parametrize(
    "token", ["${DIXA_API_KEY}", "$DIXA_API_KEY", "${env:DIXA_API_KEY}", "${input:key}", "{{key}}", "%DIXA_API_KEY%"]
)
def test_a_placeholder_is_no_token(token: str) -> None:
    """Secret syntax differs from client to client, so a literal one often arrives (practice §5.1)."""
    with pytest.raises(SettingsError, match="placeholder"):
        Settings.load([], {}).token({"DIXA_API_KEY": token})


def test_the_token_comes_from_a_file_or_the_variable(tmp_path: Path) -> None:
    """Never from a flag: process lists are public."""
    file = tmp_path / "key"
    file.write_text("from-file\n")
    settings = Settings.load(["--api-key-file", str(file)], {})
    assert settings.token({}).get_secret_value() == "from-file"
    assert Settings.load([], {}).token({"DIXA_API_KEY": "from-variable"}).get_secret_value() == "from-variable"
    with pytest.raises(SettingsError, match="--sandbox"):
        Settings.load([], {}).token({})
    with pytest.raises(SettingsError, match="can't be read"):
        Settings.load(["--api-key-file", str(tmp_path / "none")], {}).token({})


def test_the_token_is_in_no_text_of_the_settings() -> None:
    """No secret in any text, log or repr."""
    token = Settings.load([], {}).token({"DIXA_API_KEY": "very-secret"})
    assert "very-secret" not in f"{token!r} {token}"


def test_unlimited_lifts_a_budget_and_zero_allows_none() -> None:
    """Design §4.6."""
    settings = Settings.load(["--budget-internal", "unlimited", "--budget-customer", "0"], {})
    assert settings.budget_internal is None
    assert settings.budget_customer == 0


@pytest.mark.parametrize("name", [name for name in Settings.model_fields if metavar(name) == "PATH"])
def test_an_empty_path_stops_the_start(name: str) -> None:
    """A variable that a script forgot to fill: a kill switch must not be off, nor be the current folder."""
    with pytest.raises(SettingsError, match="it is empty"):
        Settings.load([f"{flag(name)}="], {})
    with pytest.raises(SettingsError, match="it is empty"):
        Settings.load([], {variable(name): ""})
