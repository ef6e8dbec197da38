"""Who may call over HTTP: the ways of proving it, and every way of failing to (design §9)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from web import ADMIN, HELLO, JSON, SECOND, digest, modern, replica, table

from dixa_mcp.cli import run
from dixa_mcp.client.dixa import Dixa
from dixa_mcp.errors import SettingsError
from dixa_mcp.http.site import Site
from dixa_mcp.settings import Settings


def refuse(key: object, pace: object) -> Dixa:
    raise AssertionError("a site that doesn't start asks nobody")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--http", "0.0.0.0:8765"], "Set --auth|prove"),
        (["--http", "mcp.example.com:8765", "--allow-hosts", "mcp.example.com"], "prove"),
        (["--http", "0.0.0.0:8765", "--auth", "dixa-token"], "names"),
        (["--http", "[::]:8765", "--auth", "dixa-token"], "names"),
        (["--http", "8765"], "HOST:PORT"),
        (["--http", "127.0.0.1:http"], "HOST:PORT"),
        (["--http", "::1:8765"], "HOST:PORT"),
        (["--http", "127.0.0.1:0", "--auth", "shared-token"], "--auth-file"),
        (["--http", "127.0.0.1:0", "--auth", "dixa-token", "--auth-file", "x"], "shared-token"),
        (["--http", "127.0.0.1:0", "--auth", "oauth"], "--oauth-issuer"),
        (["--http", "127.0.0.1:0", "--auth", "oauth", "--oauth-issuer", "https://idp.test"], "--public-url"),
        (["--http", "127.0.0.1:0", "--oauth-issuer", "https://idp.test"], "--auth oauth"),
        (["--http", "127.0.0.1:0", "--public-url", "http://mcp.example.com"], "--public-url"),
        (["--http", "127.0.0.1:0", "--allow-hosts", "https://mcp.example.com"], "--allow-hosts"),
        (["--http", "127.0.0.1:0", "--allow-origins", "https://x.test/page"], "--allow-origins"),
        (["--http", "127.0.0.1:0", "--redis-url", "redis://127.0.0.1:1"], "--state-key"),
        (["--http", "127.0.0.1:0", "--state-key", "short"], "--state-key"),
        (["--http", "127.0.0.1:0", "--redis-url", "http://x", "--state-key", "k" * 32], "Redis URL"),
    ],
)
def test_what_would_stand_open_or_cannot_work_stops_the_start(flags: list[str], words: str) -> None:
    """Design §4.0 and §9: fail closed, in one line that says what to do."""
    with pytest.raises(SettingsError) as refused:
        Site(Settings.load(["--no-audit", *flags], {}), refuse, None)
    assert any(word in f"{refused.value.what} {refused.value.next}" for word in words.split("|"))
    assert "\n" not in refused.value.what


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:1", "localhost", "LOCALHOST:99", "[::1]:80", "mcp.acme.test", "mcp.acme.test:443", "only.test:8443"],
)
async def test_a_host_of_the_list_is_answered(host: str) -> None:
    """An entry without a port fits every port, one with a port only that."""
    async with replica("--allow-hosts", "mcp.acme.test,only.test:8443") as site, site.http() as http:
        assert (await http.post("/mcp", json=HELLO, headers={**JSON, "host": host})).status_code == 200


@pytest.mark.parametrize("host", ["evil.test", "only.test", "only.test:1", "mcp.acme.test.evil.test", "localhost.evil"])
async def test_any_other_host_is_421_before_credentials_are_looked_at(host: str) -> None:
    """DNS rebinding: a page may reach us by a name of its own."""
    async with (
        replica("--auth", "dixa-token", "--allow-hosts", "mcp.acme.test,only.test:8443") as site,
        site.http() as http,
    ):
        assert (await http.post("/mcp", json=HELLO, headers={**JSON, "host": host})).status_code == 421


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://app.acme.test", 200),
        ("http://localhost:6274", 200),
        ("https://evil.test", 403),
        ("null", 403),
        ("https://app.acme.test.evil.test", 403),
        ("http://app.acme.test", 403),
    ],
)
async def test_pages_of_other_origins_may_not_call(origin: str, status: int) -> None:
    """The transport's rule against pages that call servers of this machine."""
    async with replica("--allow-origins", "https://app.acme.test") as site, site.http() as http:
        answer = await http.post("/mcp", json=HELLO, headers={**JSON, "origin": origin})
        assert answer.status_code == status
        if origin == "https://app.acme.test":
            assert answer.headers["access-control-allow-origin"] == origin
            assert "mcp-session-id" in answer.headers["access-control-expose-headers"].lower()


