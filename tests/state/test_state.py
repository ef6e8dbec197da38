"""The shared memory: one protocol, the same behaviour in one process and in Redis (design §4.5, §4.6, §9)."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

import pytest
from running_redis import RunningRedis

from dixa_mcp.state import MemoryState, Reservation, State
from dixa_mcp.state.redis import RedisState


@dataclass
class Memory:
    """A state, a second door to the same memory, and a way to let time pass."""

    state: State
    other: State
    pass_time: Callable[[float], None]


@pytest.fixture(params=["memory", "redis"])
async def memory(request: pytest.FixtureRequest) -> AsyncGenerator[Memory]:
    if request.param == "memory":
        now = [1000.0]

        def later(seconds: float) -> None:
            now[0] += seconds

        state = MemoryState(clock=lambda: now[0])
        yield Memory(state, state, later)
        return
    server: RunningRedis = request.getfixturevalue("redis_server")
    state, other = RedisState(server.url), RedisState(server.url)

    def age(seconds: float) -> None:
        server.age(seconds)
        for each in (state, other):
            each._seen = {key: (used, ends - round(seconds * 1000)) for key, (used, ends) in each._seen.items()}

    yield Memory(state, other, age)
    await state.aclose()
    await other.aclose()


def said(reservation: Reservation) -> tuple[bool, int, int]:
    """Round the seconds, for Redis's own clock goes on meanwhile."""
    return reservation.granted, reservation.used, int(round(reservation.resets_in, -1))


async def test_a_value_is_read_until_it_expires(memory: Memory) -> None:
    """Each value has an end (design §9: every key with a TTL)."""
    assert await memory.state.get("key") is None
    await memory.state.put("key", "first", 10)
    await memory.state.put("key", "second", 20)
    memory.pass_time(19)
    assert await memory.state.get("key") == "second"
    memory.pass_time(2)
    assert await memory.state.get("key") is None


@pytest.mark.parametrize("text", ["", "Grüße, 世界 🎉", "two\nlines\x00and a null", "\ud800 half a pair", "0", "nil"])
async def test_any_text_comes_back_as_it_was_given(memory: Memory, text: str) -> None:
    """In values, lists and names."""
    await memory.state.put(f"key {text}", text, 10)
    await memory.state.push(f"key {text}", text, 10, keep=3)
    assert await memory.state.get(f"key {text}") == text
    assert await memory.state.items(f"key {text}") == [text]
    assert await memory.state.take(f"key {text}") == text


async def test_a_fraction_of_a_millisecond_is_an_expiry_too(memory: Memory) -> None:
    """Nothing is refused for being short, and nothing short stays."""
    await memory.state.put("key", "value", 0.0001)
    await asyncio.sleep(0.01)
    memory.pass_time(0.01)
    assert await memory.state.get("key") is None


async def test_only_the_first_of_fifty_adds(memory: Memory) -> None:
    """A consent is spent once, and a call is claimed by one (design §4.3, §4.5)."""
    doors = [memory.state, memory.other] * 25
    written = await asyncio.gather(*(door.add("key", str(at), 10) for at, door in enumerate(doors)))
    assert written.count(True) == 1
    assert await memory.other.get("key") == str(written.index(True))


async def test_what_expired_can_be_added_again(memory: Memory) -> None:
    """The ten minutes of `once` end."""
    assert await memory.state.add("key", "first", 600)
    memory.pass_time(599)
    assert not await memory.state.add("key", "second", 600)
    memory.pass_time(2)
    assert await memory.state.add("key", "third", 600)


async def test_exactly_one_of_fifty_takes(memory: Memory) -> None:
    """A two-step token works once, on whichever replica (design §4.3)."""
    await memory.state.put("key", "token", 10)
    doors = [memory.state, memory.other] * 25
    taken = await asyncio.gather(*(door.take("key") for door in doors))
    assert sorted(taken, key=bool) == [None] * 49 + ["token"]
    assert await memory.state.get("key") is None


async def test_what_expired_cannot_be_taken(memory: Memory) -> None:
    """A token lives five minutes."""
    await memory.state.put("key", "token", 300)
    memory.pass_time(301)
    assert await memory.state.take("key") is None


