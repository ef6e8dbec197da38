"""Dixa: send (once) ← get (patient) ← pages (follow); over canned bytes (design §7)."""

import asyncio
import io
import json
import logging
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from simulation import TOKEN, Answer, Wire, clock, dixa_on, error, ok, script, simulated

from dixa_mcp.client.deadline import deadline
from dixa_mcp.client.dixa import Dixa, Page
from dixa_mcp.client.link import Upload
from dixa_mcp.client.pace import Pace
from dixa_mcp.client.paths import at
from dixa_mcp.errors import (
    ApiError,
    BadRequest,
    DixaMcpError,
    InvalidArgument,
    NoAnswer,
    NotFound,
    ServerError,
    SettingsError,
    TooManyRequests,
    TransportError,
    Unauthorized,
    Unreachable,
    Unreadable,
    explain,
)

QUEUES = at("/queues")
CLOSE = at("/conversations/{id}/close", id=10401)
SEARCH = at("/search/conversations")
LINK = "/v1/search/conversations/?pageKey={}"


# --- what a request looks like ---


@simulated
async def test_a_request_carries_the_raw_token_and_nothing_unasked() -> None:
    """Raw by default (notes §2); no body on reads."""
    dixa, wire = dixa_on(lambda request: ok([]))
    await dixa.get(QUEUES, email="a+b@c.example", includeDeactivated=True, nothing=None)
    request = wire.requests[0]
    assert str(request.url) == "https://dev.dixa.io/v1/queues?email=a%2Bb%40c.example&includeDeactivated=true"
    assert request.headers["authorization"] == TOKEN
    assert request.headers["accept"] == "application/json"
    assert request.headers["user-agent"].startswith("dixa-mcp/")
    assert (request.content, "content-type" in request.headers) == (b"", False)


@simulated
async def test_bearer_puts_the_word_before_the_token() -> None:
    """Some gateways expect it (notes §2)."""
    dixa, wire = dixa_on(lambda request: ok([]), scheme="bearer")
    await dixa.get(QUEUES)
    assert wire.requests[0].headers["authorization"] == f"Bearer {TOKEN}"


@simulated
async def test_a_delete_carries_its_body() -> None:
    """Members are removed by `DELETE` with a list; some libraries drop it (notes §5)."""
    dixa, wire = dixa_on(lambda request: httpx.Response(204))
    reply = await dixa.send("DELETE", at("/queues/{id}/members", id="q"), {"agentIds": ["a"]})
    request = wire.requests[0]
    assert (request.method, json.loads(request.content), request.headers["content-type"]) == (
        "DELETE",
        {"agentIds": ["a"]},
        "application/json",
    )
    assert (reply.data, reply.status) == (None, 204)


@simulated
async def test_a_bare_array_is_sent_as_one() -> None:
    """Bulk changes of agents take no envelope (notes §5)."""
    dixa, wire = dixa_on(lambda request: ok([]))
    await dixa.send("PATCH", at("/agents"), [{"id": "a"}])
    assert json.loads(wire.requests[0].content) == [{"id": "a"}]


@simulated
async def test_files_go_as_multipart() -> None:
    """The one such operation: attachments of articles, field `files` (notes §18)."""
    dixa, wire = dixa_on(lambda request: ok([]))
    await dixa.send("POST", at("/knowledge/articles/attachments"), uploads=[Upload("a.png", "image/png", b"\x89PNG")])
    request = wire.requests[0]
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="files"; filename="a.png"' in request.content
    assert b"\x89PNG" in request.content


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://dev.dixa.io/v1/", "https://dev.dixa.io/v1/queues"),
        ("https://dev.dixa.io/beta", "https://dev.dixa.io/beta/queues"),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1/queues"),
        ("http://localhost:8080", "http://localhost:8080/queues"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1/queues"),
    ],
)
@simulated
async def test_the_base_url_is_a_setting(base: str, url: str) -> None:
    """Https anywhere, http on this machine (design §2)."""
    dixa, wire = dixa_on(lambda request: ok([]), base_url=base)
    await dixa.get(QUEUES)
    assert str(wire.requests[0].url) == url


