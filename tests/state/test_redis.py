"""Redis as the shared state: what happens when it goes, comes back, hangs, or is reached by TLS (design §9)."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import anyio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from running_redis import RunningRedis

from dixa_mcp.errors import SettingsError, StateUnavailable, explain
from dixa_mcp.state.redis import RedisState

METHODS: list[Callable[[RedisState], Awaitable[Any]]] = [
    lambda state: state.get("key"),
    lambda state: state.put("key", "value", 10),
    lambda state: state.add("key", "value", 10),
    lambda state: state.take("key"),
    lambda state: state.reserve("key", 1, 5, 10),
    lambda state: state.release("key", 1),
    lambda state: state.push("key", "value", 10, 5),
    lambda state: state.items("key"),
]


@pytest.fixture
async def state(redis_server: RunningRedis) -> AsyncGenerator[RedisState]:
    state = RedisState(redis_server.url)
    yield state
    await state.aclose()


async def test_without_a_server_every_method_says_so_and_after_a_restart_every_method_works(
    redis_server: RunningRedis, state: RedisState
) -> None:
    """Redis gone: writes stop. It comes back empty, scripts and all forgotten, and the same object goes on."""
    for use in METHODS:
        await use(state)
    redis_server.stop()
    for use in METHODS:
        with pytest.raises(StateUnavailable):
            await use(state)
    assert not await state.server.writable()
    redis_server.start()
    assert await state.get("key") is None
    assert (await state.reserve("key", 1, 5, 10)).used == 1
    for use in METHODS:
        await use(state)
    assert await state.server.writable()


async def test_a_connection_lost_while_idle_costs_no_call(redis_server: RunningRedis, state: RedisState) -> None:
    """Reconnects by itself: a restart between two calls is not noticed."""
    await asyncio.gather(*(state.put(str(at), "value", 10) for at in range(20)))
    redis_server.stop()
    redis_server.start()
    # What came in while the loop was busy starting a server, it notices with its next rounds.
    await asyncio.sleep(0.02)
    assert [await state.get(str(at)) for at in range(20)] == [None] * 20


async def test_fifty_calls_at_a_server_that_hangs_all_end_soon(redis_server: RunningRedis, state: RedisState) -> None:
    """An answer is awaited for a second, and everything together for two."""
    await state.put("key", "value", 60)
    with redis_server.frozen():
        # Far above two seconds, for a slow machine; without bounds of ours it would never end.
        async with asyncio.timeout(20):
            ends = await asyncio.gather(*(METHODS[at % 8](state) for at in range(50)), return_exceptions=True)
    assert {type(each) for each in ends} == {StateUnavailable}


async def test_an_answer_that_comes_too_late_is_never_taken_for_another_one(
    redis_server: RunningRedis, state: RedisState
) -> None:
    """A connection with an unread answer isn't used again."""
    await asyncio.gather(*(state.put(f"key {at}", f"value {at}", 60) for at in range(40)))
    with redis_server.frozen():
        await asyncio.gather(*(state.get(f"key {at}") for at in range(16)), return_exceptions=True)
    read = await asyncio.gather(*(state.get(f"key {at}") for at in range(40)))
    assert read == [f"value {at}" for at in range(40)]


async def test_callers_who_go_away_leave_every_connection_usable(redis_server: RunningRedis, state: RedisState) -> None:
    """A cancelled call is finished: it costs no connection, its outcome is known, and no answer is mixed up."""
    await asyncio.gather(*(state.put(f"key {at}", f"value {at}", 60) for at in range(40)))
    connected = redis_server.ask("INFO", "stats")["total_connections_received"]
    for patience in range(30):
        async with anyio.create_task_group() as group:
            for at in range(40):
                group.start_soon(state.get, f"key {at}")
            await asyncio.sleep(patience / 10_000)
            group.cancel_scope.cancel()
    # One more: the question itself came by a connection of its own.
    assert redis_server.ask("INFO", "stats")["total_connections_received"] == connected + 1
    read = await asyncio.gather(*(state.get(f"key {at}") for at in range(40)))
    assert read == [f"value {at}" for at in range(40)]