async def test_fifty_at_once_never_exceed_the_limit(memory: Memory) -> None:
    """Budgets hold for all replicas together (design §4.6)."""
    doors = [memory.state, memory.other] * 25
    reserved = await asyncio.gather(*(door.reserve("key", 3, 20, 3600) for door in doors))
    assert sum(each.granted for each in reserved) == 6
    assert {each.used for each in reserved if not each.granted} == {18}
    assert (await memory.other.reserve("key", 2, 20, 3600)).used == 20


async def test_a_refusal_counts_nothing_and_says_when_the_window_ends(memory: Memory) -> None:
    """Exhausted: limit, used, when it resets (design §4.6)."""
    await memory.state.reserve("key", 60, 60, 3600)
    memory.pass_time(600)
    assert said(await memory.state.reserve("key", 1, 60, 3600)) == (False, 60, 3000)
    assert said(await memory.state.reserve("key", 0, 61, 3600)) == (True, 60, 3000)


async def test_the_window_starts_with_the_first_use_and_later_uses_do_not_stretch_it(memory: Memory) -> None:
    """A fixed window."""
    for _ in range(3):
        assert (await memory.state.reserve("key", 1, 3, 60)).granted
        memory.pass_time(15)
    assert not (await memory.state.reserve("key", 1, 3, 60)).granted
    memory.pass_time(16)
    assert said(await memory.state.reserve("key", 1, 3, 60)) == (True, 1, 60)


async def test_asking_for_nothing_starts_no_window(memory: Memory) -> None:
    """`dixa_status` looks at budgets without drawing on them."""
    assert said(await memory.state.reserve("key", 0, 5, 60)) == (True, 0, 60)
    memory.pass_time(30)
    assert (await memory.state.reserve("key", 5, 5, 60)).resets_in == pytest.approx(60, abs=1)


async def test_a_limit_of_nothing_grants_nothing(memory: Memory) -> None:
    """`0` allows none (design §4.6)."""
    assert said(await memory.state.reserve("key", 1, 0, 60)) == (False, 0, 60)


async def test_what_is_given_back_can_be_reserved_again_but_never_more(memory: Memory) -> None:
    """A call that proved to change nothing costs nothing."""
    await memory.state.release("key", 1)
    await memory.state.reserve("key", 2, 3, 60)
    await memory.state.release("key", 1)
    assert (await memory.state.reserve("key", 0, 3, 60)).used == 1
    await memory.state.release("key", 9)
    memory.pass_time(20)
    assert said(await memory.state.reserve("key", 3, 3, 60)) == (True, 3, 40)
    assert not (await memory.state.reserve("key", 1, 3, 60)).granted


async def test_a_list_keeps_the_newest_in_their_order(memory: Memory) -> None:
    """The journal keeps 500."""
    assert await memory.state.items("key") == []
    for at in range(7):
        await (memory.state, memory.other)[at % 2].push("key", str(at), 10, keep=5)
    assert await memory.state.items("key") == ["2", "3", "4", "5", "6"]


async def test_fifty_pushed_at_once_are_all_there(memory: Memory) -> None:
    """No change gets lost between replicas."""
    await asyncio.gather(*(memory.state.push("key", str(at), 10, keep=50) for at in range(50)))
    assert sorted(await memory.other.items("key"), key=int) == [str(at) for at in range(50)]


async def test_each_push_prolongs_the_list_and_what_expired_does_not_come_back(memory: Memory) -> None:
    """A week after the last change the journal is empty."""
    await memory.state.push("key", "a", 10, keep=5)
    memory.pass_time(8)
    await memory.state.push("key", "b", 10, keep=5)
    memory.pass_time(8)
    assert await memory.state.items("key") == ["a", "b"]
    memory.pass_time(3)
    await memory.state.push("key", "c", 10, keep=5)
    assert await memory.state.items("key") == ["c"]


async def test_a_value_a_counter_and_a_list_may_have_one_name(memory: Memory) -> None:
    """What kinds a key is used for is nobody's secret contract."""
    await memory.state.put("key", "value", 10)
    await memory.state.push("key", "entry", 10, keep=5)
    assert (await memory.state.reserve("key", 1, 5, 10)).used == 1
    assert await memory.state.take("key") == "value"
    assert await memory.state.items("key") == ["entry"]
