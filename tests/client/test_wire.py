"""What Dixa's bytes mean (notes §4 to §6). Pure: recorded bytes in, data or an error out."""

import json
from typing import Any

import pytest

from dixa_mcp.client.wire import Outcome, decode, outcomes, page_key
from dixa_mcp.errors import (
    ApiError,
    BadRequest,
    Conflict,
    NotFound,
    Sent,
    ServerError,
    TooManyRequests,
    Unauthorized,
    Unreadable,
)

READ = Sent("GET", "/queues")
WRITE = Sent("POST", "/conversations/10401/messages")


def body(document: Any) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize("status", [200, 201, 202, 204])
@pytest.mark.parametrize("content", [b"", b"  \n"])
def test_an_empty_success_is_a_success_without_data(status: int, content: bytes) -> None:
    """26 operations answer 204, four 202 and one 200 with nothing (notes §5)."""
    reply = decode(WRITE, status, {}, content)
    assert (reply.data, reply.next, reply.status) == (None, None, status)


def test_the_envelope_is_opened() -> None:
    """`{"data": …, "meta": {"next": …}}` (notes §5)."""
    reply = decode(READ, 200, {}, body({"data": [1], "meta": {"next": "/v1/agents?pageLimit=2&pageKey=YQ%3D%3D"}}))
    assert (reply.data, reply.next) == ([1], "YQ==")


@pytest.mark.parametrize("meta", [{}, None, {"next": None}, {"previous": "/v1/x?pageKey=a"}, "?"])
def test_a_last_page_has_no_next(meta: Any) -> None:
    """`meta` is absent, null or without `next` (notes §6)."""
    assert decode(READ, 200, {}, body({"data": [], "meta": meta})).next is None


def test_a_bare_array_is_data() -> None:
    """`GET /agents/presence` has no envelope (notes §5)."""
    assert decode(READ, 200, {}, b'[{"userId": "a"}]').data == [{"userId": "a"}]


def test_an_absent_list_is_none() -> None:
    """`data` of lists isn't marked required (notes §1)."""
    assert decode(READ, 200, {}, b"{}").data is None
    assert decode(READ, 200, {}, b'{"meta": {}}').data is None


@pytest.mark.parametrize(
    "content",
    [
        b"<html>",
        b'{"data": [',
        b'"text"',
        b"7",
        b"null",
        b"NaN",
        b'{"data": NaN}',
        b'{"ok": true}',
        b"\xff\xfe",
        b'{"data": "\xff"}',
        b"[" * 100_000,
    ],
    ids=lambda content: ascii(content[:12]),
)
def test_what_is_no_answer_of_dixas_is_unreadable(content: bytes) -> None:
    """A proxy's page, a truncated or malformed document: never taken for a result."""
    with pytest.raises(Unreadable) as caught:
        decode(READ, 200, {}, content)
    assert caught.value.changed is False
    with pytest.raises(Unreadable) as caught:
        decode(WRITE, 200, {}, content)
    assert caught.value.changed is None


@pytest.mark.parametrize("status", [100, 301, 302, 307, 308, 304, 600])
def test_a_status_that_is_neither_success_nor_error_is_unreadable(status: int) -> None:
    """A redirect is an answer like any other: not followed, not understood (notes §2)."""
    with pytest.raises(Unreadable):
        decode(READ, status, {"location": "https://evil.example"}, b"")


@pytest.mark.parametrize(
    ("status", "kind", "changed"),
    [
        (400, BadRequest, False),
        (401, Unauthorized, False),
        (403, Unauthorized, False),
        (404, NotFound, False),
        (405, ApiError, False),
        (408, ApiError, False),
        (409, Conflict, False),
        (410, NotFound, False),
        (413, BadRequest, False),
        (415, BadRequest, False),
        (418, ApiError, False),
        (422, BadRequest, False),
        (429, TooManyRequests, False),
        (500, ServerError, None),
        (502, ServerError, None),
        (503, ServerError, None),
        (504, ServerError, None),
    ],
)
def test_each_status_is_one_kind_of_error(status: int, kind: type[ApiError], changed: bool | None) -> None:
    """A 5xx leaves open whether a write was carried out; everything else says no (notes §3, §4)."""
    with pytest.raises(ApiError) as caught:
        decode(WRITE, status, {}, body({"message": "Invalid value for: body"}))
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.said, caught.value.changed) == (
        status,
        "Invalid value for: body",
        changed,
    )
    with pytest.raises(ApiError) as caught:
        decode(READ, status, {}, body({"message": "x"}))
    assert caught.value.changed is False


@pytest.mark.parametrize(
    "content", [b"", b"<html>Bad gateway</html>", b"[]", b'{"message": 7}', b'{"error": "x"}', b"\xff"]
)
def test_an_error_without_a_message_says_only_its_status(content: bytes) -> None:
    """A gateway's page isn't Dixa's word, and may be anything."""
    with pytest.raises(ServerError) as caught:
        decode(READ, 502, {}, content)
    assert caught.value.said == ""


