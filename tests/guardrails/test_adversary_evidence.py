"""Evidence and personal data against who looks for holes: the last line, half lines, odd bytes, cut texts."""

import os
from pathlib import Path

import pytest
from front_door import MIA, desk

from dixa_mcp.errors import Refused
from dixa_mcp.guardrails.audit import AuditFile, verify

ALL = ("--toolsets", "default,knowledge_write,bulk,admin,privacy,operations,chatgpt")


def test_one_changed_byte_in_the_last_line_is_found(tmp_path: Path) -> None:
    """Each line holds its own hash, so no line is without a witness (design §4.10)."""
    audit = AuditFile(tmp_path)
    audit.write({"decision": "intent", "approved": False})
    audit.write({"decision": "done", "approved": False})
    assert not list(verify(audit.path))
    rows = audit.path.read_text().splitlines()
    audit.path.write_text("\n".join([rows[0], rows[1].replace("false", "true")]) + "\n")
    assert [damage.line for damage in verify(audit.path)] == [2]


@pytest.mark.parametrize("at", [0, 20, -2, -5, -40])
def test_any_changed_byte_is_found(tmp_path: Path, at: int) -> None:
    """Also one that is no text, and one of a hash."""
    audit = AuditFile(tmp_path)
    for number in range(3):
        audit.write({"number": number})
    whole = bytearray(audit.path.read_bytes())
    whole[at] ^= 0xA5
    audit.path.write_bytes(bytes(whole))
    assert list(verify(audit.path))


async def test_a_model_cannot_make_a_whole_file_look_damaged(tmp_path: Path, era: str) -> None:
    """No character of an argument can pass for the end of a line."""
    async with desk(*MIA, audit=("--state-dir", str(tmp_path)), era=era) as d:
        await d.call("add_note", conversation_id=10401, text="x")
        await d.call("update_customer", customer="C-100231\u2028\u0085", name="Z")
        await d.call("assign_conversation", conversation_id=10402, agent="mia\u2028")
    assert [list(verify(file)) for file in (tmp_path / "audit").iterdir()] == [[]]


def test_a_line_cut_by_a_full_disk_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What doesn't fit is refused, and the file stays whole for what fits later."""
    audit = AuditFile(tmp_path)
    audit.write({"number": 1})
    real = os.write
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", lambda file, data: real(file, data[:30]))
        with pytest.raises(Refused, match="no space left"):
            audit.write({"number": 2})
    audit.write({"number": 3})
    assert not list(verify(audit.path))
    assert len(audit.path.read_text().splitlines()) == 2


async def test_an_unwritable_audit_file_costs_no_budget(tmp_path: Path, era: str) -> None:
    """A write that was never begun isn't counted (design §4.6)."""
    async with desk(*MIA, "--budget-internal", "2", era=era, audit=("--state-dir", str(tmp_path))) as d:
        (tmp_path / "audit").write_text("in the way")
        for number in range(2):
            assert (await d.call("add_note", conversation_id=10401, text=f"Note {number}")).failed
        (tmp_path / "audit").unlink()
        assert not (await d.call("add_note", conversation_id=10401, text="Another")).failed
