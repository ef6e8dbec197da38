"""Queues and the people who work them."""