async def test_the_error_says_that_nothing_changed_and_reveals_nothing(redis_server: RunningRedis) -> None:
    """Neither address nor password reaches the model."""
    state = RedisState(f"redis://user:hidden-word@127.0.0.1:{redis_server.port}/0")
    with pytest.raises(StateUnavailable) as caught:
        await state.get("key")
    await state.aclose()
    assert caught.value.changed is False
    text = explain(caught.value)
    assert "Nothing was changed" in text
    assert not [word for word in ("hidden-word", "127.0.0.1", str(redis_server.port)) if word in text]


@pytest.mark.parametrize(
    "url", ["", "localhost:6379", "http://:hidden-word@host/", "redis://:hidden-word@host/?sokcet=1"]
)
def test_a_url_that_cannot_be_used_stops_the_start_without_being_repeated(url: str) -> None:
    """Start-up fails closed (design §4.0)."""
    with pytest.raises(SettingsError) as caught:
        RedisState(url)
    assert "hidden-word" not in explain(caught.value)
    assert "redis://host" in explain(caught.value)


async def test_a_full_server_counts_as_gone(redis_server: RunningRedis, state: RedisState) -> None:
    """Any error is a reason to stop writing, not only a broken connection."""
    redis_server.ask("CONFIG", "SET", "maxmemory", 1)
    try:
        for use in (METHODS[1], METHODS[2], METHODS[4], METHODS[6]):
            with pytest.raises(StateUnavailable):
                await use(state)
    finally:
        redis_server.ask("CONFIG", "SET", "maxmemory", 0)


async def test_another_prefix_is_another_memory(redis_server: RunningRedis, state: RedisState) -> None:
    """Two installations may share a server, and every key shows whose it is."""
    other = RedisState(redis_server.url, prefix="staging:")
    await state.put("key", "value", 10)
    await other.push("key", "value", 10, 5)
    await other.reserve("key", 1, 5, 10)
    assert await other.get("key") is None
    await other.aclose()
    assert set(redis_server.expiries()) == {"dixa-mcp:value:key", "staging:list:key", "staging:counter:key"}


async def test_a_counter_without_an_end_gets_one(redis_server: RunningRedis, state: RedisState) -> None:
    """Whatever somebody did to the key by hand, a budget starts anew one day."""
    await state.reserve("key", 1, 5, 60)
    redis_server.ask("PERSIST", "dixa-mcp:counter:key")
    assert (await state.reserve("key", 1, 5, 60)).used == 2
    assert redis_server.expiries()["dixa-mcp:counter:key"] > 0


@asynccontextmanager
async def behind_tls(port: int, folder: Path) -> AsyncGenerator[tuple[int, Path]]:
    """Put TLS in front of a port; yields the new port and the certificate, good for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "redis")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "certificate.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = folder / "key.pem"
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, secret)

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(copy(reader, back), copy(there, writer), return_exceptions=True)

    async with await asyncio.start_server(relay, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1], pem


async def test_tls_works_and_a_certificate_nobody_vouches_for_is_refused(
    redis_server: RunningRedis, tmp_path: Path
) -> None:
    """`rediss://` checks certificate and name (design §9)."""
    async with behind_tls(redis_server.port, tmp_path) as (port, certificate):
        trusting = RedisState(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={certificate}")
        misnamed = RedisState(f"rediss://localhost:{port}/0?ssl_ca_certs={certificate}")
        wary = RedisState(f"rediss://127.0.0.1:{port}/0")
        assert await trusting.add("key", "value", 10)
        for state in (misnamed, wary):
            with pytest.raises(StateUnavailable):
                await state.get("key")
        for state in (trusting, misnamed, wary):
            await state.aclose()
    assert set(redis_server.expiries()) == {"dixa-mcp:value:key"}