@pytest.mark.parametrize(
    ("authorization", "error"),
    [
        (None, ""),
        ("Basic YWRtaW46YWRtaW4=", ""),
        ("Bearer", ""),
        ("Bearer two words", "invalid_token"),
        ("Bearer wrong", "invalid_token"),
        ("Bearer " + "x" * 9000, "invalid_token"),
        ("Bearer expired-bearer", "invalid_token"),
        ("Bearer right-bearerr", "invalid_token"),
    ],
)
async def test_bad_credentials_are_401_with_a_challenge(authorization: str | None, error: str, tmp_path: Path) -> None:
    """RFC 6750: no error code where there were no credentials, `invalid_token` where they are wrong."""
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    expired = f'[[caller]]\nname = "old"\nsha256 = "{digest("expired-bearer")}"\nuntil = {yesterday}'
    file = table(tmp_path, expired, slack="right-bearer")
    async with replica("--auth", "shared-token", "--auth-file", str(file)) as site, site.http() as http:
        headers = {**JSON, "authorization": authorization} if authorization else JSON
        answer = await http.post("/mcp", json=HELLO, headers=headers)
        assert answer.status_code == 401
        challenge = answer.headers["www-authenticate"]
        assert challenge.startswith("Bearer")
        assert ("error=" in challenge) == bool(error)
        assert error in challenge
        assert "wrong" not in answer.text
        right = {**JSON, "authorization": "bearer right-bearer"}
        assert (await http.post("/mcp", json=HELLO, headers=right)).status_code == 200


async def test_two_authorization_headers_are_refused() -> None:
    """Two readers could believe different ones."""
    async with replica("--auth", "dixa-token") as site, site.http() as http:
        headers = [*JSON.items(), ("authorization", f"Bearer {ADMIN}"), ("authorization", f"Bearer {SECOND}")]
        assert (await http.post("/mcp", json=HELLO, headers=headers)).status_code == 400


async def test_the_table_caps_effects_and_names_the_agent(tmp_path: Path, era: str) -> None:
    """Design §9: each bearer has its acting agent and effect cap; the list varies by authorization."""
    rows = [
        f'[[caller]]\nname = "reader"\nsha256 = "{digest("r")}"\ncap = "read"',
        f'[[caller]]\nname = "desk"\nsha256 = "{digest("d")}"\nagent = "Mia Lindqvist"',
    ]
    flags = ("--auth", "shared-token", "--auth-file", str(table(tmp_path, *rows)))
    async with replica(*flags) as site, site.desk("r", era=era) as reader, site.desk("d", era=era, answer="yes") as mia:
        few = {tool.name for tool in (await reader.client.list_tools()).tools}
        many = {tool.name for tool in (await mia.client.list_tools()).tools}
        assert "dixa_get_thread" in few
        assert "dixa_add_note" in many - few
        said = await reader.call("add_note", conversation_id=10401, text="No")
        assert said.failed
        assert "credentials allow read" in said.text
        said = await mia.call("send_reply", conversation_id=10401, text="Hello Olivia", after_message="29c4c258")
        assert not said.failed, said.text
        assert "Mia Lindqvist" in said.text
        assert len(site.sandbox.reached_customers) == 1


async def test_a_header_names_the_agent_only_where_credentials_do_not(tmp_path: Path) -> None:
    """A caller must not become another agent than the one their bearer is bound to."""
    rows = [
        f'[[caller]]\nname = "bound"\nsha256 = "{digest("b")}"\nagent = "Mia Lindqvist"',
        f'[[caller]]\nname = "free"\nsha256 = "{digest("f")}"',
    ]
    flags = ("--auth", "shared-token", "--auth-file", str(table(tmp_path, *rows)), "--agent-header", "X-Dixa-Agent")
    async with replica(*flags) as site:
        for token, agent in (("b", "Mia Lindqvist"), ("f", "Jonas")):
            async with site.desk(token, **{"x-dixa-agent": "Jonas"}) as desk:
                assert agent in (await desk.call("status")).text
        async with site.desk("f") as desk:
            assert "Acting agent: none" in (await desk.call("status")).text
    async with replica(*flags[:-2]) as site, site.desk("f", **{"x-dixa-agent": "Jonas"}) as desk:
        assert "Acting agent: none" in (await desk.call("status")).text


