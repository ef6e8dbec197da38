"""Streamable HTTP for many callers: who calls, whose organisation it is, and how much may go on at a time."""
