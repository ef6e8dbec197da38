"""The pages beside the endpoint, and the log: what an operator sees (design §9)."""

import json
import logging
import re

import httpx2
import pytest
from pydantic import SecretStr
from web import ADMIN, JSON, modern, replica

from dixa_mcp.http.callers import fingerprint
from dixa_mcp.http.front import Address
from dixa_mcp.http.logs import JsonLines
from dixa_mcp.http.serve import Serving, beside

pytest.importorskip("prometheus_client", reason="the extra [metrics]")


async def figures(base: str, token: str = "") -> httpx2.Response:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with httpx2.AsyncClient() as http:
        return await http.get(f"{base}/metrics", headers=headers)


async def test_figures_are_behind_a_bearer_and_name_nobody() -> None:
    """Calls by tool, effect and decision; requests to Dixa by status; waiting; budgets. No tenant labels."""
    async with replica("--auth", "dixa-token", "--metrics-token", "m-secret", paced=True) as site:
        async with site.desk(ADMIN) as desk:
            await desk.call("get_thread", conversation_id=10401)
            await desk.call("add_note", conversation_id=10401, text="One")
            await desk.call("add_note", conversation_id=99999999, text="Nowhere")
            await desk.call("send_reply", conversation_id=10401, text="Hello", after_message="29c4c258")
        for token in ("", "wrong", ADMIN):
            assert (await figures(site.base, token)).status_code == 401
        page = (await figures(site.base, "m-secret")).text
    for line in (
        'dixa_mcp_calls_total{decision="done",effect="read",tool="dixa_get_thread"} 1.0',
        'dixa_mcp_calls_total{decision="done",effect="internal",tool="dixa_add_note"} 1.0',
        'dixa_mcp_calls_total{decision="failed",effect="internal",tool="dixa_add_note"} 1.0',
        'dixa_mcp_calls_total{decision="refused",effect="customer",tool="dixa_send_reply"} 1.0',
        "dixa_mcp_pace_waiting 0.0",
        "dixa_mcp_calls_in_progress 0.0",
        'dixa_mcp_budget_left_ratio_count{budget="internal"} 1.0',
    ):
        assert line in page, page
    assert re.search(r"dixa_mcp_pace_wait_seconds_count [1-9]", page)
    assert re.search(r'dixa_mcp_dixa_requests_total\{method="POST",status="20\d"\} 1\.0', page)
    assert not re.search(rf"sandbox|fernway|10401|99999999|{fingerprint(SecretStr(ADMIN))}", page, re.IGNORECASE)


async def test_figures_can_have_a_port_of_their_own() -> None:
    """Then the port that callers reach has no such page."""
    async with replica("--metrics", "127.0.0.1:0") as site:
        assert (await figures(site.base)).status_code == 404
        own = Serving(site.site, site.site.metrics_app(), Address("127.0.0.1", 0), lifespan=False)
        async with beside(own):
            assert "dixa_mcp_calls" in (await figures(f"http://127.0.0.1:{own.port}")).text


async def test_health_is_answered_to_anybody_by_any_name() -> None:
    """A probe has neither credentials nor the right host name."""
    async with replica("--auth", "dixa-token") as site, site.http(host="10.0.0.7:8765") as http:
        assert (await http.get("/healthz")).json()["status"] == "ok"
        assert (await http.get("/readyz")).json() == {"status": "ready", "writes": "allowed", "state": "memory"}
        assert (await http.get("/mcp/")).status_code == 404
        assert (await http.get("/")).status_code == 404


async def test_the_log_has_a_line_a_request_and_nothing_that_was_said(caplog: pytest.LogCaptureFixture) -> None:
    """Without bodies, tokens and queries; one line each, whatever a caller puts into it."""
    caplog.set_level(logging.INFO, "dixa_mcp.http")
    async with replica("--auth", "dixa-token") as site, site.http(ADMIN) as http:
        secret = {"conversation_id": 10401, "text": "very private words"}
        body, headers = modern("tools/call", "dixa_add_note", arguments=secret)
        assert (await http.post("/mcp?key=in-the-query", json=body, headers=headers)).status_code == 200
        name = 'x\n{"event":"forged"}'
        body, headers = modern("tools/call", "dixa_status", arguments={})
        body["params"]["name"] = name
        await http.post("/mcp", json=body, headers=headers)
        await http.post("/mcp", content=b"{", headers=JSON)
    lines = [JsonLines().format(record) for record in caplog.records if record.name == "dixa_mcp.http"]
    assert len(lines) == 3
    assert not [line for line in lines if "\n" in line]
    first = json.loads(lines[0])
    assert (first["event"], first["status"], first["rpc"]) == ("request", 200, "tools/call")
    assert first["tool"] == "dixa_add_note"
    assert {"request", "ms", "caller", "organisation", "at"} <= first.keys()
    assert not [word for word in (ADMIN, "private", "in-the-query") if word in "".join(lines)]