@pytest.mark.parametrize(
    "base",
    [
        "http://dev.dixa.io/v1",
        "ftp://dev.dixa.io",
        "dev.dixa.io/v1",
        "",
        "https://",
        "https://user:pass@dev.dixa.io/v1",
        "https://dev.dixa.io@evil.example/v1",
        "https://dev.dixa.io/v1?x=1",
        "https://dev.dixa.io/v1#x",
        "https://dev.dixa.io/v1/../x",
        "https://dev.dixa.io\\@evil.example",
        "https://dev.dixa.io:port",
        "https://dev.dixa.io:99999",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "https://dev.dixa.io/v1 ",
        "https://[::1",
    ],
)
def test_any_other_base_url_stops_the_start(base: str) -> None:
    """The token goes to this host, so there is no guessing what was meant."""
    with pytest.raises(SettingsError, match="base URL"):
        Dixa(SecretStr(TOKEN), base_url=base)


@pytest.mark.parametrize("token", ["", "secret word", "secret\nword", "sécret", " secret"])
def test_a_token_no_header_can_carry_stops_the_start_and_is_not_shown(token: str) -> None:
    """Better one line at the start than an error that quotes a header."""
    with pytest.raises(SettingsError) as caught:
        Dixa(SecretStr(token))
    assert "cret" not in explain(caught.value)


# --- the token stays here ---


@pytest.mark.parametrize(
    "answer",
    [
        error(400, "no"),
        error(401, "Unauthorized"),
        error(500),
        httpx.Response(302, headers={"location": "https://evil.example/"}),
        httpx.Response(200, content=b"<html>"),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("gone"),
    ],
    ids=repr,
)
@simulated
async def test_the_token_is_in_no_text_that_anybody_reads(answer: Answer) -> None:
    """Neither repr, error, cause nor log (design §7)."""
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        dixa, _ = dixa_on(script(answer))
        with pytest.raises(DixaMcpError) as caught:
            await dixa.send("PUT", CLOSE, {})
        shown: list[str] = [repr(dixa), str(dixa), explain(caught.value)]
        one: BaseException | None = caught.value
        while one:
            shown += [repr(one), str(one), repr(vars(one))]
            one = one.__cause__
        await dixa.aclose()
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert TOKEN not in "".join(shown) + log.getvalue()
    assert "10401" not in log.getvalue()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@simulated
async def test_redirects_are_not_followed(status: int) -> None:
    """The token must not travel (notes §2)."""
    dixa, wire = dixa_on(lambda request: httpx.Response(status, headers={"location": "https://evil.example/v1/queues"}))
    with pytest.raises(Unreadable):
        await dixa.get(QUEUES)
    assert [request.url.host for request in wire.requests] == ["dev.dixa.io"]


@simulated
async def test_a_next_page_on_another_host_is_asked_for_at_home() -> None:
    """Only its key is used (notes §6)."""
    dixa, wire = dixa_on(script(ok([1], next="https://evil.example/v1/agents?pageKey=YQ"), ok([2])))
    pages = [page async for page in dixa.pages(at("/agents"))]
    assert [page.items for page in pages] == [[1], [2]]
    assert [str(request.url) for request in wire.requests] == [
        "https://dev.dixa.io/v1/agents",
        "https://dev.dixa.io/v1/agents?pageKey=YQ",
    ]


# --- patience ---

BUSY: list[Answer] = [
    error(408),
    error(502),
    error(503),
    error(504),
    httpx.ReadTimeout("slow"),
    httpx.WriteTimeout("slow"),
    httpx.ReadError("reset"),
    httpx.WriteError("reset"),
    httpx.RemoteProtocolError("gone"),
]
HARMLESS: list[Answer] = [
    error(429, "Too Many Requests"),
    error(429, "Too Many Requests", {"retry-after": "2"}),
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("slow"),
    httpx.PoolTimeout("full"),
]
FINAL: list[Answer] = [
    error(400),
    error(401),
    error(403),
    error(404),
    error(409),
    error(500),
    httpx.Response(200, content=b"{"),
    httpx.Response(302, headers={"location": "/"}),
]


@pytest.mark.parametrize("fault", [*BUSY, *HARMLESS], ids=repr)
@simulated
async def test_a_read_is_repeated_until_it_works(fault: Answer) -> None:
    """429, 408, 502, 503, 504, timeouts and resets pass (notes §3)."""
    dixa, wire = dixa_on(script(fault, fault, ok(["there"])))
    assert await dixa.get(QUEUES) == ["there"]
    assert len(wire.requests) == 3