async def test_a_bearer_taken_from_the_table_is_out_at_once(tmp_path: Path) -> None:
    """Revoking needs no restart; a broken table lets nobody in."""
    file = table(tmp_path, one="first-bearer", two="second-bearer")
    async with replica("--auth", "shared-token", "--auth-file", str(file)) as site:
        async with site.http("first-bearer") as http:
            assert (await http.post("/mcp", json=HELLO, headers=JSON)).status_code == 200
            table(tmp_path, two="second-bearer")
            assert (await http.post("/mcp", json=HELLO, headers=JSON)).status_code == 401
            file.write_text("[[caller]\n")
            assert (await http.post("/mcp", json=HELLO, headers=JSON)).status_code == 503
        async with site.http("second-bearer") as http:
            table(tmp_path, two="second-bearer")
            assert (await http.post("/mcp", json=HELLO, headers=JSON)).status_code == 200


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", r"\[\[caller\]\]"),
        ("x = 1", r"\[\[caller\]\]"),
        ("[[caller]]\nsha256 = 'aa'", "name"),
        (f"[[caller]]\nname = 'a'\nsha256 = '{digest('x')}'\ncaps = 'read'", "caps"),
        (f"[[caller]]\nname = 'a'\nsha256 = '{digest('x')}'\ncap = 'reed'", "read, internal"),
        ("[[caller]]\nname = 'a'\nsha256 = 'plain-bearer'", "64"),
        (f"[[caller]]\nname = 'a'\nsha256 = '{digest('x')}'\nuntil = 'soon'", "date"),
        (f"[[caller]]\nname='a'\nsha256='{digest('x')}'\n[[caller]]\nname='a'\nsha256='{digest('y')}'", "same name"),
        (f"[[caller]]\nname='a'\nsha256='{digest('x')}'\n[[caller]]\nname='b'\nsha256='{digest('x')}'", "same sha256"),
    ],
)
def test_a_mistyped_table_stops_the_start(text: str, words: str, tmp_path: Path) -> None:
    """A cap that was mistyped must not be silently off."""
    file = tmp_path / "callers.toml"
    file.write_text(text)
    flags = ["--http", "127.0.0.1:0", "--no-audit", "--auth", "shared-token", "--auth-file", str(file)]
    with pytest.raises(SettingsError, match=words):
        Site(Settings.load(flags, {}), refuse, None)


async def test_a_session_belongs_to_the_credentials_that_opened_it() -> None:
    """Another token on a known session id is told that there is no such session."""
    async with replica("--auth", "dixa-token") as site, site.http(ADMIN) as mine, site.http(SECOND) as theirs:
        opened = await mine.post("/mcp", json=HELLO, headers=JSON)
        session = {**JSON, "mcp-session-id": opened.headers["mcp-session-id"], "mcp-protocol-version": "2025-11-25"}
        ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
        assert (await theirs.post("/mcp", json=ping, headers=session)).status_code == 404
        assert (await mine.post("/mcp", json=ping, headers=session)).status_code == 200


async def test_a_token_dixa_does_not_know_gets_dixas_refusal(era: str) -> None:
    """A caller's own Dixa token is judged by Dixa, and the words don't hold it."""
    async with replica("--auth", "dixa-token") as site, site.desk("foreign-token", era=era) as desk:
        said = await desk.call("get_thread", conversation_id=10401)
        assert said.failed
        assert "did not accept the token" in said.text
        assert "foreign-token" not in said.text


async def test_an_unknown_protocol_version_is_told_which_are_known() -> None:
    """The version header decides the era; neither knows this one."""
    body, headers = modern("tools/list")
    body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2031-01-01"
    async with replica() as site, site.http() as http:
        answer = await http.post("/mcp", json=body, headers={**headers, "mcp-protocol-version": "2031-01-01"})
        assert answer.status_code == 400
        assert "2026-07-28" in answer.text


async def test_without_credentials_no_client_gets_in(era: str) -> None:
    """What a client's user sees when the key is missing."""
    async with replica("--auth", "dixa-token") as site, httpx2.AsyncClient() as http:
        with pytest.raises((MCPError, ExceptionGroup, httpx2.HTTPStatusError)):
            async with Client(streamable_http_client(f"{site.base}/mcp", http_client=http), mode=era):
                pass


@pytest.mark.parametrize("flags", [["--auth", "dixa-token"], ["--metrics", "127.0.0.1:9"], ["--metrics-token", "m"]])
def test_what_only_http_reads_is_refused_without_it(flags: list[str]) -> None:
    """A guard that isn't there must not look as if it were."""
    with pytest.raises(SettingsError, match="--http"):
        run([*flags, "--sandbox"], {})


async def test_a_made_bearer_opens_the_door(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`dixa-mcp token NAME` prints the table's block, and the bearer once, beside it."""
    assert run(["token", "slack-bot"], {}) == 0
    said = capsys.readouterr()
    bearer = said.err.split()[-1]
    assert bearer not in said.out
    file = tmp_path / "callers.toml"
    file.write_text(said.out)
    async with replica("--auth", "shared-token", "--auth-file", str(file)) as site, site.desk(bearer) as desk:
        assert "Fernway" in (await desk.call("status")).text
    with pytest.raises(SettingsError, match="Whose"):
        run(["token"], {})
