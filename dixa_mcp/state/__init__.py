"""What guardrails remember: counters, single-use keys, small records, each with an expiry.

`State` is the door; `MemoryState` keeps one process's memory, `redis.RedisState` that of several replicas.
Everything a second replica must know goes through here and nowhere else.
"""

from dixa_mcp.state.memory import MemoryState
from dixa_mcp.state.protocol import Reservation, State

__all__ = ["MemoryState", "Reservation", "State"]