@pytest.mark.parametrize("fault", [*BUSY, *HARMLESS], ids=repr)
@simulated
async def test_a_post_that_only_reads_is_as_patient(fault: Answer) -> None:
    """Search and analytics change nothing."""
    dixa, wire = dixa_on(script(fault, ok([{"id": 1}])))
    assert await dixa.ask(SEARCH, {"query": {"value": "x"}}) == [{"id": 1}]
    assert [json.loads(request.content) for request in wire.requests] == [{"query": {"value": "x"}}] * 2


@pytest.mark.parametrize("fault", FINAL, ids=repr)
@simulated
async def test_what_will_not_pass_is_not_repeated(fault: Answer) -> None:
    """The same request would get the same answer."""
    dixa, wire = dixa_on(script(fault))
    with pytest.raises((ApiError, TransportError)):
        await dixa.get(QUEUES)
    assert len(wire.requests) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("fault", [*BUSY, *FINAL], ids=repr)
@simulated
async def test_a_write_that_may_have_happened_is_sent_once(fault: Answer, method: str) -> None:
    """A repeated message or note is a visible duplicate (notes §3, design §4.5)."""
    dixa, wire = dixa_on(script(fault))
    with pytest.raises((ApiError, TransportError)) as caught:
        await dixa.send(method, at("/conversations/{id}/messages", id=1), {})
    assert len(wire.requests) == 1
    unknown = isinstance(fault, Exception) or fault.status_code in {200, 302, 500, 502, 503, 504}
    assert caught.value.changed is (None if unknown else False)


@pytest.mark.parametrize("fault", HARMLESS, ids=repr)
@simulated
async def test_a_write_that_surely_did_not_happen_is_sent_again(fault: Answer) -> None:
    """A 429 and a connection never made prove it (design §4.5)."""
    dixa, wire = dixa_on(script(fault, fault, ok({"messageId": "m"})))
    assert (await dixa.send("POST", at("/conversations/{id}/messages", id=1), {})).data == {"messageId": "m"}
    assert len(wire.requests) == 3


@simulated
async def test_a_read_whose_answer_broke_off_is_repeated_and_a_malformed_one_is_not() -> None:
    """The one is the connection's fault, the other Dixa's."""

    async def breaks() -> AsyncGenerator[bytes]:
        yield b'{"data": ['
        raise httpx.RemoteProtocolError("peer closed connection")

    dixa, wire = dixa_on(script(httpx.Response(200, content=breaks()), ok([1])))
    assert await dixa.get(QUEUES) == [1]
    assert len(wire.requests) == 2
    dixa, wire = dixa_on(script(httpx.Response(200, content=b'{"data": ['), ok([1])))
    with pytest.raises(Unreadable):
        await dixa.get(QUEUES)
    assert len(wire.requests) == 1


@simulated
async def test_patience_ends_after_six_tries() -> None:
    """Also without a deadline."""
    dixa, wire = dixa_on(script(error(503, "busy")))
    with pytest.raises(ServerError, match="busy"):
        await dixa.get(QUEUES)
    assert len(wire.requests) == 6
    assert 0 < clock() < 0.5 * (1 + 2 + 4 + 8 + 16)


@simulated
async def test_retry_after_is_honoured() -> None:
    """If it is sent (notes §3)."""
    dixa, wire = dixa_on(script(error(429, "", {"retry-after": "7"}), ok([])))
    await dixa.get(QUEUES)
    assert wire.times == pytest.approx([0, 7])


@simulated
async def test_one_429_pauses_everybody_on_the_token() -> None:
    """Otherwise twenty calls would each find out for themselves (design §7)."""
    pace = Pace(None)
    dixa, wire = dixa_on(script(error(429, "", {"retry-after": "5"}), ok([])), pace=pace)
    other, other_wire = dixa_on(lambda request: ok([]), pace=pace)

    async def later() -> None:
        await asyncio.sleep(1)
        await other.get(QUEUES)

    await asyncio.gather(dixa.get(QUEUES), later())
    assert (wire.times, other_wire.times) == (pytest.approx([0, 5]), pytest.approx([5]))