def test_dixas_words_become_one_clean_line() -> None:
    """Error texts repeat what customers wrote: cleaned, one line, at most 300 characters (design §4.8)."""
    with pytest.raises(BadRequest) as caught:
        decode(READ, 400, {}, body({"message": "Bad\n\n\u202evalue\u0000 " + "x" * 1000}))
    assert caught.value.said.startswith("Bad value x")
    assert len(caught.value.said) <= 300


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "Fri, 13 Feb 2026 12:00:30 GMT", "date": "Fri, 13 Feb 2026 12:00:00 GMT"}, 30.0),
        ({"retry-after": "Fri, 13 Feb 2026 11:00:00 GMT", "date": "Fri, 13 Feb 2026 12:00:00 GMT"}, 0.0),
        ({"retry-after": "Fri, 99 Feb 2026 12:00:30 GMT"}, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(headers: dict[str, str], seconds: float | None) -> None:
    """A date counts from the answer's own clock, as ours may be wrong. None of it is documented (notes §3)."""
    with pytest.raises(TooManyRequests) as caught:
        decode(READ, 429, headers, body({"message": "Too Many Requests"}))
    assert (caught.value.retry_after, caught.value.quota) == (seconds, False)


def test_limit_exceeded_means_the_day_is_over() -> None:
    """The gateway's two texts: rate, and daily quota (notes §3)."""
    with pytest.raises(TooManyRequests) as caught:
        decode(READ, 429, {"retry-after": "1"}, body({"message": "Limit Exceeded"}))
    assert (caught.value.retry_after, caught.value.quota) == (None, True)


@pytest.mark.parametrize(
    ("link", "key"),
    [
        ("/v1/search/conversations/?pageKey=cGFnZUxpbWl0PTUwJnBhZ2U9MQ%3D%3D:", "cGFnZUxpbWl0PTUwJnBhZ2U9MQ==:"),
        ("/v1/agents?pageKey=YQ%3D%3D", "YQ=="),
        ("https://dev.dixa.io/v1/agents?pageLimit=2&pageKey=YQ%3D%3D&x=1", "YQ=="),
        ("https://evil.example/steal?pageKey=YQ", "YQ"),
        ("?pageKey=a%2Bb%2F", "a+b/"),
        ("?pageKey=a+b", "a+b"),
        ("?pageKey=a%252Bb", "a%2Bb"),
        ("?pageKey=a%3D#frag", "a="),
        ("?pageKey=", None),
        ("?notPageKey=a&xpageKey=b", None),
        ("/v1/agents", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_of_a_next_link_only_its_page_key_is_kept(link: Any, key: str | None) -> None:
    """The token must never follow a link to another host; the key is opaque and decoded once (notes §6)."""
    assert page_key(link) == key


def test_a_bulk_answer_is_judged_item_by_item() -> None:
    """It succeeds as a whole and fails per item, in three shapes (notes §4)."""
    data = [
        {"_type": "BulkActionSuccess", "data": {"id": "a"}},
        {
            "_type": "BulkActionFailure",
            "error": {"_type": "Validation", "id": "b", "message": "failed with PhoneNumberExists"},
        },
        {"_type": "BulkActionFailure", "error": {"message": "An agent cannot be found"}},
        {"_type": "BulkActionFailure", "error": {"_type": "EmptyPatchSet", "id": "c"}},
        {"_type": "BulkActionPostponed", "data": {"id": "d"}},
        "?",
    ]
    assert outcomes(data) == [
        Outcome(ok=True, data={"id": "a"}, error=""),
        Outcome(ok=False, data="b", error="failed with PhoneNumberExists"),
        Outcome(ok=False, data=None, error="An agent cannot be found"),
        Outcome(ok=False, data="c", error="EmptyPatchSet"),
        Outcome(ok=False, data=None, error="no reason given"),
        Outcome(ok=False, data=None, error="no reason given"),
    ]
    assert outcomes(None) == []


@pytest.mark.parametrize(
    "document",
    [
        {"data": {"id": 1, "partialErrors": [{"message": "no such agent"}, {}]}},
        {"data": [], "partialErrors": [{"message": "no such agent"}, {}]},
        {"partialErrors": [{"message": "no such agent"}, {}]},
    ],
)
def test_what_failed_inside_a_success_is_told(document: Any) -> None:
    """Import, translations and attachments answer 2xx with partial errors, in two places (notes §4)."""
    reply = decode(Sent("POST", "/x"), 200, {}, json.dumps(document).encode())
    assert reply.failed == ("no such agent", "no reason given")


def test_a_plain_success_has_no_failures() -> None:
    """Nothing failed, nothing is told."""
    assert decode(Sent("POST", "/x"), 200, {}, b'{"data": {"id": 1}}').failed == ()
