"""Tokens as o200k counts them. Reading its tables takes a second, so that waits for the first text."""

from functools import cache
from typing import Any


@cache
def _vocabulary() -> Any:
    import bpe_openai

    return bpe_openai.get_encoding("o200k_base")


def tokens(text: str) -> int:
    """Tokens of a text."""
    return len(_vocabulary().encode(text))