@simulated
async def test_a_used_up_day_refuses_without_asking_until_midnight_utc() -> None:
    """`Limit Exceeded` is the day's quota (notes §3); Dixa's clock says when it ends."""
    date = {"date": "Fri, 13 Feb 2026 22:00:00 GMT"}
    dixa, wire = dixa_on(script(error(429, "Limit Exceeded", date), ok([])))
    for _ in range(3):
        with pytest.raises(TooManyRequests) as caught:
            await dixa.get(QUEUES)
        assert caught.value.quota
    with pytest.raises(TooManyRequests):
        await dixa.send("PUT", CLOSE, {})
    assert (len(wire.requests), clock()) == (1, 0)
    await asyncio.sleep(2 * 3600 + 1)
    assert await dixa.get(QUEUES) == []


class Bucket:
    """Dixa's limit, strictly kept: 10 a second, burst 4, else 429 (notes §3)."""

    def __init__(self) -> None:
        self.tokens, self.last, self.refused = 4.0, 0.0, 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.tokens = min(4.0, self.tokens + (clock() - self.last) * 10)
        self.last = clock()
        if self.tokens < 1 - 1e-9:
            self.refused += 1
            return error(429, "Too Many Requests")
        self.tokens -= 1
        return ok(request.url.path)


@pytest.mark.parametrize("latency", [0.0, 0.2])
@simulated
async def test_twenty_parallel_calls_meet_no_429_and_no_error(latency: float) -> None:
    """As fast as the pace allows (design §11; Dixa's own server: 4 errors)."""
    bucket = Bucket()
    dixa, wire = dixa_on(bucket, pace=Pace(), latency=latency)

    async def call() -> Any:
        with deadline(30):
            return await dixa.get(QUEUES)

    assert await asyncio.gather(*(call() for _ in range(20))) == ["/v1/queues"] * 20
    assert (bucket.refused, len(wire.requests)) == (0, 20)
    assert clock() <= (20 - 3.5) / 10 + latency + 0.1


@simulated
async def test_two_hundred_conversations_come_at_the_documented_rate_without_a_429() -> None:
    """At 200 ms upstream, at least 97 % of 10 a second (design §11)."""
    bucket = Bucket()
    dixa, _ = dixa_on(bucket, pace=Pace(), latency=0.2)
    with deadline(30):
        found = await dixa.all([lambda n=n: dixa.get(at("/conversations/{id}", id=n)) for n in range(1, 201)])
    assert found == [f"/v1/conversations/{n}" for n in range(1, 201)]
    assert (bucket.refused, 200 / clock() >= 9.7) == (0, True)


@simulated
async def test_a_cancelled_call_leaves_the_client_working() -> None:
    """A client that goes away must not take the token's pace or a connection with it."""
    dixa, wire = dixa_on(lambda request: ok([]), pace=Pace(), latency=1)
    with deadline(30):
        tasks = [asyncio.create_task(dixa.get(QUEUES)) for _ in range(20)]
        await asyncio.sleep(0.12)
        for task in tasks:
            task.cancel()
        assert await dixa.get(QUEUES) == []
    assert wire.flying == 0


# --- pages ---


@simulated
async def test_pages_are_followed_with_the_key_decoded_once_and_encoded_once() -> None:
    """The documented link, colon included, comes back as it went (notes §6)."""
    dixa, wire = dixa_on(
        script(ok([1], next=LINK.format("cGFnZQ%3D%3D:")), ok([2], next=LINK.format("a%2Bb")), ok([3]))
    )
    pages = [page async for page in dixa.pages(at("/agents"), limit=50, email="x@y.example")]
    assert pages == [Page([1], "cGFnZQ==:"), Page([2], "a+b"), Page([3], None)]
    assert wire.paths == [
        "/v1/agents?email=x%40y.example&pageLimit=50",
        "/v1/agents?email=x%40y.example&pageLimit=50&pageKey=cGFnZQ%3D%3D%3A",
        "/v1/agents?email=x%40y.example&pageLimit=50&pageKey=a%2Bb",
    ]


