"""Erasing what is personal, for good."""
