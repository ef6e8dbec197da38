"""The protocol eras, apart from the front door: who only hands out tests needn't load the SDK."""

ERAS = ("auto", "legacy")
"""How a client is told to speak: 2026-07-28, or the handshake revisions."""