@simulated
async def test_a_paged_post_sends_its_body_with_every_page() -> None:
    """Search and records (notes §6)."""
    dixa, wire = dixa_on(script(ok([1], next=LINK.format("b")), ok([2])))
    search = {"query": {"value": "refund"}}
    assert [page.items async for page in dixa.pages(SEARCH, limit=2, body=search)] == [[1], [2]]
    assert [(request.method, json.loads(request.content)) for request in wire.requests] == [("POST", search)] * 2


@pytest.mark.parametrize(
    "last",
    [ok([], next=LINK.format("more")), ok(None, next=LINK.format("more")), ok([2], next=LINK.format("same")), ok([2])],
    ids=["empty with next", "none with next", "same key again", "no next"],
)
@simulated
async def test_following_ends(last: httpx.Response) -> None:
    """An empty page was seen to name a next one (notes §6); a key that repeats would never end."""
    dixa, wire = dixa_on(script(ok([1], next=LINK.format("same")), last))
    assert len([page async for page in dixa.pages(at("/agents"))]) == 2
    assert len(wire.requests) == 2


@simulated
async def test_reading_a_list_by_a_write_is_a_bug() -> None:
    """Patience must never meet a write."""
    dixa, wire = dixa_on(lambda request: ok([]))
    with pytest.raises(ValueError, match="isn't a read"):
        await dixa.ask(at("/tags"), {"name": "x"})
    assert wire.requests == []


# --- fan-out ---


@simulated
async def test_a_fan_out_keeps_order_and_returns_errors_beside_results() -> None:
    """A parent may vanish during a run (notes §23)."""
    dixa, _ = dixa_on(lambda request: error(404) if request.url.path.endswith("/2") else ok(request.url.path[-1]))
    told: list[tuple[int, int]] = []

    async def progress(done: int, of: int) -> None:
        told.append((done, of))

    found = await dixa.all([lambda n=n: dixa.get(at("/tags/{id}", id=n)) for n in (1, 2, 3)], progress=progress)
    assert (found[0], type(found[1]), found[2]) == ("1", NotFound, "3")
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert await dixa.all([]) == []


@simulated
async def test_a_bug_in_a_fan_out_comes_out_as_it_is() -> None:
    """Only expected failures are results."""
    dixa, _ = dixa_on(lambda request: ok([]))

    async def bug() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await dixa.all([bug, bug])


# --- files ---

FILE = "https://files.dixa.io/private/a/label%20one.pdf"


@simulated
async def test_a_file_is_fetched_without_the_token() -> None:
    """Dixa hosts only (design §5); whether the token opens them is unknown (notes §9)."""
    dixa, wire = dixa_on(
        lambda request: httpx.Response(200, content=b"%PDF", headers={"content-type": "application/pdf"})
    )
    file = await dixa.download(FILE)
    assert (file.name, file.media_type, file.data) == ("label one.pdf", "application/pdf", b"%PDF")
    assert "authorization" not in wire.requests[0].headers


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/a.pdf",
        "https://files.dixa.io.evil.example/a.pdf",
        "https://evildixa.io/a.pdf",
        "http://files.dixa.io/a.pdf",
        "https://files.dixa.io:8443/a.pdf",
        "https://user@files.dixa.io/a.pdf",
        "https://files.dixa.io@evil.example/a.pdf",
        "https://evil.example\\@files.dixa.io/a.pdf",
        "https://169.254.169.254/latest/meta-data",
        "http://127.0.0.1/a",
        "file:///etc/passwd",
        "//files.dixa.io/a",
        "files.dixa.io/a",
        "",
        "https://[",
        "https://files.dixa.io.",
    ],
)
@simulated
async def test_a_file_elsewhere_is_never_fetched(url: str) -> None:
    """The address comes from a message, so a customer may have written it."""
    dixa, wire = dixa_on(lambda request: httpx.Response(200, content=b"x"))
    with pytest.raises(InvalidArgument):
        await dixa.download(url)
    assert wire.requests == []


@simulated
async def test_files_of_the_sandbox_are_its_own_host() -> None:
    """The sandbox's file URLs point back at itself (design §8)."""
    dixa, _ = dixa_on(lambda request: httpx.Response(200, content=b"x"), base_url="http://127.0.0.1:8080/v1")
    assert (await dixa.download("http://127.0.0.1:8080/files/a")).data == b"x"
    with pytest.raises(InvalidArgument):
        await dixa.download("http://127.0.0.1:9999/files/a")


