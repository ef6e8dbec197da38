"""Evidence: a line before each write and its outcome after; no bodies; if it can't be written, writes stop."""

import json
from pathlib import Path
from typing import Any

import pytest
from front_door import MIA, desk

from dixa_mcp.cli import run

NOTE: dict[str, Any] = {"conversation_id": 10401, "text": "A secret remark."}


def lines(directory: Path) -> list[dict[str, Any]]:
    """All entries of the one audit file."""
    (file,) = (directory / "audit").glob("audit-*.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()]


async def test_a_write_leaves_intent_and_outcome_and_a_read_nothing(tmp_path: Path, era: str) -> None:
    """Time, client, tool, effect, decision, digest, harmless arguments, ids; no bodies (design §4.10)."""
    async with desk("--state-dir", str(tmp_path), era=era, audit=()) as d:
        await d.call("get_thread", conversation_id=10401)
        said = await d.call("add_note", **NOTE)
    intent, done = lines(tmp_path)
    assert (intent["decision"], done["decision"]) == ("intent", "done")
    assert intent["tool"] == "dixa_add_note"
    assert intent["effect"] == "internal"
    assert intent["arguments"] == {"conversation_id": 10401}
    assert intent["client"]
    assert len(intent["digest"]) == 32
    assert done["change"] in said.text
    assert "secret remark" not in str(lines(tmp_path))
    assert "sandbox-admin-token" not in str(lines(tmp_path))


async def test_refusals_and_declines_are_evidence_too(tmp_path: Path, era: str) -> None:
    """Decision and rule of what wasn't done (design §4.10)."""
    async with desk(*MIA, "--state-dir", str(tmp_path), era=era, audit=(), answer="no") as d:
        await d.call("send_reply", conversation_id=10401, text="Hi", after_message="29c4c258")
    (entry,) = lines(tmp_path)
    assert entry["decision"] == "refused"
    assert entry["rule"] == "no"


async def test_the_file_is_for_the_owner_only(tmp_path: Path) -> None:
    """0600 (design §4.10)."""
    async with desk("--state-dir", str(tmp_path), audit=()) as d:
        await d.call("add_note", **NOTE)
    (file,) = (tmp_path / "audit").glob("*.jsonl")
    assert file.stat().st_mode & 0o777 == 0o600


async def test_without_evidence_there_is_no_write(tmp_path: Path, era: str) -> None:
    """If it can't be written, writes stop; reads go on (design §4.10)."""
    (tmp_path / "audit").write_text("a file where the directory should be")
    async with desk("--state-dir", str(tmp_path), era=era, audit=()) as d:
        said = await d.call("add_note", **NOTE)
        assert said.failed
        assert "audit file can't be written" in said.text
        assert not d.writes
        assert not (await d.call("get_thread", conversation_id=10401)).failed


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
async def test_a_full_disk_stops_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, era: str) -> None:
    """A full disk for the audit file: nothing is written to Dixa."""
    directory = tmp_path / "audit"
    directory.mkdir()
    async with desk("--state-dir", str(tmp_path), era=era, audit=()) as d:
        await d.call("add_note", **NOTE)
        (file,) = directory.glob("*.jsonl")
        file.unlink()
        file.symlink_to("/dev/full")
        said = await d.call("add_note", conversation_id=10401, text="Another.")
        assert said.failed
        assert "can't be written" in said.text
        assert len(d.writes) == 1


async def test_verify_finds_one_changed_byte_a_dropped_and_an_added_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`dixa-mcp audit verify`: the chain shows damage (design §4.10)."""
    async with desk("--state-dir", str(tmp_path), audit=()) as d:
        for text in ("one", "two", "three"):
            await d.call("add_note", conversation_id=10401, text=text)
    (file,) = (tmp_path / "audit").glob("*.jsonl")
    whole = file.read_text().splitlines()

    def verdict(changed: list[str]) -> tuple[int, str]:
        file.write_text("\n".join(changed) + "\n")
        status = run(["audit", "verify", str(file)], {})
        return status, capsys.readouterr().out

    assert verdict(whole) == (0, f"✓ {file.name}: the chain is whole\n")
    status, said = verdict([whole[0], whole[1].replace("10401", "10402"), *whole[2:]])
    assert (status, "line 2: was changed" in said) == (1, True)
    assert verdict([*whole[:2], *whole[3:]])[0] == 1
    assert verdict([*whole[:2], whole[1], *whole[2:]])[0] == 1
    assert verdict([*whole[:2], "not json", *whole[2:]])[0] == 1