@simulated
async def test_a_file_that_redirects_or_is_gone_is_an_error() -> None:
    """No redirects ever."""
    dixa, wire = dixa_on(lambda request: httpx.Response(302, headers={"location": "https://evil.example/"}))
    with pytest.raises(Unreadable):
        await dixa.download(FILE)
    assert len(wire.requests) == 1
    dixa, _ = dixa_on(lambda request: error(403))
    with pytest.raises(Unauthorized):
        await dixa.download(FILE)


@simulated
async def test_a_file_larger_than_asked_for_is_not_read() -> None:
    """Size cap (design §5)."""
    dixa, _ = dixa_on(lambda request: httpx.Response(200, content=b"x" * 101))
    with pytest.raises(Unreadable, match="larger than 100 bytes"):
        await dixa.download(FILE, most=100)


# --- size ---


@simulated
async def test_an_answer_above_the_cap_is_not_read_to_its_end() -> None:
    """Neither a declared nor an undeclared size gets past (design §7)."""
    read = 0

    async def endless() -> AsyncGenerator[bytes]:
        nonlocal read
        while True:
            read += 1000
            yield b"x" * 1000

    dixa, _ = dixa_on(lambda request: httpx.Response(200, content=endless()), max_bytes=10_000)
    with pytest.raises(Unreadable, match="larger"):
        await dixa.get(QUEUES)
    assert read <= 12_000
    dixa, _ = dixa_on(lambda request: httpx.Response(200, content=b"x" * 20_000), max_bytes=10_000)
    with pytest.raises(Unreadable, match="larger"):
        await dixa.get(QUEUES)


# --- the rest ---


@simulated
async def test_the_clock_is_dixas() -> None:
    """Deadlines of follow-ups and the sandbox's fixed clock need it; asked for once if nothing was heard."""
    dixa, wire = dixa_on(
        lambda request: httpx.Response(200, content=b'{"data":{}}', headers={"date": "Fri, 13 Feb 2026 12:00:00 GMT"})
    )
    moment = datetime(2026, 2, 13, 12, tzinfo=UTC)
    assert abs(await dixa.now() - moment) < timedelta(minutes=1)
    assert abs(await dixa.now() - moment) < timedelta(minutes=1)
    assert wire.paths == ["/v1/organization"]


@simulated
async def test_every_write_is_told_whatever_became_of_it() -> None:
    """Caches are dropped also after an outcome nobody knows."""
    dixa, _ = dixa_on(script(ok(None), error(500), httpx.ReadTimeout("slow"), ok([])))
    told: list[tuple[str, str]] = []
    dixa.on_write.append(lambda method, path: told.append((method, path.template)))
    await dixa.send("PUT", CLOSE, {})
    for kind in (ServerError, NoAnswer):
        with pytest.raises(kind):
            await dixa.send("POST", at("/tags"), {})
    await dixa.ask(SEARCH, {})
    await dixa.get(QUEUES)
    assert told == [("PUT", "/conversations/{id}/close"), ("POST", "/tags"), ("POST", "/tags")]


@simulated
async def test_errors_name_the_request_and_the_next_step() -> None:
    """What happened, whether anything changed, what to do (design §7)."""
    dixa, _ = dixa_on(script(error(400, "Invalid value for: body"), httpx.ConnectError("Connection refused")))
    with pytest.raises(BadRequest) as caught:
        await dixa.send("PUT", CLOSE, {})
    assert explain(caught.value).startswith(
        "Dixa refused the request (400, PUT /conversations/10401/close): Invalid value"
    )
    with deadline(0.001), pytest.raises(Unreachable) as gone:
        await dixa.send("PUT", CLOSE, {})
    assert "Connection refused" in explain(gone.value)
    assert "Nothing was changed" in explain(gone.value)


@simulated
async def test_closing_twice_or_unused_is_fine() -> None:
    """Shutdown asks no questions."""
    dixa, _ = dixa_on(lambda request: ok([]))
    await dixa.aclose()
    await dixa.get(QUEUES)
    await dixa.aclose()
    await dixa.aclose()
    assert isinstance(Wire(lambda request: ok([])), httpx.AsyncBaseTransport)
